//! `bake`: the files that it writes, and all that it refuses.

#[expect(dead_code, reason = "other tests use the rest")]
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

/// What it says where it cannot write anything.
fn refuses(directory: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = run(directory, &[&["bake"], args].concat());
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    stderr
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

#[test]
fn names_of_images() {
    let directory = repository();
    let tags = |args: &[&str]| bake(directory.path(), args)["target"]["base"]["tags"].clone();
    assert_eq!(tags(&["base"]), Value::Null);
    assert_eq!(tags(&["base", "--load"]), json!(["base"]));
    assert_eq!(
        tags(&["base", "-t", "x:1", "-t", "x:1", "-t", "{name}:2"]),
        json!(["x:1", "base:2"])
    );
    assert_eq!(
        refuses(directory.path(), &["--all", "-t", "shop:1"]),
        "error: --tag shop:1: 4 images cannot have one name; write {name} for the name of each spec, as in \
         `--tag registry:5000/team/{name}:v1`\n"
    );
    assert_eq!(
        refuses(directory.path(), &["base", "-t", "{name}:a b"]),
        "\
error: `base:a b` is no name of an image: a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two
 --> base/larder.yaml:2:7
  |
2 | name: base
  |       ^^^^
  |
  = help: write another `--tag`, or another `name` in the spec

base/larder.yaml: an error
"
    );
    // A push needs a name.
    assert_eq!(run(directory.path(), &["bake", "base", "--push"]).0, 2);
}

#[test]
fn names_that_bake_does_not_take() {
    let directory = context(&[
        ("a/larder.yaml", "name: ./-\nfrom: alpine\n"),
        ("b/larder.yaml", "# one\nname: shop.api\nfrom: alpine\n"),
        ("c/larder.yaml", "name: shop_api\nfrom: alpine\n"),
        ("d/shop.api/larder.yaml", "from: alpine\n"),
        ("e/äö/larder.yaml", "from: alpine\n"),
    ]);
    assert_eq!(
        refuses(directory.path(), &["--all"]),
        include_str!("bake/names.expected")
    );
}

#[test]
fn circles_are_named_once() {
    let directory = context(&[
        (
            "a/larder.yaml",
            "name: a\nfrom: scratch\nsteps:\n  - copy: {from: b, src: /x, dest: /}\n",
        ),
        ("b/larder.yaml", "name: b\nargs: {C: c}\nfrom: ${C}\n"),
        ("c/larder.yaml", "name: c\nfrom: a\n"),
        ("d/larder.yaml", "name: d\nfrom: a\n"),
        ("e/larder.yaml", "name: e\nfrom: f:latest\n"),
        ("f/larder.yaml", "name: f\nargs: {E: e}\nfrom: ${E}\n"),
    ]);
    assert_eq!(
        refuses(directory.path(), &["--all"]),
        include_str!("bake/circles.expected")
    );
    // Another way out than other specs.
    let around = [
        "--all",
        "--build-context=a=docker-image://x",
        "--build-arg=E=debian",
    ];
    bake(directory.path(), &around);
}

#[test]
fn a_link_is_for_the_platforms_that_are_built() {
    let spec = "name: app\nstages:\n  app:\n    from: {image: base, platform: linux/riscv64}\n";
    let directory = context(&[("app/larder.yaml", spec), ("base/larder.yaml", BASE)]);
    let both = ["app", "base", "--platform", "linux/amd64,linux/arm64"];
    assert_eq!(
        refuses(directory.path(), &both),
        "\
error: `base` is taken for linux/riscv64, and built for linux/amd64, linux/arm64
 --> app/larder.yaml:4:19
  |
4 |     from: {image: base, platform: linux/riscv64}
  |                   ^^^^
  |
  = help: build for it too, with `--platform linux/amd64,linux/arm64,linux/riscv64`

app/larder.yaml: an error
"
    );
    bake(
        directory.path(),
        &["app", "base", "--platform", "linux/riscv64"],
    );
    bake(directory.path(), &["app", "--platform", "linux/amd64"]);
}

#[test]
fn mistakes_of_all_files_come_at_once() {
    let directory = context(&[
        ("a/larder.yaml", "form: alpine\n"),
        (
            "b/larder.yaml",
            "name: b\nfrom: alpine\nsteps: [{runn: x}]\n",
        ),
        ("c/larder.yaml", "name: c\nfrom: alpine\n"),
        ("d/other.yaml", ""),
    ]);
    std::fs::write(directory.path().join("c/bad.yaml"), b"\xff\xfe\x00").expect("written");
    let paths = ["a", "b", "c", "d", "none", "c/bad.yaml"];
    assert_eq!(
        refuses(directory.path(), &paths),
        include_str!("bake/mistakes.expected")
    );
    assert_eq!(
        refuses(directory.path(), &["--all", "d"]),
        "error: d: there is no larder.yaml in it, nor below it\n"
    );
    for wrong in [
        "--platform=x/y/z/a",
        "--build-arg=X",
        "--build-context=x",
        "--build-context=x=",
    ] {
        assert_eq!(run(directory.path(), &["bake", "c", wrong]).0, 2, "{wrong}");
    }
}
