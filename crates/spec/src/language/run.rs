//! `run` and `install` steps.

use super::caches::CACHES;
use super::mounts::{MOUNTS, NETWORK, SECRETS, SECURITY, SSH_AGENTS};
use super::{Key, Mapping, NAME, Shape};

pub(super) const USER: Key = key!(
    "user": Shape::Template,
    "Who runs it, and owns what is made: a name, a number, `uid:gid`, or `build` for a user that is made if the \
     image has none of that name.",
    "build",
    default "that of the stage, of the spec, or else of the base image"
);

pub(super) const STEP_NAME: Key = key!(
    "name": Shape::Template,
    "What the progress display calls the step.",
    "dependencies",
    default "what the step does"
);

const STEP_ENV: Key = key!(
    "env": Shape::Map(NAME, &Shape::TemplateOrEmpty),
    "Variables of this step alone.",
    "{CI: \"true\"}"
);

const FROM_ELSEWHERE: &str =
    "only `copy` has a source; `mounts` shows files of elsewhere to a step";

const MOUNT_ELSEWHERE: &str =
    "write `mounts` for files, or `caches`, `secrets` and `ssh` for those";

/// `- run: …`.
pub static RUN_STEP: Mapping = Mapping {
    name: "run-step",
    of: "a `run` step",
    doc: "Runs a command.",
    keys: &[
        key!(
            required "run": Shape::OneOf(&[Shape::Text, Shape::NonEmpty(&Shape::TextOrEmpty)]),
            "A line or a script for the shell, or a list of words that run without one. `$NAME` and `${NAME}` are \
             left to the shell, which has the args as variables.",
            "npm run build"
        ),
        STEP_NAME,
        USER,
        key!(
            "workdir": Shape::Template,
            "The directory that it runs in, relative to the stage's, made if it is missing.",
            "ui",
            default "the stage's"
        ),
        key!(
            "shell": Shape::NonEmpty(&Shape::Text),
            "The words that stand before the command line to run it.",
            "[/bin/bash, -c]",
            default "the stage's"
        ),
        STEP_ENV,
        CACHES,
        key!(
            "outputs": Shape::OneOf(&[
                Shape::Template,
                Shape::List(&Shape::OneOf(&[Shape::Template, Shape::Mapping(&OUTPUT)])),
            ]),
            "Files that are copied out of caches and mounts once the command is done, so that they stay in the image.",
            "[{from: target/release/app, to: /usr/local/bin/}]"
        ),
        SECRETS,
        SSH_AGENTS,
        MOUNTS,
        NETWORK,
        SECURITY,
    ],
    elsewhere: &[
        ("args", "put it in the stage, or use `env`"),
        ("dest", "only `copy`, `add` and `file` have a destination"),
        ("from", FROM_ELSEWHERE),
        ("mount", MOUNT_ELSEWHERE),
        ("src", FROM_ELSEWHERE),
        ("volumes", MOUNT_ELSEWHERE),
    ],
};

/// `- install: …`.
pub static INSTALL_STEP: Mapping = Mapping {
    name: "install-step",
    of: "an `install` step",
    doc: "Installs what a project's manifest and lockfile name: these are copied, and the package manager runs.",
    keys: &[
        key!(
            required "install": Shape::Word(&[
                "auto", "pip", "uv", "poetry", "pdm", "pipenv", "npm", "pnpm", "yarn", "bun", "go", "cargo", "maven",
                "gradle", "bundler", "composer", "dotnet",
            ]),
            "The package manager; `auto` is the one whose manifest is there.",
            "npm"
        ),
        STEP_NAME,
        USER,
        key!(
            "workdir": Shape::Template,
            "Where the manifest is: a directory below the context, and the same below the stage's `workdir`.",
            "ui",
            default "the top of both"
        ),
        STEP_ENV,
        CACHES,
        SECRETS,
        SSH_AGENTS,
        MOUNTS,
        NETWORK,
        SECURITY,
    ],
    elsewhere: &[
        ("from", FROM_ELSEWHERE),
        ("mount", MOUNT_ELSEWHERE),
        ("outputs", "only a `run` step has outputs"),
        (
            "packages",
            "`install` reads the project's manifest; name packages in a `run` step",
        ),
        (
            "shell",
            "`install` uses none; write the command as a `run` step",
        ),
        ("src", "`install` finds the manifest; `workdir` says where"),
    ],
};

/// An element of `outputs`.
pub static OUTPUT: Mapping = Mapping {
    name: "output",
    of: "an output",
    doc: "What a step copies out of its caches and mounts.",
    keys: &[
        key!(
            required "from": Shape::Template,
            "A file or directory, relative to the step's directory.",
            "target/release/app"
        ),
        key!(
            "to": Shape::Template,
            "Where it goes, relative to the step's directory. Ending in `/`, it is a directory to copy into.",
            "/usr/local/bin/",
            default "`.`"
        ),
    ],
    elsewhere: &[
        ("src", "did you mean `from`?"),
        ("source", "did you mean `from`?"),
        ("dest", "did you mean `to`?"),
        ("target", "did you mean `to`?"),
    ],
};
