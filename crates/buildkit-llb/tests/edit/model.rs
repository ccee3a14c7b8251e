//! Definitions with whatever others may write, and what must become of them: made without the code
//! that is tested.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Digest;

use crate::added::{Change, Owners};
use crate::wire::{Random, Wire};

/// A build: operations, and definitions that share them.
pub(crate) struct Model {
    pub(crate) seed: u64,
    pub(crate) ops: Vec<Op>,
    pub(crate) asked: Vec<Asked>,
}

/// A definition.
pub(crate) struct Asked {
    /// None for an empty filesystem.
    pub(crate) head: Option<(usize, i64)>,
    /// What stands in it.
    pub(crate) order: Vec<usize>,
    /// Not as Go would write it: its fields stand in any order.
    pub(crate) scrambled: bool,
    /// Source files, by number.
    pub(crate) files: Vec<usize>,
}

pub(crate) struct Op {
    /// An operation, one of its outputs, and what nobody knows.
    pub(crate) inputs: Vec<(usize, i64, Vec<u8>)>,
    pub(crate) body: Body,
    /// What nobody knows, before all else; empty if Go wrote it.
    pub(crate) front: Vec<u8>,
    /// Platform and constraints.
    pub(crate) place: Vec<u8>,
    pub(crate) back: Vec<u8>,
}

pub(crate) enum Body {
    Exec(Exec),
    /// With its number.
    Other(u64, Vec<u8>),
    /// An operation that mounts may take as well, by number.
    Owner(usize),
    None,
}

#[derive(Default)]
pub(crate) struct Exec {
    pub(crate) meta: Option<Meta>,
    /// The number of the input and of the output, and all of the mount.
    pub(crate) mounts: Vec<(i64, i64, Vec<u8>)>,
    pub(crate) front: Vec<u8>,
    pub(crate) back: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Meta {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) front: Vec<u8>,
    pub(crate) back: Vec<u8>,
}

/// The operations of a model as bytes.
pub(crate) struct Compiled {
    pub(crate) digests: Vec<Digest>,
    pub(crate) bytes: Vec<Vec<u8>>,
}

/// The parts of a definition.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) def: Vec<Vec<u8>>,
    pub(crate) metadata: BTreeMap<String, Vec<u8>>,
    pub(crate) locations: BTreeMap<String, Vec<u8>>,
    /// The rest of the source map: files, and what nobody knows.
    pub(crate) infos: Vec<Vec<u8>>,
    pub(crate) unknown: Vec<Vec<u8>>,
}

pub(crate) type Changes = BTreeMap<usize, Change>;

impl Model {
    pub(crate) fn compile(&self, changes: &Changes, owners: &Owners) -> Compiled {
        let mut all = Compiled {
            digests: Vec::new(),
            bytes: Vec::new(),
        };
        for (number, op) in self.ops.iter().enumerate() {
            let bytes = match op.body {
                Body::Owner(owner) => owners.all[owner].bytes.clone(),
                _ => op.encode(&all.digests, changes.get(&number), owners),
            };
            all.digests.push(Digest::of(&bytes));
            all.bytes.push(bytes);
        }
        all
    }

    /// What a definition must be.
    pub(crate) fn parts(&self, at: usize, changes: &Changes, owners: &Owners) -> Parts {
        let asked = &self.asked[at];
        let compiled = self.compile(changes, owners);
        let mut parts = Parts::default();
        let Some((head, index)) = asked.head else {
            return parts;
        };
        let mut there = BTreeSet::new();
        for op in &asked.order {
            for owner in changes.get(op).iter().flat_map(|change| change.owners()) {
                for owner in Owners::chain(owner) {
                    let new = &owners.all[owner];
                    if there.insert(new.digest) {
                        parts.def.push(new.bytes.clone());
                        if asked
                            .order
                            .iter()
                            .any(|op| compiled.digests[*op] == new.digest)
                        {
                            continue;
                        }
                        let name = new.digest.to_string();
                        let entry = Wire::default().message(1, &name).message(2, &new.said);
                        parts.metadata.insert(name, entry.0);
                    }
                }
            }
            if there.insert(compiled.digests[*op]) {
                parts.def.push(compiled.bytes[*op].clone());
            }
        }
        for op in &asked.order {
            let name = compiled.digests[*op].to_string();
            if let Some(entry) = self.said(at, *op, &name, changes.get(op)) {
                parts.metadata.insert(name.clone(), entry);
            }
            if let Some(entry) = self.location(at, *op, &name) {
                parts.locations.insert(name, entry);
            }
        }
        let last = Wire::default().text(1, compiled.digests[head].to_string());
        let last = Wire::default().message(1, last.number(2, index)).0;
        let name = Digest::of(&last).to_string();
        if let Some(entry) = self.said(at, self.ops.len(), &name, None) {
            parts.metadata.insert(name, entry);
        }
        parts.def.push(last);
        let mut random = self.random(at, 0, 7);
        let files = asked.files.iter();
        parts
            .infos
            .extend(files.map(|file| Wire::default().message(2, info(*file)).0));
        parts.infos.push(random.noise());
        parts.unknown = vec![random.noise(), random.noise()];
        parts
    }

    /// The bytes that the definition has at first.
    pub(crate) fn bytes(&self, at: usize, owners: &Owners) -> Vec<u8> {
        let parts = self.parts(at, &Changes::new(), owners);
        if self.asked[at].scrambled {
            parts.scrambled(&mut self.random(at, 0, 8))
        } else {
            parts.canonical()
        }
    }

    fn random(&self, definition: usize, op: usize, what: u64) -> Random {
        let mixed = [definition as u64, op as u64, what].into_iter();
        let mixed = mixed.fold(self.seed, |mixed, part| Random::new(mixed ^ part).next());
        Random::new(mixed)
    }

    /// The name that an operation has in a definition, if it has one.
    pub(crate) fn name(&self, at: usize, op: usize) -> Option<String> {
        let mut random = self.random(at, op, 1);
        let named = !random.once_in(4) && self.is_described(at, op);
        named.then(|| format!("op {op} of {at}"))
    }

    pub(crate) fn ignores_cache(&self, at: usize, op: usize) -> bool {
        self.random(at, op, 2).once_in(4) && self.is_described(at, op)
    }

    fn is_described(&self, at: usize, op: usize) -> bool {
        !self.random(at, op, 3).once_in(8)
    }

    /// An entry of the metadata.
    fn said(&self, at: usize, op: usize, name: &str, change: Option<&Change>) -> Option<Vec<u8>> {
        let mut random = self.random(at, op, 4);
        let described = self.is_described(at, op);
        let mut caps = BTreeSet::new();
        if described {
            let some = [
                "exec.meta.base",
                "exec.mount.cache",
                "exec.mount.tmpfs",
                "z",
            ];
            caps.extend(some.into_iter().filter(|_| random.once_in(2)));
        }
        let shift = self.asked[at].scrambled && described && !caps.is_empty();
        caps.extend(change.iter().flat_map(|change| change.caps()));
        if !described && caps.is_empty() {
            return None;
        }
        let mut said = Wire::default();
        if shift {
            said = said.then(&random.noise());
        }
        said = said.number(1, self.ignores_cache(at, op).into());
        if let Some(name) = self.name(at, op) {
            said = said.message(2, Wire::default().text(1, "llb.customname").text(2, name));
        }
        for cap in caps {
            said = said.message(5, Wire::default().text(1, cap).number(2, 1));
        }
        if described && random.once_in(4) {
            said = said.message(6, Wire::default().text(1, "group"));
        }
        let back = random.noise();
        if !described {
            return Some(Wire::default().message(1, name).message(2, said).0);
        }
        Some(entry(name, &said.then(&back), &mut random, shift))
    }

    /// Lines of a file, if the operation comes from any.
    pub(crate) fn lines(&self, at: usize, op: usize) -> Option<(usize, i64)> {
        let mut random = self.random(at, op, 5);
        let files = self.asked[at].files.len();
        let file = random.below(files);
        (files > 0 && random.once_in(2)).then(|| (file, random.number(100) + 1))
    }

    fn location(&self, at: usize, op: usize, name: &str) -> Option<Vec<u8>> {
        let (file, line) = self.lines(at, op)?;
        let mut random = self.random(at, op, 6);
        let position = |line| Wire::default().number(1, line);
        let range = Wire::default().message(1, position(line));
        let range = range.message(2, position(line + 1)).then(&random.noise());
        let location = Wire::default().number(1, i64::try_from(file).unwrap());
        let location = location.message(2, range).then(&random.noise());
        let locations = Wire::default().message(1, location).then(&random.noise());
        let scrambled = self.asked[at].scrambled;
        Some(entry(name, &locations, &mut random, scrambled))
    }
}

/// A source file with a definition of its own.
fn info(number: usize) -> Wire {
    let theirs = Wire::default().message(1, [0x0a, 0]);
    Wire::default()
        .text(1, format!("Dockerfile.{number}"))
        .text(2, format!("FROM {number}"))
        .message(3, theirs)
        .text(4, "Dockerfile")
        .then(&Random::new(number as u64).noise())
}

/// An entry of a map.
fn entry(key: &str, value: &Wire, random: &mut Random, scrambled: bool) -> Vec<u8> {
    if scrambled {
        let first = Wire::default().then(&random.noise()).message(2, value);
        return first.message(1, key).then(&random.noise()).0;
    }
    let entry = Wire::default().message(1, key).message(2, value);
    entry.then(&random.noise()).0
}

impl Op {
    fn encode(&self, digests: &[Digest], change: Option<&Change>, owners: &Owners) -> Vec<u8> {
        let inputs = self.inputs.iter();
        let mut taken: Vec<(Digest, i64)> = inputs
            .map(|(op, index, _)| (digests[*op], *index))
            .collect();
        let known = taken.len();
        let body = match &self.body {
            Body::Exec(exec) => Some((2, exec.encode(&mut taken, change, owners))),
            Body::Other(number, body) => Some((*number, body.clone())),
            Body::Owner(_) | Body::None => None,
        };
        let mut op = Wire::default().then(&self.front);
        for (at, (digest, index)) in taken.iter().enumerate() {
            let input = Wire::default()
                .text(1, digest.to_string())
                .number(2, *index);
            let noise = self.inputs.get(at).filter(|_| at < known);
            op = op.message(1, input.then(noise.map_or(&[], |(_, _, noise)| noise)));
        }
        op = op.then(&self.place);
        if let Some((number, body)) = body {
            op = op.message(number, body);
        }
        op.then(&self.back).0
    }
}

impl Exec {
    fn encode(
        &self,
        inputs: &mut Vec<(Digest, i64)>,
        change: Option<&Change>,
        owners: &Owners,
    ) -> Vec<u8> {
        let env = change.map_or(&[][..], |change| &change.env);
        let mut exec = Wire::default().then(&self.front);
        if self.meta.is_some() || !env.is_empty() {
            let empty = Meta::default();
            let meta = self.meta.as_ref().unwrap_or(&empty);
            let more = env.iter().map(|(name, value)| format!("{name}={value}"));
            let meta = Wire::default()
                .then(&meta.front)
                .messages(1, &meta.args)
                .messages(2, &meta.env)
                .messages(2, &more.collect::<Vec<_>>())
                .then(&meta.back);
            exec = exec.message(1, meta);
        }
        for (_, _, mount) in &self.mounts {
            exec = exec.message(2, mount);
        }
        let mut output = self.mounts.iter().map(|mount| mount.1).max().unwrap_or(-1) + 1;
        for mount in change.iter().flat_map(|change| &change.mounts) {
            exec = exec.message(2, mount.encode(inputs, &mut output, owners));
        }
        exec.then(&self.back).0
    }
}

impl Parts {
    /// As Go writes it.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let mut all = Wire::default().messages(1, &self.def);
        for entry in self.metadata.values() {
            all = all.message(2, entry);
        }
        let mut source = Wire::default();
        for entry in self.locations.values() {
            source = source.message(1, entry);
        }
        let source = source.then(&self.infos.concat());
        if !source.0.is_empty() {
            all = all.message(3, source);
        }
        all.then(&self.unknown.concat()).0
    }

    /// As nobody writes it: it means the same.
    fn scrambled(&self, random: &mut Random) -> Vec<u8> {
        let field = |number: u64, content: &Vec<u8>| Wire::default().message(number, content).0;
        let def = self.def.iter().map(|op| field(1, op)).collect();
        let mut entries: Vec<_> = self
            .metadata
            .values()
            .map(|entry| field(2, entry))
            .collect();
        random.shuffle(&mut entries);
        if let Some((name, _)) = self.metadata.first_key_value() {
            // Of two entries the last one counts.
            let stale = Wire::default().message(1, name).message(2, [8, 1]);
            entries.insert(0, field(2, &stale.0));
        }
        let mut places: Vec<_> = self
            .locations
            .values()
            .map(|entry| field(1, entry))
            .collect();
        random.shuffle(&mut places);
        let source = interleaved(vec![places, self.infos.clone()], random);
        let (first, second) = source.split_at(random.below(source.len() + 1));
        let source = [first, second].map(|part| field(3, &part.concat()));
        let source = if self.locations.is_empty() && self.infos.concat().is_empty() {
            Vec::new()
        } else {
            source.into()
        };
        let all = vec![def, entries, source, self.unknown.clone()];
        interleaved(all, random).concat()
    }
}

/// One list of several, each in its order.
fn interleaved(lists: Vec<Vec<Vec<u8>>>, random: &mut Random) -> Vec<Vec<u8>> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    while !lists.is_empty() {
        let at = random.below(lists.len());
        match lists[at].next() {
            Some(item) => all.push(item),
            None => drop(lists.remove(at)),
        }
    }
    all
}
