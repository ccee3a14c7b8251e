//! Which caches would be missed, or show, somewhere else in a lineage of filesystems.
//!
//! Operations of one lineage that use a cache are a group: all of them get it, or none.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use buildkit_llb::edit::{Editor, OpId, Seen, SeenAction, SeenChange};
use larder_catalog::{CACHES, Cache, Class};

use super::mention::Needles;
use super::run::Run;
use super::tree::{Base, By, Node, Reach, Tree};
use crate::Decision;

/// An operation with everything that it could get.
pub(super) struct Candidate<'a> {
    pub(super) run: &'a Run,
    /// If nothing were in the way.
    pub(super) decision: Decision,
    /// What its commands use, with the words that say so.
    pub(super) uses: Vec<(&'static Cache, String)>,
    /// Where caches are without a mount, by name.
    pub(super) unmoved: BTreeMap<&'static str, String>,
    pub(super) home: Option<String>,
}

/// What lineages come to, by operation in the order of the candidates.
pub(super) struct Guarded {
    /// Caches that an operation must not get, and why.
    pub(super) barred: Vec<BTreeMap<&'static str, String>>,
    /// Tools whose stores an operation gets even if its words do not say that it needs them.
    pub(super) kept: Vec<BTreeMap<&'static str, String>>,
    /// Directories of images to look into.
    pub(super) needs: BTreeMap<OpId, BTreeSet<String>>,
}

/// What is known of a directory of an image.
pub(super) enum Filled {
    Yes,
    No,
    /// Nobody has looked yet.
    Missing,
}

/// What all lineages have in common.
pub(super) struct Guard<'a> {
    pub(super) editor: &'a Editor,
    pub(super) tree: &'a Tree,
    pub(super) candidates: &'a [Candidate<'a>],
    pub(super) filled: &'a dyn Fn(OpId, &str) -> Filled,
}

const UNUSED: &str = "nothing in the stage needs it";

impl Guard<'_> {
    /// Decides for every cache that is used. Linear in the operations for each.
    pub(super) fn decide(&self) -> Guarded {
        let count = self.candidates.len();
        let mut guarded = Guarded {
            barred: vec![BTreeMap::new(); count],
            kept: vec![BTreeMap::new(); count],
            needs: BTreeMap::new(),
        };
        let at: BTreeMap<OpId, usize> = (self.candidates.iter().enumerate())
            .map(|(at, candidate)| (candidate.run.op, at))
            .collect();
        for cache in CACHES {
            let uses = |candidate: &Candidate| candidate.words(cache).is_some();
            let left = cache.class == Class::Output || cache.trace.is_some();
            if left {
                continue;
            }
            if self.candidates.iter().any(uses) {
                Pass::new(self, cache, &at).run(&mut guarded);
            } else if cache.class == Class::Store {
                for barred in &mut guarded.barred {
                    barred.insert(cache.name, UNUSED.to_owned());
                }
            }
        }
        guarded
    }
}

impl Candidate<'_> {
    fn words(&self, cache: &'static Cache) -> Option<&String> {
        let mut uses = self.uses.iter();
        let found = uses.find(|(used, _)| std::ptr::eq(*used, cache));
        found.map(|(_, words)| words)
    }
}

/// One cache.
struct Pass<'a> {
    guard: &'a Guard<'a>,
    cache: &'static Cache,
    /// Its contents are read later, and its path gets into what is built.
    strict: bool,
    at: &'a BTreeMap<OpId, usize>,
    /// Where it is without a mount.
    places: BTreeSet<String>,
    homes: BTreeSet<String>,
    needles: Needles,
    groups: Groups,
    /// The group of each operation that needs the cache.
    members: BTreeMap<usize, usize>,
    /// Images whose directory must be empty, by group.
    bases: Vec<(usize, OpId, String)>,
}

/// What a filesystem comes with.
#[derive(Clone, Default)]
struct State {
    group: Option<usize>,
    wrong: Option<Rc<str>>,
}

impl<'a> Pass<'a> {
    fn new(guard: &'a Guard<'a>, cache: &'static Cache, at: &'a BTreeMap<OpId, usize>) -> Self {
        let users = || {
            let candidates = guard.candidates.iter();
            candidates.filter(|candidate| candidate.words(cache).is_some())
        };
        let places: BTreeSet<String> = users()
            .filter_map(|candidate| candidate.unmoved.get(cache.name).cloned())
            .collect();
        Pass {
            guard,
            cache,
            strict: cache.class == Class::Store,
            at,
            homes: users()
                .filter_map(|candidate| candidate.home.clone())
                .collect(),
            needles: Needles::of(cache, places.iter()),
            places,
            groups: Groups::default(),
            members: BTreeMap::new(),
            bases: Vec::new(),
        }
    }

    fn run(mut self, guarded: &mut Guarded) {
        let nodes = &self.guard.tree.nodes;
        // An operation may have many outputs.
        let mut written: Option<(OpId, bool)> = None;
        let mut states: Vec<State> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let mut state = State::default();
            for from in &node.from {
                let before = &states[*from];
                state.group = self.groups.both(state.group, before.group);
                state.wrong = state.wrong.or_else(|| before.wrong.clone());
            }
            match node.by {
                By::Run(op) => {
                    if let Some(at) = self.at.get(&op) {
                        self.operation(*at, node, &mut state);
                    }
                }
                By::Files(op) => {
                    let known = written.filter(|(last, _)| *last == op);
                    let (_, writes) = known.unwrap_or_else(|| (op, self.writes(op)));
                    written = Some((op, writes));
                    if writes {
                        let wrong = "files are put where it is";
                        state.wrong.get_or_insert_with(|| wrong.into());
                    }
                }
                By::Layers | By::Other => {}
            }
            if let Some(group) = state.group {
                if let Some(wrong) = &state.wrong {
                    self.groups.spoil(group, wrong);
                }
                if self.read(node) {
                    self.groups
                        .spoil(group, "something else reads from where it is");
                }
            }
            states.push(state);
        }
        self.images(guarded);
        self.tell(guarded);
    }

    /// An operation, and what it means for those before and after it.
    fn operation(&mut self, at: usize, node: &Node, state: &mut State) {
        let candidate = &self.guard.candidates[at];
        let run = candidate.run;
        let words = candidate.words(self.cache);
        let unknown = run.unknown && words.is_none();
        if let Some(wrong) = self.says(candidate, words.is_some() || unknown) {
            state.wrong.get_or_insert_with(|| wrong.into());
        }
        let reads_back = !self.cache.offline.is_empty() || !self.cache.renewed_by.is_empty();
        if words.is_none() && !self.strict {
            if let Some(group) = state.group.filter(|_| unknown && reads_back) {
                let blind = run.offline || !self.cache.renewed_by.is_empty();
                if blind {
                    let name = self.guard.editor.name(run.op);
                    self.groups
                        .spoil(group, &format!("`{name}` may need what is in it"));
                }
            }
            return;
        }
        if words.is_none() && !unknown {
            return;
        }
        let group = self.groups.add();
        let group = self.groups.both(state.group, Some(group)).unwrap_or(group);
        state.group = Some(group);
        self.members.insert(at, group);
        if let Some(words) = words {
            self.groups.used(group, words);
            if !run.reading.renews(self.cache) {
                let wrong = format!("`{words}` uses what another command has put there");
                self.groups.spoil(group, &wrong);
            }
        }
        if run.offline && self.cache.class != Class::Compile && (self.strict || reads_back) {
            self.groups
                .spoil(group, "an operation of the stage has no network");
        }
        if self.strict {
            self.store(group, candidate, node);
        }
    }

    /// What a store needs on top.
    fn store(&mut self, group: usize, candidate: &Candidate, node: &Node) {
        if let Some(result) = node.result {
            let wrong = format!("{result}, and what is in it belongs there");
            return self.groups.spoil(group, &wrong);
        }
        let decision = &candidate.decision;
        let mount = decision
            .mounts
            .iter()
            .find(|mount| mount.cache == self.cache.name);
        let Some(mount) = mount.filter(|_| decision.unread.is_none()) else {
            let mut left = decision.left_alone.iter();
            let reason = left.find(|left| left.cache == self.cache.name);
            let reason = reason.map_or("it may be needed there", |left| left.reason.as_str());
            let name = self.guard.editor.name(candidate.run.op);
            let wrong = format!("`{name}` cannot have it: {reason}");
            return self.groups.spoil(group, &wrong);
        };
        self.groups.same(group, &mount.id, &mount.target);
        match node.base {
            Base::Image(op) => self.bases.push((group, op, mount.target.clone())),
            Base::Scratch(_) => {}
            Base::Unknown(_) => {
                let wrong = "what the stage starts from is no image, and may have something there";
                self.groups.spoil(group, wrong);
            }
        }
    }

    /// What an operation says that keeps everybody of its lineage from having the cache.
    fn says(&self, candidate: &Candidate, needs: bool) -> Option<String> {
        let run = candidate.run;
        if needs && let Some(words) = run.reading.offline(self.cache, &run.env) {
            return Some(format!("`{words}` makes do with what is in it"));
        }
        let found = self.needles.found(run, self.strict)?;
        Some(format!("a command of the stage speaks of `{found}`"))
    }

    fn near(&self, reach: &Reach) -> bool {
        self.places.iter().any(|place| {
            if self.strict {
                reach.touches(place)
            } else {
                let homes = self.homes.iter().map(String::as_str);
                homes
                    .map(Some)
                    .chain([None])
                    .all(|home| reach.misses(place, home))
            }
        })
    }

    fn read(&self, node: &Node) -> bool {
        node.reads.iter().any(|reach| self.near(reach))
    }

    /// Whether files may be put into the cache's place, or taken from it.
    fn writes(&self, op: OpId) -> bool {
        let Seen::File(actions) = self.guard.editor.see(op) else {
            return true;
        };
        actions.iter().any(|action| self.changes(action))
    }

    fn changes(&self, action: &SeenAction) -> bool {
        match &action.change {
            SeenChange::Copy { dest, .. } => self.near(&Reach::of(dest)),
            SeenChange::Mkfile { path, .. } | SeenChange::Mkdir { path } => {
                let reach = Reach::of(path);
                self.places.iter().any(|place| reach.below(place))
            }
            SeenChange::Rm { path } | SeenChange::Other { path: Some(path) } => {
                self.near(&Reach::of(path))
            }
            _ => true,
        }
    }

    /// A store must be empty where the stage starts.
    fn images(&mut self, guarded: &mut Guarded) {
        for (group, op, target) in std::mem::take(&mut self.bases) {
            if self.groups.wrong(group).is_some() || !self.groups.is_used(group) {
                continue;
            }
            match (self.guard.filled)(op, &target) {
                Filled::No => {}
                Filled::Yes => {
                    let wrong = format!("the base image has something in `{target}`");
                    self.groups.spoil(group, &wrong);
                }
                Filled::Missing => {
                    guarded.needs.entry(op).or_default().insert(target);
                }
            }
        }
    }

    fn tell(mut self, guarded: &mut Guarded) {
        let name = self.cache.name;
        for at in 0..self.guard.candidates.len() {
            let group = self.members.get(&at).copied();
            let wrong = match group {
                Some(group) => self.groups.wrong(group),
                None if self.strict => Some(UNUSED.into()),
                None => None,
            };
            if let Some(wrong) = wrong {
                guarded.barred[at].insert(name, wrong.to_string());
            } else if let Some(words) = group
                .filter(|_| self.strict)
                .and_then(|group| self.groups.words(group))
            {
                let words = format!("`{words}` of the stage");
                guarded.kept[at].entry(self.cache.tool).or_insert(words);
            }
        }
    }
}

/// Operations that need a cache, joined to those of the same lineage.
#[derive(Default)]
struct Groups {
    above: Vec<usize>,
    groups: Vec<Group>,
}

#[derive(Clone, Default)]
struct Group {
    wrong: Option<Rc<str>>,
    /// The first words that use the cache.
    words: Option<String>,
    /// Id and target, which are those of all.
    mount: Option<(String, String)>,
}

impl Groups {
    fn add(&mut self) -> usize {
        self.above.push(self.above.len());
        self.groups.push(Group::default());
        self.above.len() - 1
    }

    fn top(&mut self, mut group: usize) -> usize {
        while self.above[group] != group {
            self.above[group] = self.above[self.above[group]];
            group = self.above[group];
        }
        group
    }

    fn both(&mut self, a: Option<usize>, b: Option<usize>) -> Option<usize> {
        let (Some(a), Some(b)) = (a, b) else {
            return a.or(b);
        };
        let (a, b) = (self.top(a), self.top(b));
        if a != b {
            let other = std::mem::take(&mut self.groups[b]);
            self.above[b] = a;
            let group = &mut self.groups[a];
            group.wrong = group.wrong.take().or(other.wrong);
            group.words = group.words.take().or(other.words);
            if let Some((id, target)) = other.mount {
                self.same(a, &id, &target);
            }
        }
        Some(a)
    }

    fn spoil(&mut self, group: usize, wrong: &str) {
        let top = self.top(group);
        self.groups[top].wrong.get_or_insert_with(|| wrong.into());
    }

    fn same(&mut self, group: usize, id: &str, target: &str) {
        let top = self.top(group);
        let group = &mut self.groups[top];
        let known = group
            .mount
            .get_or_insert_with(|| (id.to_owned(), target.to_owned()));
        if known.0 != id || known.1 != target {
            let wrong =
                "operations of the stage have it at different places, or for different users";
            group.wrong.get_or_insert_with(|| wrong.into());
        }
    }

    fn used(&mut self, group: usize, words: &str) {
        let top = self.top(group);
        self.groups[top]
            .words
            .get_or_insert_with(|| words.to_owned());
    }

    fn is_used(&mut self, group: usize) -> bool {
        let top = self.top(group);
        self.groups[top].words.is_some()
    }

    fn words(&mut self, group: usize) -> Option<String> {
        let top = self.top(group);
        self.groups[top].words.clone()
    }

    fn wrong(&mut self, group: usize) -> Option<Rc<str>> {
        let top = self.top(group);
        self.groups[top].wrong.clone()
    }
}
