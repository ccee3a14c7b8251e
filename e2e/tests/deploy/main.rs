//! What is in `deploy/kubernetes` is what it says: kubectl renders it, it fits the published schemas, it keeps
//! to a policy, and `haproxy`, the registry and a shell run its configuration.

mod broken;
mod config;
mod objects;
mod policy;
mod tls;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use larder_e2e::{Engine, Project};
use serde_json::{Value, json};

use objects::{Set, list, text};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes")
}

/// What the programs say; they run once for all tests.
fn answers() -> &'static Value {
    static ANSWERS: OnceLock<Value> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let engine = Engine::from_env().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/deploy");
        let project = Project::copied(&fixture).unwrap();
        fs::create_dir(project.path().join("kubernetes")).unwrap();
        copy(&deploy(), &project.path().join("kubernetes"));
        let built = engine.build(&project).file("Dockerfile").files();
        let built = built.succeed().unwrap();
        let read = |name: &str| -> Value {
            serde_json::from_str(&built.read(&format!("{name}.json")).unwrap()).unwrap()
        };
        json!({
            "manifests": read("manifests"),
            "affinity": read("affinity"),
            "collect": read("collect"),
        })
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn sets() -> Vec<Set> {
    let rendered = answers()["manifests"]["rendered"].as_object().unwrap();
    (rendered.iter())
        .map(|(name, one)| Set {
            name: name.clone(),
            objects: list(&one["objects"]).to_vec(),
        })
        .collect()
}

fn set(name: &str) -> Set {
    sets().into_iter().find(|one| one.name == name).unwrap()
}

#[test]
fn every_overlay_is_rendered() {
    let rendered: BTreeSet<String> = sets().into_iter().map(|one| one.name).collect();
    let mut there: BTreeSet<String> = fs::read_dir(deploy().join("overlays"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(there.len() >= 7, "{there:?}");
    let told = fs::read_to_string(deploy().join("../../docs/kubernetes.md")).unwrap();
    for name in &there {
        assert!(told.contains(&format!("\n| `{name}` | ")), "{name}");
    }
    there.insert("example".to_owned());
    assert_eq!(rendered, there);
    for one in sets() {
        assert!(one.objects.len() >= 3, "{}", one.name);
    }
}

#[test]
fn manifests_fit_the_published_schemas() {
    let rendered = answers()["manifests"]["rendered"].as_object().unwrap();
    let mut unknown = BTreeSet::new();
    for (name, one) in rendered {
        assert_eq!(one["wrong"], json!([]), "{name}");
        for kind in list(&one["unknown"]) {
            let (version, kind) = (text(&kind["apiVersion"]), text(&kind["kind"]));
            unknown.insert(format!("{version} {kind}"));
        }
    }
    // Their schemas come with cert-manager; `tls` looks at them.
    let expected = [
        "cert-manager.io/v1 Certificate",
        "cert-manager.io/v1 Issuer",
    ];
    assert_eq!(unknown.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_validator_refuses_what_is_broken() {
    let broken = list(&answers()["manifests"]["broken"]);
    let said: Vec<&str> = broken.iter().map(|one| text(&one["wrong"][0])).collect();
    let expected = [
        (
            "Service/a-word-for-a-number: ",
            "'many' is not of type 'integer'",
        ),
        (
            "PodDisruptionBudget/an-unknown-key: ",
            "'maxUnavailabe' was unexpected",
        ),
        (
            "StatefulSet/no-selector: ",
            "'selector' is a required property",
        ),
    ];
    assert_eq!(said.len(), expected.len());
    for (said, (name, reason)) in said.iter().zip(expected) {
        assert!(said.starts_with(name) && said.contains(reason), "{said}");
    }
}

#[test]
fn overlays_keep_to_the_policy() {
    let mut wrong = Vec::new();
    for set in sets() {
        for (name, rule) in policy::RULES {
            // The example runs beside an overlay, whose config map it reads and whose policies are for it.
            wrong.extend(
                rule(&set)
                    .into_iter()
                    .map(|one| format!("{}, {name}: {one}", set.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_proxy_keeps_projects_on_their_replica() {
    let affinity = &answers()["affinity"];
    assert_eq!(affinity["check"], "");
    let broken = text(&affinity["broken"]);
    assert!(broken.contains("'hash-type' only supports"), "{broken}");
    for one in ["stays", "comes_back", "same_in_another_proxy"] {
        assert_eq!(affinity[one], true, "{one}");
    }
    // Of 60 projects; without the other replica all go to the one that is left.
    for replica in ["buildkitd-0", "buildkitd-1"] {
        let share = affinity["share"][replica].as_u64().unwrap();
        assert!((15..=45).contains(&share), "{replica} has {share}");
    }
    assert_eq!(affinity["alone"], json!(["buildkitd-1"]));
    for one in sets() {
        let pods = one.pods();
        let replicas = pods
            .iter()
            .find(|pods| pods.name == "StatefulSet/buildkitd");
        let proxied = one.has("Deployment", "buildkitd-affinity");
        if let Some(replicas) = replicas.filter(|_| proxied) {
            let servers: Vec<String> = (0..replicas.replicas).map(|one| one.to_string()).collect();
            assert_eq!(affinity["servers"], json!(servers), "{}", one.name);
        }
    }
}

#[test]
fn the_registry_drops_what_nobody_uses() {
    let collect = &answers()["collect"];
    for run in ["empty", "full", "damaged"] {
        assert_eq!(collect[run]["status"], 0, "{}", collect[run]);
    }
    assert_eq!(
        collect["there"],
        json!({
            "shop": true, "newest": true, "shared": true,
            "old-branch": false, "old": false, "replaced": false
        }),
        "{}",
        collect["full"]["said"]
    );
    assert_eq!(collect["again"], true);
    let damaged = text(&collect["damaged"]["said"]);
    assert!(
        damaged.contains("the registry starts with what is there"),
        "{damaged}"
    );
}
