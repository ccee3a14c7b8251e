//! Files that `larder` writes for other programs.

use std::{path::Path, process::Command};

use larder_e2e::Project;

mod compose;
mod gitlab;
mod schemas;

/// What the command of this workspace writes in a project.
fn larder(project: &Project, words: &[&str], variables: &[(&str, &str)]) -> String {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package=larder", "--manifest-path"])
        .arg(manifest)
        .arg("--")
        .args(words)
        .envs(variables.iter().copied())
        .current_dir(project.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
