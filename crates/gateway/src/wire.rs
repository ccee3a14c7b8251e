//! Messages in which definitions are left encoded: so they keep what the wire types do not know. On the
//! wire a message is no different from bytes.

use std::collections::BTreeMap;
use std::fmt;

use buildkit_llb::Definition;
use buildkit_proto::google::rpc;
use buildkit_proto::moby::buildkit::v1::frontend::CacheOptionsEntry;
use prost::Message;
use prost::bytes::Bytes;

/// Of `LLBBridge.Solve`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SolveRequest {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) definition: Option<Bytes>,
    #[prost(string, tag = "2")]
    pub(crate) frontend: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(crate) frontend_opt: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    pub(crate) allow_result_return: bool,
    #[prost(bool, tag = "6")]
    pub(crate) allow_result_array_ref: bool,
    #[prost(message, repeated, tag = "12")]
    pub(crate) cache_imports: Vec<CacheOptionsEntry>,
    #[prost(message, repeated, tag = "13")]
    pub(crate) frontend_inputs: Vec<Input>,
    #[prost(bool, tag = "14")]
    pub(crate) evaluate: bool,
}

/// Of `LLBBridge.Solve`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SolveResponse {
    #[prost(string, tag = "1")]
    pub(crate) reference: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) result: Option<Result>,
}

/// Of `LLBBridge.Return`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReturnRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) result: Option<Result>,
    #[prost(message, optional, tag = "2")]
    pub(crate) error: Option<rpc::Status>,
}

/// Of `LLBBridge.Inputs`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct InputsResponse {
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub(crate) definitions: BTreeMap<String, Bytes>,
}

/// A finished build.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Result {
    #[prost(btree_map = "string, bytes", tag = "10")]
    pub(crate) metadata: BTreeMap<String, Vec<u8>>,
    #[prost(message, repeated, tag = "12")]
    pub(crate) attestations: Vec<Entry<Attestations>>,
    #[prost(oneof = "Refs", tags = "1, 2, 3, 4")]
    pub(crate) refs: Option<Refs>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Refs {
    #[prost(string, tag = "1")]
    OneDeprecated(String),
    #[prost(message, tag = "2")]
    ManyDeprecated(RefMapDeprecated),
    #[prost(message, tag = "3")]
    One(Ref),
    #[prost(message, tag = "4")]
    Many(RefMap),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RefMapDeprecated {
    #[prost(btree_map = "string, string", tag = "1")]
    pub(crate) refs: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RefMap {
    #[prost(message, repeated, tag = "1")]
    pub(crate) refs: Vec<Entry<Ref>>,
}

/// Of a map from names to messages. An empty value is written too: one that is left out is a null pointer
/// to daemons, and some fall over it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry<V: fmt::Debug + Message + Default> {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, required, tag = "2")]
    pub(crate) value: V,
}

/// As [`Entry`], with an encoded definition.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Input {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "bytes", required, tag = "2")]
    pub(crate) definition: Bytes,
}

/// The value of a name.
pub(crate) fn value_mut<'a, V>(map: &'a mut [Entry<V>], name: &str) -> Option<&'a mut V>
where
    V: fmt::Debug + Message + Default,
{
    let entry = map.iter_mut().find(|entry| entry.name == name);
    entry.map(|entry| &mut entry.value)
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Ref {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) definition: Option<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attestations {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attestation: Vec<Attestation>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attestation {
    #[prost(int32, tag = "1")]
    pub(crate) kind: i32,
    #[prost(btree_map = "string, bytes", tag = "2")]
    pub(crate) metadata: BTreeMap<String, Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    pub(crate) reference: Option<Ref>,
    #[prost(string, tag = "4")]
    pub(crate) path: String,
    #[prost(string, tag = "5")]
    pub(crate) in_toto_predicate_type: String,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub(crate) in_toto_subjects: Vec<Bytes>,
}

impl From<crate::Ref> for Ref {
    fn from(reference: crate::Ref) -> Ref {
        Ref {
            id: reference.id,
            definition: reference.definition.as_ref().map(encoded),
        }
    }
}

impl From<Ref> for crate::Ref {
    fn from(reference: Ref) -> crate::Ref {
        let definition = reference.definition;
        crate::Ref {
            id: reference.id,
            definition: definition.and_then(|bytes| Definition::from_bytes(&bytes).ok()),
        }
    }
}

pub(crate) fn encoded(definition: &Definition) -> Bytes {
    definition.to_bytes().into()
}

/// The same message as another type.
#[cfg(feature = "fake")]
pub(crate) fn recoded<T: Message + Default>(message: &impl Message) -> T {
    // Never fails: it is the same on the wire.
    T::decode(message.encode_to_vec().as_slice()).unwrap_or_default()
}
