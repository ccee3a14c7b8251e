//! The language as tables: which mappings there are, which keys they have, and what those take.
//!
//! The decoder takes its keys from here, and so do the JSON schema and the reference: what one knows,
//! all know.

#[macro_use]
mod key;
mod caches;
mod copy;
mod image;
mod layers;
mod mounts;
mod run;
mod stage;
mod top;

pub use caches::CACHE;
pub use copy::{ADD, ADD_STEP, COPY, COPY_STEP, FILE, FILE_STEP};
pub use image::{HEALTHCHECK, IMAGE};
pub use layers::{
    AZBLOB_CACHE, GHA_CACHE, INLINE_CACHE, LAYER_CACHE, LOCAL_CACHE, REGISTRY_PLACE, S3_CACHE,
};
pub use mounts::{BIND, SECRET, SSH, TMPFS};
pub use run::{INSTALL_STEP, OUTPUT, RUN_STEP};
pub use stage::{ARG, BASE, STAGE, STEP};
pub use top::{IGNORED, ONE_STAGE, SPEC};

/// Every mapping of the language, in the order of the reference. The first is the whole spec.
pub static ALL: [&Mapping; 27] = [
    &SPEC,
    &STAGE,
    &BASE,
    &ARG,
    &RUN_STEP,
    &OUTPUT,
    &INSTALL_STEP,
    &SECRET,
    &SSH,
    &BIND,
    &TMPFS,
    &COPY_STEP,
    &COPY,
    &ADD_STEP,
    &ADD,
    &FILE_STEP,
    &FILE,
    &CACHE,
    &LAYER_CACHE,
    &REGISTRY_PLACE,
    &INLINE_CACHE,
    &LOCAL_CACHE,
    &GHA_CACHE,
    &S3_CACHE,
    &AZBLOB_CACHE,
    &IMAGE,
    &HEALTHCHECK,
];

/// Names of args and variables, as a regular expression.
const NAME: &str = "[A-Za-z_][A-Za-z0-9_]*";

/// Names of stages, caches, secrets and agents, as a regular expression.
const ID: &str = "[A-Za-z0-9._-]+";

/// A mapping with keys of ours.
#[derive(Debug)]
pub struct Mapping {
    /// What the schema's `$defs` and the reference's tables call it, such as `run-step`.
    pub name: &'static str,
    /// What messages call it, such as ``a `run` step``.
    pub of: &'static str,
    /// What it is, in a sentence or two of Markdown.
    pub doc: &'static str,
    /// All that may be there, in the order of the reference.
    pub keys: &'static [Key],
    /// Keys that belong elsewhere, and what to do about them.
    pub elsewhere: &'static [(&'static str, &'static str)],
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub takes: Shape,
    /// Whether the mapping is wrong without it.
    pub required: bool,
    /// What it means, in a sentence or two of Markdown, units included.
    pub doc: &'static str,
    /// What holds without it, in words; empty if that is nothing.
    pub default: &'static str,
    /// A value as a spec writes it: YAML in flow style.
    pub example: &'static str,
}

impl Mapping {
    /// Whether there is a key of this name.
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    /// The names of all keys, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().map(|key| key.name)
    }
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// Nothing at all, as in `NAME:`.
    Nothing,
    /// Text that says something, with `${ARG}` replaced in it.
    Template,
    /// The same, which may be empty.
    TemplateOrEmpty,
    /// Text that says something, as it is.
    Text,
    /// The same, which may be empty.
    TextOrEmpty,
    /// Text that matches a regular expression, which is anchored.
    Pattern(&'static str),
    /// Text with `${ARG}` in it, which comes to what stands beside it.
    Arg,
    /// `true` or `false`.
    Bool,
    /// A whole number between two, both included.
    Integer(u64, u64),
    /// Octal permission bits, such as `755` or `"0755"`.
    Mode,
    /// A number of bytes, such as `512m`.
    Size,
    /// A time, such as `30s`.
    Duration,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// A list, which may be empty.
    List(&'static Shape),
    /// A list of at least one.
    NonEmpty(&'static Shape),
    /// A mapping from names of the user's, which match the pattern, to values.
    Map(&'static str, &'static Shape),
    /// A mapping of the language.
    Mapping(&'static Mapping),
    /// One of several.
    OneOf(&'static [Shape]),
}
