//! Downloads and what is compiled.

use crate::{World, dockerfile, in_debian, reasons, shown, wish};

/// A Dockerfile, and what each of its programs gets.
const CASES: &[(&str, &[&str])] = &[
    (
        "FROM python\nRUN pip install x",
        &["pip install x: pip=/.larder/pip"],
    ),
    (
        "FROM python\nRUN pip install x && rm -rf ~/.cache",
        &["pip install x && rm -rf ~/.cache: pip=/.larder/pip"],
    ),
    (
        "FROM python\nRUN pip install --no-cache-dir x",
        &["pip install --no-cache-dir x: pip!"],
    ),
    (
        "FROM python\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x",
        &["pip install x: pip!"],
    ),
    (
        "FROM python\nENV PIP_CACHE_DIR=/p\nRUN pip install x",
        &["pip install x: pip=/p"],
    ),
    (
        "FROM python\nRUN --mount=type=cache,target=/root/.cache pip install x",
        &["--mount=type=cache,target=/root/.cache pip install x: pip!"],
    ),
    (
        "FROM debian\nRUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
        &[
            "apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*: apt=/var/cache/apt apt-lists!",
        ],
    ),
    (
        "FROM debian\nRUN apt-get update && apt-get install -y x",
        &[
            "apt-get update && apt-get install -y x: apt=/var/cache/apt apt-lists=/var/lib/apt/lists",
        ],
    ),
    // The lists would be missed.
    (
        "FROM debian\nRUN apt-get update\nRUN apt-get install -y x",
        &[
            "apt-get update: apt=/var/cache/apt apt-lists!",
            "apt-get install -y x: apt=/var/cache/apt apt-lists!",
        ],
    ),
    (
        "FROM debian\nRUN apt-get update\nRUN ./install.sh",
        &[
            "apt-get update: apt=/var/cache/apt apt-lists!",
            "./install.sh:",
        ],
    ),
    (
        "FROM debian\nRUN rm -f /etc/apt/apt.conf.d/docker-clean; apt-get update",
        &[
            "rm -f /etc/apt/apt.conf.d/docker-clean; apt-get update: apt-lists=/var/lib/apt/lists apt!",
        ],
    ),
    (
        "FROM alpine\nRUN apk add --no-cache x",
        &["apk add --no-cache x: apk!"],
    ),
    (
        "FROM alpine\nRUN apk add x",
        &["apk add x: apk=/etc/apk/cache"],
    ),
    // A directory in the image, a record of it, or links into it.
    ("FROM node\nRUN pnpm install", &["pnpm install: pnpm!"]),
    (
        "FROM node\nRUN yarn install",
        &["yarn install: yarn=/usr/local/share/.cache/yarn yarn-berry!"],
    ),
    (
        "FROM go\nRUN go build",
        &["go build: go-build=/.larder/go/build go-mod!"],
    ),
    (
        "FROM rust\nRUN cargo build",
        &["cargo build: cargo-git! cargo-registry! cargo-target!"],
    ),
    // Poetry has settings for where environments are.
    (
        "FROM python\nRUN poetry install",
        &[
            "poetry install: poetry-artifacts=/root/.cache/pypoetry/artifacts poetry-metadata=/root/.cache/pypoetry/cache",
        ],
    ),
    // Somebody makes do with what is there.
    (
        "FROM node\nRUN npm ci\nRUN npm install --offline x",
        &["npm ci: npm!", "npm install --offline x: npm!"],
    ),
    (
        "FROM node\nRUN npm ci\nRUN --network=none ./build.sh",
        &["npm ci: npm!", "--network=none ./build.sh:"],
    ),
    // Somebody needs the directory.
    (
        "FROM node\nRUN npm ci\nRUN chown -R node ~/.npm",
        &["npm ci: npm!", "chown -R node ~/.npm:"],
    ),
    (
        "FROM node\nRUN npm ci && rm -rf /root/.npm",
        &["npm ci && rm -rf /root/.npm: npm=/.larder/npm"],
    ),
    (
        "FROM node AS a\nRUN npm ci\nFROM node\nCOPY --from=a /root/.npm /root/.npm\nRUN npm ci --ignore-scripts",
        &["npm ci: npm!", "npm ci --ignore-scripts: npm!"],
    ),
    (
        "FROM python AS a\nRUN pip install x\nFROM python\nCOPY --from=a /root/.cache /c",
        &["pip install x: pip!"],
    ),
    (
        "FROM python AS a\nRUN pip install x\nFROM python\nCOPY --from=a /root/.local /root/.local",
        &["pip install x: pip=/.larder/pip"],
    ),
    (
        "FROM debian\nRUN apt-get update && ./cleanup.sh",
        &["apt-get update && ./cleanup.sh: apt! apt-lists!"],
    ),
    (
        "FROM node\nRUN npm ci && ./cleanup.sh",
        &["npm ci && ./cleanup.sh: npm=/.larder/npm"],
    ),
    (
        "FROM debian\nRUN apt-get update\nRUN find /var/cache -delete",
        &[
            "apt-get update: apt-lists=/var/lib/apt/lists apt!",
            "find /var/cache -delete:",
        ],
    ),
    (
        "FROM node\nUSER app\nRUN --mount=type=cache,target=/home/app/.npm npm ci",
        &["--mount=type=cache,target=/home/app/.npm npm ci: npm!"],
    ),
    (
        "FROM node\nRUN npm ci && rm -rf $(npm config get cache)",
        &["npm ci && rm -rf $(npm config get cache): npm!"],
    ),
    (
        "FROM python\nRUN pip install x\nRUN ls `pip cache dir`",
        &["pip install x: pip!", "ls `pip cache dir`:"],
    ),
    (
        "FROM debian\nRUN apt-get update; D=/var/cache; rm -rf $D",
        &["apt-get update; D=/var/cache; rm -rf $D: apt! apt-lists!"],
    ),
    (
        "FROM debian\nRUN apt-get update; export G=\"$(mktemp -d)\"; rm -rf \"$G\"",
        &[
            "apt-get update; export G=\"$(mktemp -d)\"; rm -rf \"$G\": apt=/var/cache/apt apt-lists=/var/lib/apt/lists",
        ],
    ),
    (
        "FROM debian\nRUN apt-get update; rm -rf ${D:-/var/cache}",
        &["apt-get update; rm -rf ${D:-/var/cache}: apt! apt-lists!"],
    ),
    (
        "FROM alpine\nRUN apk add x; rm -r node-$V /tmp/$V; rm $V",
        &["apk add x; rm -r node-$V /tmp/$V; rm $V: apk=/etc/apk/cache"],
    ),
    // Another user keeps the variables.
    (
        "FROM node\nUSER node\nRUN sudo ls && npm ci",
        &["sudo ls && npm ci: npm=/.larder/npm"],
    ),
    (
        "FROM node\nUSER node\nRUN sudo -E ls && npm ci",
        &["sudo -E ls && npm ci: npm!"],
    ),
    (
        "FROM node\nRUN npm ci && su node -c 'npm ci'",
        &["npm ci && su node -c 'npm ci': npm!"],
    ),
    (
        "FROM node\nRUN npm ci && cp -r x /",
        &["npm ci && cp -r x /: npm=/.larder/npm"],
    ),
    (
        "FROM node\nRUN npm ci && cp -a /. /x",
        &["npm ci && cp -a /. /x: npm!"],
    ),
    (
        "FROM node\nRUN npm ci | tar -xzC /",
        &["npm ci | tar -xzC /: npm=/.larder/npm"],
    ),
    (
        "FROM node\nRUN npm ci && tar -czf x /",
        &["npm ci && tar -czf x /: npm!"],
    ),
    (
        "FROM node\nRUN npm ci && chown -R node /",
        &["npm ci && chown -R node /: npm!"],
    ),
    (
        "FROM node\nRUN --no-cache npm ci",
        &["--no-cache npm ci: npm!"],
    ),
    ("FROM node\nRUN npm ci && echo 'x", &["npm ci && echo 'x:"]),
    (
        "FROM node\nSHELL /bin/bash -euo pipefail -c\nRUN npm ci | tee log",
        &["npm ci | tee log: npm=/.larder/npm"],
    ),
    (
        "FROM node\nSHELL /bin/ash -eo pipefail -c\nRUN npm ci",
        &["npm ci: npm=/.larder/npm"],
    ),
    ("FROM node\nSHELL python -c\nRUN npm ci", &["npm ci:"]),
    (
        "FROM node\nSCRIPT #!/bin/sh;npm ci;",
        &["#!/bin/sh;npm ci;: npm=/.larder/npm"],
    ),
    (
        "FROM node\nSCRIPT #!/usr/bin/env -S bash -e;npm ci;",
        &["#!/usr/bin/env -S bash -e;npm ci;: npm=/.larder/npm"],
    ),
    (
        "FROM node\nSCRIPT #!/usr/bin/python3;npm ci;",
        &["#!/usr/bin/python3;npm ci;:"],
    ),
];

#[test]
fn every_program_gets_what_leaves_no_trace() {
    for (text, expected) in CASES {
        let injected = in_debian(text);
        assert_eq!(
            shown(&injected),
            *expected,
            "{text}\n{}",
            reasons(&injected)
        );
    }
}

#[test]
fn comments_choose() {
    for (text, expected) in [
        ("# larder: caches=off\nFROM node\nRUN npm ci", "npm ci:"),
        ("FROM node\n# larder: caches=off\nRUN npm ci", "npm ci:"),
        (
            "# larder: caches=off\nFROM node\n# larder: caches=auto\nRUN npm ci",
            "npm ci: npm=/.larder/npm",
        ),
        (
            "FROM node\n\n# larder: caches=off\nFROM node\nRUN npm ci",
            "npm ci:",
        ),
        (
            "FROM go\n# larder: caches=go-mod\nRUN go build",
            "go build: go-build=/.larder/go/build go-mod=/root/go/pkg/mod",
        ),
        (
            "FROM node\n# larder: caches=pnpm\nRUN pnpm install",
            "pnpm install: pnpm=/root/.local/share/pnpm/store",
        ),
        (
            "FROM x\n# larder: caches=off caches=pip\nRUN npm ci",
            "npm ci: pip=/.larder/pip",
        ),
    ] {
        let injected = in_debian(text);
        assert_eq!(
            shown(&injected),
            [expected],
            "{text}\n{}",
            reasons(&injected)
        );
        assert_eq!(injected.mistakes, []);
        let off = injected.execs[0].off.is_some();
        assert_eq!(off, expected == "npm ci:", "{text}");
    }
    let injected = in_debian("# larder: project=other\nFROM go\nRUN go build");
    let ids: Vec<_> = injected.execs[0]
        .decision
        .mounts
        .iter()
        .map(|mount| &mount.id)
        .collect();
    assert_eq!(
        ids,
        ["/larder/project:other/go-build/distribution:debian-13/owner:0.0"]
    );
    let injected = in_debian("FROM a\n# larder: off\nRUN npm ci");
    let mistakes: Vec<_> = injected
        .mistakes
        .iter()
        .map(|it| (it.file.as_str(), it.line))
        .collect();
    assert_eq!(mistakes, [("Dockerfile", 2)]);
}

#[test]
fn only_what_is_needed_is_asked_for() {
    for (text, asked) in [
        ("FROM alpine\nRUN echo", &[][..]),
        ("FROM node\nUSER node\nRUN echo", &[]),
        ("FROM node\nRUN npm ci --offline", &[]),
        (
            "FROM python\nRUN pip install x",
            &["/etc/os-release", "/usr/lib/os-release"],
        ),
        ("FROM php\nUSER 5:5\nRUN composer install", &[]),
        (
            "FROM php\nUSER node\nRUN composer install",
            &["/etc/group", "/etc/passwd"],
        ),
    ] {
        let mut world = World::debian();
        world.inject(&[dockerfile::definition(text)], &wish());
        assert_eq!(world.asked, asked, "{text}");
    }
}

#[test]
fn ids_may_be_those_of_dockerfiles() {
    use larder_inject::Ids;
    let text = "FROM debian\nRUN apt-get install x\nRUN pip install x";
    for (namespace, expected) in [
        (None, ["//var/cache/apt", "//root/.cache/pip"]),
        (
            Some("pr-7"),
            ["pr-7//var/cache/apt", "pr-7//root/.cache/pip"],
        ),
    ] {
        let wish = larder_inject::definition::Wish {
            ids: Ids::Dockerfile,
            namespace: namespace.map(str::to_owned),
            ..wish()
        };
        let injected = World::debian().inject(&[dockerfile::definition(text)], &wish);
        let mounts = injected.execs.iter().flat_map(|exec| &exec.decision.mounts);
        let ids: Vec<&str> = mounts.map(|mount| mount.id.as_str()).collect();
        assert_eq!(ids, expected);
    }
}

#[test]
fn what_nothing_is_injected_into_is_as_it_came() {
    let definition = dockerfile::definition("FROM a\nRUN echo\nCOPY x y\nRUN apk add --no-cache x");
    let injected = World::debian().inject(std::slice::from_ref(&definition), &wish());
    assert_eq!(injected.definitions[0].to_bytes(), definition.to_bytes());
    assert!(
        injected
            .execs
            .iter()
            .all(|exec| exec.digest == exec.injected)
    );
}

#[test]
fn defeats_are_still_told() {
    let injected = in_debian("FROM python\nRUN pip install --no-cache-dir x");
    let defeated = &injected.execs[0].decision.defeated;
    assert_eq!(defeated.len(), 1);
    assert_eq!(defeated[0].words, "--no-cache-dir");
    assert_eq!(
        reasons(&injected),
        "pip: `--no-cache-dir` keeps it from being of use"
    );
}
