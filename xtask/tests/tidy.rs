//! What holds for the whole repository: who may depend on whom, and what no file contains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each may use. Tests may use more.
const USES: &[(&str, &[&str])] = &[
    ("larder-diagnostic", &[]),
    ("larder-spec", &["larder-diagnostic"]),
    ("larder-catalog", &[]),
    ("buildkit-llb", &[]),
    ("larder-inject", &["buildkit-llb", "larder-catalog"]),
    ("larder-dockerfile", &[]),
    (
        "larder-plan",
        &[
            "buildkit-llb",
            "larder-catalog",
            "larder-diagnostic",
            "larder-inject",
            "larder-spec",
        ],
    ),
    ("larder-gateway", &["buildkit-llb"]),
    (
        "larder",
        &[
            "buildkit-llb",
            "larder-diagnostic",
            "larder-dockerfile",
            "larder-inject",
            "larder-plan",
            "larder-spec",
        ],
    ),
    (
        "larder-frontend",
        &[
            "buildkit-llb",
            "larder-diagnostic",
            "larder-gateway",
            "larder-inject",
            "larder-plan",
            "larder-spec",
        ],
    ),
    ("larder-e2e", &[]),
    (
        "xtask",
        &["larder-catalog", "larder-e2e", "larder-plan", "larder-spec"],
    ),
];

/// Dependencies that only some of our crates may have. Tests may use more.
const ONLY: &[(&str, &[&str])] = &[
    (
        "tokio",
        &["larder-gateway", "larder-frontend", "larder-e2e", "xtask"],
    ),
    ("tonic", &["larder-gateway"]),
    ("tonic-prost", &["larder-gateway"]),
    ("prost", &["buildkit-llb", "larder-gateway"]),
    ("prost-types", &["buildkit-llb", "larder-gateway"]),
    (
        "bollard-buildkit-proto",
        &["buildkit-llb", "larder-gateway"],
    ),
    ("granit-parser", &["larder-spec"]),
    ("annotate-snippets", &["larder-diagnostic"]),
    ("clap", &["larder", "xtask"]),
];

const LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the repository")
        .to_owned()
}

fn output(program: &str, words: &[&str]) -> String {
    let output = Command::new(program)
        .current_dir(root())
        .args(words)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every file that git has or would take, with its text; what is no text is left out.
fn files() -> Vec<(String, String)> {
    let names = output(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    );
    let files: Vec<(String, String)> = names
        .lines()
        .filter_map(|name| Some((name.to_owned(), fs::read_to_string(root().join(name)).ok()?)))
        .collect();
    assert!(files.len() > 50, "git lists only {} files", files.len());
    files
}

/// Fails with every mistake, one a line.
fn none(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

#[test]
fn crates_use_only_what_they_may() {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_owned());
    let metadata = output(&cargo, &["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let ours: BTreeSet<&str> = packages
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    let listed: BTreeSet<&str> = USES.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        ours, listed,
        "the table of crates is not that of the workspace"
    );

    let mut mistakes = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let allowed = USES
            .iter()
            .find_map(|(one, uses)| (*one == name).then_some(*uses))
            .unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            if ours.contains(used) && used != name && !for_tests && !allowed.contains(&used) {
                mistakes.push(format!("{name} must not use {used}"));
            }
            let only = ONLY.iter().find(|(one, _)| *one == used);
            if !for_tests && only.is_some_and(|(_, users)| !users.contains(&name)) {
                mistakes.push(format!("{name} must not depend on {used}"));
            }
        }
    }
    none(&mistakes);
}

#[test]
fn files_are_read_in_one_sitting() {
    let mut mistakes = Vec::new();
    for (name, text) in files() {
        let lines = text.lines().count();
        if has_extension(&name, &["rs", "toml", "md", "yaml", "sh"]) && lines > LINES {
            mistakes.push(format!("{name} has {lines} lines; {LINES} are allowed"));
        }
    }
    none(&mistakes);
}

#[test]
fn files_name_no_registry_and_no_machine() {
    // In halves, so that this file does not contain them.
    let forbidden = [
        concat!("pypi.", "org"),
        concat!("pythonhosted.", "org"),
        concat!("registry.", "npmjs"),
        concat!("crates.", "io"),
        concat!("proxy.", "golang"),
        concat!("deb.", "debian.org"),
        concat!("repo1.", "maven"),
        concat!("/root/", ".cargo/bin"),
        concat!("/work/", "main"),
        concat!("/work/", "shared"),
        concat!("/work/", "t-"),
    ];
    let mut mistakes = Vec::new();
    for (name, text) in files() {
        // Cargo and uv write the registry's name into lock files.
        if name.ends_with("Cargo.lock") || name.ends_with("uv.lock") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for word in forbidden.iter().filter(|word| line.contains(*word)) {
                mistakes.push(format!("{name}:{} contains {word}", number + 1));
            }
        }
    }
    none(&mistakes);
}

#[test]
fn nothing_is_left_undone() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let mut mistakes = Vec::new();
    for (name, text) in files() {
        if name.ends_with(".snap.new") || has_extension(&name, &["orig", "rej"]) {
            mistakes.push(format!("{name} is a leftover"));
        }
        if !has_extension(&name, &["rs", "toml", "md", "yaml"]) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(*mark)) {
                mistakes.push(format!("{name}:{} says {mark}", number + 1));
            }
        }
    }
    none(&mistakes);
}

#[test]
fn lints_are_silenced_only_with_a_reason() {
    let mut mistakes = Vec::new();
    for (name, text) in files() {
        if !has_extension(&name, &["rs"]) {
            continue;
        }
        for lint in [concat!("[al", "low("), concat!("[ex", "pect(")] {
            for (at, _) in text.match_indices(lint) {
                let attribute = text[at..].split(")]").next().unwrap_or_default();
                let line = text[..at].lines().count();
                if lint.contains("low") {
                    mistakes.push(format!(
                        "{name}:{line} allows a lint; expect it, with a reason"
                    ));
                } else if !attribute.contains("reason = ") {
                    mistakes.push(format!("{name}:{line} gives no reason"));
                }
            }
        }
    }
    none(&mistakes);
}
