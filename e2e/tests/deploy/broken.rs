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
    let mut objects = Value::Array(set.objects.clone());
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = objects.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    set.objects.clone_from(objects.as_array().unwrap());
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

/// A rule, the place of a change, and the value there that it finds.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("kinds", "", "/5/kind", r#""Ingress""#),
    ("namespace", "/2", "/metadata/namespace", "null"),
    ("resources", STATE, "/resources/limits", r#"{"cpu": "1"}"#),
    ("resources", DAEMON, "/resources/requests/memory", "null"),
    ("probes", DAEMON, "/livenessProbe", "null"),
    (
        "probes",
        DAEMON,
        "/readinessProbe",
        r#"{"tcpSocket": {"port": 1234}}"#,
    ),
    ("images", STATE, "/image", r#""moby/buildkit""#),
    ("images", STATE, "/image", r#""moby/buildkit:latest""#),
    ("images", STATE, "/image", r#""moby/buildkit:v0.32""#),
    (
        "images",
        DAEMON,
        "/image",
        r#""registry.example.org/buildkit:v0.32.2""#,
    ),
    ("privileged", DAEMON, "/securityContext/privileged", "true"),
    ("privileged", STATE, "/securityContext/privileged", "true"),
    ("root", STATE, "/securityContext/runAsNonRoot", "false"),
    ("root", STATE, "/securityContext/runAsUser", "0"),
    ("tokens", POD, "/automountServiceAccountToken", "true"),
    ("tokens", POD, "/serviceAccountName", r#""default""#),
    ("tokens", "/1", "/automountServiceAccountToken", "null"),
    ("contexts", STATE, "/securityContext/capabilities", "{}"),
    (
        "contexts",
        STATE,
        "/securityContext/allowPrivilegeEscalation",
        "true",
    ),
    (
        "contexts",
        STATE,
        "/securityContext/readOnlyRootFilesystem",
        "null",
    ),
    (
        "contexts",
        STATE,
        "/securityContext/seccompProfile",
        r#"{"type": "Unconfined"}"#,
    ),
    (
        "contexts",
        STATE,
        "/securityContext/capabilities/add",
        r#"["CHOWN"]"#,
    ),
    (
        "contexts",
        DAEMON,
        "/securityContext/capabilities/add",
        r#"["SYS_ADMIN"]"#,
    ),
    ("host", POD, "/hostNetwork", "true"),
    ("host", POD, "/volumes/1", r#"{"hostPath": {"path": "/"}}"#),
    ("host", DAEMON, "/ports/0/hostPort", "1234"),
    ("scratch", POD, "/volumes/1/emptyDir", "{}"),
    ("network", "/4/spec", "/policyTypes", r#"["Ingress"]"#),
    (
        "network",
        "/4/spec",
        "/podSelector",
        r#"{"matchLabels": {"app": "other"}}"#,
    ),
    ("network", "/4/spec", "/ingress/0/from", "[]"),
    ("network", DAEMON, "/ports/0/containerPort", "4321"),
    ("services", "/2/spec", "/selector", r#"{"app": "other"}"#),
    ("services", "/2/spec", "/ports/0/targetPort", r#""http""#),
    ("disruption", "/3/spec", "/maxUnavailable", "2"),
    (
        "disruption",
        "/3/spec",
        "/selector",
        r#"{"matchLabels": {"app": "other"}}"#,
    ),
    ("roles", "/6/rules/0", "/verbs", r#"["*"]"#),
    ("roles", "/6/rules/0", "/resourceNames", "null"),
    ("drain", POD, "/terminationGracePeriodSeconds", "null"),
    ("drain", DAEMON, "/lifecycle", "null"),
    ("references", POD, "/volumes/0/configMap/name", r#""other""#),
    (
        "references",
        POD,
        "/volumes/1",
        r#"{"name": "scratch", "secret": {"secretName": "other"}}"#,
    ),
    ("references", DAEMON, "/volumeMounts/0/name", r#""other""#),
];

#[test]
fn every_rule_finds_what_it_is_for() {
    let mut tried = BTreeSet::new();
    for (rule, at, pointer, value) in CASES {
        tried.insert(*rule);
        let found = said(
            rule,
            &format!("{at}{pointer}"),
            serde_json::from_str(value).unwrap(),
        );
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
