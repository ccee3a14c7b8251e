//! Definitions made by others, read and changed without losing what is not known here.
//!
//! An [`Editor`] shows operations by what matters of them ([`Seen`]), and adds to those that run
//! programs. Changes are made on the wire: fields, operations and order that nobody touches stay as
//! they are, and what is added stands where `BuildKit` itself would write it, so that digests are
//! those that a daemon computes.
//!
//! ```
//! use buildkit_llb::edit::{Editor, ExecChange, Seen};
//! use buildkit_llb::{Constraints, Exec, Graph, Meta, Mount, Sharing};
//!
//! let mut graph = Graph::new();
//! let exec = graph.add(Exec::new(None, ["make"]), &Constraints::default(), Meta::default());
//! let theirs = graph.definition(exec.only());
//!
//! let mut editor = Editor::new(&[theirs]).unwrap();
//! for op in editor.ops() {
//!     if matches!(editor.see(op), Seen::Exec(exec) if exec.args == ["make"]) {
//!         let change = ExecChange {
//!             env: vec![("CCACHE_DIR".into(), "/cache".into())],
//!             mounts: vec![Mount::cache("ccache", "/cache", Sharing::Shared)],
//!         };
//!         editor.change(op, change);
//!     }
//! }
//! let edited = editor.finish();
//! assert!(edited.digests.contains_key(&graph.digest(exec)));
//! ```

mod fields;
mod finish;
mod read;
mod seen;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use prost::bytes::Bytes;

pub use self::seen::{Seen, SeenAction, SeenCache, SeenChange, SeenExec, SeenInput, SeenMount};
use crate::definition::{Definition, decode};
use crate::digest::Digest;
use crate::graph::Graph;
use crate::inspect;
use crate::mount::Mount;
use crate::platform::Platform;
use crate::source_map::SourceInfo;
use crate::wire::{self, RawDefinition, RawSource};

/// Definitions of one build, to be changed together: an operation that several of them have is one.
///
/// The ids that it gives out mean nothing to another editor, which may panic.
#[derive(Debug)]
pub struct Editor {
    came: Vec<Came>,
    nodes: Vec<Node>,
    needed: Vec<OpId>,
    heads: Vec<Option<Port>>,
    files: Vec<SourceInfo>,
    added: Graph,
    changes: BTreeMap<OpId, ExecChange>,
}

/// A definition and its operations, in its order.
#[derive(Debug)]
struct Came {
    definition: Definition,
    order: Vec<OpId>,
}

/// An operation. Its inputs are among those before it.
#[derive(Debug)]
struct Node {
    digest: Digest,
    bytes: Bytes,
    inputs: Vec<Port>,
    seen: Seen,
    platform: Option<Platform>,
    /// The first definition that has it.
    definition: usize,
    name: Option<String>,
    ignores_cache: bool,
    locations: Vec<SeenLocation>,
}

/// An operation of an [`Editor`]: its place in the order of [`Editor::ops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(u32);

impl OpId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// One output of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The operation.
    pub op: OpId,
    /// Which of its outputs, from 0.
    pub index: u32,
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
    /// Every operation that a definition asks for, inputs before what takes them; in the order of the
    /// definitions otherwise.
    pub fn ops(&self) -> impl Iterator<Item = OpId> + use<> {
        self.needed.clone().into_iter()
    }

    /// What each definition asks for; none for an empty filesystem.
    pub fn heads(&self) -> &[Option<Port>] {
        &self.heads
    }

    /// What it does.
    pub fn see(&self, op: OpId) -> &Seen {
        &self.node(op).seen
    }

    /// All that it takes, whatever for, by number: also what accounts are looked up in.
    pub fn inputs(&self, op: OpId) -> &[Port] {
        &self.node(op).inputs
    }

    /// Its digest as it came.
    pub fn digest(&self, op: OpId) -> Digest {
        self.node(op).digest
    }

    /// Its name in the progress display, or one made up from what it does.
    pub fn name(&self, op: OpId) -> String {
        let node = self.node(op);
        let made_up =
            || decode(&node.bytes).map_or_else(|e| e.to_string(), |op| inspect::name(&op));
        node.name.clone().unwrap_or_else(made_up)
    }

    /// What it runs on, if it says so.
    pub fn platform(&self, op: OpId) -> Option<Platform> {
        self.node(op).platform.clone()
    }

    /// Whether it runs even if its result is cached.
    pub fn ignores_cache(&self, op: OpId) -> bool {
        self.node(op).ignores_cache
    }

    /// Where it comes from, as the first definition has it that says so.
    pub fn locations(&self, op: OpId) -> Vec<SeenLocation> {
        self.node(op).locations.clone()
    }

    /// The source files of all definitions, each once.
    pub fn files(&self) -> &[SourceInfo] {
        &self.files
    }

    /// A definition that asks for one output, as it came: without changes.
    pub fn part(&self, port: Port) -> Definition {
        let node = self.node(port.op);
        let came = self.came[node.definition].definition.raw();
        let mut def = Vec::new();
        let mut metadata = BTreeMap::new();
        let mut locations = BTreeMap::new();
        let source = came.source.as_ref();
        for op in self.closure(port.op) {
            let node = self.node(op);
            let name = node.digest.to_string();
            def.push(node.bytes.clone());
            if let Some(here) = source.and_then(|source| source.locations.get(&name)) {
                locations.insert(name.clone(), here.clone());
            }
            if let Some(said) = came.metadata.get(&name) {
                metadata.insert(name, said.clone());
            }
        }
        let head = wire::head(node.digest, port.index);
        let theirs = came.def.last().map(|head| Digest::of(head).to_string());
        if let Some(said) = theirs.and_then(|theirs| came.metadata.get(&theirs)) {
            metadata.insert(Digest::of(&head).to_string(), said.clone());
        }
        def.push(head);
        Definition::new(RawDefinition {
            def,
            metadata,
            source: source.map(|source| RawSource {
                locations,
                infos: source.infos.clone(),
            }),
        })
    }

    /// An operation and all that it needs, inputs first.
    fn closure(&self, op: OpId) -> BTreeSet<OpId> {
        let mut found = BTreeSet::from([op]);
        let mut waiting = vec![op];
        while let Some(op) = waiting.pop() {
            let inputs = self.node(op).inputs.iter().map(|port| port.op);
            waiting.extend(inputs.filter(|input| found.insert(*input)));
        }
        found
    }

    /// For new operations that added mounts take. Those that are needed stand before the first
    /// operation that takes them; one that is there already is not added again. What they take
    /// themselves stays as they have it: a definition imported here is not changed.
    pub fn graph(&mut self) -> &mut Graph {
        &mut self.added
    }

    /// Adds to an operation that runs a program. Does nothing to another. Several calls add up.
    pub fn change(&mut self, op: OpId, change: ExecChange) {
        let empty = change.env.is_empty() && change.mounts.is_empty();
        if let (Seen::Exec(_), false) = (self.see(op), empty) {
            let all = self.changes.entry(op).or_default();
            all.env.extend(change.env);
            all.mounts.extend(change.mounts);
        }
    }

    fn node(&self, op: OpId) -> &Node {
        &self.nodes[op.index()]
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
