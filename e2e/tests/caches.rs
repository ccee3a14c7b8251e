//! Which caches steps get, where, whose they are, and how long they last.

use larder_e2e::{Engine, Project, unique};

/// Builds a spec that prints; lines that start with `>` come back, in order and without it.
///
/// A text that no other build has is in the environment of every step, so each of them runs.
fn printed(engine: &Engine, spec: &str, namespace: &str) -> Vec<String> {
    let project = Project::new(engine, &once(spec)).unwrap();
    let build = engine.build(&project).namespace(namespace);
    build.succeed().unwrap().said()
}

fn once(spec: &str) -> String {
    spec.replace("ONCE", &format!("env: {{ONCE: {}}}", unique()))
}

/// Says of a path: owner, group, mode, and whether something is mounted there.
fn look(path: &str) -> String {
    format!("echo \">$(stat -c '%u:%g:%a' {path}) $(grep -c \" {path} \" /proc/self/mounts)\"")
}

#[test]
fn belong_to_the_user_of_the_step() {
    let engine = Engine::from_env().unwrap();
    let look = look("$PIP_CACHE_DIR");
    let spec = format!(
        "
from: python:3.13-slim
ONCE
steps:
  - run: pip download --help >/dev/null; {look}; echo \">$PIP_CACHE_DIR\"
  - run: pip download --help >/dev/null; {look}; touch $PIP_CACHE_DIR/x && echo \">$(id -u)\"
    user: build
  - run: pip download --help >/dev/null; {look}; touch $PIP_CACHE_DIR/x && echo \">$(id -u)\"
    user: \"1234:2345\"
"
    );
    let said = printed(&engine, &spec, &unique());
    let expected = [
        "0:0:755 1",
        "/cache/pip",
        "1000:1000:755 1",
        "1000",
        "1234:2345:755 1",
        "1234",
    ];
    assert_eq!(said, expected);
}

#[test]
fn sit_where_the_layout_says() {
    let engine = Engine::from_env().unwrap();
    let steps = "
from: python:3.13-slim
user: build
ONCE
steps:
  - run: pip download --help >/dev/null; echo \">$PIP_CACHE_DIR\"; touch $PIP_CACHE_DIR/x; touch $HOME/y; echo \">$?\"
  - run: npm --version || true; echo \">${NPM_CONFIG_CACHE:-$npm_config_cache}\"
    caches: [npm]
";
    let said = printed(&engine, &format!("cache-layout: cache{steps}"), &unique());
    assert_eq!(said, ["/cache/pip", "0", "/cache/npm"]);
    let said = printed(&engine, &format!("cache-layout: home{steps}"), &unique());
    assert_eq!(said, ["/home/build/.cache/pip", "0", "/home/build/.npm"]);
}

#[test]
fn come_with_commands_that_use_them_and_leave_no_trace() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: python:3.13-slim
ONCE
steps:
  - run: ls -d /cache 2>/dev/null || echo '>nothing'
  - run: pip download --help >/dev/null; ls /cache | sed 's/^/>/'
  - run: echo \">${PIP_CACHE_DIR:-unset}\"
";
    let project = Project::new(&engine, &once(spec)).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    assert_eq!(built.said(), ["nothing", "pip", "unset"]);
    let left = built
        .run(&["sh", "-c", "ls -d /cache/pip; env | grep CACHE; true"])
        .unwrap();
    assert_eq!(left, "");
}

#[test]
fn are_chosen_at_three_levels() {
    let engine = Engine::from_env().unwrap();
    let list = "ls /cache 2>/dev/null | tr '\\n' ' ' | sed 's/^/>/'; echo; echo pip";
    let spec = format!(
        "
caches: [ccache]
stages:
  auto:
    from: python:3.13-slim
    ONCE
    steps:
      - run: pip download --help >/dev/null; {list}
      - run: pip download --help >/dev/null; {list}
        caches: none
      - run: {list}
        caches: [none, npm]
  none:
    from: auto
    caches: none
    ONCE
    steps:
      - run: pip download --help >/dev/null; {list}
      - run: pip download --help >/dev/null; {list}
        caches: auto
"
    );
    let said = printed(&engine, &spec, &unique());
    assert_eq!(said, ["ccache pip ", "npm ", "pip "]);
}

#[test]
fn of_ones_own_last_from_build_to_build() {
    let engine = Engine::from_env().unwrap();
    let name = format!("models-{}", unique());
    let spec = |project: &str| {
        format!(
            "
name: {project}
from: debian:trixie-slim
ONCE
steps:
  - run: {}; {}; cat /models/* 2>/dev/null; echo '>seen' >> /models/seen
    caches:
      - {{id: {name}, target: /models, uid: 7, gid: 8, mode: 0700, sharing: locked}}
      - {{id: open-{name}, target: /open, mode: 0777}}
",
            look("/models"),
            look("/open")
        )
    };
    let first = unique();
    let one = printed(&engine, &spec("one"), &first);
    assert_eq!(one, ["7:8:700 1", "0:0:777 1"]);
    assert_eq!(
        printed(&engine, &spec("one"), &first),
        ["7:8:700 1", "0:0:777 1", "seen"]
    );
    // Of another project, and of another namespace.
    assert_eq!(
        printed(&engine, &spec("two"), &first),
        ["7:8:700 1", "0:0:777 1"]
    );
    assert_eq!(
        printed(&engine, &spec("one"), &unique()),
        ["7:8:700 1", "0:0:777 1"]
    );
}

#[test]
fn are_shared_as_the_scope_says() {
    let engine = Engine::from_env().unwrap();
    let spec = |scope: &str, project: &str| {
        format!(
            "
name: {project}
cache-scope: {scope}
from: python:3.13-slim
ONCE
steps:
  - run: pip download --help >/dev/null; cat $PIP_CACHE_DIR/seen 2>/dev/null; echo '>{project}' >> $PIP_CACHE_DIR/seen
"
        )
    };
    let namespace = unique();
    assert_eq!(
        printed(&engine, &spec("shared", "one"), &namespace),
        [""; 0]
    );
    assert_eq!(
        printed(&engine, &spec("shared", "two"), &namespace),
        ["one"]
    );
    assert_eq!(
        printed(&engine, &spec("project", "one"), &namespace),
        [""; 0]
    );
    assert_eq!(
        printed(&engine, &spec("project", "two"), &namespace),
        [""; 0]
    );
    assert_eq!(
        printed(&engine, &spec("project", "one"), &namespace),
        ["one"]
    );
}

#[test]
fn outlast_a_build_without_cache() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: python:3.13-slim
ONCE
steps:
  - run: pip download --help >/dev/null; cat $PIP_CACHE_DIR/seen 2>/dev/null; echo '>seen' >> $PIP_CACHE_DIR/seen
";
    let project = Project::new(&engine, &once(spec)).unwrap();
    let namespace = unique();
    let build = || engine.build(&project).namespace(&namespace);
    assert_eq!(build().succeed().unwrap().said(), [""; 0]);
    assert_eq!(build().succeed().unwrap().ran(), [""; 0]);
    let again = build().option("--no-cache").succeed().unwrap();
    assert_eq!(again.said(), ["seen"]);
}

#[test]
fn of_apt_keep_archives_that_the_image_would_delete() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: debian:trixie-slim
ONCE
steps:
  - run: test -e /etc/apt/apt.conf.d/docker-clean && echo '>cleans'
  - run: apt-get update -qq && apt-get install -qq -y --no-install-recommends tree >/dev/null; ls /var/cache/apt/archives | grep -c '^tree_.*deb' | sed 's/^/>/'
  - run: grep -c rm /etc/apt/apt.conf.d/docker-clean | sed 's/^/>/'; ls /var/cache/apt/archives/*.deb /var/lib/apt/lists/*Packages* 2>/dev/null | sed 's/^/>/'
";
    assert_eq!(printed(&engine, spec, &unique()), ["cleans", "1", "2"]);
}

/// Stands in for Alpine's apk: what it fetches it keeps in `/etc/apk/cache`, if that exists.
const APK: &str = "\
#!/bin/sh
for package in \"$@\"; do
    case $package in add | -*) continue ;; esac
    if [ -e \"/etc/apk/cache/$package.apk\" ]; then
        echo \">kept $package\"
    else
        echo \">fetched $package\"
        if [ -d /etc/apk/cache ]; then touch \"/etc/apk/cache/$package.apk\"; fi
    fi
done
";

#[test]
fn of_apk_keep_packages() {
    let engine = Engine::from_env().unwrap();
    let spec = |packages: &str| {
        once(&format!(
            "
from: debian:trixie-slim
ONCE
steps:
  - copy: {{src: apk, dest: /usr/local/bin/, chmod: 0755}}
  - run: apk add {packages}
"
        ))
    };
    let namespace = unique();
    let project = Project::new(&engine, &spec("curl")).unwrap();
    project.file("apk", APK).unwrap();
    let build = || {
        let build = engine.build(&project).namespace(&namespace);
        build.succeed().unwrap().said()
    };
    assert_eq!(build(), ["fetched curl"]);
    project.spec(&engine, &spec("curl git")).unwrap();
    assert_eq!(build(), ["kept curl", "fetched git"]);
}

#[test]
fn give_way_to_the_variables_of_a_step() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: python:3.13-slim
ONCE
steps:
  - run: pip download --help >/dev/null; echo \">$PIP_CACHE_DIR $(grep -c ' /elsewhere/pip ' /proc/self/mounts)\"
    env: {PIP_CACHE_DIR: /elsewhere/pip}
";
    assert_eq!(printed(&engine, spec, &unique()), ["/elsewhere/pip 1"]);
}
