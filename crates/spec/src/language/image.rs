//! `image`.

use super::{Mapping, NAME, Shape};

const COMMAND: Shape = Shape::OneOf(&[Shape::Text, Shape::List(&Shape::TextOrEmpty)]);

const PORT: Shape = Shape::Pattern(r"[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?|.*\$\{.*");

/// The OCI image config, and what goes around it.
pub static IMAGE: Mapping = Mapping {
    name: "image",
    of: "`image`",
    doc: "What the image says of itself. What is not set is the base image's.",
    keys: &[
        key!(
            "entrypoint": COMMAND,
            "The program that always runs: a list of words, or a line for the shell. `[]` removes the base's.",
            "[tini, --]"
        ),
        key!(
            "cmd": COMMAND,
            "What runs by default, or the arguments of `entrypoint`: a list of words, or a line for the shell.",
            "[gunicorn, \"shop:app\"]",
            default "the base image's; none if `entrypoint` is set"
        ),
        key!(
            "env": Shape::Map(NAME, &Shape::TemplateOrEmpty),
            "Variables of the image alone, which no step sees.",
            "{PORT: \"8000\"}"
        ),
        key!(
            "expose": Shape::OneOf(&[PORT, Shape::List(&PORT)]),
            "Ports that a container listens on: a number or a range, alone or with `/tcp`, `/udp` or `/sctp`.",
            "[8000, 9000-9002/udp]"
        ),
        key!(
            "labels": Shape::Map(r"[\s\S]*\S[\s\S]*", &Shape::TemplateOrEmpty),
            "Labels by their names.",
            "{org.opencontainers.image.title: Shop}"
        ),
        key!(
            "annotations": Shape::Map(
                r"((manifest|manifest-descriptor|index|index-descriptor)(,(manifest|manifest-descriptor|index|index-descriptor))*:)?[^:\s]+",
                &Shape::TemplateOrEmpty,
            ),
            "Annotations by their names. `manifest:`, `manifest-descriptor:`, `index:` or `index-descriptor:` before \
             a name says what it is put on; several have a comma between them.",
            "{\"index:org.opencontainers.image.title\": Shop}",
            default "none; a name alone is put on the manifest"
        ),
        key!(
            "user": Shape::Template,
            "The user of running containers: a name, a number, or user and group.",
            "65534",
            default "the stage's `user`"
        ),
        key!(
            "workdir": Shape::Template,
            "The directory of running containers.",
            "/srv",
            default "the stage's `workdir`"
        ),
        key!(
            "healthcheck": Shape::OneOf(&[Shape::Word(&["none"]), Shape::Mapping(&HEALTHCHECK)]),
            "How a container is found to be well. `none` turns off the base image's check.",
            "{test: [curl, -f, \"http://localhost:8000/\"], interval: 30s}"
        ),
        key!(
            "volumes": Shape::OneOf(&[Shape::Template, Shape::List(&Shape::Template)]),
            "Directories that hold data of running containers: absolute paths.",
            "[/var/lib/shop]"
        ),
        key!(
            "stop-signal": Shape::Template,
            "The signal that ends a container, by name or number.",
            "SIGQUIT",
            default "the base image's, or else `SIGTERM`"
        ),
        key!(
            "shell": Shape::NonEmpty(&Shape::Text),
            "The words that stand before `cmd`, `entrypoint` and `healthcheck` written as a line.",
            "[/bin/bash, -c]",
            default "the stage's `shell`"
        ),
        key!(
            "on-build": Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Instructions of a Dockerfile that run first in builds that start from the image.",
            "[\"COPY . /app\"]"
        ),
    ],
    elsewhere: &[
        ("command", "did you mean `cmd`?"),
        ("from", "put it beside `image`"),
        ("platform", super::stage::PLATFORM_IN_FROM),
        (
            "restart",
            "say it where the image is run; an image has no such setting",
        ),
        (
            "stop_grace_period",
            "say it where the image is run; an image has no such setting",
        ),
        ("steps", "put it beside `image`"),
    ],
};

/// `healthcheck`.
pub static HEALTHCHECK: Mapping = Mapping {
    name: "healthcheck",
    of: "`healthcheck`",
    doc: "How a container is found to be well. Times are written as `30s`, `1m30s` or `500ms`.",
    keys: &[
        key!(
            required "test": Shape::OneOf(&[Shape::Text, Shape::NonEmpty(&Shape::TextOrEmpty)]),
            "What runs in the container: a line for the shell, or a list of words without one. An exit status of 0 \
             is well, 1 is not.",
            "[curl, -f, \"http://localhost:8000/\"]"
        ),
        key!(
            "interval": Shape::Duration,
            "The time between two checks.",
            "30s",
            default "the base image's, or else `30s`"
        ),
        key!(
            "timeout": Shape::Duration,
            "How long a check may take.",
            "5s",
            default "the base image's, or else `30s`"
        ),
        key!(
            "start-period": Shape::Duration,
            "How long a container may take to start, in which failures do not count.",
            "1m",
            default "the base image's, or else none"
        ),
        key!(
            "start-interval": Shape::Duration,
            "The time between two checks while the container starts.",
            "500ms",
            default "the base image's, or else `5s`"
        ),
        key!(
            "retries": Shape::Integer(1, 2_147_483_647),
            "How many failures in a row make a container unhealthy.",
            "3",
            default "the base image's, or else 3"
        ),
    ],
    elsewhere: &[
        ("cmd", "did you mean `test`?"),
        ("command", "did you mean `test`?"),
        ("disable", "write `healthcheck: none`"),
    ],
};
