//! `ci`: the pipelines that it writes, and what it says of bad input.
//!
//! Each file of `tests/ci` is a pipeline. With `UPDATE=1` these are written anew.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::env;
use std::fs;
use std::path::Path;

use common::{context, larder, run, texts};
use tempfile::TempDir;

const SHOP: &str = "\
# syntax=larder/frontend:1
name: shop
from: debian:trixie-slim
steps:
  - run: make
";

/// No `# syntax=` line, args, secrets, an agent, stages.
const API: &str = "\
name: team/api
args: {VERSION: , NOTE: }
stages:
  base:
    from: debian:trixie-slim
    steps:
      - run: make deps
        secrets: [npm-token, {id: 2fa, required: false}]
        ssh: true
  test: {from: base, steps: [{run: make test}]}
";

fn repository() -> TempDir {
    context(&[
        ("larder.yaml", SHOP),
        ("services/api/build.yaml", API),
        ("odd dir/it's $HOME/larder.yaml", SHOP),
    ])
}

/// Names and values.
type Variables = &'static [(&'static str, &'static str)];

/// What is in `tests/ci`: the name, the words of the command and the variables of its environment.
const CASES: &[(&str, &[&str], Variables)] = &[
    (
        "github",
        &["github", "--image", "registry.example/acme/shop"],
        &[],
    ),
    (
        "github-platforms",
        &[
            "github",
            "--image=registry.example:5000/acme/shop",
            "--platform=linux/amd64,linux/arm64",
            "--platform=linux/riscv64",
            "--runner=linux/riscv64=our-riscv",
        ],
        &[],
    ),
    (
        "github-gha",
        &[
            "github",
            ".",
            "--image=acme/shop",
            "--cache=gha",
            "--branch=team/trunk",
            "--platform=linux/arm64,linux/amd64",
            "--runner=linux/amd64=big",
        ],
        &[],
    ),
    (
        "github-api",
        &[
            "github",
            "services/api",
            "--file=services/api/build.yaml",
            "--image=registry.example/acme/api",
            "--target=test",
            "--build-arg=VERSION=${{ secrets.X }} $1",
            "--build-arg=NOTE=a, \"b\": c # d",
            "--cache=gha",
        ],
        &[],
    ),
    (
        "github-server",
        &[
            "github",
            "./services/../odd dir/it's $HOME",
            "--image=registry.example/acme/shop",
            "--frontend=registry.example/larder:2",
        ],
        &[
            ("CACHE_REGISTRY", "cache.example:5000/layers"),
            ("CACHE_MODE", "min"),
        ],
    ),
    ("gitlab", &["gitlab"], &[]),
    (
        "gitlab-platforms",
        &["gitlab", "--platform=linux/amd64,linux/arm64"],
        &[],
    ),
    (
        "gitlab-api",
        &[
            "gitlab",
            "services/api/build.yaml",
            "--image=registry.example/acme/api",
            "--target=test",
            "--build-arg=VERSION=it's $1",
            "--branch=Team/Trunk",
            "--runner=linux/amd64=our-own",
        ],
        &[],
    ),
    (
        "gitlab-server",
        &["gitlab", "odd dir/it's $HOME"],
        &[("CACHE_REGISTRY", "cache.example:5000/layers:shop2")],
    ),
    ("gitlab-none", &["gitlab"], &[("CACHE_REGISTRY", "")]),
];

fn ci(directory: &Path, words: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = larder(directory);
    command
        .arg("ci")
        .args(words)
        .envs(variables.iter().copied());
    texts(&command.output().expect("it starts"))
}

#[test]
fn pipelines_are_as_expected() {
    let directory = repository();
    for (name, words, variables) in CASES {
        let (code, stdout, stderr) = ci(directory.path(), words, variables);
        assert_eq!(code, 0, "{name}: {stderr}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ci/{name}.yaml"));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &stdout).expect("written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(stdout, expected, "{name}");
        assert_eq!(ci(directory.path(), words, variables).1, stdout, "{name}");
    }
}

/// Actions are pinned, and no value of somebody else's gets into a script as text.
#[test]
fn workflows_are_safe_to_run() {
    let mut actions = 0;
    for (name, ..) in CASES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ci/{name}.yaml"));
        let text = fs::read_to_string(path).expect("it is there");
        for line in text.lines() {
            if let Some((_, action)) = line.split_once("uses: ") {
                let (_, pin) = action.split_once('@').expect("a version");
                let (commit, version) = pin.split_once(" # v").expect("it is told");
                let hex = commit.bytes().all(|c| c.is_ascii_hexdigit());
                assert!(commit.len() == 40 && hex, "{line}");
                assert!(version.split('.').count() == 3, "{line}");
                actions += 1;
            }
            let script = line.contains("\"$") && !line.contains(": ");
            assert!(!script || !line.contains("${{"), "{name}: {line}");
        }
    }
    assert!(actions > 30, "only {actions}");
}

#[test]
fn githubs_own_registry_needs_the_jobs_token_alone() {
    let directory = repository();
    let host = concat!("ghcr", ".io");
    let image = format!("--image={host}/acme/shop");
    let (code, stdout, stderr) = ci(directory.path(), &["github", &image], &[]);
    assert_eq!(code, 0, "{stderr}");
    for expected in [
        "      packages: write\n",
        "          username: ${{ github.actor }}\n",
        "          password: ${{ github.token }}\n",
    ] {
        assert!(stdout.contains(expected), "{stdout}");
    }
    assert!(!stdout.contains("secrets."), "{stdout}");
}

#[test]
fn bad_input_is_told_all_at_once() {
    let directory = repository();
    let said = |words: &[&str], variables: &[(&str, &str)]| {
        let (code, stdout, stderr) = ci(directory.path(), words, variables);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        stderr
    };
    assert_eq!(
        said(
            &[
                "gitlab",
                "--image=registry.example/Shop",
                "--cache=gha",
                "--branch=a b",
                "--frontend=x y",
                "--build-arg=A=two\nlines",
                "--build-arg=B=\u{1b}[0m",
                "--platform=linux/s390x,linux/amd64,linux/amd64",
                "--runner=linux/arm64=x",
            ],
            &[("CACHE_REGISTRY", "registry.example/a"), ("CACHE_MODE", "most")],
        ),
        "\
error: --image registry.example/Shop: only the registry and the tag may have upper-case letters
error: --cache gha: only GitHub has that; take --cache registry
error: --branch \"a b\": a branch here has letters, digits, `_`, `.`, `-` and `/`, and no part of it starts with `.` or `-`
error: --frontend: this is not the name of an image
error: --build-arg \"A\": a pipeline takes letters, digits and `_` as a name, and one line without control characters as a value
error: --build-arg \"B\": a pipeline takes letters, digits and `_` as a name, and one line without control characters as a value
error: --platform linux/s390x: no runner for it is known; name one with --runner linux/s390x=LABEL
error: --platform linux/amd64: it is there twice
error: --runner linux/arm64=…: this platform is not built; name it with --platform
error: CACHE_MODE=most: write min or max
"
    );
    for (words, variables, expected) in [
        (
            &["github"] as &[&str],
            &[] as &[(&str, &str)],
            "error: give the image's name with its registry: --image REGISTRY/OWNER/NAME\n",
        ),
        (
            &["github", "--image=registry.example/shop:1"],
            &[],
            "error: --image registry.example/shop:1: write the name alone; the pipeline makes the tags\n",
        ),
        (
            &["gitlab", ".", "services/api/build.yaml"],
            &[],
            "error: a pipeline builds one spec: run `larder ci` for each and keep each workflow in a file of its \
             own, or build them together with `larder bake`\n",
        ),
        (
            &["gitlab", "services"],
            &[],
            "error: services: there is no larder.yaml in it; create one, beginning with `# \
             syntax=larder/frontend:1` and `from: IMAGE`, or name another file with --file\n",
        ),
    ] {
        assert_eq!(said(words, variables), expected);
    }
    let below = ci(&directory.path().join("services"), &["gitlab", ".."], &[]);
    assert_eq!(
        below.2.lines().last(),
        Some(
            "error: ..: a pipeline starts in the root of the repository; run this command there, with paths \
             that lead into it"
        )
    );
}

#[test]
fn passwords_are_refused_and_not_shown() {
    let directory = repository();
    for (words, variables) in [
        (
            &["github", "--image=me:hunter2@registry.example/shop"] as &[&str],
            &[] as &[(&str, &str)],
        ),
        (
            &["gitlab", "--image=https://me:hunter2@registry.example/shop"],
            &[],
        ),
        (
            &["gitlab", "--frontend=me:hunter2@registry.example/larder:1"],
            &[],
        ),
        (
            &["gitlab"],
            &[("CACHE_REGISTRY", "me:hunter2@registry.example/layers")],
        ),
    ] {
        let (code, stdout, stderr) = ci(directory.path(), words, variables);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(!stderr.contains("hunter2"), "{stderr}");
        assert!(!stderr.is_empty());
    }
    let image = "--image=me:hunter2@registry.example/shop";
    assert_eq!(
        ci(directory.path(), &["github", image], &[]).2,
        "error: --image: the name has credentials, or is an address with `://`, and is not shown; write \
         REGISTRY/NAME, and keep the login in secrets of the system\n"
    );
}

#[test]
fn wrong_usage_and_mistakes_of_specs_end_as_elsewhere() {
    let directory = context(&[("larder.yaml", "from: debian\nsteps: [{runn: make}]\n")]);
    let (code, _, stderr) = run(directory.path(), &["ci", "gitlab"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("larder.yaml:2:10"), "{stderr}");
    for words in [
        &["jenkins"] as &[&str],
        &["gitlab", "--platform=linux"],
        &["gitlab", "--runner=linux/amd64"],
        &["gitlab", "--runner=linux/amd64=a b"],
        &[],
    ] {
        let (code, stdout, _) = ci(directory.path(), words, &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}");
    }
}

const WRITING: &str = "\
args: {BRANCH: main}
from: debian:trixie-slim
registry-cache:
";

/// What `ci` says of a nameless spec with this `registry-cache`.
fn with_cache(cache: &str, system: &str) -> (i32, String, String) {
    let spec = format!("{WRITING}{cache}");
    let directory = context(&[("apps/web/larder.yaml", &spec)]);
    let image = "--image=registry.example/web";
    ci(directory.path(), &[system, "apps/web", image], &[])
}

#[test]
fn one_export_for_all_branches_is_the_default_branchs() {
    for (export, when) in [
        (
            "r.example/c:main",
            [
                "github.ref == 'refs/heads/main'",
                "      if [ \"$CI_COMMIT_BRANCH\" = \"$CI_DEFAULT_BRANCH\" ]; then\n        set -- \"$@\" --cache-to",
            ],
        ),
        (
            "r.example/c:${BRANCH}",
            [
                "github.ref_type == 'branch'",
                "[ \"$CI_COMMIT_REF_SLUG\" != main ]; }; then",
            ],
        ),
    ] {
        let cache = format!(
            "  import: [\"r.example/c:${{BRANCH}}\", r.example/c:main]\n  export: \"{export}\"\n"
        );
        for (system, when) in ["github", "gitlab"].iter().zip(when) {
            let (code, stdout, stderr) = with_cache(&cache, system);
            assert_eq!(code, 0, "{stderr}");
            assert!(stdout.contains(when), "{export}: {stdout}");
            assert!(stdout.contains("BRANCH="), "{stdout}");
        }
    }
}

#[test]
fn caches_that_clients_read_are_read() {
    let (code, stdout, stderr) = with_cache("  {type: gha, scope: \"web-${BRANCH}\"}\n", "github");
    assert_eq!(code, 0, "{stderr}");
    let read = "          cache-from: |\n            ${{ format('type=gha,scope=web-{0}', ";
    assert!(stdout.contains(read), "{stdout}");
    let (code, stdout, stderr) = with_cache("  {type: local, src: .l, dest: .l}\n", "gitlab");
    assert_eq!(code, 0, "{stderr}");
    let read = "      set -- \"$@\" --cache-from \"type=local,src=.l\"\n";
    assert!(stdout.contains(read), "{stdout}");
    let (code, _, stderr) = with_cache("  {type: gha, scope: web}\n", "gitlab");
    assert_eq!(code, 1);
    assert_eq!(
        stderr.lines().last(),
        Some(
            "error: `registry-cache` of the spec has `type: gha`, which only GitHub has: name a registry there, \
             or take --cache registry"
        )
    );
}

#[test]
fn a_spec_without_a_name_is_called_as_its_folder() {
    let (_, stdout, _) = with_cache("  none\n", "github");
    assert!(stdout.contains("\nname: web\n"), "{stdout}");
}
