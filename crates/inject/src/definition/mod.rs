//! Caches for the operations of definitions that somebody else made.
//!
//! The image stays the same one, less the leftovers of caches; what is not understood is left alone.

pub mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use buildkit_llb::{Definition, Digest, ImportError, Platform};

use crate::{Decision, Ids, Layout, Scope};

/// What the author of a build wants of its caches.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How BuildKit is told which cache is meant.
    pub ids: Ids,
    /// Overrides the catalogue's scope.
    pub scope: Option<Scope>,
    /// The project's name, for caches of its own; `# larder: project=…` wins.
    pub project: String,
    /// `BUILDKIT_CACHE_MOUNT_NS`, if any.
    pub namespace: Option<String>,
    /// What operations that do not say so run on.
    pub platform: Platform,
    /// Where mounts sit: [`Layout::Private`], or [`Layout::Default`] for mounts that somebody is to
    /// write down, who can set no variables.
    pub layout: Layout,
}

/// What is known of images that definitions start from, by the digest of the operation that brings
/// one in.
pub type Facts = BTreeMap<Digest, ImageFact>;

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFact {
    /// `/etc/passwd`, `/etc/group` and `/etc/os-release` (or `/usr/lib/os-release`) by path, those
    /// that were asked for; none for a file that is not there.
    pub files: BTreeMap<String, Option<String>>,
    /// Whether a directory has entries, by path, those that were asked for. One that is not there has
    /// none.
    pub filled: BTreeMap<String, bool>,
    /// Nobody could look: everything that is not in here takes its default, and the report says so.
    pub assumed: bool,
}

/// What to find out of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageNeed {
    /// Solves to the image's filesystem.
    pub definition: Definition,
    /// Files to read.
    pub files: BTreeSet<String>,
    /// Directories to look into.
    pub directories: BTreeSet<String>,
}

/// What [`inject`] comes to.
#[derive(Clone, Debug)]
pub enum Injection {
    /// More must be known: find it out, add it to the facts, and ask again.
    Needs(BTreeMap<Digest, ImageNeed>),
    /// Everything is decided.
    Done(Injected),
}

/// Definitions with caches.
#[derive(Clone, Debug)]
pub struct Injected {
    /// In the order in which they came; one in which nothing was injected is as it came.
    pub definitions: Vec<Definition>,
    /// Every operation that runs a program, inputs first.
    pub execs: Vec<Examined>,
    /// Comments that say nothing that is understood.
    pub mistakes: Vec<Mistake>,
}

/// An operation that was looked at.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its digest as it came.
    pub digest: Digest,
    /// Its digest now.
    pub injected: Digest,
    /// Its name in the progress display.
    pub name: String,
    /// The source file, by index into `SourceInfo`s of all definitions, and its first line range.
    pub location: Option<(String, RangeInclusive<u32>)>,
    /// What it gets and what it does not, and why.
    pub decision: Decision,
    /// Why it was not looked at, if so: a comment says off.
    pub off: Option<String>,
}

/// A `# larder:` comment that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub hint: String,
}

/// Gives every operation that runs a program the caches that it can use without a trace in the result.
pub fn inject(
    definitions: &[Definition],
    wish: &Wish,
    facts: &Facts,
) -> Result<Injection, ImportError> {
    let _ = (definitions, wish, facts);
    todo!()
}
