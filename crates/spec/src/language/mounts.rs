//! What `run` and `install` steps see and may do.

use super::{ID, Key, Mapping, Shape};

pub(super) const SECRETS: Key = key!(
    "secrets": Shape::OneOf(&[
        Shape::Pattern(ID),
        Shape::NonEmpty(&Shape::OneOf(&[Shape::Pattern(ID), Shape::Mapping(&SECRET)])),
    ]),
    "Secrets of the client (`docker buildx build --secret`), there while the program runs and in no layer. A name \
     alone is the file `/run/secrets/<id>`.",
    "[npm-token, {id: aws, target: /root/.aws/credentials}]"
);

pub(super) const SSH_AGENTS: Key = key!(
    "ssh": Shape::OneOf(&[
        Shape::Bool,
        Shape::Pattern(ID),
        Shape::NonEmpty(&Shape::OneOf(&[Shape::Pattern(ID), Shape::Mapping(&SSH)])),
    ]),
    "SSH agents of the client (`docker buildx build --ssh`): `true` is the one called `default`.",
    "true",
    default "`false`"
);

pub(super) const MOUNTS: Key = key!(
    "mounts": Shape::NonEmpty(&Shape::OneOf(&[Shape::Mapping(&BIND), Shape::Mapping(&TMPFS)])),
    "Files that are there while the program runs, and leave no trace in the image.",
    "[{target: /src, from: web}, {type: tmpfs, target: /tmp}]"
);

pub(super) const NETWORK: Key = key!(
    "network": Shape::Word(&["default", "host", "none"]),
    "The network of the program: `default` one of its own with a way out, `none` nothing, `host` the builder's, \
     which needs `--allow network.host`.",
    "none",
    default "what the client asks for"
);

pub(super) const SECURITY: Key = key!(
    "security": Shape::Word(&["sandbox", "insecure"]),
    "What the program may do: `sandbox` what an ordinary container may, `insecure` everything, which needs \
     `--allow security.insecure`.",
    "insecure",
    default "`sandbox`"
);

const REQUIRED: Key = key!(
    "required": Shape::Bool,
    "Whether a client that does not have it is a mistake.",
    "false",
    default "`true`"
);

const UID: Key = key!(
    "uid": Shape::Integer(0, 4_294_967_294),
    "The owner, as a number.",
    "1000",
    default "the step's user"
);

const GID: Key = key!(
    "gid": Shape::Integer(0, 4_294_967_294),
    "The group, as a number.",
    "1000",
    default "the step's group"
);

/// An element of `secrets`.
pub static SECRET: Mapping = Mapping {
    name: "secret",
    of: "a secret",
    doc: "A secret of the client, as a file, as a variable, or as both.",
    keys: &[
        key!(
            required "id": Shape::Pattern(ID),
            "What the client calls it.",
            "npm-token"
        ),
        key!(
            "target": Shape::Template,
            "The file that holds it.",
            "/root/.npmrc",
            default "`/run/secrets/<id>`, or no file if there is `env`"
        ),
        key!(
            "env": Shape::Pattern(super::NAME),
            "The variable that holds it.",
            "NPM_TOKEN"
        ),
        REQUIRED,
        UID,
        GID,
        key!(
            "mode": Shape::Mode,
            "The permissions of the file.",
            "0440",
            default "`0400`"
        ),
    ],
    elsewhere: &[
        ("dest", "did you mean `target`?"),
        (
            "file",
            "the client says which file it is: `docker buildx build --secret id=…,src=…`",
        ),
        ("name", "did you mean `id`?"),
        ("path", "did you mean `target`?"),
        (
            "source",
            "the client says which file it is: `docker buildx build --secret id=…,src=…`",
        ),
        (
            "src",
            "the client says which file it is: `docker buildx build --secret id=…,src=…`",
        ),
        ("type", "remove it; everything in `secrets` is a secret"),
    ],
};

/// An element of `ssh`.
pub static SSH: Mapping = Mapping {
    name: "ssh",
    of: "an SSH agent",
    doc: "An SSH agent of the client. `SSH_AUTH_SOCK` is its socket while the program runs.",
    keys: &[
        key!(
            "id": Shape::Pattern(ID),
            "What the client calls it.",
            "github",
            default "`default`"
        ),
        key!(
            "target": Shape::Template,
            "Where its socket is.",
            "/run/agent.sock",
            default "a place that the builder chooses"
        ),
        REQUIRED,
        UID,
        GID,
        key!(
            "mode": Shape::Mode,
            "The permissions of the socket.",
            "0660",
            default "`0600`"
        ),
    ],
    elsewhere: &[
        ("dest", "did you mean `target`?"),
        ("name", "did you mean `id`?"),
        ("path", "did you mean `target`?"),
        ("type", "remove it; everything in `ssh` is an agent"),
    ],
};

/// An element of `mounts` of the type `bind`.
pub static BIND: Mapping = Mapping {
    name: "bind-mount",
    of: "a bind mount",
    doc: "Files of the build context, a stage, a named context or an image.",
    keys: &[
        key!(
            "type": Shape::Word(&["bind"]),
            "What is mounted.",
            "bind",
            default "`bind`"
        ),
        key!(
            required "target": Shape::Template,
            "Where it is mounted, relative to the step's directory.",
            "/src"
        ),
        key!(
            "from": Shape::Template,
            "A stage, a named context or an image.",
            "web",
            default "the build context"
        ),
        key!(
            "source": Shape::Template,
            "The path in there.",
            "dist",
            default "its root"
        ),
        key!(
            "writable": Shape::Bool,
            "Whether the program may write. What it writes is lost when it ends.",
            "true",
            default "`false`"
        ),
    ],
    elsewhere: &[
        ("dest", "did you mean `target`?"),
        ("dst", "did you mean `target`?"),
        ("readonly", "leave it out, or write `writable: true`"),
        ("rw", "did you mean `writable`?"),
        ("size", "only a `tmpfs` has a size"),
        ("src", "did you mean `source`?"),
    ],
};

/// An element of `mounts` of the type `tmpfs`.
pub static TMPFS: Mapping = Mapping {
    name: "tmpfs-mount",
    of: "a tmpfs",
    doc: "An empty directory in memory.",
    keys: &[
        key!(
            required "type": Shape::Word(&["tmpfs"]),
            "What is mounted.",
            "tmpfs"
        ),
        key!(
            required "target": Shape::Template,
            "Where it is mounted, relative to the step's directory.",
            "/tmp"
        ),
        key!(
            "size": Shape::Size,
            "How much fits in: bytes, or with `k`, `m` or `g` for powers of 1024.",
            "512m",
            default "the builder's limit"
        ),
    ],
    elsewhere: &[
        ("dest", "did you mean `target`?"),
        ("dst", "did you mean `target`?"),
        ("from", "a `tmpfs` is empty; a `bind` holds files"),
        ("source", "a `tmpfs` is empty; a `bind` holds files"),
        ("src", "a `tmpfs` is empty; a `bind` holds files"),
        ("writable", "remove it; a `tmpfs` is writable"),
    ],
};
