//! What all operations of a build come to.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Digest;
use buildkit_llb::edit::{Editor, OpId, Port};
use larder_catalog::{CACHES, Cache, Class, KeyPart, Owner, Place};

use super::account::{self, Accounts, Found};
use super::comments::{Choice, Comments};
use super::guard::{Candidate, Filled, Guard, Guarded};
use super::run::Run;
use super::tree::{Base, Tree};
use super::{Facts, ImageNeed, Mistake, Wish};
use crate::distribution::{self, distribution};
use crate::place::Site;
use crate::{Decision, Exec, Foreign, Layout, Policy, decide};

const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Everything that decisions are made from.
pub(super) struct Pass<'a> {
    editor: &'a Editor,
    runs: &'a [Run],
    wish: &'a Wish,
    facts: &'a Facts,
    tree: Tree,
    comments: Comments,
    project: String,
}

/// What [`Pass::decide`] comes to.
pub(super) struct Planned {
    /// One for each operation, in their order.
    pub(super) decisions: Vec<Decision>,
    /// Why an operation was not looked at, if so.
    pub(super) off: Vec<Option<String>>,
    /// What to find out first. If there is anything, the decisions are not final.
    pub(super) needs: BTreeMap<Digest, ImageNeed>,
    pub(super) mistakes: Vec<Mistake>,
}

/// What is known of one operation before its lineage is.
struct Known {
    found: Found,
    choice: Choice,
    base: Option<Base>,
    /// Why it gets nothing.
    off: Option<String>,
    /// Caches that it must not get for what its own command is like.
    barred: BTreeMap<&'static str, String>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        editor: &'a Editor,
        runs: &'a [Run],
        wish: &'a Wish,
        facts: &'a Facts,
    ) -> Pass<'a> {
        let ops: Vec<OpId> = runs.iter().map(|run| run.op).collect();
        let comments = Comments::read(editor, &ops);
        Pass {
            editor,
            runs,
            wish,
            facts,
            tree: Tree::of(editor),
            project: comments.project().unwrap_or(&wish.project).clone(),
            comments,
        }
    }

    pub(super) fn decide(self) -> Planned {
        let accounts = Accounts::of(self.editor, &self.tree, self.runs);
        let known: Vec<Known> = (self.runs.iter())
            .map(|run| self.known(run, &accounts))
            .collect();
        let guarded = self.guard(&known);
        let mut needs: BTreeMap<Digest, ImageNeed> = BTreeMap::new();
        for (op, directories) in &guarded.needs {
            self.need(&mut needs, *op)
                .directories
                .extend(directories.iter().cloned());
        }
        let mut decisions = Vec::with_capacity(self.runs.len());
        let mut off = Vec::with_capacity(self.runs.len());
        for (at, (run, known)) in self.runs.iter().zip(&known).enumerate() {
            let mut barred = guarded.barred[at].clone();
            barred.extend(known.barred.clone());
            let mut decision = self.decision(run, known, barred, &guarded.kept[at]);
            if !decision.mounts.is_empty() {
                self.ask(known, &decision, &mut needs);
            }
            self.assumed(known, &mut decision);
            decisions.push(decision);
            off.push((known.choice.is_off()).then(|| "a comment says so".to_owned()));
        }
        Planned {
            decisions,
            off,
            needs,
            mistakes: self.comments.mistakes,
        }
    }

    fn known(&self, run: &Run, accounts: &Accounts) -> Known {
        let root = self.tree.root(run.op);
        let node = root.map(|at| &self.tree.nodes[at]);
        let base = node.map(|node| node.base);
        let before = node.and_then(|node| node.from.first().copied()).zip(base);
        let found = accounts.find(&run.user, before, &self.project, self.editor, self.facts);
        let off = if self.editor.ignores_cache(run.op) {
            Some("it is built without cache, which would empty it".to_owned())
        } else if self.platform(run).starts_with("windows/") {
            Some("caches are for Linux".to_owned())
        } else if root.is_none() {
            Some("it has no root filesystem".to_owned())
        } else if run.read_only {
            Some("its root filesystem is read-only".to_owned())
        } else {
            run.roams()
        };
        let mut barred = BTreeMap::new();
        for cache in CACHES {
            if let Some(why) = bar(run, cache) {
                barred.insert(cache.name, why);
            }
        }
        Known {
            found,
            choice: self.comments.choice(self.editor, run.op),
            base,
            off,
            barred,
        }
    }

    /// What lineages say, given what each operation could have.
    fn guard(&self, known: &[Known]) -> Guarded {
        let uses: Vec<_> = (self.runs.iter())
            .map(|run| run.reading.uses(&run.env))
            .collect();
        let tools = uses
            .iter()
            .flatten()
            .map(|call| (call.cache.tool, String::new()));
        let earlier: BTreeMap<&'static str, String> = tools.collect();
        let candidates: Vec<Candidate> = (self.runs.iter().zip(known).zip(uses))
            .map(|((run, known), uses)| {
                let exec = Self::exec(run, known, &earlier);
                let site = Site::new(&exec, Layout::Private);
                let unmoved = uses.iter().filter_map(|call| {
                    let place = site.unmoved(call.cache)?;
                    Some((call.cache.name, place))
                });
                Candidate {
                    run,
                    decision: self.decision(run, known, known.barred.clone(), &earlier),
                    unmoved: unmoved.collect(),
                    home: site.home.clone(),
                    uses: uses
                        .iter()
                        .map(|call| (call.cache, call.words.clone()))
                        .collect(),
                }
            })
            .collect();
        let filled = |op: OpId, path: &str| {
            let Some(fact) = self.facts.get(&self.editor.digest(op)) else {
                return Filled::Missing;
            };
            match fact.filled.get(path) {
                Some(true) => Filled::Yes,
                Some(false) => Filled::No,
                None if fact.assumed => Filled::No,
                None => Filled::Missing,
            }
        };
        let guard = Guard {
            editor: self.editor,
            tree: &self.tree,
            candidates: &candidates,
            filled: &filled,
        };
        guard.decide()
    }

    fn exec<'e>(
        run: &'e Run,
        known: &'e Known,
        earlier: &'e BTreeMap<&'static str, String>,
    ) -> Exec<'e> {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        Exec {
            args: &run.args,
            env: &run.env,
            image_env: NONE,
            user: &known.found.user,
            cwd: &run.cwd,
            mounted: &run.mounted,
            earlier,
            outputs: &[],
        }
    }

    fn decision(
        &self,
        run: &Run,
        known: &Known,
        barred: BTreeMap<&'static str, String>,
        earlier: &BTreeMap<&'static str, String>,
    ) -> Decision {
        let policy = Policy {
            auto: known.choice.auto,
            named: known.choice.named.clone(),
            own: Vec::new(),
            layout: self.wish.layout,
            ids: self.wish.ids,
            scope: self.wish.scope,
            project: self.project.clone(),
            namespace: self.wish.namespace.clone(),
            platform: self.platform(run),
            distribution: self.distribution(known).unwrap_or_default(),
            foreign: Some(Foreign {
                barred,
                off: known.off.clone(),
                account: known.found.account.clone(),
            }),
        };
        decide(&Self::exec(run, known, earlier), &policy)
    }

    fn platform(&self, run: &Run) -> String {
        let platform = self.editor.platform(run.op);
        platform.as_ref().unwrap_or(&self.wish.platform).to_string()
    }

    /// None if the image's files would say.
    fn distribution(&self, known: &Known) -> Option<String> {
        match known.base {
            Some(Base::Image(op)) => {
                let fact = self.facts.get(&self.editor.digest(op))?;
                let files: Vec<_> = OS_RELEASE
                    .iter()
                    .filter_map(|path| fact.files.get(*path))
                    .collect();
                if files.is_empty() {
                    return fact.assumed.then(|| distribution::UNKNOWN.to_owned());
                }
                let text = files.into_iter().flatten().next();
                Some(distribution(text.map(String::as_str)))
            }
            // Nothing says what it is, so it shares with nothing else.
            Some(Base::Scratch(op) | Base::Unknown(op)) => {
                let hash = account::short(&self.editor.digest(op));
                Some(format!("{}-{hash:08x}", distribution::UNKNOWN))
            }
            None => Some(distribution::UNKNOWN.to_owned()),
        }
    }

    /// Asks for what a decision with mounts depends on.
    fn ask(&self, known: &Known, decision: &Decision, needs: &mut BTreeMap<Digest, ImageNeed>) {
        if let Some(op) = known.found.needs {
            self.need(needs, op).files.extend(account::files());
        }
        let mut caches = decision.mounts.iter();
        let by_distribution = caches.any(|mount| {
            let cache = larder_catalog::cache(&mount.cache);
            cache.is_some_and(|cache| cache.key.contains(&KeyPart::Distribution))
        });
        if let (Some(Base::Image(op)), None, true) =
            (known.base, self.distribution(known), by_distribution)
        {
            let files = OS_RELEASE.iter().map(|&path| path.to_owned());
            self.need(needs, op).files.extend(files);
        }
    }

    fn need<'n>(&self, needs: &'n mut BTreeMap<Digest, ImageNeed>, op: OpId) -> &'n mut ImageNeed {
        let need = needs.entry(self.editor.digest(op)).or_default();
        if need.definition.is_scratch() {
            need.definition = self.editor.part(Port { op, index: 0 });
        }
        need
    }

    /// Says what nobody could look at.
    fn assumed(&self, known: &Known, decision: &mut Decision) {
        let Some(Base::Image(op)) = known.base else {
            return;
        };
        let fact = self.facts.get(&self.editor.digest(op));
        let Some(fact) = fact.filter(|fact| fact.assumed) else {
            return;
        };
        for mount in &mut decision.mounts {
            let cache = larder_catalog::cache(&mount.cache);
            let is_store = cache.is_some_and(|cache| cache.class == Class::Store);
            if is_store && !fact.filled.contains_key(&mount.target) {
                mount.reason += ", if the base image has nothing there";
            }
        }
    }
}

/// Why an operation must not have a cache for what its command is like, if so.
fn bar(run: &Run, cache: &'static Cache) -> Option<String> {
    for file in cache.files {
        let directory = file.path.rsplit_once('/').map_or("/", |(above, _)| above);
        if run.text.contains(directory) {
            return Some(format!("the command works on `{directory}`"));
        }
    }
    // A mount point cannot be removed, nor what is above it.
    let moved = match &cache.place {
        Place::Movable(movable) => {
            let mut names = run.env.iter().map(|(name, _)| name);
            movable.moves() && !names.any(|name| movable.is_told_by(name))
        }
        Place::Fixed(_) | Place::Project(_) => false,
    };
    if let Some(word) = run.removes_unknown(moved) {
        return Some(format!("nobody knows what `{word}` removes"));
    }
    if let (Class::Download | Class::Compile, false, Some(script)) =
        (cache.class, moved, run.script())
    {
        return Some(format!("`{script}` may remove the directory"));
    }
    // Variables stay with a program that runs as somebody else, who cannot write to the mount.
    (cache.owner == Owner::Step && run.switches_user())
        .then(|| "some of the command runs as another user".to_owned())
}
