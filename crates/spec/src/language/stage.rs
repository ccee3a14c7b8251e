//! Stages and what they stand on.

use super::caches::CACHES;
use super::run::USER;
use super::{
    ADD_STEP, COPY_STEP, FILE_STEP, IMAGE, INSTALL_STEP, Key, Mapping, NAME, RUN_STEP, Shape,
};

pub(super) const IN_IMAGE: &str = "put it below `image`";
pub(super) const IN_STEPS: &str = "put it in `steps`, behind a `- `";
pub(super) const LABELS_IN_IMAGE: &str = "put it below `image`, as `labels`";
pub(super) const PLATFORM_IN_FROM: &str =
    "put it inside `from`, as in `from: {image: golang, platform: $BUILDPLATFORM}`";

pub(super) const BASE_IMAGE: Key = key!(
    required "from": Shape::OneOf(&[Shape::Template, Shape::Mapping(&BASE)]),
    "What the stage stands on: an image, another stage, a named context, or `scratch` for nothing at all.",
    "python:3.13-slim"
);

pub(super) const DESCRIPTION: Key = key!(
    "description": Shape::Text,
    "What the stage is for. `docker buildx build --call=targets` shows it.",
    "the HTTP server"
);

pub(super) const ARGS: Key = key!(
    "args": Shape::OneOf(&[
        Shape::Map(
            NAME,
            &Shape::OneOf(&[Shape::Nothing, Shape::TemplateOrEmpty, Shape::Mapping(&ARG)]),
        ),
        Shape::List(&Shape::Pattern("[A-Za-z_][A-Za-z0-9_]*(=[\\s\\S]*)?")),
    ]),
    "Build arguments, which `--build-arg` sets: a mapping of names to defaults, or a list of names. `${NAME}` \
     stands for one, and `run` steps have them as variables.",
    "{VERSION: \"3.13\", TOKEN: }"
);

pub(super) const ENV: Key = key!(
    "env": Shape::Map(NAME, &Shape::TemplateOrEmpty),
    "Variables of the steps and of the image, in order.",
    "{NODE_ENV: production, PATH: \"/opt/bin:${PATH}\"}"
);

pub(super) const WORKDIR: Key = key!(
    "workdir": Shape::Template,
    "The directory of the steps and of the image, made if it is missing. A relative one goes on from the base's.",
    "/app",
    default "the base image's"
);

pub(super) const SHELL: Key = key!(
    "shell": Shape::NonEmpty(&Shape::Text),
    "The words that stand before a command line to run it.",
    "[/bin/bash, -eo, pipefail, -c]",
    default "the base image's, or else `[/bin/sh, -c]`"
);

pub(super) const STEPS: Key = key!(
    "steps": Shape::List(&STEP),
    "What is done, in order.",
    "[{install: pip}, {copy: .}, {run: make}]"
);

pub(super) const IMAGE_CONFIG: Key = key!(
    "image": Shape::Mapping(&IMAGE),
    "What the image says of itself: what it runs, which ports, and so on.",
    "{cmd: [gunicorn, \"shop:app\"], expose: [8000]}"
);

/// A stage, below its name.
pub static STAGE: Mapping = Mapping {
    name: "stage",
    of: "a stage",
    doc: "A chain of steps on a base.",
    keys: &[
        BASE_IMAGE,
        DESCRIPTION,
        ARGS,
        ENV,
        WORKDIR,
        USER,
        SHELL,
        CACHES,
        STEPS,
        IMAGE_CONFIG,
    ],
    elsewhere: &[
        ("annotations", IN_IMAGE),
        ("cmd", IN_IMAGE),
        ("entrypoint", IN_IMAGE),
        ("expose", IN_IMAGE),
        ("healthcheck", IN_IMAGE),
        ("label", LABELS_IN_IMAGE),
        ("labels", IN_IMAGE),
        ("on-build", IN_IMAGE),
        ("stop-signal", IN_IMAGE),
        ("volume", "put it below `image`, as `volumes`"),
        ("volumes", IN_IMAGE),
        ("add", IN_STEPS),
        ("copy", IN_STEPS),
        ("file", IN_STEPS),
        ("install", IN_STEPS),
        ("run", IN_STEPS),
        ("platform", PLATFORM_IN_FROM),
        (
            "secrets",
            "put it on the `run` or `install` step that needs it",
        ),
        ("ssh", "put it on the `run` or `install` step that needs it"),
        ("cache-ids", "put it at the top of the spec"),
        ("cache-layout", "put it at the top of the spec"),
        ("cache-scope", "put it at the top of the spec"),
        (
            "name",
            "the key above is the stage's name; `description` says what it is for",
        ),
        ("runtime-caches", "put it at the top of the spec"),
        ("target", "put it at the top of the spec"),
    ],
};

/// An element of `steps`.
pub static STEP: Shape = Shape::OneOf(&[
    Shape::Mapping(&RUN_STEP),
    Shape::Mapping(&INSTALL_STEP),
    Shape::Mapping(&COPY_STEP),
    Shape::Mapping(&ADD_STEP),
    Shape::Mapping(&FILE_STEP),
]);

/// `from`, with a platform.
pub static BASE: Mapping = Mapping {
    name: "from",
    of: "`from`",
    doc: "What a stage stands on, and on which platform.",
    keys: &[
        key!(
            required "image": Shape::Template,
            "An image, another stage, a named context, or `scratch`.",
            "golang:1.25"
        ),
        key!(
            "platform": Shape::Template,
            "The platform of the image, on which the steps run: `$BUILDPLATFORM` for the builder's own, or such \
             as `linux/amd64`.",
            "$BUILDPLATFORM",
            default "the platform that is built for"
        ),
    ],
    elsewhere: &[
        ("context", "write the name of the context as `image`"),
        ("name", "did you mean `image`?"),
        ("stage", "write the name of the stage as `image`"),
        (
            "tag",
            "write it behind the image's name, as in `image: debian:13`",
        ),
    ],
};

/// A build argument with more than a default.
pub static ARG: Mapping = Mapping {
    name: "arg",
    of: "an arg",
    doc: "A build argument with more than a default.",
    keys: &[
        key!(
            "default": Shape::TemplateOrEmpty,
            "Its value where the client gives none.",
            "release"
        ),
        key!(
            "description": Shape::Text,
            "What it is for. `docker buildx build --call=outline` shows it.",
            "which profile is built"
        ),
    ],
    elsewhere: &[
        (
            "required",
            "leave it out, and write `${NAME:?message}` where the arg is used",
        ),
        ("value", "did you mean `default`?"),
    ],
};
