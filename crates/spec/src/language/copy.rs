//! `copy`, `add` and `file` steps.

use super::run::STEP_NAME;
use super::{Key, Mapping, Shape};

const IN_COPY: &str = "put it inside, as in `copy: {src: …, dest: …}`";
const IN_ADD: &str = "put it inside, as in `add: {src: …, dest: …}`";
const IN_FILE: &str = "put it inside, as in `file: {dest: …, content: …}`";
const CHOWN_NOT_USER: &str = "did you mean `chown`?";

const DEST: Key = key!(
    "dest": Shape::Template,
    "Where it goes, relative to the stage's `workdir`. Ending in `/`, it is a directory to copy into.",
    "./static/",
    default "`.`"
);

const CHOWN: Key = key!(
    "chown": Shape::Template,
    "The owner, and the group after a colon: names or numbers. A number alone is the group's, too.",
    "\"1000:1000\"",
    default "the stage's user"
);

const CHMOD: Key = key!(
    "chmod": Shape::Mode,
    "The permissions, in octal.",
    "0755",
    default "those that the source has"
);

const EXCLUDE: Key = key!(
    "exclude": Shape::OneOf(&[Shape::Template, Shape::List(&Shape::Template)]),
    "Patterns of what is left out, relative to each source.",
    "[\"**/*.pyc\", tests]"
);

const LINK: Key = key!(
    "link": Shape::Bool,
    "Whether it becomes a layer of its own, which need not be made anew when what is below it changes.",
    "true",
    default "`false`"
);

/// `- copy: …`.
pub static COPY_STEP: Mapping = Mapping {
    name: "copy-step",
    of: "a `copy` step",
    doc: "Copies files of the build context, or of another stage or image.",
    keys: &[
        key!(
            required "copy": Shape::OneOf(&[
                Shape::Template,
                Shape::NonEmpty(&Shape::Template),
                Shape::Mapping(&COPY),
            ]),
            "What is copied: a path or pattern, a list of them, or a mapping that says where to as well.",
            "{src: dist, dest: ./static/}"
        ),
        STEP_NAME,
    ],
    elsewhere: &[
        ("chmod", IN_COPY),
        ("chown", IN_COPY),
        ("dest", IN_COPY),
        ("exclude", IN_COPY),
        ("from", IN_COPY),
        ("link", IN_COPY),
        ("parents", IN_COPY),
        ("src", IN_COPY),
        ("to", "write `copy: {src: …, dest: …}`"),
        ("user", "set `chown` inside `copy`"),
        (
            "workdir",
            "write the whole path in `dest`, as in `copy: {src: …, dest: …}`",
        ),
    ],
};

/// `copy`, written as a mapping.
pub static COPY: Mapping = Mapping {
    name: "copy",
    of: "`copy`",
    doc: "What is copied, where to, and as whose.",
    keys: &[
        key!(
            "from": Shape::Template,
            "A stage, a named context or an image.",
            "web",
            default "the build context"
        ),
        key!(
            required "src": Shape::OneOf(&[Shape::Template, Shape::NonEmpty(&Shape::Template)]),
            "A path or pattern, or a list of them. Of a directory, its contents are copied.",
            "[package.json, package-lock.json]"
        ),
        DEST,
        CHOWN,
        CHMOD,
        EXCLUDE,
        key!(
            "parents": Shape::Bool,
            "Whether the directories above a source are made below `dest`, too. `/./` in a source says where they \
             begin.",
            "true",
            default "`false`"
        ),
        LINK,
    ],
    elsewhere: &[
        ("checksum", "only `add` knows checksums"),
        ("name", "put it beside `copy`"),
        ("unpack", "only `add` unpacks archives"),
        ("user", CHOWN_NOT_USER),
    ],
};

/// `- add: …`.
pub static ADD_STEP: Mapping = Mapping {
    name: "add-step",
    of: "an `add` step",
    doc: "Brings in what an URL or a git repository holds, or unpacks an archive of the build context.",
    keys: &[
        key!(
            required "add": Shape::OneOf(&[
                Shape::Template,
                Shape::NonEmpty(&Shape::Template),
                Shape::Mapping(&ADD),
            ]),
            "What is added: an URL or a path, a list of them, or a mapping that says more.",
            "https://example.com/tool.tar.gz"
        ),
        STEP_NAME,
    ],
    elsewhere: &[
        ("checksum", IN_ADD),
        ("chmod", IN_ADD),
        ("chown", IN_ADD),
        ("dest", IN_ADD),
        ("exclude", IN_ADD),
        ("from", "`add` reads no other stage or image; `copy` does"),
        ("keep-git", IN_ADD),
        ("link", IN_ADD),
        ("ref", IN_ADD),
        ("src", IN_ADD),
        ("subdir", IN_ADD),
        ("to", "write `add: {src: …, dest: …}`"),
        ("unpack", IN_ADD),
        ("user", "set `chown` inside `add`"),
    ],
};

/// `add`, written as a mapping.
pub static ADD: Mapping = Mapping {
    name: "add",
    of: "`add`",
    doc: "What is added, where to, and as whose.",
    keys: &[
        key!(
            required "src": Shape::OneOf(&[Shape::Template, Shape::NonEmpty(&Shape::Template)]),
            "An URL of a file, or of a git repository (it ends in `.git`, or begins with `git@`, `git://` or \
             `ssh://`); or paths and patterns of the build context.",
            "https://github.com/moby/buildkit.git"
        ),
        DEST,
        key!(
            "checksum": Shape::Template,
            "What the one source must be: `sha256:…` of a file, the commit of a repository.",
            "f0b1c6a5d8f2a1f9d3c7b0f1f6a9f7c1f2d3e4a5"
        ),
        key!(
            "ref": Shape::Template,
            "The branch, tag or commit of a repository.",
            "v0.25.0",
            default "the repository's default branch"
        ),
        key!(
            "subdir": Shape::Template,
            "The directory of a repository that is copied.",
            "docs",
            default "the whole repository"
        ),
        key!(
            "keep-git": Shape::Bool,
            "Whether the repository's `.git` is kept.",
            "true",
            default "`false`"
        ),
        key!(
            "unpack": Shape::Bool,
            "Whether archives are unpacked.",
            "true",
            default "`true` for archives of the build context, `false` for those of an URL"
        ),
        CHOWN,
        CHMOD,
        EXCLUDE,
        LINK,
    ],
    elsewhere: &[
        ("branch", "did you mean `ref`?"),
        ("commit", "did you mean `ref`, or `checksum`?"),
        ("from", "`add` reads no other stage or image; `copy` does"),
        ("name", "put it beside `add`"),
        ("parents", "only `copy` knows parents"),
        ("sha256", "write `checksum: \"sha256:…\"`"),
        ("tag", "did you mean `ref`?"),
        ("url", "did you mean `src`?"),
        ("user", CHOWN_NOT_USER),
    ],
};

/// `- file: …`.
pub static FILE_STEP: Mapping = Mapping {
    name: "file-step",
    of: "a `file` step",
    doc: "Writes a file whose content is in the spec.",
    keys: &[
        key!(
            required "file": Shape::Mapping(&FILE),
            "Which file, and what is in it.",
            "{dest: /etc/motd, content: \"hello\\n\"}"
        ),
        STEP_NAME,
    ],
    elsewhere: &[
        ("chmod", IN_FILE),
        ("chown", IN_FILE),
        ("content", IN_FILE),
        ("dest", IN_FILE),
        ("expand", IN_FILE),
        ("user", "set `chown` inside `file`"),
    ],
};

/// `file`.
pub static FILE: Mapping = Mapping {
    name: "file",
    of: "`file`",
    doc: "A file, and what is in it.",
    keys: &[
        key!(
            required "dest": Shape::Template,
            "The file, relative to the stage's `workdir`.",
            "/etc/motd"
        ),
        key!(
            required "content": Shape::TemplateOrEmpty,
            "What is in it, which may be nothing: `\"\"`. It is written as it is, unless `expand` is set.",
            "\"hello\\n\""
        ),
        CHOWN,
        key!(
            "chmod": Shape::Mode,
            "The permissions, in octal.",
            "0600",
            default "`0644`"
        ),
        key!(
            "expand": Shape::Bool,
            "Whether `${ARG}` in the content is replaced, and `$$` is a dollar.",
            "true",
            default "`false`"
        ),
    ],
    elsewhere: &[
        ("contents", "did you mean `content`?"),
        ("mode", "did you mean `chmod`?"),
        (
            "name",
            "put it beside `file`; where the file goes is `dest`",
        ),
        ("path", "did you mean `dest`?"),
        (
            "src",
            "`file` writes what is in the spec; `copy` takes a file of the context",
        ),
        ("text", "did you mean `content`?"),
        ("user", CHOWN_NOT_USER),
    ],
};
