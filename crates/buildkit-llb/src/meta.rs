//! What is said of an operation beside what it does: none of it changes the digest.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use prost::bytes::Bytes;
use prost::{DecodeError, Message as _};

use crate::caps;
use crate::resources::LinuxResources;

/// What is said of an operation beside what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its name in the progress display; BuildKit makes one up otherwise.
    pub name: Option<String>,
    /// Other descriptions, by key, such as `com.docker.dockerfile.v1.command`.
    pub description: BTreeMap<String, String>,
    /// Run even if the result is cached. On an operation with cache mounts, BuildKit also empties
    /// those caches.
    pub ignore_cache: bool,
    /// Whether the result goes into an exported cache; as the build says if absent.
    pub export_cache: Option<bool>,
    /// Shown as one with the operations of the same group.
    pub progress_group: Option<ProgressGroup>,
    /// How much memory and processor time it may use; as the daemon says if absent.
    pub linux_resources: Option<LinuxResources>,
}

/// Operations that are shown as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressGroup {
    /// What makes it the same group.
    pub id: String,
    /// What is shown.
    pub name: String,
    /// Shown only if nothing in it is more than a cache hit.
    pub weak: bool,
}

impl Meta {
    /// A name and nothing else.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    fn lower(self) -> pb::OpMetadata {
        let mut description = self.description;
        if let Some(name) = self.name {
            description.insert(CUSTOM_NAME.to_owned(), name);
        }
        pb::OpMetadata {
            ignore_cache: self.ignore_cache,
            description,
            export_cache: self.export_cache.map(|value| pb::ExportCache { value }),
            caps: BTreeMap::new(),
            progress_group: self.progress_group.map(|group| pb::ProgressGroup {
                id: group.id,
                name: group.name,
                weak: group.weak,
            }),
        }
    }
}

pub(crate) const CUSTOM_NAME: &str = "llb.customname";

/// What is said of an operation, encoded, since it is copied more often than it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) bytes: Bytes,
    /// What a daemon must know to read it.
    pub(crate) needs: Vec<&'static str>,
}

impl Said {
    /// With capabilities that are encoded already, see [`Caps`].
    pub(crate) fn new(mut meta: Meta, caps: &[u8]) -> Self {
        let resources = meta.linux_resources.take();
        let limited = resources.is_some();
        let resources = resources.map_or_else(Vec::new, LinuxResources::encode_field);
        let meta = meta.lower();
        let mut bytes = Vec::with_capacity(meta.encoded_len() + caps.len() + resources.len());
        // Fails only for a buffer that cannot grow.
        let _ = meta.encode(&mut bytes);
        bytes.extend_from_slice(caps);
        bytes.extend_from_slice(&resources);
        Self::with_bytes(&meta, limited, bytes.into())
    }

    /// Keeps the bytes as they are.
    pub(crate) fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let meta = pb::OpMetadata::decode(bytes.as_ref())?;
        let limited = LinuxResources::of(&bytes)?.is_some();
        Ok(Self::with_bytes(&meta, limited, bytes))
    }

    fn with_bytes(meta: &pb::OpMetadata, limited: bool, bytes: Bytes) -> Self {
        let needs = [
            (meta.ignore_cache, caps::META_IGNORE_CACHE),
            (!meta.description.is_empty(), caps::META_DESCRIPTION),
            (meta.export_cache.is_some(), caps::META_EXPORT_CACHE),
            (limited, caps::EXEC_LINUX_RESOURCES),
        ];
        let needs = needs.into_iter().filter(|(needed, _)| *needed);
        Self {
            bytes,
            needs: needs.map(|(_, cap)| cap).collect(),
        }
    }

    /// What two additions of the same operation say of it, together. The first name wins.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.bytes.is_empty() {
            *self = other;
        } else if self.bytes != other.bytes && !other.bytes.is_empty() {
            // Both were made from, or read as, this type.
            let read = |said: &Self| {
                let meta = pb::OpMetadata::decode(said.bytes.as_ref())?;
                Ok::<_, DecodeError>((meta, LinuxResources::of(&said.bytes)?))
            };
            if let (Ok((mut meta, limits)), Ok((other, more))) = (read(self), read(&other)) {
                merge(&mut meta, other);
                let resources = limits.or(more);
                let limited = resources.is_some();
                let mut bytes = meta.encode_to_vec();
                bytes.extend(resources.into_iter().flat_map(LinuxResources::encode_field));
                *self = Self::with_bytes(&meta, limited, bytes.into());
            }
        }
    }
}

/// Sets of capabilities, each encoded as metadata that says nothing else. Messages that stand one
/// after the other are one message, and there are far fewer sets than operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caps(BTreeMap<Vec<&'static str>, Bytes>);

impl Caps {
    pub(crate) fn encode(&mut self, caps: &[&'static str]) -> Bytes {
        if let Some(known) = self.0.get(caps) {
            return known.clone();
        }
        let meta = pb::OpMetadata {
            caps: caps.iter().map(|cap| ((*cap).to_owned(), true)).collect(),
            ..pb::OpMetadata::default()
        };
        let bytes = Bytes::from(meta.encode_to_vec());
        self.0.insert(caps.to_vec(), bytes.clone());
        bytes
    }
}

fn merge(into: &mut pb::OpMetadata, other: pb::OpMetadata) {
    into.ignore_cache |= other.ignore_cache;
    for (key, value) in other.description {
        into.description.entry(key).or_insert(value);
    }
    into.caps.extend(other.caps);
    into.export_cache = into.export_cache.or(other.export_cache);
    if into.progress_group.is_none() {
        into.progress_group = other.progress_group;
    }
}
