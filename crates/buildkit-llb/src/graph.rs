//! Operations, shared by content.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use buildkit_proto::pb;
use prost::Message as _;
use prost::bytes::Bytes;

use crate::caps;
use crate::definition::Definition;
use crate::digest::Digest;
use crate::meta::{Caps, Meta, Said};
use crate::op::{Constraints, Lowering, Op};
use crate::platform::Platform;
use crate::source_map::{self, SourceId, SourceInfo};
use crate::wire::{self, RawDefinition, RawSource};

/// Operations, each of which takes the outputs of earlier ones. Adding one takes the time of
/// encoding it, however many there are.
///
/// The ids that it gives out never change their meaning, and mean nothing to another graph.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_digest: BTreeMap<Digest, Vertex>,
    files: Vec<Bytes>,
    by_file: BTreeMap<Bytes, SourceId>,
    caps: Caps,
    buffer: Vec<u8>,
}

/// An operation of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vertex(u32);

/// A filesystem that an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Output {
    /// The operation.
    pub vertex: Vertex,
    /// Which of its outputs, from 0.
    pub index: u32,
}

#[derive(Clone, Debug)]
struct Node {
    digest: Digest,
    bytes: Bytes,
    inputs: Box<[Vertex]>,
    said: Said,
    locations: pb::Locations,
}

impl Vertex {
    /// One of its outputs.
    pub fn output(self, index: u32) -> Output {
        Output {
            vertex: self,
            index,
        }
    }

    /// Its only output, or its first.
    pub fn only(self) -> Output {
        self.output(0)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Graph {
    /// Without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Without operations, with room for so many.
    pub fn with_capacity(ops: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(ops),
            ..Self::default()
        }
    }

    /// Adds an operation, or finds the one that is the same. Then what is said of it adds up, and
    /// the first name stays.
    ///
    /// # Panics
    ///
    /// If an input is of another, larger graph.
    pub fn add(&mut self, op: impl Into<Op>, constraints: &Constraints, meta: Meta) -> Vertex {
        let op = op.into();
        let platform = constraints.platform.as_ref().filter(|_| op.has_platform());
        let mut lowering = Lowering::new(self);
        let body = op.lower(&mut lowering);
        let Lowering {
            outputs,
            inputs,
            caps,
            ..
        } = lowering;
        let op = pb::Op {
            inputs,
            platform: platform.map(Platform::lower),
            constraints: Some(pb::WorkerConstraints {
                filter: constraints.worker.clone(),
            }),
            op: Some(body),
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        wire::encode(&mut buffer, op);
        let inputs = outputs.into_iter().map(|output| output.vertex).collect();
        let said = Said::new(meta, &self.caps.encode(&caps));
        let vertex = self.insert(&buffer, inputs, said);
        self.buffer = buffer;
        vertex
    }

    /// Adds or finds an operation that is encoded already.
    pub(crate) fn insert(&mut self, bytes: &[u8], inputs: Box<[Vertex]>, said: Said) -> Vertex {
        let digest = Digest::of(bytes);
        if let Some(known) = self.by_digest.get(&digest) {
            self.nodes[known.index()].said.merge(said);
            return *known;
        }
        // A graph with more operations would not fit into memory.
        let vertex = Vertex(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            digest,
            bytes: Bytes::copy_from_slice(bytes),
            inputs,
            said,
            locations: pb::Locations::default(),
        });
        self.by_digest.insert(digest, vertex);
        vertex
    }

    /// How many different operations there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What BuildKit calls an operation.
    ///
    /// # Panics
    ///
    /// If the operation is of another, larger graph.
    pub fn digest(&self, vertex: Vertex) -> Digest {
        self.nodes[vertex.index()].digest
    }

    /// Adds a file that operations come from.
    pub fn source_file(&mut self, file: SourceInfo) -> SourceId {
        self.add_file(file.lower().encode_to_vec().into())
    }

    /// Adds or finds a file that is encoded already.
    pub(crate) fn add_file(&mut self, file: Bytes) -> SourceId {
        // A graph with more files would not fit into memory.
        let next = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let id = *self.by_file.entry(file.clone()).or_insert(next);
        if id == next {
            self.files.push(file);
        }
        id
    }

    /// Says on which lines of a file, from 1, an operation stands; an error of the operation then
    /// shows them. Several calls add up.
    ///
    /// # Panics
    ///
    /// If the operation is of another, larger graph.
    pub fn locate(&mut self, vertex: Vertex, file: SourceId, ranges: &[RangeInclusive<u32>]) {
        let location = pb::Location {
            source_index: i32::try_from(file.0).unwrap_or(i32::MAX),
            ranges: ranges.iter().map(source_map::lines).collect(),
        };
        let locations = &mut self.nodes[vertex.index()].locations.locations;
        if !locations.contains(&location) {
            locations.push(location);
        }
    }

    /// Where an operation stands, for adding to it.
    pub(crate) fn locations(&mut self, vertex: Vertex) -> &mut Vec<pb::Location> {
        &mut self.nodes[vertex.index()].locations.locations
    }

    /// What is needed for an output, and nothing else: each operation once, after its inputs.
    /// [`Definition::scratch`] stands for the empty filesystem.
    ///
    /// # Panics
    ///
    /// If the output is of another, larger graph.
    pub fn definition(&self, output: Output) -> Definition {
        let order = self.order(output.vertex, &mut vec![false; self.nodes.len()]);
        let mut def = Vec::with_capacity(order.len() + 1);
        let mut metadata = Vec::with_capacity(order.len() + 1);
        let mut locations = Vec::new();
        let mut needs = vec![caps::CONSTRAINTS, caps::PLATFORM];
        for vertex in order {
            let node = &self.nodes[vertex.index()];
            let name = node.digest.to_string();
            def.push(node.bytes.clone());
            needs.extend(&node.said.needs);
            if !node.locations.locations.is_empty() {
                locations.push((name.clone(), node.locations.encode_to_vec()));
            }
            metadata.push((name, node.said.bytes.clone()));
        }
        let head = wire::head(self.digest(output.vertex), output.index);
        let said = Caps::default().encode(&needs);
        metadata.push((Digest::of(&head).to_string(), said));
        def.push(head);
        Definition::new(RawDefinition {
            def,
            metadata: metadata.into_iter().collect(),
            source: (!self.files.is_empty()).then(|| RawSource {
                locations: locations.into_iter().collect(),
                infos: self.files.clone(),
            }),
        })
    }

    /// An operation and what is said of it, encoded.
    pub(crate) fn encoded(&self, vertex: Vertex) -> (&Bytes, &Bytes) {
        let node = &self.nodes[vertex.index()];
        (&node.bytes, &node.said.bytes)
    }

    /// What an operation needs and was not seen before, inputs first; the same for the same
    /// operation, in whatever order operations were added.
    pub(crate) fn order(&self, head: Vertex, seen: &mut [bool]) -> Vec<Vertex> {
        let mut order = Vec::new();
        if std::mem::replace(&mut seen[head.index()], true) {
            return order;
        }
        // An operation, and how many of its inputs were looked at.
        let mut path = vec![(head, 0)];
        while let Some((vertex, next)) = path.last_mut() {
            let vertex = *vertex;
            let Some(&input) = self.nodes[vertex.index()].inputs.get(*next) else {
                order.push(vertex);
                path.pop();
                continue;
            };
            *next += 1;
            if !std::mem::replace(&mut seen[input.index()], true) {
                path.push((input, 0));
            }
        }
        order
    }
}
