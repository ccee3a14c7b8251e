//! The top of a spec.

use super::stage::{
    ARGS, BASE_IMAGE, DESCRIPTION, ENV, IMAGE_CONFIG, IN_IMAGE, IN_STEPS, LABELS_IN_IMAGE,
    PLATFORM_IN_FROM, SHELL, STEPS, WORKDIR,
};
use super::{ID, Key, Mapping, STAGE, Shape};
use crate::language::caches::CACHES;
use crate::language::layers::REGISTRY_CACHE;
use crate::language::run::USER;

/// Keys at the top that are the user's own, as a regular expression. They may hold anything.
pub const IGNORED: &str = r"x-[\s\S]*";

/// Keys of a spec's only stage. They do not go with `stages`, and without that `from` is needed.
pub const ONE_STAGE: [&str; 7] = [
    "from",
    "description",
    "env",
    "workdir",
    "shell",
    "steps",
    "image",
];

/// A whole spec.
pub static SPEC: Mapping = Mapping {
    name: "spec",
    of: "a spec",
    doc: "A whole spec: either `stages`, or one stage written at the top. Keys that begin with `x-` are yours: \
          they are ignored, and a place for what aliases share.",
    keys: &[
        key!(
            "name": Shape::Pattern("[a-z0-9._/-]+"),
            "The project's name. Caches that belong to one project carry it in their ids.",
            "shop",
            default "`default`"
        ),
        ARGS,
        USER,
        CACHES,
        key!(
            "cache-layout": Shape::Word(&["cache", "home", "default"]),
            "Where caches are mounted: `cache` at `/cache/<tool>`, with the variables that send the tool there; \
             `home` at the tool's own place below the user's home; `default` where the tool looks without being \
             told anything.",
            "home",
            default "`cache`"
        ),
        key!(
            "cache-ids": Shape::Word(&["larder", "dockerfile"]),
            "How caches are named to BuildKit: `larder` by what they hold and who shares them, `dockerfile` as \
             `RUN --mount=type=cache` names them, to share them with Dockerfiles.",
            "dockerfile",
            default "`larder`"
        ),
        key!(
            "cache-scope": Shape::Word(&["shared", "project"]),
            "Who shares caches: `shared` every project of the builder, `project` only specs of the same `name`.",
            "project",
            default "what is safe for each tool"
        ),
        key!(
            "runtime-caches": Shape::OneOf(&[Shape::Bool, Shape::NonEmpty(&Shape::Text)]),
            "Whether the image keeps directories and variables for caches of running containers: `true` for the \
             tools that its steps use, or a list of caches, tools and languages that come on top.",
            "[python, npm]",
            default "`false`"
        ),
        REGISTRY_CACHE,
        key!(
            "target": Shape::Text,
            "The stage that is built where the client names none.",
            "api",
            default "the last stage"
        ),
        key!(
            "stages": Shape::Map(ID, &Shape::Mapping(&STAGE)),
            "The stages by their names, at least one. A stage may stand on one that comes later.",
            "{app: {from: alpine}}"
        ),
        Key {
            required: false,
            ..BASE_IMAGE
        },
        DESCRIPTION,
        ENV,
        WORKDIR,
        SHELL,
        STEPS,
        IMAGE_CONFIG,
    ],
    elsewhere: &[
        ("cache-from", "did you mean `registry-cache`?"),
        ("cache-to", "did you mean `registry-cache`?"),
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
        (
            "services",
            "Compose runs images, and this builds one: leave it to the Compose file",
        ),
        ("ssh", "put it on the `run` or `install` step that needs it"),
        ("version", "remove it; a spec has none"),
    ],
};
