//! Caches for LLB that another frontend made.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use buildkit_llb::{Definition, inspect};
use common::{context, larder, run, texts};
use serde_json::Value;

/// LLB that BuildKit's frontend made of the Dockerfiles beside it.
fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rewrite")
}

/// Stdout for a definition on stdin.
fn inject(llb: &[u8], args: &[&str]) -> Vec<u8> {
    let mut command = larder(&cases());
    command.arg("inject").args(args).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(llb).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", texts(&output).2);
    output.stdout
}

fn read(name: &str) -> Vec<u8> {
    fs::read(cases().join(name)).expect("it is there")
}

fn execs(json: &[u8]) -> Vec<Value> {
    let json: Value = serde_json::from_slice(json).expect("it is JSON");
    json["execs"].as_array().expect("there are some").clone()
}

#[test]
fn llb_gets_mounts() {
    let before = read("debian.llb");
    let after = inject(&before, &[]);
    let shown = |bytes: &[u8]| {
        let definition = Definition::from_bytes(bytes).expect("it is LLB");
        inspect::json(&definition).expect("it can be shown")
    };
    assert!(!shown(&before).contains("/var/cache/apt"));
    let now = shown(&after);
    for part in [
        "/var/cache/apt",
        "docker-clean",
        "/larder/shared/npm/",
        "NPM_CONFIG_CACHE",
    ] {
        assert!(now.contains(part), "{part} is missing: {now}");
    }
    assert_eq!(inject(&after, &[]), after);
    let args = ["inject", "debian.llb"];
    let output = larder(&cases()).args(args).output().expect("it starts");
    assert_eq!(output.stdout, after);
    let (_, _, stderr) = texts(&output);
    assert_eq!(
        stderr,
        "note: without a daemon, this is assumed:\n  [1/4] FROM docker.io/library/debian:13: a \
         distribution like no other\n"
    );
}

#[test]
fn decisions_are_shown() {
    let (code, stdout, _) = run(&cases(), &["inject", "--format", "plan", "debian.llb"]);
    assert_eq!(code, 0);
    for part in [
        "3 operations run a program, 2 with caches\n",
        " (Dockerfile:6)\n  cache npm at /.larder/npm, shared, 0:0 0755: `npm ci`\n",
        "  no caches: a comment says so\n",
    ] {
        assert!(stdout.contains(part), "{part} is missing:\n{stdout}");
    }
    let json = execs(&inject(&read("debian.llb"), &["--format", "json", "-"]));
    assert_eq!(json.len(), 3);
    assert_eq!(json[1]["env"]["NPM_CONFIG_CACHE"], "/.larder/npm");
}

#[test]
fn ids_are_as_asked_for() {
    let id = |args: &[&str]| {
        let args = [&["--format", "json"], args].concat();
        let execs = execs(&inject(&read("go.llb"), &args));
        let mounts = execs[1]["mounts"].as_array().expect("there are some");
        let build = mounts.iter().find(|mount| mount["cache"] == "go-build");
        build.expect("it is there")["id"]
            .as_str()
            .expect("it is text")
            .to_owned()
    };
    assert!(
        id(&[]).starts_with("/larder/project:default/go-build/"),
        "{}",
        id(&[])
    );
    let ours = id(&["--project", "shop", "--namespace", "ci"]);
    assert!(
        ours.starts_with("ci/larder/project:shop/go-build/"),
        "{ours}"
    );
    assert_eq!(id(&["--ids", "dockerfile"]), "//root/.cache/go-build");
    let strange = id(&["--ids", "dockerfile", "--namespace", "ci"]);
    assert_eq!(strange, "ci//root/.cache/go-build");
}

#[test]
fn json_from_buildkit_is_read_too() {
    let json = cases().join("../../../buildkit-llb/tests/json/dockerfile.json");
    let json = fs::read(json).expect("it is there");
    let execs = execs(&inject(&json, &["--format", "json"]));
    assert_eq!(execs.len(), 3);
    let definition = Definition::from_bytes(&inject(&json, &[])).expect("it is LLB");
    assert!(definition.vertices().count() > 10);
}

#[test]
fn what_is_no_llb_is_refused() {
    let directory = context(&[
        ("empty", ""),
        ("text", "FROM a\n"),
        ("json", "{}"),
        ("torn", "{["),
    ]);
    let large = fs::File::create(directory.path().join("large")).expect("made");
    large.set_len(65 << 20).expect("grown");
    let mut cut = read("debian.llb");
    cut.truncate(cut.len() / 2);
    fs::write(directory.path().join("cut"), cut).expect("written");
    for (name, part) in [
        ("empty", "there is nothing in it"),
        ("text", "not an LLB definition"),
        ("json", "not an LLB definition: it has no `def`"),
        ("torn", "not an LLB definition"),
        ("cut", "not an LLB definition"),
        ("large", "68157440 bytes, and at most 67108864 are read"),
        ("none", "there is no such file"),
    ] {
        let (code, stdout, stderr) = run(directory.path(), &["inject", name]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{name}: {stderr}");
        assert!(stderr.starts_with(&format!("error: {name}: ")), "{stderr}");
        assert!(stderr.contains(part), "{stderr}");
    }
    for args in [
        &["inject", "--format", "dot"] as &[&str],
        &["inject", "--ids", "x"],
        &["dockerfile"],
    ] {
        assert_eq!(run(directory.path(), args).0, 2, "{args:?}");
    }
}
