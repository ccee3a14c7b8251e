//! The configuration of buildkitd, and the script that waits for builds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use toml::{Table, Value};

use crate::deploy;

/// What buildkitd knows, of what is used here.
const KEYS: &[(&str, &[&str])] = &[
    ("", &["history", "registry", "worker"]),
    ("history", &["maxAge", "maxEntries"]),
    ("registry", &["http", "insecure"]),
    ("worker.oci", &["gc", "gcpolicy", "max-parallelism"]),
    (
        "worker.oci.gcpolicy",
        &[
            "all",
            "filters",
            "keepDuration",
            "maxUsedSpace",
            "minFreeSpace",
            "reservedSpace",
        ],
    ),
];

fn unknown(table: &Table, of: &str) -> Vec<String> {
    let known = KEYS
        .iter()
        .find(|(name, _)| *name == of)
        .map(|(_, keys)| *keys);
    (table.keys())
        .filter(|key| !known.unwrap_or_default().contains(&key.as_str()))
        .map(|key| format!("{of}.{key}"))
        .collect()
}

fn config() -> Table {
    let path = deploy().join("base/buildkitd.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn rules(config: &Table) -> Vec<Table> {
    let rules = config["worker"]["oci"]["gcpolicy"].as_array().unwrap();
    rules
        .iter()
        .map(|rule| rule.as_table().unwrap().clone())
        .collect()
}

/// The percent of the volume from which on a rule drops something.
fn percent(rule: &Table) -> u8 {
    let space = rule["maxUsedSpace"].as_str().unwrap();
    space.strip_suffix('%').unwrap().parse().unwrap()
}

fn is_for(rule: &Table, kind: &str) -> bool {
    let filters = rule.get("filters").and_then(Value::as_array);
    filters.is_none_or(|filters| {
        filters
            .iter()
            .any(|one| one.as_str() == Some(&format!("type=={kind}")))
    })
}

#[test]
fn buildkitd_knows_every_key() {
    let config = config();
    let mut found = unknown(&config, "");
    found.extend(unknown(config["history"].as_table().unwrap(), "history"));
    for (host, registry) in config["registry"].as_table().unwrap() {
        assert_eq!(host, "registry:5000");
        found.extend(unknown(registry.as_table().unwrap(), "registry"));
        assert_eq!(registry["http"].as_bool(), Some(true));
        assert_eq!(registry["insecure"].as_bool(), Some(true));
    }
    found.extend(unknown(
        config["worker"]["oci"].as_table().unwrap(),
        "worker.oci",
    ));
    for rule in rules(&config) {
        found.extend(unknown(&rule, "worker.oci.gcpolicy"));
    }
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(
        unknown(&"gcPolicy = 1".parse().unwrap(), "worker.oci"),
        ["worker.oci.gcPolicy"]
    );
}

#[test]
fn cache_mounts_are_dropped_last() {
    let rules = rules(&config());
    let percents: Vec<u8> = rules.iter().map(percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    let mounts: Vec<&Table> = rules
        .iter()
        .filter(|rule| is_for(rule, "exec.cachemount"))
        .collect();
    let layers: Vec<&Table> = rules
        .iter()
        .filter(|rule| is_for(rule, "regular"))
        .collect();
    // Until layers of any age went, only mounts that were not used for months.
    let any_age = |rule: &&&Table| !rule.contains_key("keepDuration");
    let mount = mounts.iter().find(any_age).unwrap();
    let layer = layers.iter().find(any_age).unwrap();
    assert!(percent(mount) > percent(layer));
    let hours = mounts[0]["keepDuration"]
        .as_str()
        .unwrap()
        .strip_suffix('h')
        .unwrap();
    assert!(hours.parse::<u32>().unwrap() >= 30 * 24);
    // The last rules are for everything, so that the volume never fills up.
    let last = rules.last().unwrap();
    assert_eq!(last["all"].as_bool(), Some(true));
    assert!(!last.contains_key("filters") && percent(last) < 95);
}

/// A `buildctl` that says what it says, and how often it was asked until the script ended.
fn drain(buildctl: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("buildctl");
    let asked = dir.path().join("asked");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {}\n{buildctl}\n",
        asked.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        dir.path().display(),
        std::env::var("PATH").unwrap()
    );
    let status = Command::new("sh")
        .arg(deploy().join("base/drain.sh"))
        .envs([("PATH", path.as_str()), ("SETTLE", "0")])
        .env("ASKED", &asked)
        .status()
        .unwrap();
    assert!(status.success());
    let asked = fs::read_to_string(asked).unwrap();
    assert!(
        asked.lines().all(|line| line == "debug histories"),
        "{asked}"
    );
    asked.lines().count()
}

#[test]
fn draining_waits_for_builds() {
    let head = "echo 'TYPE REF'; echo 'COMPLETE a'";
    assert_eq!(drain(head), 1);
    let once = format!("{head}; [ $(wc -l < \"$ASKED\") -gt 1 ] || echo 'STARTED b'");
    assert_eq!(drain(&once), 2);
}

#[test]
fn draining_ends_if_the_daemon_is_gone() {
    assert_eq!(drain("echo 'STARTED b'; exit 1"), 1);
}
