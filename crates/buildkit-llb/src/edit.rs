//! Definitions made by others, read and changed without losing what is not known here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::definition::Definition;
use crate::digest::Digest;
use crate::graph::{Graph, Output};
use crate::import::ImportError;
use crate::mount::{Mount, Sharing};
use crate::platform::Platform;
use crate::source_map::SourceInfo;

/// Definitions of one build, to be changed together: an operation that several of them have is one.
#[derive(Debug)]
pub struct Editor {
    added: Graph,
}

/// An operation of an [`Editor`]: its place in the order of [`Editor::ops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(u32);

/// One output of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The operation.
    pub op: OpId,
    /// Which of its outputs, from 0.
    pub index: u32,
}

/// What an operation does, as far as it matters to one who changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// Runs a program.
    Exec(SeenExec),
    /// Changes files; each action in order.
    File(Vec<SeenAction>),
    /// Brings something in: `docker-image://…`, `local://…`.
    Source {
        /// The address with its scheme.
        identifier: String,
        /// What that scheme needs.
        attrs: BTreeMap<String, String>,
    },
    /// Filesystems laid over each other.
    Merge(Vec<Port>),
    /// What the upper has that the lower has not.
    Diff {
        /// None for an empty filesystem.
        lower: Option<Port>,
        /// None for an empty filesystem.
        upper: Option<Port>,
    },
    /// Anything else; takes these.
    Other(Vec<Port>),
}

/// An operation that runs a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenExec {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Variables; one without `=` has an empty value.
    pub env: Vec<(String, String)>,
    /// Its directory.
    pub cwd: String,
    /// As written: empty, `1000`, `name`, `name:group`.
    pub user: String,
    /// Whether it has no network.
    pub offline: bool,
    /// The root filesystem among them.
    pub mounts: Vec<SeenMount>,
}

/// Something mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMount {
    /// Where; may be relative to the program's directory.
    pub target: String,
    /// What is mounted; none for an empty filesystem, or for what is no filesystem of an operation.
    pub input: Option<Port>,
    /// The part of the input that is mounted; empty for all of it.
    pub selector: String,
    /// Which output of the operation is what becomes of it.
    pub output: Option<u32>,
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// The cache that it is, if it is one.
    pub cache: Option<SeenCache>,
}

/// A cache mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCache {
    /// Its id.
    pub id: String,
    /// What happens when two programs want it.
    pub sharing: Sharing,
}

/// One action of a file operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAction {
    /// What it changes.
    pub on: SeenInput,
    /// Which output of the operation is the result; none for a step in between.
    pub output: Option<u32>,
    /// What it does.
    pub change: SeenChange,
}

/// What an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenInput {
    /// An empty filesystem.
    Scratch,
    /// Another operation's.
    Of(Port),
    /// What an earlier action of the same operation leaves, by number.
    Action(u32),
}

/// What an action does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeenChange {
    /// Copies.
    Copy {
        /// From where.
        from: SeenInput,
        /// The path there; may have wildcards.
        src: String,
        /// The path here.
        dest: String,
        /// Whether `src` may have wildcards.
        wildcard: bool,
    },
    /// Writes a file.
    Mkfile {
        /// Where.
        path: String,
        /// What.
        data: Vec<u8>,
    },
    /// Makes a directory.
    Mkdir {
        /// Where.
        path: String,
    },
    /// Removes.
    Rm {
        /// What.
        path: String,
    },
    /// Anything else, at this path if it has one.
    Other {
        /// Where.
        path: Option<String>,
    },
}

/// What is added to an operation that runs a program.
#[derive(Clone, Debug, Default)]
pub struct ExecChange {
    /// Variables, put behind those that are there. None is there already.
    pub env: Vec<(String, String)>,
    /// Mounts, put behind those that are there. Their inputs are of [`Editor::graph`].
    pub mounts: Vec<Mount>,
}

/// Where an operation comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLocation {
    /// Index into [`Editor::files`].
    pub file: usize,
    /// Lines, from 1.
    pub lines: Vec<RangeInclusive<u32>>,
}

impl Editor {
    /// Reads definitions. Linear in their size; every operation that a head needs is there.
    pub fn new(definitions: &[Definition]) -> Result<Self, ImportError> {
        let _ = definitions;
        todo!()
    }

    /// Every operation, inputs before what takes them; in the order of the definitions otherwise.
    pub fn ops(&self) -> impl Iterator<Item = OpId> + use<> {
        std::iter::empty()
    }

    /// What each definition asks for; none for an empty filesystem.
    pub fn heads(&self) -> &[Option<Port>] {
        todo!()
    }

    /// What it does.
    pub fn see(&self, op: OpId) -> &Seen {
        let _ = op;
        todo!()
    }

    /// Its digest as it came.
    pub fn digest(&self, op: OpId) -> Digest {
        let _ = op;
        todo!()
    }

    /// Its name in the progress display, or one made up from what it does.
    pub fn name(&self, op: OpId) -> String {
        let _ = op;
        todo!()
    }

    /// What it runs on, if it says so.
    pub fn platform(&self, op: OpId) -> Option<Platform> {
        let _ = op;
        todo!()
    }

    /// Whether it runs even if its result is cached.
    pub fn ignores_cache(&self, op: OpId) -> bool {
        let _ = op;
        todo!()
    }

    /// Where it comes from.
    pub fn locations(&self, op: OpId) -> Vec<SeenLocation> {
        let _ = op;
        todo!()
    }

    /// The source files of all definitions.
    pub fn files(&self) -> &[SourceInfo] {
        todo!()
    }

    /// A definition that asks for one output, as it came.
    pub fn part(&self, port: Port) -> Definition {
        let _ = port;
        todo!()
    }

    /// For new operations that added mounts take.
    pub fn graph(&mut self) -> &mut Graph {
        &mut self.added
    }

    /// Adds to an operation that runs a program. Does nothing to another.
    pub fn change(&mut self, op: OpId, change: ExecChange) {
        let _ = (op, change);
        todo!()
    }

    /// The definitions with all changes, and each changed or moved operation's digest by the one it
    /// had. A definition in which nothing changed is as it came, byte for byte.
    pub fn finish(self) -> Edited {
        todo!()
    }
}

/// What comes of editing.
#[derive(Clone, Debug)]
pub struct Edited {
    /// In the order in which they came.
    pub definitions: Vec<Definition>,
    /// Digests after the change by digests before it, where they differ.
    pub digests: BTreeMap<Digest, Digest>,
}

// What the stub does not use yet.
const _: Option<Output> = None;
