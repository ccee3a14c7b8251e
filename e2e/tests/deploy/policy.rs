//! What no overlay may do. Each rule says what is wrong, so that it can be seen to find that.

use serde_json::Value;

use crate::objects::{Container, Set, list, name, text};

pub(crate) type Rule = fn(&Set) -> Vec<String>;

pub(crate) const RULES: &[(&str, Rule)] = &[
    ("kinds", kinds_are_known),
    ("namespace", all_is_in_one_namespace),
    ("resources", resources_are_limited),
    ("probes", probes_are_set),
    ("images", images_are_pinned),
    ("privileged", only_the_overlay_of_that_name_is_privileged),
    ("root", nobody_is_root),
    ("tokens", tokens_are_for_who_needs_them),
    ("contexts", contexts_are_tight),
    ("host", nothing_of_the_host_is_used),
    ("scratch", scratch_space_is_limited),
    ("network", ports_are_guarded),
    ("services", services_find_their_pods),
    ("disruption", replicas_go_one_by_one),
    ("roles", roles_are_narrow),
    ("drain", builds_end_before_their_daemon),
    ("references", configuration_is_there),
];

/// What there may be. Kinds of cert-manager have no schema in the validator, so they are looked at here.
const KINDS: &[&str] = &[
    "Certificate",
    "ConfigMap",
    "CronJob",
    "Deployment",
    "Issuer",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// The daemon needs more than all others.
const DAEMON: &str = "StatefulSet/buildkitd: buildkitd";

fn is_privileged(set: &Set, container: &Container) -> bool {
    set.name == "privileged" && container.name == DAEMON
}

fn kinds_are_known(set: &Set) -> Vec<String> {
    let kinds = set.objects.iter().map(|one| text(&one["kind"]));
    kinds
        .filter(|kind| !KINDS.contains(kind))
        .map(|kind| format!("`{kind}` is no kind that is expected here"))
        .collect()
}

/// Also what components add, and the accounts that a role is for.
fn all_is_in_one_namespace(set: &Set) -> Vec<String> {
    let objects = set.objects.iter().filter(|one| one["kind"] != "Namespace");
    let subjects = set.of("RoleBinding").flat_map(|one| list(&one["subjects"]));
    let of_objects = objects.map(|one| (name(one), &one["metadata"]["namespace"]));
    let of_subjects = subjects.map(|one| (text(&one["name"]), &one["namespace"]));
    (of_objects.chain(of_subjects))
        .filter(|(_, namespace)| **namespace != "larder-build")
        .map(|(name, namespace)| format!("{name} is in namespace {namespace}"))
        .collect()
}

fn resources_are_limited(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in set.containers() {
        for (what, of) in [
            ("requests", "cpu"),
            ("requests", "memory"),
            ("limits", "cpu"),
            ("limits", "memory"),
        ] {
            if one.spec["resources"][what][of].is_null() {
                wrong.push(format!("{} has no {what} of {of}", one.name));
            }
        }
    }
    wrong
}

fn probes_are_set(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods().iter().filter(|pods| pods.serve()) {
        for one in pods.containers().iter().filter(|one| !one.first) {
            for probe in ["readinessProbe", "livenessProbe"] {
                let probe_is = &one.spec[probe];
                let command: Vec<_> = list(&probe_is["exec"]["command"])
                    .iter()
                    .map(text)
                    .collect();
                if probe_is.is_null() {
                    wrong.push(format!("{} has no {probe}", one.name));
                } else if one.name == DAEMON && command != ["buildctl", "debug", "workers"] {
                    wrong.push(format!("{} does not ask for workers: {probe}", one.name));
                }
            }
        }
    }
    wrong
}

/// A name at Docker Hub, with a whole version.
fn is_pinned(image: &str) -> bool {
    let Some((repository, tag)) = image.rsplit_once(':') else {
        return false;
    };
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let numbers = version.split('-').next().unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    !repository.contains(['.', ':'])
        && numbers.split('.').count() == 3
        && numbers.split('.').all(digits)
}

fn images_are_pinned(set: &Set) -> Vec<String> {
    let images = set.containers();
    (images.iter())
        .filter(|one| !is_pinned(text(&one.spec["image"])))
        .map(|one| format!("{} runs {}", one.name, one.spec["image"]))
        .collect()
}

fn only_the_overlay_of_that_name_is_privileged(set: &Set) -> Vec<String> {
    let containers = set.containers();
    (containers.iter())
        .filter(|one| {
            let privileged = one.spec["securityContext"]["privileged"] == true;
            privileged != is_privileged(set, one)
        })
        .map(|one| {
            if is_privileged(set, one) {
                format!("{} is not privileged, as its overlay says", one.name)
            } else {
                format!("{} is privileged", one.name)
            }
        })
        .collect()
}

fn nobody_is_root(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        // What prepares the volume of a daemon that is root is root as well.
        let as_root = (pods.containers().iter()).any(|one| is_privileged(set, one));
        for one in pods.containers() {
            let of = |key: &str| match &one.spec["securityContext"][key] {
                Value::Null => &pods.spec["securityContext"][key],
                own => own,
            };
            let root = *of("runAsNonRoot") != true || of("runAsUser").as_u64().unwrap_or(0) == 0;
            if root && !as_root {
                wrong.push(format!("{} may be root", one.name));
            }
        }
    }
    wrong
}

fn tokens_are_for_who_needs_them(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        let account = text(&pods.spec["serviceAccountName"]);
        if !set.has("ServiceAccount", account) {
            wrong.push(format!("{} has no account of its own", pods.name));
        }
        let token = pods.spec["automountServiceAccountToken"] != false;
        if token && pods.name != "CronJob/registry-collect" {
            wrong.push(format!("{} gets a token", pods.name));
        }
    }
    for one in set.of("ServiceAccount") {
        if one["automountServiceAccountToken"] != false {
            wrong.push(format!("ServiceAccount/{} gives its token away", name(one)));
        }
    }
    wrong
}

fn contexts_are_tight(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for one in pods.containers() {
            let own = &one.spec["securityContext"];
            if is_privileged(set, &one) {
                continue;
            }
            if list(&own["capabilities"]["drop"]) != ["ALL"] {
                wrong.push(format!("{} keeps capabilities", one.name));
            }
            if one.name == DAEMON {
                if list(&own["capabilities"]["add"]) != ["SETUID", "SETGID"] {
                    wrong.push(format!("{} has other capabilities than it needs", one.name));
                }
                continue;
            }
            if !list(&own["capabilities"]["add"]).is_empty() {
                wrong.push(format!("{} adds capabilities", one.name));
            }
            if own["allowPrivilegeEscalation"] != false {
                wrong.push(format!("{} may gain privileges", one.name));
            }
            if own["readOnlyRootFilesystem"] != true {
                wrong.push(format!("{} can write into its image", one.name));
            }
            let seccomp = match &own["seccompProfile"] {
                Value::Null => &pods.spec["securityContext"]["seccompProfile"],
                profile => profile,
            };
            if seccomp["type"] != "RuntimeDefault" {
                wrong.push(format!("{} has no seccomp profile", one.name));
            }
        }
    }
    wrong
}

fn nothing_of_the_host_is_used(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            if pods.spec[key] == true {
                wrong.push(format!("{} sets {key}", pods.name));
            }
        }
        for volume in list(&pods.spec["volumes"]) {
            if !volume["hostPath"].is_null() {
                wrong.push(format!("{} mounts a path of its host", pods.name));
            }
        }
        if pods.containers().iter().any(|one| {
            list(&one.spec["ports"])
                .iter()
                .any(|port| !port["hostPort"].is_null())
        }) {
            wrong.push(format!("{} listens on a port of its host", pods.name));
        }
    }
    wrong
}

fn scratch_space_is_limited(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for volume in list(&pods.spec["volumes"]) {
            let scratch = &volume["emptyDir"];
            if !scratch.is_null() && scratch["sizeLimit"].is_null() {
                wrong.push(format!("{} has scratch space without limit", pods.name));
            }
        }
    }
    wrong
}

/// Every port is reached only by those whom a policy names, but for that of health checks.
fn ports_are_guarded(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        let policies: Vec<&Value> = set
            .of("NetworkPolicy")
            .filter(|one| pods.selected(&one["spec"]["podSelector"]["matchLabels"]))
            .collect();
        for direction in ["Ingress", "Egress"] {
            let is_about = |one: &&Value| {
                list(&one["spec"]["policyTypes"])
                    .iter()
                    .any(|kind| kind == direction)
            };
            if set.name != "example" && !policies.iter().any(is_about) {
                wrong.push(format!("{} has no policy for {direction}", pods.name));
            }
        }
        let rules: Vec<&Value> = (policies.iter())
            .flat_map(|one| list(&one["spec"]["ingress"]))
            .collect();
        for rule in &rules {
            if list(&rule["from"]).is_empty() || list(&rule["ports"]).is_empty() {
                wrong.push(format!("{} is reached by everyone", pods.name));
            }
        }
        for (called, number) in pods.ports() {
            let open = |rule: &&Value| {
                list(&rule["ports"])
                    .iter()
                    .any(|port| port["port"] == number)
            };
            if called != "health" && !rules.iter().any(open) {
                wrong.push(format!(
                    "{} is reached by nobody on port {number}",
                    pods.name
                ));
            }
        }
    }
    wrong
}

fn services_find_their_pods(set: &Set) -> Vec<String> {
    let pods = set.pods();
    let mut wrong = Vec::new();
    for service in set.of("Service") {
        let selector = &service["spec"]["selector"];
        for port in list(&service["spec"]["ports"]) {
            let found = (pods.iter().filter(|one| one.selected(selector))).any(|one| {
                one.ports()
                    .iter()
                    .any(|(called, _)| port["targetPort"] == *called)
            });
            if selector.is_null() || !found {
                wrong.push(format!("Service/{} leads nowhere", name(service)));
            }
        }
    }
    wrong
}

fn replicas_go_one_by_one(set: &Set) -> Vec<String> {
    let pods = set.pods();
    (pods.iter().filter(|one| one.serve() && one.replicas > 1))
        .filter(|one| {
            !set.of("PodDisruptionBudget").any(|budget| {
                let labels = &budget["spec"]["selector"]["matchLabels"];
                !labels.is_null() && one.selected(labels) && budget["spec"]["maxUnavailable"] == 1
            })
        })
        .map(|one| format!("{} has no budget", one.name))
        .collect()
}

fn roles_are_narrow(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for role in set.of("Role") {
        for rule in list(&role["rules"]) {
            let all = ["apiGroups", "resources", "verbs"]
                .iter()
                .flat_map(|key| list(&rule[*key]))
                .any(|word| word == "*");
            if all || list(&rule["resourceNames"]).is_empty() {
                wrong.push(format!("Role/{} is wide", name(role)));
            }
        }
    }
    wrong
}

fn builds_end_before_their_daemon(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set
        .pods()
        .iter()
        .filter(|one| one.name == "StatefulSet/buildkitd")
    {
        let seconds = pods.spec["terminationGracePeriodSeconds"].as_u64();
        if seconds.unwrap_or(30) < 600 {
            wrong.push(format!("{} gives builds {seconds:?} seconds", pods.name));
        }
        for one in pods.containers().iter().filter(|one| one.name == DAEMON) {
            let command = list(&one.spec["lifecycle"]["preStop"]["exec"]["command"]);
            if command != ["sh", "/etc/buildkit/drain.sh"] {
                wrong.push(format!("{} does not wait for builds", one.name));
            }
        }
    }
    wrong
}

/// Config maps that are mounted or read are made here, and secrets are those that are told of.
fn configuration_is_there(set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    for pods in set.pods() {
        for volume in list(&pods.spec["volumes"]) {
            let map = text(&volume["configMap"]["name"]);
            if !map.is_empty() && !set.has("ConfigMap", map) {
                wrong.push(format!("{} mounts {map}, which nobody makes", pods.name));
            }
            let secret = text(&volume["secret"]["secretName"]);
            if !secret.is_empty() && secret != "buildkitd-tls" {
                wrong.push(format!("{} mounts the unknown secret {secret}", pods.name));
            }
        }
        for one in pods.containers() {
            for mount in list(&one.spec["volumeMounts"]) {
                let stateful = pods.name.strip_prefix("StatefulSet/").unwrap_or_default();
                let claimed = set
                    .of("StatefulSet")
                    .filter(|object| name(object) == stateful)
                    .flat_map(|object| list(&object["spec"]["volumeClaimTemplates"]));
                let is_it = |volume: &Value| volume["name"] == mount["name"];
                let here = list(&pods.spec["volumes"]).iter().any(is_it);
                if !here
                    && !claimed
                        .into_iter()
                        .any(|claim| name(claim) == mount["name"])
                {
                    wrong.push(format!("{} has no volume {}", one.name, mount["name"]));
                }
            }
        }
    }
    wrong
}
