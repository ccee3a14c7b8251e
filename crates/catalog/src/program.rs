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
    /// Subcommands after which another command follows; an empty one for a program that is followed by
    /// one itself.
    pub(crate) runs: &'static [&'static [&'static str]],
    /// One of these must hold, if there are any.
    pub(crate) when: &'static [Condition],
    /// Which subcommands use which caches.
    pub(crate) uses: &'static [ProgramUse],
    /// Where it puts what a build is for.
    pub(crate) results: &'static [ProgramResult],
}

impl Program {
    /// Whether an option takes the next word.
    pub(crate) fn takes_next(&self, option: &str) -> bool {
        self.value_flags.binary_search(&option).is_ok()
    }
}

/// Calls that use the same caches: of the four that follow `caches` one must hold, if any is given.
#[derive(Debug)]
pub(crate) struct ProgramUse {
    /// Places in the table of caches.
    pub(crate) caches: &'static [usize],
    /// Subcommands, each of one or more words.
    pub(crate) subcommands: &'static [&'static [&'static str]],
    /// No subcommand at all will do.
    pub(crate) bare: bool,
    /// Arguments that will do.
    pub(crate) options: &'static [&'static str],
    /// Texts that will do in an argument.
    pub(crate) mentions: &'static [&'static str],
    /// Arguments that will not.
    pub(crate) except: &'static [&'static str],
}

/// A directory that a program puts its result into.
#[derive(Debug)]
pub(crate) struct ProgramResult {
    /// Subcommands; any call, if there are none.
    pub(crate) subcommands: &'static [&'static [&'static str]],
    /// Below the directory that it runs in.
    pub(crate) path: &'static str,
    /// Variables that name another one.
    pub(crate) variables: &'static [&'static str],
}

/// A program that runs another as its module: `python -m pip`.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its name, a version aside.
    pub(crate) name: &'static str,
    /// The letter of the option that names the module; none if the first argument is its file.
    pub(crate) flag: Option<char>,
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

/// The names of the programs that use a cache whatever their environment.
pub(crate) fn users(cache: &Cache) -> Vec<&'static str> {
    let uses = |program: &Program| {
        let mut caches = program.uses.iter().flat_map(|listed| listed.caches);
        program.when.is_empty() && caches.any(|at| std::ptr::eq(&raw const CACHES[*at], cache))
    };
    let programs = PROGRAMS.iter().filter(|(_, program)| uses(program));
    programs.map(|(name, _)| *name).collect()
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
