//! What the caches of tools that cannot be had here are inside a step: mounted where, whose, and what
//! the tool is told. Their programs are stand-ins that say what they see.

use std::fmt::Write as _;

use larder_e2e::{Engine, Project, unique};

/// Prints, for each directory mounted for the step, `>user program directory uid:gid:mode`, and each
/// variable that the step has and the stage has not.
const SHOW: &str = r#"#!/bin/sh
program=$(basename "$0")
while read -r _ target type _; do
    case "$target" in
        / | /proc* | /dev* | /sys* | /etc/hosts | /etc/resolv.conf | /etc/hostname) continue ;;
    esac
    if [ -d "$target" ]; then
        kind=$(stat -c %u:%g:%a "$target")
    else
        kind=file
    fi
    [ "$type" = tmpfs ] && kind=tmpfs
    echo ">$(id -un) $program $target $kind"
done < /proc/self/mounts
env | sort | grep -vxFf /stage.env | grep -vE '^(PWD|OLDPWD|SHLVL|_|HOME)=' | sed "s/^/>$(id -un) $program /"
true
"#;

/// Command lines, one of each tool.
const COMMANDS: &[&str] = &[
    "apk add curl",
    "bazel build //...",
    "cabal build",
    "conan install .",
    "conda install numpy",
    "cs fetch org:name:1",
    "dart pub get",
    "dnf5 install -y curl",
    "dotnet restore",
    "dune build",
    "elm make src/Main.elm",
    "gem install rake",
    "gradle build",
    "hf download a/b",
    "julia -e 'using Pkg; Pkg.instantiate()'",
    "mamba install numpy",
    "microdnf install -y --setopt=keepcache=1 curl",
    "mix deps.get",
    "opam install dune",
    "pacman -Syu curl",
    "pixi install",
    "rebar3 compile",
    "sbt compile",
    "stack build",
    "swift build",
    "vcpkg install zlib",
    "zig build",
    "zypper install -y curl",
];

fn program(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

#[test]
fn of_every_tool_are_as_documented() {
    let engine = Engine::from_env().unwrap();
    let mut spec = "name: mounts\nstages:\n  tools:\n    from: debian:trixie-slim\n    caches: none\n    steps:\n      \
         - copy: {src: show, dest: /usr/local/bin/, chmod: \"755\"}\n      - run: |\n"
        .to_owned();
    for command in COMMANDS {
        let _ = writeln!(
            spec,
            "          ln -s show /usr/local/bin/{}",
            program(command)
        );
    }
    for user in ["root", "build"] {
        let _ = write!(
            spec,
            "  {user}:\n    from: tools\n    user: {user}\n    workdir: /app\n    env: {{ONCE: {}}}\n    steps:\n      \
             - run: env > /stage.env\n        caches: none\n        user: root\n",
            unique()
        );
        for command in COMMANDS {
            let _ = writeln!(
                spec,
                "      - run: {}",
                serde_json::to_string(command).unwrap()
            );
        }
        let _ = writeln!(spec, "      - run: touch /app/{user}");
    }
    spec += "  all:\n    from: scratch\n    steps:\n      - copy: {from: root, src: /app/root, dest: /}\n      \
             - copy: {from: build, src: /app/build, dest: /}\n";
    let project = Project::new(&engine, &spec).unwrap();
    project.file("show", SHOW).unwrap();
    let built = engine.build(&project).succeed().unwrap();
    let mut said = built.said();
    said.sort();
    let expected: Vec<&str> = include_str!("mounts.txt").lines().collect();
    assert_eq!(said, expected);
}
