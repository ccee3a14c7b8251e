//! Names, circles, platforms and mistakes.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{context, run};
use crate::{BASE, bake, repository};

/// What it says where it cannot write anything.
fn refuses(directory: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = run(directory, &[&["bake"], args].concat());
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    stderr
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
        include_str!("names.expected")
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
        include_str!("circles.expected")
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
        include_str!("mistakes.expected")
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

#[test]
fn mistakes_of_where_layers_are_kept_have_their_lines() {
    let directory = context(&[
        (
            "a/larder.yaml",
            "name: a\nfrom: alpine\nregistry-cache:\n  ref: registry:5000/c:b\n  mode: maximum\n",
        ),
        (
            "b/larder.yaml",
            "name: b\nfrom: alpine\nregistry-cache: user:word@registry:5000/c\n",
        ),
        (
            "c/larder.yaml",
            "name: c\nfrom: alpine\nregistry-cache: 'registry:5000/c:${NO}'\n",
        ),
        (
            "d/larder.yaml",
            "name: d\nfrom: alpine\nregistry-cache: Registry!\n",
        ),
        ("e/larder.yaml", "name: e\nfrom: alpine\n"),
    ]);
    let said = refuses(directory.path(), &["--all"]);
    assert!(!said.contains("word"), "{said}");
    assert_eq!(said, include_str!("caches.expected"));
    // What is given to all is told once.
    let given = [
        "c",
        "e",
        "--build-arg",
        "CACHE_REGISTRY=user:word@registry:5000/c",
    ];
    assert_eq!(
        refuses(directory.path(), &given).matches("error: ").count(),
        1
    );
}

#[test]
fn layers_of_each_platform_have_places_of_their_own() {
    let spec = "name: a\nfrom: alpine\nregistry-cache: 'registry:5000/c:a-${TARGETARCH}'\n";
    let directory = context(&[
        ("a/larder.yaml", spec),
        ("b/larder.yaml", &spec.replace("name: a", "name: b")),
    ]);
    let written = bake(
        directory.path(),
        &["a", "--platform", "linux/amd64,linux/arm64"],
    );
    let option = |more: &str, end: &str| format!("type=registry,{more}ref=registry:5000/c:a-{end}");
    let to = "ignore-error=true,mode=max,";
    assert_eq!(
        written["target"]["a"]["cache-from"],
        json!([option("", "amd64"), option("", "arm64")])
    );
    assert_eq!(
        written["target"]["a"]["cache-to"],
        json!([option(to, "amd64"), option(to, "arm64")])
    );
    let both = ["bake", "--all", "--platform", "linux/arm64"];
    assert_eq!(
        run(directory.path(), &both).2,
        "\
warning: a/larder.yaml writes its layers to `registry:5000/c:a-arm64` too, and the last one wins
 --> b/larder.yaml:3:17
  |
3 | registry-cache: 'registry:5000/c:a-${TARGETARCH}'
  |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: give each spec a reference of its own

b/larder.yaml: a warning
"
    );
}
