//! Programs that use caches, as the data files describe them.

use crate::cache::{Cache, Condition};

/// A program of one data file.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its first name, by which `python -m` and defeats know it.
    pub(crate) name: &'static str,
    /// A version may follow the name: `pip3.12`, `gcc-14`.
    pub(crate) versioned: bool,
    /// Options before the subcommand that take the next word, sorted.
    pub(crate) value_flags: &'static [&'static str],
    /// What a word before the subcommand may start with (`+` of `cargo +nightly`).
    pub(crate) prefix: Option<char>,
    /// One of these must hold, if there are any.
    pub(crate) when: &'static [Condition],
    /// Which subcommands use which caches.
    pub(crate) uses: &'static [ProgramUse],
}

/// Subcommands that use the same caches.
#[derive(Debug)]
pub(crate) struct ProgramUse {
    /// Places in the table of caches.
    pub(crate) caches: &'static [usize],
    /// Subcommands, each of one or more words; none at all for any arguments.
    pub(crate) subcommands: &'static [&'static [&'static str]],
}

/// A program that runs another as its module: `python -m pip`.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its name, a version aside.
    pub(crate) name: &'static str,
    /// The letter of the option that names the module.
    pub(crate) flag: char,
    /// Other options that take the next word.
    pub(crate) value_flags: &'static [&'static str],
    /// The module.
    pub(crate) program: &'static Program,
}

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The programs that a command's first word may be. A path before the name does not matter.
pub(crate) fn programs(word: &str) -> impl Iterator<Item = &'static Program> {
    let name = basename(word);
    let plain = unversioned(name);
    let versioned: &[_] = if plain == name {
        &[]
    } else {
        rows(PROGRAMS, plain, |row| row.0)
    };
    let versioned = versioned.iter().filter(|row| row.1.versioned);
    rows(PROGRAMS, name, |row| row.0)
        .iter()
        .chain(versioned)
        .map(|row| row.1)
}

/// The modules that a command's first word may run.
pub(crate) fn hosts(word: &str) -> &'static [Host] {
    rows(HOSTS, unversioned(basename(word)), |host| host.name)
}

/// The last part of a path.
pub(crate) fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn unversioned(name: &str) -> &str {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    plain
        .strip_suffix('-')
        .filter(|_| plain.len() < name.len())
        .unwrap_or(plain)
}

fn rows<T>(table: &'static [T], name: &str, of: impl Fn(&T) -> &'static str) -> &'static [T] {
    let start = table.partition_point(|row| of(row) < name);
    let length = table[start..]
        .iter()
        .take_while(|row| of(row) == name)
        .count();
    &table[start..start + length]
}
