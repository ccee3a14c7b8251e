//! `caches`, at any level.

use super::{ID, Key, Mapping, Shape};

pub(super) const CACHES: Key = key!(
    "caches": Shape::OneOf(&[
        Shape::Word(&["auto", "none"]),
        Shape::List(&Shape::OneOf(&[Shape::Text, Shape::Mapping(&CACHE)])),
    ]),
    "Which caches are mounted: `auto` what the commands use, `none` nothing, or a list of names, groups and caches \
     of your own, which are mounted as well. With `none` in it, the list alone is.",
    "[pip, {id: models, target: /var/models}]",
    default "`auto`"
);

/// A cache of the user's own.
pub static CACHE: Mapping = Mapping {
    name: "cache",
    of: "a cache",
    doc: "A cache of your own. Wherever the same `id` is written, the settings are the same.",
    keys: &[
        key!(
            required "id": Shape::Pattern(ID),
            "Its name.",
            "models"
        ),
        key!(
            required "target": Shape::Template,
            "Where it is mounted: an absolute path.",
            "/var/models"
        ),
        key!(
            "sharing": Shape::Word(&["shared", "private", "locked"]),
            "What happens when two steps want it at once: with `shared` both get it, with `private` the second \
             gets another one, with `locked` the second waits.",
            "locked",
            default "`shared`"
        ),
        key!(
            "uid": Shape::Integer(0, 4_294_967_294),
            "The owner of its directory, as a number.",
            "1000",
            default "the step's user"
        ),
        key!(
            "gid": Shape::Integer(0, 4_294_967_294),
            "The group of its directory, as a number.",
            "1000",
            default "the step's group"
        ),
        key!(
            "mode": Shape::Mode,
            "The permissions of its directory.",
            "0750",
            default "`0755`"
        ),
        key!(
            "from": Shape::Template,
            "What it starts from the first time: a stage, a named context or an image.",
            "models",
            default "an empty directory"
        ),
        key!(
            "source": Shape::Template,
            "The directory of `from` that it starts from.",
            "/data",
            default "the root of `from`"
        ),
    ],
    elsewhere: &[
        ("dest", "did you mean `target`?"),
        ("name", "did you mean `id`?"),
        ("path", "did you mean `target`?"),
        ("src", "did you mean `source`?"),
        ("type", "remove it; everything in `caches` is a cache"),
    ],
};
