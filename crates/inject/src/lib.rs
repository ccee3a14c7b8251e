//! Which caches an exec operation gets, where they are mounted, and why.
//!
//! Knows nothing of specs. To [`decide`], an operation is its words, environment, user, directory and
//! mounts, whoever wrote it; [`definition`] takes these from LLB that somebody else made, and adds what
//! was decided.

pub mod accounts;
mod beginning;
mod decide;
pub mod definition;
pub mod distribution;
mod harm;
pub mod id;
mod neutral;
mod place;
mod said;

use std::collections::{BTreeMap, BTreeSet};

pub use beginning::{Beginnings, Seed};
pub use decide::decide;
pub use id::{Id, Named};
pub use larder_catalog::{Scope, Sharing};
pub use said::Said;

/// An operation that runs a program.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    /// The program and its arguments, as the kernel gets them (`/bin/sh -c …` included).
    pub args: &'a [String],
    /// The variables that the program gets.
    pub env: &'a [(String, String)],
    /// Names of those that come from the base image and that nobody chose for this build. One that
    /// keeps a cache from being used is taken out.
    pub image_env: &'a BTreeSet<String>,
    /// Who runs it.
    pub user: &'a User,
    /// Its directory, absolute.
    pub cwd: &'a str,
    /// Where something is mounted already.
    pub mounted: &'a [String],
    /// What operations before it, on the same filesystem, left in stores: see [`Decision::stores`].
    pub earlier: &'a BTreeMap<&'static str, String>,
    /// What is copied out of its mounts once it is done, absolute.
    pub outputs: &'a [String],
}

/// Who runs an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Home directory, if known.
    pub home: Option<String>,
}

/// What the author of a build wants.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Mount what the command uses.
    pub auto: bool,
    /// Catalogue names, those of groups and tools too, to mount whether or not the command uses
    /// them.
    pub named: Vec<String>,
    /// Caches of the author's own.
    pub own: Vec<OwnCache>,
    /// Where mounts sit.
    pub layout: Layout,
    /// How BuildKit is told which cache is meant.
    pub ids: Ids,
    /// Overrides the catalogue's scope.
    pub scope: Option<Scope>,
    /// The project's name, for caches of its own.
    pub project: String,
    /// `BUILDKIT_CACHE_MOUNT_NS`, if any.
    pub namespace: Option<String>,
    /// For caches keyed by it: `linux/amd64`, `linux/arm/v7`.
    pub platform: String,
    /// For caches keyed by it: `debian-13`, `alpine-3.20`; what is known of the base image.
    pub distribution: String,
    /// What else holds for an operation that somebody else made; none for one of a spec.
    pub foreign: Option<Foreign>,
}

/// What holds for an operation that somebody else made: its image stays the same one, and a build that
/// worked goes on working. A cache that the command does not use, or empties, is left alone, and so is
/// one that needs directories to be made above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Caches that the operation gets only if they are named, and why, by the catalogue's name.
    pub barred: BTreeMap<&'static str, String>,
    /// Why it gets none, not even by name, if so.
    pub off: Option<String>,
    /// The user, where no numbers are known; those of [`Exec::user`] stand for anybody but root then.
    pub account: Option<Named>,
}

/// A cache that the catalogue does not have.
#[derive(Clone, Debug)]
pub struct OwnCache {
    /// Its name.
    pub id: String,
    /// Where it is mounted, absolute.
    pub target: String,
    /// What happens when two operations want it.
    pub sharing: Sharing,
    /// Owner; the operation's user otherwise.
    pub uid: Option<u32>,
    /// Group; the operation's otherwise.
    pub gid: Option<u32>,
    /// Mode of its directory; 0755 otherwise.
    pub mode: Option<u32>,
}

/// Where mounts sit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `/cache/<tool>`.
    Cache,
    /// The tool's own place below the user's home; `Cache` for a user without one.
    Home,
    /// Where the tool puts it without being told anything; `Cache` for what it must be told.
    Default,
    /// `/.larder/<tool>`, where no command of others looks; the tool's own place for a store, whose path
    /// gets into what is built.
    Private,
}

/// How caches are named to BuildKit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// In the grammar of [`id`].
    Larder,
    /// As a Dockerfile does: by the target of a mount, or by the author's own id, behind the
    /// namespace and a slash.
    Dockerfile,
}

/// What an operation gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Cache mounts, sorted by target.
    pub mounts: Vec<CacheMount>,
    /// Variables to set, by name. The operation has none of them, but for those in `without`.
    pub env: Vec<(String, String)>,
    /// Variables of the operation that it is not to get, or to get with the value in `env`; sorted.
    pub without: Vec<String>,
    /// Files to mount read-only for the operation: target and contents.
    pub files: BTreeMap<String, String>,
    /// Directories to mount as tmpfs, since a tool writes beside its cache.
    pub tmpfs: Vec<String>,
    /// Directories between the user's home and a mount, parents first. BuildKit would make missing
    /// ones root's, so they are to be made before, with the user's ownership and mode 0755.
    pub parents: Vec<String>,
    /// What was recognised or asked for and not mounted, and why, by cache.
    pub left_alone: Vec<LeftAlone>,
    /// What defeats a cache (`--no-cache-dir`), and what to write instead.
    pub defeated: Vec<Defeat>,
    /// Mounts that would take the operation's result out of the image.
    pub vanishing: Vec<Vanishing>,
    /// Tools whose stores were mounted, and the words that showed it. Operations after it that may
    /// call such a tool get its stores, and what it compiled, as well.
    pub stores: BTreeMap<&'static str, String>,
    /// Why the command could not be followed to its end, if so; nothing was recognised in it then.
    /// Lower-case, without a full stop.
    pub unread: Option<String>,
}

/// A cache mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheMount {
    /// The catalogue's name, or the author's.
    pub cache: String,
    /// Whether the name is the author's.
    pub own: bool,
    /// The id that BuildKit knows it by.
    pub id: String,
    /// Where, absolute.
    pub target: String,
    /// What happens when two operations want it.
    pub sharing: Sharing,
    /// Owner of its directory.
    pub uid: u32,
    /// Group of its directory.
    pub gid: u32,
    /// Mode of its directory.
    pub mode: u32,
    /// Why, in words: `` `pip install` ``, `asked for by caches`.
    pub reason: String,
}

/// A cache that was not mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// The catalogue's name.
    pub cache: String,
    /// Why.
    pub reason: String,
}

/// A mount over what an operation is there to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanishing {
    /// The catalogue's name, or the author's.
    pub cache: String,
    /// The words that make it: `cargo build`.
    pub words: String,
    /// Where, absolute.
    pub directory: String,
}

/// Something that defeats a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defeat {
    /// The catalogue's name, or the author's.
    pub cache: String,
    /// The words that do it.
    pub words: String,
    /// The variable that does it, if one does.
    pub variable: Option<String>,
    /// What they do.
    pub harm: Harm,
    /// What to do instead: lower-case, without a full stop.
    pub hint: String,
}

/// What a defeat does to a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// It is mounted, and the tool does not use it.
    Unused,
    /// It is mounted, and what is in it is deleted.
    Emptied,
    /// It is not mounted, since the command removes the directory, which fails on a mount point.
    Removed,
    /// It is not mounted, since the operation sends the tool elsewhere, or makes it unfit.
    Unmounted,
}
