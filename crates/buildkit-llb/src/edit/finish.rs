//! Writing changed definitions.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use prost::Message as _;
use prost::bytes::Bytes;

use super::write::{self, Entry};
use super::{Came, Edited, Editor, ExecChange, Node, OpId, Port, Seen, fields};
use crate::definition::Definition;
use crate::digest::Digest;
use crate::graph::Vertex;
use crate::op::{Lowering, signed};

/// An operation that is not as it came: it was changed, or takes one that is not.
#[derive(Debug)]
struct Moved {
    digest: Digest,
    bytes: Bytes,
    /// What a daemon must know besides.
    caps: Vec<&'static str>,
    /// New operations that it takes.
    takes: Vec<Vertex>,
}

/// Field numbers.
const OP_INPUTS: usize = 1;
const OP_EXEC: usize = 2;
const INPUT_DIGEST: usize = 1;
const EXEC_META: usize = 1;
const EXEC_MOUNTS: usize = 2;
const META_ENV: usize = 2;

impl Editor {
    /// The definitions with all changes, and each changed or moved operation's digest by the one it
    /// had. A definition in which nothing changed is as it came, byte for byte; in another one, the
    /// operations keep their order, and maps are sorted.
    ///
    /// # Panics
    ///
    /// If the input of an added mount is of another graph than [`Editor::graph`].
    pub fn finish(self) -> Edited {
        let mut moved = Vec::with_capacity(self.nodes.len());
        for (op, node) in (0_u32..).map(OpId).zip(&self.nodes) {
            let change = self.changes.get(&op);
            moved.push(self.moved(node, change, &moved));
        }
        let digests = self.nodes.iter().zip(&moved);
        let digests =
            digests.filter_map(|(node, moved)| Some((node.digest, moved.as_ref()?.digest)));
        let came = self.came.iter().zip(&self.heads);
        Edited {
            digests: digests.collect(),
            definitions: came
                .map(|(came, head)| self.write(came, *head, &moved))
                .collect(),
        }
    }

    /// What becomes of an operation; none if it stays. Those before it are `moved`.
    fn moved(
        &self,
        node: &Node,
        change: Option<&ExecChange>,
        moved: &[Option<Moved>],
    ) -> Option<Moved> {
        let digests = node
            .inputs
            .iter()
            .map(|input| moved[input.op.index()].as_ref());
        let digests: Vec<Option<Digest>> = digests.map(|moved| Some(moved?.digest)).collect();
        if change.is_none() && digests.iter().all(Option::is_none) {
            return None;
        }
        let bytes = with_inputs(&node.bytes, &digests);
        let mut changed = Moved {
            digest: node.digest,
            bytes: bytes.into(),
            caps: Vec::new(),
            takes: Vec::new(),
        };
        if let (Some(change), Seen::Exec(exec)) = (change, &node.seen) {
            let inputs = node.inputs.iter().zip(&digests);
            let inputs = inputs.map(|(input, digest)| {
                let same = self.nodes[input.op.index()].digest;
                (digest.unwrap_or(same), input.index)
            });
            let outputs = exec.mounts.iter().filter_map(|mount| mount.output);
            let outputs = outputs.max().map_or(0, |last| i64::from(last) + 1);
            let inputs: Vec<(Digest, u32)> = inputs.collect();
            self.apply(change, &inputs, outputs, &mut changed);
        }
        changed.digest = Digest::of(&changed.bytes);
        (changed.digest != node.digest).then_some(changed)
    }

    /// Adds to an exec that has these inputs and so many outputs.
    fn apply(
        &self,
        change: &ExecChange,
        inputs: &[(Digest, u32)],
        mut outputs: i64,
        to: &mut Moved,
    ) {
        let mut lowering = Lowering::new(&self.added);
        let mounts = change.mounts.iter().cloned();
        let mut mounts: Vec<pb::Mount> = mounts
            .map(|mount| mount.lower(&mut lowering, &mut outputs))
            .collect();
        let mut numbers = Vec::new();
        let mut more = Vec::new();
        for (output, input) in lowering.outputs.iter().zip(&lowering.inputs) {
            let taken = (self.added.digest(output.vertex), output.index);
            let known = inputs.iter().position(|known| *known == taken);
            numbers.push(signed(known.unwrap_or(inputs.len() + more.len())));
            if known.is_none() {
                more.push(input.encode_to_vec());
            }
        }
        for mount in &mut mounts {
            if let Ok(input) = usize::try_from(mount.input) {
                mount.input = numbers[input];
            }
        }
        to.takes = lowering
            .outputs
            .iter()
            .map(|output| output.vertex)
            .collect();
        to.caps = lowering.caps;
        let env = change
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let env: Vec<String> = env.collect();
        let mounts: Vec<Vec<u8>> = mounts.iter().map(pb::Mount::encode_to_vec).collect();
        let op = fields::change_last(&to.bytes, OP_EXEC, |exec| {
            let exec = match env.as_slice() {
                [] => exec.to_vec(),
                env => {
                    fields::change_last(exec, EXEC_META, |meta| fields::append(meta, META_ENV, env))
                }
            };
            fields::append(&exec, EXEC_MOUNTS, &mounts)
        });
        to.bytes = fields::append(&op, OP_INPUTS, &more).into();
    }

    fn write(&self, came: &Came, head: Option<Port>, moved: &[Option<Moved>]) -> Definition {
        let Some(head) = head.filter(|_| came.order.iter().any(|op| moved[op.index()].is_some()))
        else {
            return came.definition.clone();
        };
        let place = |op: OpId| {
            let node = self.node(op);
            let moved = moved[op.index()].as_ref();
            Entry {
                was: Some(node.digest),
                digest: moved.map_or(node.digest, |moved| moved.digest),
                bytes: moved.map_or(&node.bytes, |moved| &moved.bytes),
                caps: moved.map_or(&[], |moved| &moved.caps),
                said: None,
            }
        };
        let places = came.order.iter().map(|op| (place(*op).digest, *op));
        let places: BTreeMap<Digest, OpId> = places.collect();
        let mut entries = Vec::with_capacity(came.order.len());
        let mut seen = vec![false; self.added.len()];
        for op in &came.order {
            let takes = moved[op.index()].iter().flat_map(|moved| &moved.takes);
            for vertex in takes.flat_map(|vertex| self.added.order(*vertex, &mut seen)) {
                let digest = self.added.digest(vertex);
                let (bytes, said) = self.added.encoded(vertex);
                // One that is there already comes to stand here.
                let known = places.get(&digest).map(|op| place(*op));
                entries.push(known.unwrap_or(Entry {
                    was: None,
                    digest,
                    bytes,
                    caps: &[],
                    said: Some(said),
                }));
            }
            entries.push(place(*op));
        }
        let digest = moved[head.op.index()].as_ref().map(|moved| moved.digest);
        write::definition(&came.definition, &entries, |head| {
            with_inputs(head, &[digest])
        })
    }
}

/// An operation that takes others, for those inputs for which there are any.
fn with_inputs(op: &[u8], digests: &[Option<Digest>]) -> Vec<u8> {
    let mut digests = digests.iter();
    fields::rewrite(op, OP_INPUTS, |input| {
        let digest = (*digests.next()?)?.to_string();
        Some(fields::change_last(input, INPUT_DIGEST, |_| digest.into()))
    })
}
