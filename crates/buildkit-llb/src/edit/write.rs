//! A definition with other operations.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_proto::pb;
use prost::Message as _;
use prost::bytes::Bytes;

use super::fields::{self, fields};
use crate::definition::Definition;
use crate::digest::Digest;

/// An operation.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Its digest in the definition as it came, if it was there.
    pub(super) was: Option<Digest>,
    /// Its digest now.
    pub(super) digest: Digest,
    pub(super) bytes: &'a Bytes,
    /// What a daemon must know besides.
    pub(super) caps: &'a [&'static str],
    /// What is said of one that was not there.
    pub(super) said: Option<&'a Bytes>,
}

/// Field numbers; those of map entries are the same for all maps.
const DEFINITION_DEF: usize = 1;
const DEFINITION_METADATA: usize = 2;
const DEFINITION_SOURCE: usize = 3;
const SOURCE_LOCATIONS: usize = 1;
const METADATA_CAPS: usize = 5;
const KEY: usize = 1;
const VALUE: usize = 2;

/// A definition with these operations, each once, in place of its own. What is said of them, and
/// where they come from, moves with them; all that is not known stays.
pub(super) fn definition(
    came: &Definition,
    entries: &[Entry<'_>],
    change_head: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Definition {
    let bytes = came.encoded();
    let mut head: &[u8] = &[];
    let mut metadata = BTreeMap::new();
    let mut source = None;
    let mut unknown = Vec::new();
    for field in fields(&bytes) {
        match (field.number, field.content) {
            (DEFINITION_DEF, Some(op)) => head = op,
            (DEFINITION_METADATA, Some(entry)) => drop(metadata.insert(key(entry), entry)),
            (DEFINITION_SOURCE, Some(part)) => {
                source.get_or_insert_with(Vec::new).extend_from_slice(part);
            }
            _ => unknown.extend_from_slice(field.whole),
        }
    }
    let was = Digest::of(head);
    let head = Bytes::from(change_head(head));
    let last = Entry {
        was: Some(was),
        digest: Digest::of(&head),
        bytes: &head,
        caps: &[],
        said: None,
    };
    let all = || entries.iter().chain([&last]);

    let mut changed = Vec::with_capacity(bytes.len());
    let mut there = BTreeSet::new();
    for entry in entries.iter().filter(|entry| there.insert(entry.digest)) {
        fields::put(&mut changed, DEFINITION_DEF, entry.bytes);
    }
    fields::put(&mut changed, DEFINITION_DEF, &head);
    let mut metadata = renamed(metadata, all());
    for entry in all() {
        describe(&mut metadata, entry);
    }
    for entry in metadata.values() {
        fields::put(&mut changed, DEFINITION_METADATA, entry);
    }
    if let Some(source) = source {
        fields::put(&mut changed, DEFINITION_SOURCE, &relocated(&source, all()));
    }
    changed.extend_from_slice(&unknown);
    Definition::read(changed.into())
}

/// Entries of a map by the digests that operations have now. Of two for one, the first is taken.
fn renamed<'a>(
    mut map: BTreeMap<&[u8], &[u8]>,
    entries: impl Iterator<Item = &'a Entry<'a>>,
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut renamed = BTreeMap::new();
    for entry in entries {
        let Some(was) = entry.was else { continue };
        let Some(found) = map.remove(was.to_string().as_bytes()) else {
            continue;
        };
        let name = entry.digest.to_string().into_bytes();
        let found = if was == entry.digest {
            found.to_vec()
        } else {
            fields::change_last(found, KEY, |_| name.clone())
        };
        renamed.entry(name).or_insert(found);
    }
    for (name, found) in map {
        let rest = renamed.entry(name.to_vec());
        rest.or_insert_with(|| found.to_vec());
    }
    renamed
}

fn key(entry: &[u8]) -> &[u8] {
    fields::last(entry, KEY).unwrap_or_default()
}

/// Notes what is said of a new operation, and what a daemon must know for a changed one.
fn describe(metadata: &mut BTreeMap<Vec<u8>, Vec<u8>>, entry: &Entry<'_>) {
    if entry.said.is_none() && entry.caps.is_empty() {
        return;
    }
    let name = entry.digest.to_string().into_bytes();
    let found = metadata.entry(name).or_insert_with_key(|name| {
        let mut made = Vec::new();
        fields::put(&mut made, KEY, name);
        fields::put(&mut made, VALUE, entry.said.map_or(&[], Bytes::as_ref));
        made
    });
    if !entry.caps.is_empty() {
        *found = fields::change_last(found, VALUE, |said| need(said, entry.caps));
    }
}

/// Metadata with more capabilities.
fn need(said: &[u8], caps: &[&str]) -> Vec<u8> {
    // Never fails: what came from outside was read as this type before.
    let known = pb::OpMetadata::decode(said).unwrap_or_default().caps;
    let mut said = said.to_vec();
    for cap in caps.iter().filter(|cap| known.get(**cap) != Some(&true)) {
        let cap = cap.as_bytes();
        let mut entry = Vec::new();
        fields::put(&mut entry, KEY, cap);
        // The value, a number: true.
        entry.extend([0x10, 1]);
        let mut field = Vec::new();
        fields::put(&mut field, METADATA_CAPS, &entry);
        said = fields::insert(&said, place(&said, cap), &field);
    }
    said
}

/// Where a capability belongs: behind those that sort before it, and behind itself, since of two
/// entries of a map the last one counts.
fn place(said: &[u8], cap: &[u8]) -> usize {
    let mut at = 0;
    let (mut behind, mut before) = (None, None);
    for field in fields(said) {
        let entry = field.content.filter(|_| field.number == METADATA_CAPS);
        if entry.is_some() {
            before = before.or(Some(at));
        }
        at += field.whole.len();
        if entry.is_some_and(|entry| key(entry) <= cap) {
            behind = Some(at);
        }
    }
    let first = || fields::place(said, METADATA_CAPS);
    behind.or(before).unwrap_or_else(first)
}

fn relocated<'a>(source: &[u8], entries: impl Iterator<Item = &'a Entry<'a>>) -> Vec<u8> {
    let mut locations = BTreeMap::new();
    let mut rest = Vec::new();
    for field in fields(source) {
        match (field.number, field.content) {
            (SOURCE_LOCATIONS, Some(entry)) => drop(locations.insert(key(entry), entry)),
            _ => rest.extend_from_slice(field.whole),
        }
    }
    let mut changed = Vec::with_capacity(source.len());
    for entry in renamed(locations, entries).values() {
        fields::put(&mut changed, SOURCE_LOCATIONS, entry);
    }
    changed.extend_from_slice(&rest);
    changed
}
