//! The caches of package managers and compilers, and which of them a command uses.
//!
//! The caches are data: one file per tool in `caches/`, checked and turned into a table when this
//! crate is built. Nothing here knows of specs or of BuildKit, or does I/O.

mod cache;
mod docs;
mod path;
mod program;
mod removal;
mod result;
mod runtime;
mod shell;
mod toolchain;
mod unknown;
mod uses;

pub use cache::{
    Beside, Cache, Class, Condition, Defeat, KeyPart, Movable, Overlay, Owner, Place, Scope,
    Setting, Sharing, Sign,
};
pub use docs::{Page, docs};
pub use path::{clean, is_system, within};
pub use program::{CACHES, NAMES};
pub use removal::{Effect, Removal};
pub use result::Made;
pub use runtime::{Installed, RUNTIMES, Runtime};
pub use shell::{Command, Reading, RunsAs, Word, read, read_script};
pub use toolchain::{TOOLCHAINS, Toolchain};
pub use uses::{Use, uses};

/// The cache of a name.
pub fn cache(name: &str) -> Option<&'static Cache> {
    CACHES
        .binary_search_by(|cache| cache.name.cmp(name))
        .ok()
        .map(|index| &CACHES[index])
}

/// The caches of a language (`python`) or of a tool (`cargo`), by name, but for those that hold what
/// a build makes.
pub fn group(name: &str) -> Vec<&'static Cache> {
    CACHES
        .iter()
        .filter(|cache| cache.class != Class::Output)
        .filter(|cache| cache.tool == name || cache.groups.contains(&name))
        .collect()
}

/// What a name stands for: a group, or else one cache. Empty for an unknown name.
pub fn named(name: &str) -> Vec<&'static Cache> {
    let group = group(name);
    if group.is_empty() {
        cache(name).into_iter().collect()
    } else {
        group
    }
}

/// What a name stands for that is installed, and no cache: `pipx`, `npm-global`.
pub fn installed(name: &str) -> Option<&'static Installed> {
    let runtime = RUNTIMES.iter().find(|runtime| runtime.name == name)?;
    runtime.installed.as_ref()
}

/// Every name that stands for caches, sorted: caches, tools and languages.
pub fn names() -> &'static [&'static str] {
    NAMES
}
