//! `compile` gives the same bytes, whoever runs it and from where.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::path::Path;

use common::{application, larder};

fn compile(directory: &Path, path: &str, env: &[(&str, &str)]) -> Vec<u8> {
    let mut command = larder(directory);
    command.args(["compile", "--platform", "linux/amd64", path]);
    command.envs(env.iter().copied());
    let output = command.output().expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(!output.stdout.is_empty());
    output.stdout
}

#[test]
fn a_hundred_times() {
    let directory = application();
    let first = compile(directory.path(), ".", &[]);
    for _ in 1..100 {
        assert_eq!(compile(directory.path(), ".", &[]), first);
    }
}

#[test]
fn on_another_machine() {
    let here = application();
    let there = application();
    let first = compile(here.path(), ".", &[]);
    let home = there.path().to_str().expect("it is UTF-8");
    let env = [
        ("HOME", home),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("TZ", "Asia/Kathmandu"),
        ("SOURCE_DATE_EPOCH", "1"),
        ("GREETING", "not from here"),
        ("http_proxy", "http://proxy.example:3128"),
        ("BUILDKIT_CACHE_MOUNT_NS", "other"),
        ("DOCKER_DEFAULT_PLATFORM", "linux/arm64"),
    ];
    for (directory, path) in [
        (there.path(), "."),
        (there.path(), "larder.yaml"),
        (Path::new("/"), home),
        (here.path(), home),
        (here.path(), &format!("{home}/larder.yaml")),
    ] {
        assert_eq!(compile(directory, path, &env), first, "{path}");
    }
}

#[test]
fn but_not_for_another_build() {
    let directory = application();
    let first = compile(directory.path(), ".", &[]);
    let mut command = larder(directory.path());
    command.args([
        "compile",
        "--platform",
        "linux/amd64",
        "--build-arg",
        "GREETING=bye",
    ]);
    assert_ne!(command.output().expect("it starts").stdout, first);
    let mut command = larder(directory.path());
    command.args(["compile", "--platform", "linux/arm64"]);
    assert_ne!(command.output().expect("it starts").stdout, first);
}
