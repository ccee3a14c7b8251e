//! The wire format, where it must be had exactly.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use prost::Message;
use prost::bytes::Bytes;

use crate::digest::Digest;

/// The operation's bytes as BuildKit itself writes them, replacing what `buffer` has.
///
/// Go's protobuf writes the fields of a oneof after all others, prost writes every field by its
/// number. They agree on all that is below the outermost message: no message in there has both a
/// oneof and a field with a higher number.
pub(crate) fn encode(buffer: &mut Vec<u8>, mut op: pb::Op) {
    buffer.clear();
    let body = pb::Op {
        op: op.op.take(),
        ..pb::Op::default()
    };
    for message in [op, body] {
        // Fails only for a buffer that cannot grow.
        let _ = message.encode(buffer);
    }
}

/// The last entry of a definition: the output that is asked for.
pub(crate) fn head(digest: Digest, index: u32) -> Bytes {
    let input = pb::Input {
        digest: digest.to_string(),
        index: i64::from(index),
    };
    let op = pb::Op {
        inputs: vec![input],
        ..pb::Op::default()
    };
    op.encode_to_vec().into()
}

/// A definition whose parts are left encoded: they are shared with the graph, and keep what the
/// wire types do not know. On the wire a message is no different from bytes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RawDefinition {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) def: Vec<Bytes>,
    #[prost(btree_map = "string, bytes", tag = "2")]
    pub(crate) metadata: BTreeMap<String, Bytes>,
    #[prost(message, optional, tag = "3")]
    pub(crate) source: Option<RawSource>,
}

/// Source files and locations, left encoded.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RawSource {
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub(crate) locations: BTreeMap<String, Vec<u8>>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(crate) infos: Vec<Bytes>,
}
