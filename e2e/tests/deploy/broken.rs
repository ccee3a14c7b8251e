//! Every rule of the policy finds what it is for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::objects::Set;
use crate::policy::RULES;

fn good() -> Set {
    let labels = json!({"app.kubernetes.io/name": "buildkitd"});
    let probe = json!({"exec": {"command": ["buildctl", "debug", "workers"]}});
    let amounts = json!({"cpu": "1", "memory": "1Gi"});
    let resources = json!({"requests": amounts, "limits": amounts});
    let pods = json!({
        "serviceAccountName": "buildkitd",
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": 3600,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 1000},
        "initContainers": [{
            "name": "state",
            "image": "moby/buildkit:v0.32.2-rootless",
            "resources": resources,
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"}
            }
        }],
        "containers": [{
            "name": "buildkitd",
            "image": "moby/buildkit:v0.32.2-rootless",
            "resources": resources,
            "ports": [{"name": "grpc", "containerPort": 1234}],
            "readinessProbe": probe,
            "livenessProbe": probe,
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "/etc/buildkit/drain.sh"]}}},
            "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]}},
            "volumeMounts": [{"name": "state"}, {"name": "config"}, {"name": "scratch"}]
        }],
        "volumes": [
            {"name": "config", "configMap": {"name": "buildkitd"}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}
        ]
    });
    let objects = json!([
        {
            "kind": "StatefulSet",
            "metadata": {"name": "buildkitd", "namespace": "larder-build"},
            "spec": {
                "replicas": 2,
                "template": {"metadata": {"labels": labels}, "spec": pods},
                "volumeClaimTemplates": [{"metadata": {"name": "state"}}]
            }
        },
        {
            "kind": "ServiceAccount",
            "metadata": {"name": "buildkitd", "namespace": "larder-build"},
            "automountServiceAccountToken": false
        },
        {
            "kind": "Service",
            "metadata": {"name": "buildkitd", "namespace": "larder-build"},
            "spec": {"selector": labels, "ports": [{"port": 1234, "targetPort": "grpc"}]}
        },
        {
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "buildkitd", "namespace": "larder-build"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
        },
        {
            "kind": "NetworkPolicy",
            "metadata": {"name": "buildkitd", "namespace": "larder-build"},
            "spec": {
                "podSelector": {"matchLabels": labels},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"ports": [{"port": 1234}], "from": [{"podSelector": {}}]}]
            }
        },
        {"kind": "ConfigMap", "metadata": {"name": "buildkitd", "namespace": "larder-build"}},
        {
            "kind": "Role",
            "metadata": {"name": "restart", "namespace": "larder-build"},
            "rules": [{"resources": ["statefulsets"], "resourceNames": ["registry"], "verbs": ["patch"]}]
        }
    ]);
    Set {
        name: "rootless".to_owned(),
        objects: objects.as_array().unwrap().clone(),
    }
}

/// What the rule says after one change.
fn said(rule: &str, pointer: &str, value: Value) -> Vec<String> {
    let mut set = good();
    let mut objects = Value::Array(set.objects);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = objects.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    set.objects = objects.as_array().unwrap().clone();
    let (_, rule) = RULES.iter().find(|(name, _)| *name == rule).unwrap();
    rule(&set)
}

const POD: &str = "/0/spec/template/spec";
const STATE: &str = "/0/spec/template/spec/initContainers/0";
const DAEMON: &str = "/0/spec/template/spec/containers/0";

#[test]
fn good_manifests_are_good() {
    let set = good();
    for (name, rule) in RULES {
        assert_eq!(rule(&set), [""; 0], "{name}");
    }
}

#[test]
fn every_rule_finds_what_it_is_for() {
    let cases = [
        ("kinds", "", "/5/kind", json!("Ingress")),
        ("namespace", "/2", "/metadata/namespace", Value::Null),
        ("resources", STATE, "/resources/limits", json!({"cpu": "1"})),
        (
            "resources",
            DAEMON,
            "/resources/requests/memory",
            Value::Null,
        ),
        ("probes", DAEMON, "/livenessProbe", Value::Null),
        (
            "probes",
            DAEMON,
            "/readinessProbe",
            json!({"tcpSocket": {"port": 1234}}),
        ),
        ("images", STATE, "/image", json!("moby/buildkit")),
        ("images", STATE, "/image", json!("moby/buildkit:latest")),
        ("images", STATE, "/image", json!("moby/buildkit:v0.32")),
        (
            "images",
            DAEMON,
            "/image",
            json!("registry.example.org/buildkit:v0.32.2"),
        ),
        (
            "privileged",
            DAEMON,
            "/securityContext/privileged",
            json!(true),
        ),
        (
            "privileged",
            STATE,
            "/securityContext/privileged",
            json!(true),
        ),
        ("root", STATE, "/securityContext/runAsNonRoot", json!(false)),
        ("root", STATE, "/securityContext/runAsUser", json!(0)),
        ("tokens", POD, "/automountServiceAccountToken", json!(true)),
        ("tokens", POD, "/serviceAccountName", json!("default")),
        ("tokens", "/1", "/automountServiceAccountToken", Value::Null),
        (
            "contexts",
            STATE,
            "/securityContext/capabilities",
            json!({}),
        ),
        (
            "contexts",
            STATE,
            "/securityContext/allowPrivilegeEscalation",
            json!(true),
        ),
        (
            "contexts",
            STATE,
            "/securityContext/readOnlyRootFilesystem",
            Value::Null,
        ),
        (
            "contexts",
            STATE,
            "/securityContext/seccompProfile",
            json!({"type": "Unconfined"}),
        ),
        (
            "contexts",
            STATE,
            "/securityContext/capabilities/add",
            json!(["CHOWN"]),
        ),
        (
            "contexts",
            DAEMON,
            "/securityContext/capabilities/add",
            json!(["SYS_ADMIN"]),
        ),
        ("host", POD, "/hostNetwork", json!(true)),
        (
            "host",
            POD,
            "/volumes/1",
            json!({"hostPath": {"path": "/"}}),
        ),
        ("host", DAEMON, "/ports/0/hostPort", json!(1234)),
        ("scratch", POD, "/volumes/1/emptyDir", json!({})),
        ("network", "/4/spec", "/policyTypes", json!(["Ingress"])),
        (
            "network",
            "/4/spec",
            "/podSelector",
            json!({"matchLabels": {"app": "other"}}),
        ),
        ("network", "/4/spec", "/ingress/0/from", json!([])),
        ("network", DAEMON, "/ports/0/containerPort", json!(4321)),
        ("services", "/2/spec", "/selector", json!({"app": "other"})),
        ("services", "/2/spec", "/ports/0/targetPort", json!("http")),
        ("disruption", "/3/spec", "/maxUnavailable", json!(2)),
        (
            "disruption",
            "/3/spec",
            "/selector",
            json!({"matchLabels": {"app": "other"}}),
        ),
        ("roles", "/6/rules/0", "/verbs", json!(["*"])),
        ("roles", "/6/rules/0", "/resourceNames", Value::Null),
        ("drain", POD, "/terminationGracePeriodSeconds", Value::Null),
        ("drain", DAEMON, "/lifecycle", Value::Null),
        (
            "references",
            POD,
            "/volumes/0/configMap/name",
            json!("other"),
        ),
        (
            "references",
            POD,
            "/volumes/1",
            json!({"name": "scratch", "secret": {"secretName": "other"}}),
        ),
        ("references", DAEMON, "/volumeMounts/0/name", json!("other")),
    ];
    let mut tried = BTreeSet::new();
    for (rule, at, pointer, value) in cases {
        tried.insert(rule);
        let found = said(rule, &format!("{at}{pointer}"), value.clone());
        assert!(
            !found.is_empty(),
            "{rule} says nothing about {at}{pointer} = {value}"
        );
    }
    let rules: BTreeSet<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(tried, rules);
}

#[test]
fn the_privileged_overlay_has_to_be_so() {
    let mut set = good();
    set.name = "privileged".to_owned();
    let (_, rule) = RULES
        .iter()
        .find(|(name, _)| *name == "privileged")
        .unwrap();
    assert_eq!(
        rule(&set),
        ["StatefulSet/buildkitd: buildkitd is not privileged, as its overlay says"]
    );
}
