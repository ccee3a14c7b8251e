//! `bake`: the files that it writes, and all that it refuses.

mod refused;

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;

use std::path::Path;

use common::{context, larder, run, texts};
use serde_json::{Value, json};
use tempfile::TempDir;

const BASE: &str = "# syntax=larder/frontend:1\nname: base\nfrom: debian\n";
const LIB: &str = "# syntax=larder/frontend:1\nname: team/lib.a\nargs: {WORD: }\nfrom: base\n";
const APP: &str = "\
args: {BASE: base, OTHER: x}
stages:
  tools:
    from: node:20
  app:
    from: ${BASE}
    steps:
      - copy: {from: team/lib.a, src: /lib, dest: /}
      - copy: {from: tools, src: /usr/bin/node, dest: /}
";

fn repository() -> TempDir {
    context(&[
        ("base/larder.yaml", BASE),
        ("libs/lib/larder.yaml", LIB),
        ("app/larder.yaml", APP),
        ("tools/larder.yaml", "from: alpine\n"),
        (".git/larder.yaml", "no spec"),
        ("app/node_modules/x/larder.yaml", "no spec"),
        ("vendor/x/larder.yaml", "no spec"),
        ("target/larder.yaml", "no spec"),
    ])
}

/// What `bake` writes, which has to be all that it says.
fn bake(directory: &Path, args: &[&str]) -> Value {
    let (code, stdout, stderr) = run(directory, &[&["bake"], args].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    serde_json::from_str(&stdout).expect("it is JSON")
}

#[test]
fn a_file_for_one_spec() {
    let directory = context(&[("shop/larder.yaml", BASE)]);
    let (code, stdout, stderr) = run(directory.path(), &["bake", "shop"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(
        stdout,
        r#"{
  "group": {
    "default": {
      "targets": [
        "base"
      ]
    }
  },
  "target": {
    "base": {
      "context": "shop",
      "dockerfile": "larder.yaml"
    }
  }
}
"#
    );
    assert_eq!(run(directory.path(), &["bake", "--all"]).1, stdout);
    assert_eq!(
        run(directory.path(), &["bake", "./shop/larder.yaml", "shop/"]).1,
        stdout
    );
}

#[test]
fn first_lines_name_the_frontend_as_they_do_for_buildkit() {
    for start in ["\u{feff}", "#!/usr/bin/env larder\n", "# escape=x\n"] {
        let directory = context(&[("shop/larder.yaml", &format!("{start}{BASE}"))]);
        let file = bake(directory.path(), &["shop"]);
        assert_eq!(file["target"]["base"].get("args"), None, "{start:?} {file}");
    }
}

#[test]
fn specs_that_use_each_other_are_linked() {
    let directory = repository();
    let args = [
        "--all",
        "--platform",
        "linux/amd64,linux/arm64",
        "--build-arg",
        "CACHE_REGISTRY=registry:5000/cache",
        "--build-arg",
        "WORD=costs $5, ${x} $${y} %{if}%%{z}",
        "--tag",
        "registry:5000/{name}:1",
        "-t",
        "registry:5000/{name}:latest",
        "--push",
        "--output",
        "type=local,dest=out/{name}",
        "--secret",
        "id=token,src=token",
        "--ssh",
        "default",
    ];
    let (code, stdout, stderr) = run(directory.path(), &[&["bake"], &args[..]].concat());
    assert_eq!(code, 0, "{stderr}");
    let written: Value = serde_json::from_str(&stdout).expect("it is JSON");
    assert_eq!(
        written["group"],
        json!({"default": {"targets": ["app", "base", "team-lib_a", "tools"]}})
    );
    let target = |name: &str| {
        let mut target = written["target"][name].clone();
        // Where layers go is told by other tests.
        for key in ["cache-from", "cache-to"] {
            assert!(
                target[key][0]
                    .as_str()
                    .is_some_and(|text| text.starts_with("type=registry,")),
                "{target}"
            );
            target.as_object_mut().expect("a mapping").remove(key);
        }
        target
    };
    let shared = |name: &str, own: Value| {
        let mut target = json!({
            "dockerfile": "larder.yaml",
            "platforms": ["linux/amd64", "linux/arm64"],
            "tags": [format!("registry:5000/{name}:1"), format!("registry:5000/{name}:latest")],
            "secret": ["id=token,src=token"],
            "ssh": ["default"],
            "output": [format!("type=local,dest=out/{name}"), "type=registry"],
        });
        let all = target.as_object_mut().expect("a mapping");
        all.extend(own.as_object().expect("a mapping").clone());
        target
    };
    let mut app = target("app");
    app["args"]
        .as_object_mut()
        .expect("a mapping")
        .remove("CACHE_REGISTRY");
    assert_eq!(
        app,
        shared(
            "app",
            json!({
                "context": "app",
                "contexts": {"base": "target:base", "team/lib.a": "target:team-lib_a"},
                // No line of the spec names a frontend.
                "args": {"BUILDKIT_SYNTAX": "larder/frontend:1"},
            })
        )
    );
    assert_eq!(
        target("team-lib_a"),
        shared(
            "team/lib.a",
            json!({
                "context": "libs/lib",
                "contexts": {"base": "target:base"},
                "args": {
                    "CACHE_REGISTRY": "registry:5000/cache",
                    "WORD": "costs $5, $${x} $$${y} %%{if}%%%{z}",
                },
            })
        )
    );
    // The same again.
    assert_eq!(
        run(directory.path(), &[&["bake"], &args[..]].concat()).1,
        stdout
    );
}

#[test]
fn links_are_what_is_given_and_used() {
    let directory = repository();
    let contexts = |args: &[&str], name: &str| {
        bake(directory.path(), args)["target"][name]["contexts"].clone()
    };
    let none = Value::Null;
    assert_eq!(contexts(&["app"], "app"), none);
    assert_eq!(
        contexts(&["app", "base"], "app"),
        json!({"base": "target:base"})
    );
    // The name of a stage is no other spec's, and a spec is not its own base.
    assert_eq!(contexts(&["app", "tools"], "app"), none);
    assert_eq!(contexts(&["--all"], "base"), none);
    // Contexts that are given come first, and by platform before those.
    let given = [
        "app",
        "base",
        "--build-context",
        "base:latest=docker-image://debian:13",
    ];
    assert_eq!(
        contexts(&given, "app"),
        json!({"base": "docker-image://debian:13"})
    );
    let given = [
        "app",
        "base",
        "--platform=linux/arm64,linux/amd64",
        "--build-context=base::linux/arm64=files",
    ];
    assert_eq!(
        contexts(&given, "app"),
        json!({"base::linux/arm64": "files", "base": "target:base"})
    );
    // An arg may name another base.
    let given = ["app", "base", "--build-arg", "BASE=debian:13"];
    assert_eq!(contexts(&given, "app"), none);
    let given = ["app", "tools", "--build-context", "larder-cache=seed"];
    assert_eq!(contexts(&given, "tools"), json!({"larder-cache": "seed"}));
}

#[test]
fn links_lead_from_copies_mounts_and_caches() {
    let spec = "\
name: user
from: scratch
caches: [auto, {id: own, target: /own, from: four}]
steps:
  - copy: {from: one, src: /a, dest: /}
  - run: /a
    mounts: [{target: /b, from: two}]
    caches: [auto, {id: other, target: /other, from: three}]
";
    let other = |name: &str| format!("name: {name}\nfrom: scratch\n");
    let names = ["one", "two", "three", "four", "five"];
    let files: Vec<(String, String)> = (names.iter())
        .map(|name| (format!("{name}/larder.yaml"), other(name)))
        .collect();
    let mut files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.push(("user/larder.yaml", spec));
    let directory = context(&files);
    assert_eq!(
        bake(directory.path(), &["--all"])["target"]["user"]["contexts"],
        json!({"one": "target:one", "two": "target:two", "three": "target:three", "four": "target:four"})
    );
}

#[test]
fn args_reach_the_specs_that_declare_them() {
    let directory = repository();
    let args =
        |args: &[&str], name: &str| bake(directory.path(), args)["target"][name]["args"].clone();
    let given = [
        "app",
        "libs/lib",
        "--build-arg",
        "WORD=a",
        "--build-arg",
        "OTHER=b",
        "--build-arg",
        "USER_UID=7",
    ];
    assert_eq!(
        args(&given, "app"),
        json!({"BUILDKIT_SYNTAX": "larder/frontend:1", "OTHER": "b", "USER_UID": "7"})
    );
    assert_eq!(
        args(&given, "team-lib_a"),
        json!({"WORD": "a", "USER_UID": "7"})
    );
    assert_eq!(
        args(&["base", "--frontend", "registry:5000/larder:2"], "base"),
        json!({"BUILDKIT_SYNTAX": "registry:5000/larder:2"})
    );
    assert_eq!(
        args(
            &["base", "--frontend=x", "--build-arg", "BUILDKIT_SYNTAX=y"],
            "base"
        ),
        json!({"BUILDKIT_SYNTAX": "y"})
    );
    let unused = [
        "bake",
        "base",
        "--build-arg",
        "NO=1",
        "--build-context",
        "none=x",
    ];
    let (code, _, stderr) = run(directory.path(), &unused);
    assert_eq!(
        (code, stderr.as_str()),
        (
            0,
            "warning: no spec declares an arg called `NO`\nwarning: no spec uses the build context `none`\n"
        )
    );
}

#[test]
fn the_environment_says_where_layers_are_kept() {
    let directory = repository();
    let bake = |variables: &[(&str, &str)], args: &[&str]| -> Value {
        let mut command = larder(directory.path());
        command
            .arg("bake")
            .args(args)
            .envs(variables.iter().copied());
        let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!((code, stderr.as_str()), (0, ""));
        let written: Value = serde_json::from_str(&stdout).expect("it is JSON");
        written["target"]["base"].clone()
    };
    let registry = [
        ("CACHE_REGISTRY", "registry:5000/cache:x"),
        ("CACHE_MODE", "min"),
    ];
    let target = bake(&registry, &["base"]);
    let first = |target: &Value, key: &str| target[key][0].as_str().unwrap_or_default().to_owned();
    assert!(
        first(&target, "cache-from").contains("ref=registry:5000/cache:x"),
        "{target}"
    );
    assert!(first(&target, "cache-to").contains("mode=min"), "{target}");
    assert_eq!(
        target["args"],
        json!({"CACHE_REGISTRY": "registry:5000/cache:x", "CACHE_MODE": "min"})
    );

    let target = bake(&registry, &["base", "--no-export"]);
    assert!(
        first(&target, "cache-from").contains("ref=registry:5000/cache:x"),
        "{target}"
    );
    assert_eq!(target["cache-to"], Value::Null);

    let target = bake(&registry, &["base", "--build-arg", "CACHE_REGISTRY="]);
    assert_eq!(
        (&target["cache-from"], &target["cache-to"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(target["args"]["CACHE_REGISTRY"], "");

    let target = bake(&[("LARDER_FRONTEND", "registry:5000/larder:1")], &["base"]);
    assert_eq!(
        target["args"],
        json!({"BUILDKIT_SYNTAX": "registry:5000/larder:1"})
    );
    assert_eq!(
        bake(&[("LARDER_FRONTEND", "")], &["base"])["args"],
        Value::Null
    );
}

#[test]
fn one_place_for_the_layers_of_many_is_warned_of() {
    let directory = repository();
    let args = [
        "bake",
        "base",
        "tools",
        "--build-arg",
        "CACHE_REGISTRY=registry:5000/cache:one",
    ];
    let (code, stdout, stderr) = run(directory.path(), &args);
    assert_eq!(
        (code, stderr.as_str()),
        (
            0,
            "warning: 2 targets write their layers to `registry:5000/cache:one`, and the last one wins; leave \
             the tag out of CACHE_REGISTRY, and each spec's name is the tag\n"
        ),
        "{stdout}"
    );
    let args = [&args[..], &["--no-export"]].concat();
    assert_eq!(run(directory.path(), &args).2, "");
}

#[test]
fn paths_are_those_from_where_bake_runs() {
    let directory = repository();
    let absolute = directory.path().join("base");
    let absolute = absolute.to_str().expect("UTF-8");
    let at = |from: &str, args: &[&str], name: &str| {
        let target = bake(&directory.path().join(from), args)["target"][name].clone();
        [target["context"].clone(), target["dockerfile"].clone()]
    };
    assert_eq!(at("", &[absolute], "base"), ["base", "larder.yaml"]);
    assert_eq!(at("base", &[], "base"), [".", "larder.yaml"]);
    assert_eq!(at("tools", &[], "tools"), [".", "larder.yaml"]);
    assert_eq!(at("app", &["../base/"], "base"), ["../base", "larder.yaml"]);
    assert_eq!(at("", &["app/../base"], "base"), ["base", "larder.yaml"]);
    assert_eq!(
        at("", &["--context", ".", "--all"], "team-lib_a"),
        [".", "libs/lib/larder.yaml"]
    );
    assert_eq!(
        at("", &["--context", "app", "base"], "base"),
        ["app", "../base/larder.yaml"]
    );

    // A file has a name of its own, and an address is no folder.
    let directory = context(&[
        ("docker/api.larder.yaml", "from: alpine\n"),
        ("docker/web.yml", "from: alpine\n"),
        ("github.com/x/larder.yaml", "name: go\nfrom: alpine\n"),
    ]);
    let written = bake(
        directory.path(),
        &["docker/api.larder.yaml", "docker/web.yml", "github.com/x"],
    );
    assert_eq!(written["target"]["api"]["dockerfile"], "api.larder.yaml");
    assert_eq!(written["target"]["web"]["dockerfile"], "web.yml");
    let root = directory.path().canonicalize().expect("it is there");
    let root = root.join("github.com/x");
    assert_eq!(
        written["target"]["go"]["context"],
        root.to_str().expect("UTF-8")
    );
}
