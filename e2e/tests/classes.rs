//! What the classes of caches mean: stores stay for later steps, outputs are copied out, nothing stale
//! comes of what was built before. Who the `build` user is, and ids that a Dockerfile shares.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use larder_e2e::{Engine, Project, proxy::Transfer, unique};

/// What was downloaded, of paths that have one of these parts.
fn downloads(transfers: &[Transfer], parts: &[&str]) -> Vec<String> {
    transfers
        .iter()
        .filter(|transfer| transfer.status == 200 && transfer.bytes > 0)
        .map(|transfer| transfer.path.clone())
        .filter(|path| parts.iter().any(|part| path.contains(part)))
        .collect()
}

fn fixture(project: &Project, name: &str) {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    project.lay(&fixtures.join(name)).unwrap();
}

const MAKEFILE: &str = "app:\n\tgo build -o app .\n";

/// Stands in for make, which the image need not have: runs the lines of the Makefile that begin with a
/// tab.
const MAKE: &str = "#!/bin/sh\nsed -n 's/^\\t//p' Makefile | sh -e\n";

#[test]
fn a_store_stays_for_a_makefile_that_calls_the_tool() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "
name: classes-make
from: golang:1.24
env: {{ONCE: {}}}
user: build
workdir: /src
steps:
  - install: go
  - copy: .
  - copy: {{src: make, dest: /usr/local/bin/, chmod: 0755}}
  - run: make app
  - run: test -z \"$GOMODCACHE\" && echo '>nothing is kept'
image:
  cmd: [./app]
",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    fixture(&project, "go/first");
    project.file("Makefile", MAKEFILE).unwrap();
    project.file("make", MAKE).unwrap();
    let proxy = engine.proxy().unwrap();
    let namespace = unique();
    let result = || {
        let build = engine.build(&project).namespace(&namespace).through(&proxy);
        build.image().succeed().unwrap()
    };
    let built = result();
    assert_eq!(built.said(), ["nothing is kept"]);
    assert!(built.run(&[]).unwrap().starts_with("first"));
    let fetched = downloads(&proxy.take(), &[".zip"]);
    assert_eq!(fetched.len(), 1, "once for `install`: {fetched:?}");

    fixture(&project, "go/edited");
    let built = result();
    assert!(built.ran().iter().any(|step| step.contains("make app")));
    assert!(built.run(&[]).unwrap().starts_with("edited"));
    assert_eq!(downloads(&proxy.take(), &["/@v/"]), [""; 0]);
}

fn cargo_project(engine: &Engine, steps: &str) -> Project {
    let spec = format!(
        "name: classes-{}\nfrom: rust:1-slim\nuser: build\nworkdir: /app\nsteps:\n  - copy: .\n{steps}",
        unique()
    );
    let project = Project::new(engine, &spec).unwrap();
    fixture(&project, "cargo/first");
    project
}

#[test]
fn outputs_are_copied_out_of_a_cache() {
    let engine = Engine::from_env().unwrap();
    let steps = "
  - run: cargo build --release --locked; echo \">$CARGO_BUILD_BUILD_DIR\"
    outputs:
      - {from: target/release/scenario, to: /home/build/bin/}
      - {from: /cache/cargo/target, to: /home/build/it's kept}
  - run: cargo build --locked
    caches:
      - {id: objects, target: /app/own}
    env: {CARGO_TARGET_DIR: /app/own}
    outputs:
      - own/debug/scenario
image:
  cmd: [./scenario]
";
    let project = cargo_project(&engine, steps);
    let namespace = unique();
    let proxy = engine.proxy().unwrap();
    let built = engine.build(&project).namespace(&namespace).through(&proxy);
    let built = built.image().succeed().unwrap();
    assert_eq!(built.said(), ["/cache/cargo/target"]);
    assert!(built.run(&[]).unwrap().starts_with("first"));
    let copied = built.run(&["/home/build/bin/scenario"]).unwrap();
    assert!(copied.starts_with("first"), "{copied}");
    let list = "ls -A \"/home/build/it's kept\" | wc -l; ls -A /app/own | wc -l";
    let counts = built.run(&["sh", "-c", list]).unwrap();
    let [kept, vanished] = [0, 1].map(|line| counts.lines().nth(line).unwrap_or_default());
    assert!(kept != "0" && vanished == "0", "{counts}");

    let failing = steps.replace("cargo build --release --locked;", "exit 7;");
    let project = cargo_project(&engine, &failing);
    let said = engine.build(&project).namespace(&namespace).fail().unwrap();
    assert!(said.contains("exit code: 7"), "{said}");
}

/// Cargo goes by the times of files, and a source that is copied may be older than what was built of
/// another one.
#[test]
fn nothing_stale_is_built_of_older_sources() {
    let engine = Engine::from_env().unwrap();
    let steps = "  - run: cargo build --locked\nimage:\n  cmd: [target/debug/scenario]\n";
    let project = cargo_project(&engine, steps);
    let namespace = unique();
    let proxy = engine.proxy().unwrap();
    let result = || {
        let build = engine.build(&project).namespace(&namespace).through(&proxy);
        build.image().succeed().unwrap()
    };
    assert!(result().run(&[]).unwrap().starts_with("first"));
    fixture(&project, "cargo/edited");
    let old = SystemTime::now() - Duration::from_secs(400 * 24 * 3600);
    let source = File::options()
        .append(true)
        .open(project.path().join("src/main.rs"))
        .unwrap();
    source.set_modified(old).unwrap();
    let built = result();
    let printed = built.run(&[]).unwrap();
    assert!(printed.starts_with("edited"), "{printed}");
}

#[test]
fn build_args_say_who_the_build_user_is() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "
from: python:3.13-slim
env: {{ONCE: {}}}
user: build
workdir: /app
steps:
  - run: pip download --help >/dev/null; echo \">$(id -u):$(id -g) $(stat -c %u:%g $PIP_CACHE_DIR . ~ | tr '\\n' ' ')\"; touch $PIP_CACHE_DIR/x
",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    let namespace = unique();
    let build = || engine.build(&project).namespace(&namespace);
    let ids = "1000:1000 1000:1000 1000:1000 1000:1000 ";
    assert_eq!(build().succeed().unwrap().said(), [ids]);
    let build_for = || build().arg("USER_UID", "1234").arg("USER_GID", "2345");
    let ids = "1234:2345 1234:2345 1234:2345 1234:2345 ";
    assert_eq!(build_for().succeed().unwrap().said(), [ids]);
    let said = build().arg("USER_UID", "4294967296").fail().unwrap();
    assert!(said.contains("USER_UID"), "{said}");
}

#[test]
fn a_dockerfile_shares_its_caches_where_ids_are_its_own() {
    let engine = Engine::from_env().unwrap();
    let install = "pip download --dest /tmp/wheels click==8.3.0";
    for (user, uid, home) in [("root", 0, "/root"), ("build", 1000, "/home/build")] {
        let target = format!("{home}/.cache/pip");
        let once = unique();
        let spec = format!(
            "cache-ids: dockerfile\ncache-layout: home\nfrom: python:3.13-slim\nenv: {{ONCE: {once}}}\nuser: {user}\nsteps:\n  - run: {install}\n"
        );
        let owner = if uid == 0 {
            String::new()
        } else {
            format!(",uid={uid},gid={uid}")
        };
        let dockerfile = format!(
            "FROM python:3.13-slim\nRUN mkdir -p {home}/.cache && chown -R {uid}:{uid} {home}\nUSER {uid}:{uid}\n\
             ENV HOME={home} ONCE={once}\nRUN --mount=type=cache,target={target}{owner} {install}\n"
        );
        let project = Project::new(&engine, &spec).unwrap();
        project.file("Dockerfile", dockerfile).unwrap();
        let proxy = engine.proxy().unwrap();
        let namespace = unique();
        let fetched = |file: &str| {
            let build = engine.build(&project).file(file);
            let build = build.namespace(&namespace).through(&proxy);
            build.succeed().unwrap();
            downloads(&proxy.take(), &[".whl"])
        };
        assert_eq!(fetched("Dockerfile").len(), 1, "{user}");
        assert_eq!(fetched("larder.yaml"), [""; 0], "{user}");
    }
}
