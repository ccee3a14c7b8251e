//! What BuildKit solves.

use std::collections::BTreeSet;

use buildkit_proto::pb;
use prost::Message as _;

use crate::digest::Digest;
use crate::import::ImportError;
use crate::inspect;
use crate::meta::CUSTOM_NAME;
use crate::wire::RawDefinition;

/// Operations in the form that `BuildKit` solves: the bytes of each, inputs first, then one that
/// names the output that is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    raw: RawDefinition,
}

impl Definition {
    /// The definition of an empty filesystem: no operation at all.
    pub fn scratch() -> Self {
        Self::default()
    }

    pub(crate) fn new(raw: RawDefinition) -> Self {
        Self { raw }
    }

    /// The wire type, for a request. It has no place for metadata that it does not know.
    pub fn into_proto(self) -> pb::Definition {
        // Never fails: what came from outside was read as this type before.
        pb::Definition::decode(self.to_bytes().as_slice()).unwrap_or_default()
    }

    /// From the wire type. Operations stay as they are, byte for byte.
    pub fn from_proto(definition: &pb::Definition) -> Self {
        // Never fails: it is the same on the wire.
        let raw = RawDefinition::decode(definition.encode_to_vec().as_slice());
        Self {
            raw: raw.unwrap_or_default(),
        }
    }

    /// As `buildctl build` reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.raw.encode_to_vec()
    }

    /// As `buildctl debug dump-llb` reads it. Operations and what is said of them stay as they
    /// are, byte for byte, whatever is in them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImportError> {
        let read = pb::Definition::decode(bytes).and_then(|_| RawDefinition::decode(bytes));
        match read {
            Ok(raw) => Ok(Self { raw }),
            Err(error) => Err(ImportError::NotADefinition(error.to_string())),
        }
    }

    /// Whether it is that of an empty filesystem.
    pub fn is_scratch(&self) -> bool {
        self.raw.def.is_empty()
    }

    /// The digest of the operation whose output is asked for; nothing for an empty filesystem.
    pub fn head(&self) -> Result<Option<Digest>, ImportError> {
        Ok(self.head_input()?.map(|(digest, _)| digest))
    }

    /// The operation whose output is asked for, and which of its outputs.
    pub(crate) fn head_input(&self) -> Result<Option<(Digest, u32)>, ImportError> {
        let Some(last) = self.raw.def.last() else {
            return Ok(None);
        };
        let op = decode(last)?;
        match (&op.op, op.inputs.as_slice()) {
            (None, [input]) => read_input(input).map(Some),
            _ => Err(ImportError::NoHead),
        }
    }

    /// Every operation and its name in the progress display: the one that was given to it, or one
    /// made up from what it does.
    pub fn vertices(&self) -> impl Iterator<Item = (Digest, String)> {
        self.operations().map(|(digest, bytes)| {
            let mut meta = self.meta(&digest.to_string());
            let name = meta.description.remove(CUSTOM_NAME);
            let made_up = || decode(bytes).map_or_else(|e| e.to_string(), |op| inspect::name(&op));
            (digest, name.unwrap_or_else(made_up))
        })
    }

    /// The digest and bytes of every operation, without the last entry.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (Digest, &[u8])> {
        let last = self.raw.def.len().saturating_sub(1);
        let operations = self.raw.def[..last].iter();
        operations.map(|bytes| (Digest::of(bytes), bytes.as_ref()))
    }

    pub(crate) fn raw(&self) -> &RawDefinition {
        &self.raw
    }

    /// What is said of an operation, as far as the wire types know.
    pub(crate) fn meta(&self, digest: &str) -> pb::OpMetadata {
        let bytes = self.raw.metadata.get(digest).map(AsRef::as_ref);
        // Never fails: what came from outside was read as this type before.
        pb::OpMetadata::decode(bytes.unwrap_or_default()).unwrap_or_default()
    }

    /// The capabilities that a daemon must have, see [`caps`](crate::caps).
    pub fn required_caps(&self) -> BTreeSet<String> {
        let names = self.raw.metadata.keys();
        let all = names.flat_map(|digest| self.meta(digest).caps);
        let needed = all.filter(|(_, needed)| *needed);
        needed.map(|(cap, _)| cap).collect()
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<pb::Op, ImportError> {
    pb::Op::decode(bytes).map_err(|error| ImportError::NotAnOperation {
        digest: Digest::of(bytes),
        reason: error.to_string(),
    })
}

pub(crate) fn read_input(input: &pb::Input) -> Result<(Digest, u32), ImportError> {
    let digest = input.digest.parse().map_err(ImportError::InvalidDigest)?;
    let index = u32::try_from(input.index).map_err(|_| ImportError::InvalidIndex(input.index))?;
    Ok((digest, index))
}
