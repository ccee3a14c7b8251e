//! Reading definitions.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_proto::pb;
use prost::Message as _;
use prost::bytes::Bytes;

use super::{Came, Editor, Node, OpId, Port, Seen, SeenLocation};
use crate::definition::{Definition, decode, read_input};
use crate::digest::Digest;
use crate::graph::Graph;
use crate::import::ImportError;
use crate::meta::CUSTOM_NAME;
use crate::platform::Platform;
use crate::source_map::{self, SourceInfo};

impl Editor {
    /// Reads definitions. Linear in their size; every operation that another one takes is there.
    ///
    /// An operation whose parts name inputs that it has not is [`Seen::Other`], and a location in no
    /// source file is left out: it is for the daemon to refuse what makes no sense.
    pub fn new(definitions: &[Definition]) -> Result<Self, ImportError> {
        let mut reader = Reader::default();
        for definition in definitions {
            reader.read(definition)?;
        }
        let needed = reader.needed();
        Ok(Self {
            came: reader.came,
            nodes: reader.nodes,
            needed,
            heads: reader.heads,
            files: reader.files,
            added: Graph::new(),
            changes: BTreeMap::new(),
        })
    }
}

#[derive(Default)]
struct Reader {
    came: Vec<Came>,
    nodes: Vec<Node>,
    heads: Vec<Option<Port>>,
    files: Vec<SourceInfo>,
    by_digest: BTreeMap<Digest, OpId>,
    by_file: BTreeMap<Digest, usize>,
}

/// An operation that has no number yet.
struct Waiting {
    bytes: Bytes,
    op: pb::Op,
    inputs: Vec<(Digest, u32)>,
}

impl Waiting {
    fn new(bytes: &Bytes) -> Result<Self, ImportError> {
        let op = decode(bytes)?;
        let inputs = op.inputs.iter().map(read_input);
        Ok(Self {
            bytes: bytes.clone(),
            inputs: inputs.collect::<Result<_, _>>()?,
            op,
        })
    }
}

impl Reader {
    fn read(&mut self, definition: &Definition) -> Result<(), ImportError> {
        let mut order = Vec::new();
        let mut waiting = BTreeMap::new();
        for (digest, bytes) in definition.operations() {
            order.push(digest);
            if !self.by_digest.contains_key(&digest) {
                waiting.insert(digest, Waiting::new(bytes)?);
            }
        }
        for digest in &order {
            self.number(*digest, &mut waiting)?;
        }
        let here: BTreeSet<Digest> = order.iter().copied().collect();
        let find = |digest: Digest| {
            let known = self
                .by_digest
                .get(&digest)
                .filter(|_| here.contains(&digest));
            known.copied().ok_or(ImportError::MissingInput(digest))
        };
        let order = order.into_iter().map(find).collect::<Result<Vec<_>, _>>()?;
        for op in &order {
            for input in &self.nodes[op.index()].inputs {
                find(self.nodes[input.op.index()].digest)?;
            }
        }
        let head = definition.head_input()?;
        let head = head.map(|(digest, index)| {
            Ok(Port {
                op: find(digest)?,
                index,
            })
        });
        self.heads.push(head.transpose()?);
        self.describe(definition, &order);
        let definition = definition.clone();
        self.came.push(Came { definition, order });
        Ok(())
    }

    /// Gives numbers to an operation and what it needs, inputs first. No operation can be among its
    /// own inputs, since they are in what its digest is made of.
    fn number(
        &mut self,
        digest: Digest,
        waiting: &mut BTreeMap<Digest, Waiting>,
    ) -> Result<(), ImportError> {
        // An operation, and how many of its inputs have numbers.
        let mut path = vec![(digest, 0)];
        while let Some((digest, next)) = path.last_mut() {
            let digest = *digest;
            if self.by_digest.contains_key(&digest) {
                path.pop();
                continue;
            }
            let op = waiting.get(&digest);
            let op = op.ok_or(ImportError::MissingInput(digest))?;
            if let Some((input, _)) = op.inputs.get(*next) {
                *next += 1;
                path.push((*input, 0));
            } else if let Some(op) = waiting.remove(&digest) {
                self.add(digest, op);
            }
        }
        Ok(())
    }

    fn add(&mut self, digest: Digest, Waiting { bytes, op, inputs }: Waiting) {
        let inputs = inputs.iter().map(|(digest, index)| Port {
            op: self.by_digest[digest],
            index: *index,
        });
        let inputs: Vec<Port> = inputs.collect();
        // Definitions with more operations would not fit into memory.
        let id = OpId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.by_digest.insert(digest, id);
        self.nodes.push(Node {
            digest,
            bytes,
            seen: Seen::new(op.op, &inputs),
            inputs,
            platform: op.platform.and_then(Platform::lift),
            definition: self.came.len(),
            name: None,
            ignores_cache: false,
            locations: Vec::new(),
        });
    }

    /// Notes what a definition says of its operations, and where they come from.
    fn describe(&mut self, definition: &Definition, order: &[OpId]) {
        let source = definition.raw().source.as_ref();
        let infos = source.iter().flat_map(|source| &source.infos);
        let files: Vec<usize> = infos.map(|info| self.file(info)).collect();
        for op in order {
            let node = &mut self.nodes[op.index()];
            let digest = node.digest.to_string();
            let mut said = definition.meta(&digest);
            node.ignores_cache |= said.ignore_cache;
            let name = said.description.remove(CUSTOM_NAME);
            node.name = node.name.take().or(name);
            let here = source.and_then(|source| source.locations.get(&digest));
            if let Some(here) = here.filter(|_| node.locations.is_empty()) {
                node.locations = locations(here, &files);
            }
        }
    }

    fn file(&mut self, info: &Bytes) -> usize {
        let next = self.files.len();
        let file = *self.by_file.entry(Digest::of(info)).or_insert(next);
        if file == next {
            // Never fails: what came from outside was read as this type before.
            let info = pb::SourceInfo::decode(info.clone()).unwrap_or_default();
            self.files.push(SourceInfo::lift(info));
        }
        file
    }

    /// The operations that a head needs.
    fn needed(&self) -> Vec<OpId> {
        let mut needed = vec![false; self.nodes.len()];
        for head in self.heads.iter().flatten() {
            needed[head.op.index()] = true;
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if needed[at] {
                for input in &node.inputs {
                    needed[input.op.index()] = true;
                }
            }
        }
        let all = (0_u32..).map(OpId).zip(needed);
        all.filter(|(_, needed)| *needed)
            .map(|(op, _)| op)
            .collect()
    }
}

fn locations(bytes: &[u8], files: &[usize]) -> Vec<SeenLocation> {
    // Never fails: what came from outside was read as this type before.
    let here = pb::Locations::decode(bytes).unwrap_or_default();
    let seen = |location: pb::Location| {
        let index = usize::try_from(location.source_index).ok()?;
        let lines = location.ranges.iter().filter_map(source_map::lift_lines);
        Some(SeenLocation {
            file: *files.get(index)?,
            lines: lines.collect(),
        })
    };
    here.locations.into_iter().filter_map(seen).collect()
}
