//! TLS is there where an overlay says so, with certificates that are good for every name that clients use.

use serde_json::{Value, json};

use crate::objects::{Set, list, name, text};
use crate::{set, sets};

fn arguments(set: &Set) -> Vec<String> {
    let pods = set.pods();
    let daemon = pods
        .iter()
        .find(|one| one.name == "StatefulSet/buildkitd")
        .unwrap();
    list(&daemon.spec["containers"][0]["args"])
        .iter()
        .map(|one| text(one).to_owned())
        .collect()
}

/// Whether a name in a certificate stands for a server's.
fn covers(pattern: &str, server: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => server
            .split_once('.')
            .is_some_and(|(_, domain)| domain == rest),
        None => pattern == server,
    }
}

fn certificate<'a>(set: &'a Set, called: &str) -> &'a Value {
    set.of("Certificate")
        .find(|one| name(one) == called)
        .unwrap()
}

#[test]
fn tls_is_where_the_overlay_says_so() {
    let flags = [
        "--tlscacert=/tls/ca.crt",
        "--tlscert=/tls/tls.crt",
        "--tlskey=/tls/tls.key",
    ];
    for set in sets().iter().filter(|set| set.name != "example") {
        let secured = ["affinity", "cert-manager", "mtls", "production"].contains(&&*set.name);
        let arguments = arguments(set);
        for flag in flags {
            assert_eq!(
                arguments.iter().any(|one| one == flag),
                secured,
                "{}: {arguments:?}",
                set.name
            );
        }
        let pods = set.pods();
        let daemon = pods
            .iter()
            .find(|one| one.name == "StatefulSet/buildkitd")
            .unwrap();
        let mounts = list(&daemon.spec["containers"][0]["volumeMounts"]);
        let mounted = mounts.iter().any(|one| one["mountPath"] == "/tls");
        assert_eq!(mounted, secured, "{}", set.name);
        if set.has("Deployment", "buildkitd-affinity") {
            assert!(
                secured,
                "{}: the proxy goes by a name that only TLS gives",
                set.name
            );
        }
    }
}

#[test]
fn the_daemon_of_each_overlay_is_what_it_says() {
    let rootless = arguments(&set("rootless"));
    assert!(rootless.contains(&"--oci-worker-no-process-sandbox".to_owned()));
    let privileged = arguments(&set("privileged"));
    assert!(!privileged.contains(&"--oci-worker-no-process-sandbox".to_owned()));
    for arguments in [rootless, privileged] {
        assert!(arguments.contains(&"--addr=tcp://0.0.0.0:1234".to_owned()));
        assert!(
            arguments
                .iter()
                .any(|one| one.starts_with("--addr=unix://"))
        );
    }
}

#[test]
fn the_registry_keeps_its_cache_where_the_overlay_says_so() {
    for set in sets().iter().filter(|set| set.name != "example") {
        let kept = ["persistent", "production"].contains(&&*set.name);
        let registry = set
            .of("StatefulSet")
            .find(|one| name(one) == "registry")
            .unwrap();
        let claims = list(&registry["spec"]["volumeClaimTemplates"]);
        assert_eq!(claims.len() == 1, kept, "{}", set.name);
        let volumes = list(&registry["spec"]["template"]["spec"]["volumes"]);
        let thrown = volumes.iter().find(|one| !one["emptyDir"].is_null());
        let limit = thrown.map(|one| &one["emptyDir"]["sizeLimit"]);
        assert_eq!(limit, (!kept).then_some(&json!("50Gi")), "{}", set.name);
        assert_eq!(set.has("CronJob", "registry-collect"), kept, "{}", set.name);
    }
}

#[test]
fn certificates_are_good_for_every_name() {
    for overlay in ["cert-manager", "production"] {
        let set = set(overlay);
        let server = certificate(&set, "buildkitd");
        assert_eq!(server["spec"]["usages"], json!(["server auth"]));
        assert_eq!(server["spec"]["secretName"], "buildkitd-tls");
        let names = list(&server["spec"]["dnsNames"]);
        let namespace = text(&server["metadata"]["namespace"]);
        let mut servers = vec!["shop.projects.buildkitd".to_owned()];
        for service in set.of("Service").map(name).filter(|one| *one != "registry") {
            let hosts: Vec<String> = match service {
                "buildkitd-replicas" => (0..2)
                    .map(|one| format!("buildkitd-{one}.{service}"))
                    .collect(),
                service => vec![service.to_owned()],
            };
            for host in hosts {
                let ends = ["", ".svc", ".svc.cluster.local"];
                servers.extend(ends.map(|end| format!("{host}.{namespace}{end}")));
                servers.push(host);
            }
        }
        for server in servers {
            assert!(
                names.iter().any(|one| covers(text(one), &server)),
                "{overlay}: {server}"
            );
        }
        let client = certificate(&set, "buildkit-client");
        assert_eq!(client["spec"]["usages"], json!(["client auth"]));
        let authority = certificate(&set, "buildkit-ca");
        assert_eq!(authority["spec"]["isCA"], true);
    }
}

#[test]
fn every_certificate_has_its_issuer() {
    let set = set("cert-manager");
    assert_eq!(set.of("Certificate").count(), 3);
    for one in set.of("Certificate") {
        assert!(
            set.has("Issuer", text(&one["spec"]["issuerRef"]["name"])),
            "{one}"
        );
        assert!(one["spec"]["privateKey"]["algorithm"].is_string(), "{one}");
        let secret = &one["spec"]["secretName"];
        let same = set
            .of("Certificate")
            .filter(|other| other["spec"]["secretName"] == *secret);
        assert_eq!(same.count(), 1, "{secret}");
    }
    let signing = set
        .of("Issuer")
        .find(|one| name(one) == "buildkit")
        .unwrap();
    let authority = certificate(&set, "buildkit-ca");
    assert_eq!(
        signing["spec"]["ca"]["secretName"],
        authority["spec"]["secretName"]
    );
}

#[test]
fn names_with_a_star_stand_for_one_part() {
    assert!(covers("*.projects.buildkitd", "shop.projects.buildkitd"));
    assert!(!covers("*.projects.buildkitd", "a.shop.projects.buildkitd"));
    assert!(!covers("buildkitd", "shop"));
}
