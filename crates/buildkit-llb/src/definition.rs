//! What BuildKit solves.

use std::collections::BTreeSet;

use buildkit_proto::pb;
use prost::Message as _;
use prost::bytes::Bytes;

use crate::LinuxResources;
use crate::digest::Digest;
use crate::import::ImportError;
use crate::inspect;
use crate::meta::CUSTOM_NAME;
use crate::wire::RawDefinition;

/// Operations in the form that `BuildKit` solves: the bytes of each, inputs first, then one that
/// names the output that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    raw: RawDefinition,
    /// What it was read from, if it was: it may have more than `raw` has a place for.
    bytes: Option<Bytes>,
}

/// Equal byte for byte.
impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw && self.encoded() == other.encoded()
    }
}

impl Definition {
    /// The definition of an empty filesystem: no operation at all.
    pub fn scratch() -> Self {
        Self::default()
    }

    pub(crate) fn new(raw: RawDefinition) -> Self {
        Self { raw, bytes: None }
    }

    /// Of bytes that are a definition for certain, which share their memory with it.
    pub(crate) fn read(bytes: Bytes) -> Self {
        Self {
            raw: RawDefinition::decode(bytes.clone()).unwrap_or_default(),
            bytes: Some(bytes),
        }
    }

    /// The wire type, for a request. It has no place for metadata that it does not know.
    pub fn into_proto(self) -> pb::Definition {
        // Never fails: what came from outside was read as this type before.
        pb::Definition::decode(self.encoded()).unwrap_or_default()
    }

    /// From the wire type. Operations stay as they are, byte for byte.
    pub fn from_proto(definition: &pb::Definition) -> Self {
        Self::read(definition.encode_to_vec().into())
    }

    /// As `buildctl build` reads it; for a definition that was read, the bytes that it was read from.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encoded().to_vec()
    }

    /// The same, without a copy of what was read.
    pub(crate) fn encoded(&self) -> Bytes {
        let made = || self.raw.encode_to_vec().into();
        self.bytes.clone().unwrap_or_else(made)
    }

    /// As `buildctl debug dump-llb` reads it. Everything stays as it is, byte for byte, whatever is
    /// in it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImportError> {
        match pb::Definition::decode(bytes) {
            Ok(_) => Ok(Self::read(Bytes::copy_from_slice(bytes))),
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
    pub(crate) fn operations(&self) -> impl Iterator<Item = (Digest, &Bytes)> {
        let last = self.raw.def.len().saturating_sub(1);
        let operations = self.raw.def[..last].iter();
        operations.map(|bytes| (Digest::of(bytes), bytes))
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

    pub(crate) fn linux_resources(&self, digest: &str) -> Option<LinuxResources> {
        let bytes = self.raw.metadata.get(digest)?;
        LinuxResources::of(bytes).ok().flatten()
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
