//! What the catalogue says of a cache.

use crate::program::basename;
use crate::toolchain::Toolchain;

/// A directory that a tool fills and finds useful again.
#[derive(Debug)]
pub struct Cache {
    /// Unique: `pip`, `go-build`.
    pub name: &'static str,
    /// The tool it belongs to: the stem of its data file.
    pub tool: &'static str,
    /// What it holds, in a few words.
    pub title: &'static str,
    /// The languages it belongs to: `python`, `os`.
    pub groups: &'static [&'static str],
    /// What losing or hiding it means.
    pub class: Class,
    /// What happens when two operations want it.
    pub sharing: Sharing,
    /// Why that sharing is right.
    pub sharing_reason: &'static str,
    /// Documentation or code that says so.
    pub source: &'static str,
    /// Who shares it unless the author of a build says otherwise.
    pub scope: Scope,
    /// What its id needs beside name, scope and owner.
    pub key: &'static [KeyPart],
    /// Why the id needs these, or nothing.
    pub key_reason: &'static str,
    /// Whose directory it is.
    pub owner: Owner,
    /// Where it is.
    pub place: Place,
    /// Files to mount over the image's own so that the tool keeps what it fetches.
    pub files: &'static [Overlay],
    /// What keeps it empty.
    pub defeats: &'static [Defeat],
    /// With what a mount would harm the image, and why.
    pub avoids: &'static [Defeat],
    /// What says that a command makes do with what the cache has, and fails if that is missing.
    pub offline: &'static [Sign],
    /// Commands that fill it. Others that use it fail where it is empty; none if every command that
    /// uses it fills it too.
    pub renewed_by: &'static [&'static [&'static str]],
    /// Why an image that somebody else described would not be the same with this cache, if so:
    /// lower-case, without a full stop.
    pub trace: Option<&'static str>,
    /// It holds what the image is to have, such as models.
    pub is_result: bool,
}

/// What losing or hiding a cache means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Archives that the tool unpacks elsewhere: safe to hide.
    Download,
    /// Contents that later commands read in place.
    Store,
    /// Compiled intermediates.
    Compile,
    /// What the build is for.
    Output,
}

/// What happens when two operations want one cache at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// Both get it.
    Shared,
    /// The second gets another one.
    Private,
    /// The second waits.
    Locked,
}

/// Who shares a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every project.
    Shared,
    /// One project.
    Project,
}

/// What makes one cache unfit for another operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// Another base distribution or release.
    Distribution,
    /// Another operating system, processor or variant.
    Platform,
    /// Another version of an interpreter or a compiler, where that is known.
    Toolchain(&'static Toolchain),
}

/// Whose directory a cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user of the operation.
    Step,
    /// Root, the only one who can run the tool.
    Root,
}

/// Where a cache is.
#[derive(Debug)]
pub enum Place {
    /// Always here.
    Fixed(&'static str),
    /// Here, below the directory that the operation happens in.
    Project(&'static str),
    /// Where a variable says, or where the tool itself puts it.
    Movable(Movable),
}

/// A cache whose tool asks a variable where it is, or has it in the user's home.
#[derive(Debug)]
pub struct Movable {
    /// Variables that name the cache, or the directory above `subdir`; of several, versions of the
    /// tool read one each. None if the tool cannot be told.
    pub variables: &'static [&'static str],
    /// The tool reads the variable in capitals and in small letters.
    pub any_case: bool,
    /// What goes before the path in the variable's value, when that is no mere path.
    pub prefix: Option<&'static str>,
    /// The variable's path when caches sit below `/cache`; none for a tool that keeps more than
    /// caches there, which stays where it is.
    pub cache: Option<&'static str>,
    /// Its value when caches sit at home, relative to the home directory: the tool's own default.
    pub home: Option<&'static str>,
    /// The tool's own default for root, if it is another.
    pub root: Option<&'static str>,
    /// What of the named directory is the cache; empty for all of it.
    pub subdir: &'static str,
    /// Variables that move the tool's default, and the path below each; the first that is there
    /// counts.
    pub under: &'static [(&'static str, &'static str)],
    /// What the tool needs beside the cache when it sits below `/cache`.
    pub beside: Beside,
    /// More variables to set.
    pub set: &'static [(&'static str, Setting)],
}

impl Movable {
    /// Whether a variable of this name says where the cache is.
    pub fn is_told_by(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| {
            name == *variable || (self.any_case && name.eq_ignore_ascii_case(variable))
        })
    }

    /// Whether a variable moves the cache and nothing else.
    pub fn moves(&self) -> bool {
        let keeps = |(_, setting): &(&str, Setting)| matches!(setting, Setting::Home { .. });
        self.cache.is_some() && self.prefix.is_none() && !self.set.iter().any(keeps)
    }
}

/// A value for a variable that goes with a cache.
#[derive(Debug)]
pub enum Setting {
    /// For a cache below `/cache`: what moving the cache must not move.
    Home {
        /// Relative to the home directory.
        path: &'static str,
        /// Where there is no home directory; the cache is left alone otherwise.
        or: Option<&'static str>,
    },
    /// Wherever the cache is; `{cache}` stands for that.
    Value(&'static str),
}

/// What a tool needs beside its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// Room for its locks, which no image should keep.
    Tmpfs,
}

/// A file to mount over the image's.
#[derive(Debug)]
pub struct Overlay {
    /// Where, absolute.
    pub path: &'static str,
    /// What it holds.
    pub contents: &'static str,
}

/// Something that keeps a cache empty.
#[derive(Debug)]
pub struct Defeat {
    /// How it is recognised.
    pub sign: Sign,
    /// A text that, in an argument of the command, makes it none.
    pub unless: Option<&'static str>,
    /// What to do instead: lower-case, without a full stop.
    pub hint: &'static str,
}

/// How a defeat is recognised.
#[derive(Debug)]
pub enum Sign {
    /// An option of a command that uses the cache.
    Flag(&'static str),
    /// A command: program, subcommands, options.
    Command(&'static [&'static str]),
    /// A variable.
    Variable(Condition),
}

/// Something that holds of a command's variables or options.
#[derive(Debug, PartialEq, Eq)]
pub enum Condition {
    /// The variable is there, whatever its value.
    Set(&'static str),
    /// The variable is there and not empty.
    Filled(&'static str),
    /// A word of the variable's value is this program, or a path to it, or this option.
    Word(&'static str, &'static str),
    /// An element of the variable's value, a list with colons, is this path.
    Entry(&'static str, &'static str),
    /// The command has this argument.
    Argument(&'static str),
}

impl Defeat {
    /// Whether it empties the cache, which its hint says then.
    pub fn empties(&self) -> bool {
        ["it empties the cache", "it removes everything"]
            .iter()
            .any(|says| self.hint.contains(says))
    }
}

impl Condition {
    /// The variable that it is about.
    pub fn variable(&self) -> Option<&'static str> {
        match self {
            Condition::Set(name)
            | Condition::Filled(name)
            | Condition::Word(name, _)
            | Condition::Entry(name, _) => Some(name),
            Condition::Argument(_) => None,
        }
    }

    /// Whether it holds of a value of its variable.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Condition::Set(_) => true,
            Condition::Filled(_) => !value.is_empty(),
            Condition::Word(_, word) => value
                .split_ascii_whitespace()
                .any(|part| is_program(part, word)),
            Condition::Entry(_, entry) => value.split(':').any(|part| part == *entry),
            Condition::Argument(_) => false,
        }
    }

    /// A value without what makes it hold; `None` if nothing is left.
    pub fn without(&self, value: &str) -> Option<String> {
        let left = match self {
            Condition::Set(_) | Condition::Filled(_) => String::new(),
            Condition::Word(_, word) => value
                .split_ascii_whitespace()
                .filter(|part| !is_program(part, word))
                .collect::<Vec<_>>()
                .join(" "),
            Condition::Entry(_, entry) => value
                .split(':')
                .filter(|part| part != entry)
                .collect::<Vec<_>>()
                .join(":"),
            Condition::Argument(_) => value.to_owned(),
        };
        (!left.is_empty()).then_some(left)
    }
}

fn is_program(written: &str, program: &str) -> bool {
    written == program || basename(written) == program
}

impl Sharing {
    /// As BuildKit and the documentation call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Sharing::Shared => "shared",
            Sharing::Private => "private",
            Sharing::Locked => "locked",
        }
    }
}

impl Scope {
    /// As specs call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Shared => "shared",
            Scope::Project => "project",
        }
    }
}

impl Class {
    /// As the data files call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Download => "download",
            Class::Store => "store",
            Class::Compile => "compile",
            Class::Output => "output",
        }
    }
}

impl KeyPart {
    /// As ids call it.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyPart::Distribution => "distribution",
            KeyPart::Platform => "platform",
            KeyPart::Toolchain(_) => "toolchain",
        }
    }
}
