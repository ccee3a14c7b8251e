//! The decision.

use std::collections::{BTreeMap, BTreeSet};

use larder_catalog::{
    CACHES, Cache, Class, KeyPart, Made, Owner, Reading, Removal, RunsAs, Scope, Use, clean,
    installed, named, read, within,
};

use crate::id::Id;
use crate::neutral::{self, Changes};
use crate::place::{PRIVATE, Placed, Site};
use crate::{CacheMount, Decision, Exec, Ids, Layout, LeftAlone, OwnCache, Policy, Vanishing};

const MODE: u32 = 0o755;

/// Decides which caches an operation gets.
///
/// Mounts and variables that the operation has already win. The author's own caches come first,
/// then the catalogue's by name. The same input gives the same decision.
pub fn decide(exec: &Exec, policy: &Policy) -> Decision {
    if !policy.auto && policy.named.is_empty() && policy.own.is_empty() {
        return Decision::default();
    }
    let reading = read(exec.args);
    let uses = reading.uses(exec.env);
    let mut names = Names::default();
    for name in &policy.named {
        let caches = named(name);
        if caches.is_empty() {
            names.unknown.push(name);
        }
        names.caches.extend(caches);
    }
    let keeps = policy.auto && !exec.earlier.is_empty() && reading.runs_unknown();
    let nothing = !keeps && (uses.is_empty() || !policy.auto);
    if nothing && policy.named.is_empty() && policy.own.is_empty() {
        return Decision {
            unread: reading.unread.clone(),
            ..Decision::default()
        };
    }
    let site = Site::new(exec, policy.layout);
    let removals = reading.removals(&site.cwd, site.home.as_deref(), exec.env);
    let results = if policy.own.is_empty() {
        Vec::new()
    } else {
        reading.results(&site.cwd, exec.env)
    };
    let mut deciding = Deciding {
        policy,
        reading: &reading,
        removals,
        results,
        site,
        env: BTreeMap::new(),
        neutral: Changes::new(),
        tmpfs: BTreeSet::new(),
        parents: BTreeSet::new(),
        decision: Decision {
            unread: reading.unread.clone(),
            ..Decision::default()
        },
    };
    for name in names.unknown {
        let reason = match installed(name) {
            Some(installed) => format!("{}; {}", installed.why_not, installed.instead),
            None => "the catalogue has no cache or group of this name".to_owned(),
        };
        deciding.leave(name, reason);
    }
    for own in &policy.own {
        deciding.own(own);
    }
    for cache in CACHES {
        let asked = names.caches.iter().any(|named| std::ptr::eq(*named, cache));
        let calls: Vec<&Use> = uses
            .iter()
            .filter(|call| std::ptr::eq(call.cache, cache))
            .collect();
        let foreign = policy.foreign.as_ref();
        let barred = foreign.is_some_and(|foreign| foreign.barred.contains_key(cache.name));
        let kept = (exec.earlier.get(cache.tool))
            .filter(|_| keeps && !barred && matches!(cache.class, Class::Store | Class::Compile));
        let why = Why { asked, calls, kept };
        if (asked || kept.is_some() || (policy.auto && !why.calls.is_empty()))
            && let Err(reason) = deciding.consider(cache, &why)
        {
            deciding.leave(cache.name, reason);
        }
    }
    deciding.finish()
}

#[derive(Default)]
struct Names<'a> {
    caches: Vec<&'static Cache>,
    unknown: Vec<&'a String>,
}

/// Why a cache may be wanted.
struct Why<'a> {
    /// It is named by the policy.
    asked: bool,
    /// Calls that use it.
    calls: Vec<&'a Use>,
    /// What an earlier operation left in it.
    kept: Option<&'a String>,
}

pub(crate) struct Deciding<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) reading: &'a Reading,
    pub(crate) removals: Vec<Removal>,
    results: Vec<Made>,
    pub(crate) site: Site<'a>,
    env: BTreeMap<&'static str, String>,
    /// What becomes of variables of the base image.
    neutral: Changes,
    tmpfs: BTreeSet<&'static str>,
    parents: BTreeSet<String>,
    pub(crate) decision: Decision,
}

impl Deciding<'_> {
    fn own(&mut self, own: &OwnCache) {
        let Some(target) = clean(&own.target).filter(|target| target != "/") else {
            let reason = format!("its target `{}` is no absolute path below /", own.target);
            return self.leave(&own.id, reason);
        };
        if let Err(reason) = self.free(&own.id, &target) {
            return self.leave(&own.id, reason);
        }
        self.emptied(&own.id, &target);
        let scope = self.policy.scope.unwrap_or(Scope::Project);
        let user = self.site.exec.user;
        let (uid, gid) = (own.uid.unwrap_or(user.uid), own.gid.unwrap_or(user.gid));
        let id = Id {
            own: true,
            ..self.id(scope, own.id.clone(), &[], (uid, gid))
        };
        let made: Vec<Made> = (self.results.iter())
            .filter(|made| within(&made.directory, &target))
            .cloned()
            .collect();
        for made in made {
            self.vanishes(&own.id, &target, made);
        }
        let mount = CacheMount {
            cache: own.id.clone(),
            own: true,
            id: self.named(&id, &own.id),
            target,
            sharing: own.sharing,
            uid,
            gid,
            mode: match self.policy.ids {
                Ids::Larder => own.mode.unwrap_or(MODE),
                // All that a Dockerfile's mount keeps of a mode.
                Ids::Dockerfile => own.mode.unwrap_or(MODE) & 0o777,
            },
            reason: "asked for by caches".to_owned(),
        };
        let parents = self.parents(&mount.target, uid, None);
        self.parents.extend(parents);
        self.decision.mounts.push(mount);
    }

    fn consider(&mut self, cache: &'static Cache, why: &Why<'_>) -> Result<(), String> {
        let &Why {
            asked,
            ref calls,
            kept,
        } = why;
        self.barred(cache, asked)?;
        let asked = asked || kept.is_some();
        let user = self.site.exec.user;
        let (uid, gid) = match cache.owner {
            Owner::Step => (user.uid, user.gid),
            Owner::Root => (0, 0),
        };
        let suits = |call: &&&Use| match cache.owner {
            Owner::Step => call.runs_as == RunsAs::Step,
            Owner::Root => {
                call.runs_as == RunsAs::Root || (call.runs_as == RunsAs::Step && user.uid == 0)
            }
        };
        let witness = calls.iter().find(suits);
        if witness.is_none() && !(asked && (cache.owner == Owner::Step || user.uid == 0)) {
            return Err(match (cache.owner, calls.first()) {
                (Owner::Step, Some(call)) => {
                    format!(
                        "`{}` runs as another user, with variables of its own",
                        call.words
                    )
                }
                _ => format!("only root can use it, and the step runs as {}", self.user()),
            });
        }
        let told = self.told(cache)?;
        let exec = self.site.exec;
        let neutral = neutral::changes(cache, exec, &self.neutral);
        let variables = neutral::apply(exec.env, &neutral);
        let exec = Exec {
            env: &variables,
            ..*exec
        };
        self.avoided(cache, &exec)?;
        let Placed {
            target,
            env,
            tmpfs,
            below,
        } = self.place(cache, &exec, told)?;
        self.free(cache.name, &target)?;
        self.useless(cache, &target, &exec)?;
        let parents = self.parents(&target, uid, below.as_deref());
        if let (Some(parent), Some(_)) = (parents.first(), &self.policy.foreign) {
            return Err(format!(
                "`{parent}` above it might be missing, and would be root's"
            ));
        }

        for (variable, value) in env {
            if !self.reading.sets(variable, false) {
                self.env.insert(variable, value);
            }
        }
        self.tmpfs.extend(tmpfs);
        self.overlay(cache);
        self.neutral = neutral;
        let reason = match (witness, kept) {
            (Some(call), _) => format!("`{}`", call.words),
            (None, Some(kept)) if !why.asked => format!("kept from {kept}"),
            (None, _) => "asked for by caches".to_owned(),
        };
        if cache.class == Class::Store {
            let words = match witness {
                Some(call) => format!("`{}`", call.words),
                None => kept.map_or_else(|| "`caches`".to_owned(), Clone::clone),
            };
            self.decision.stores.entry(cache.tool).or_insert(words);
        }
        if let Some(call) = witness.filter(|_| cache.is_result) {
            let made = Made {
                words: call.words.clone(),
                directory: target.clone(),
            };
            self.vanishes(cache.name, &target, made);
        }
        let scope = self.policy.scope.unwrap_or(cache.scope);
        let id = self.id(scope, cache.name.to_owned(), cache.key, (uid, gid));
        let mode = if id.name.is_some() { 0o777 } else { MODE };
        // A Dockerfile has nothing at a private place.
        let is_private = self.site.layout == Layout::Private;
        let unmoved = is_private.then(|| self.site.unmoved(cache)).flatten();
        let mount = CacheMount {
            cache: cache.name.to_owned(),
            own: false,
            id: self.named(&id, unmoved.as_ref().unwrap_or(&target)),
            target,
            sharing: cache.sharing,
            uid: id.uid,
            gid: id.gid,
            mode,
            reason,
        };
        self.parents.extend(parents);
        self.decision.mounts.push(mount);
        Ok(())
    }

    /// Why a cache is not for this operation whatever its command is like, if so.
    fn barred(&self, cache: &'static Cache, asked: bool) -> Result<(), String> {
        let foreign = self.policy.foreign.as_ref();
        if let Some(off) = foreign.and_then(|foreign| foreign.off.as_ref()) {
            return Err(off.clone());
        }
        if asked {
            return Ok(());
        }
        let output = cache.class == Class::Output && self.site.exec.outputs.is_empty();
        let Some(foreign) = foreign else {
            let why = "it holds what the build makes, so only `outputs` or its name in `caches` mounts it";
            return if output { Err(why.to_owned()) } else { Ok(()) };
        };
        let barred = foreign.barred.get(cache.name).cloned();
        match barred.or(cache.trace.map(str::to_owned)) {
            Some(reason) => Err(reason),
            None if output => Err("it holds what the build makes".to_owned()),
            None => Ok(()),
        }
    }

    /// Who runs the operation, for people.
    fn user(&self) -> String {
        let foreign = self.policy.foreign.as_ref();
        match foreign.and_then(|foreign| foreign.account.as_ref()) {
            Some(named) => named.user.clone(),
            None => self.site.exec.user.uid.to_string(),
        }
    }

    fn overlay(&mut self, cache: &'static Cache) {
        for file in cache.files {
            if self.site.in_the_way(file.path).is_none() {
                let (path, contents) = (file.path.to_owned(), file.contents.to_owned());
                self.decision.files.insert(path, contents);
            }
        }
    }

    fn id(&self, scope: Scope, cache: String, key: &[KeyPart], (uid, gid): (u32, u32)) -> Id {
        let part = |part: KeyPart, value: &String| key.contains(&part).then(|| value.clone());
        let toolchain = key.iter().find_map(|part| match part {
            KeyPart::Toolchain(toolchain) => toolchain.version(self.site.exec.env),
            KeyPart::Distribution | KeyPart::Platform => None,
        });
        // Where no numbers are known, those of the user are not the owner's.
        let foreign = self.policy.foreign.as_ref();
        let name = foreign.and_then(|foreign| foreign.account.clone());
        let name = name.filter(|_| uid != 0);
        let (uid, gid) = if name.is_some() { (0, 0) } else { (uid, gid) };
        let namespace = self.policy.namespace.clone();
        Id {
            namespace: namespace.filter(|name| !name.is_empty()),
            project: (scope == Scope::Project).then(|| self.policy.project.clone()),
            cache,
            own: false,
            distribution: part(KeyPart::Distribution, &self.policy.distribution),
            platform: part(KeyPart::Platform, &self.policy.platform),
            toolchain,
            uid,
            gid,
            name,
        }
    }

    /// What BuildKit knows a cache by. A Dockerfile has a name for it that says less.
    fn named(&self, id: &Id, name: &str) -> String {
        match self.policy.ids {
            Ids::Larder => id.to_string(),
            Ids::Dockerfile => {
                let namespace = self.policy.namespace.as_deref().unwrap_or_default();
                format!("{namespace}/{name}")
            }
        }
    }

    /// Notes that a mount takes something out of the image, unless it is copied out of it.
    fn vanishes(&mut self, cache: &str, target: &str, made: Made) {
        let exec = self.site.exec;
        let copied = exec.outputs.iter().any(|output| within(output, target));
        if !copied && !self.reading.takes_from(target, &self.site.cwd, exec.env) {
            self.decision.vanishing.push(Vanishing {
                cache: cache.to_owned(),
                words: made.words,
                directory: made.directory,
            });
        }
    }

    /// What may be missing above a mount, and is the user's; the lowest first. In a spec's operation that
    /// begins at the user's home or at `below`. In somebody else's, nothing but these two is there for
    /// certain.
    fn parents(&self, target: &str, uid: u32, below: Option<&str>) -> Vec<String> {
        let mut parents = Vec::new();
        if uid == 0 || within(target, PRIVATE) {
            return parents;
        }
        let home = below.or(self.site.home.as_deref());
        let mut above = target;
        while let Some((parent, _)) = above.rsplit_once('/') {
            let inside = home.is_some_and(|home| within(parent, home));
            if parent.is_empty()
                || home == Some(parent)
                || (!inside && self.policy.foreign.is_none())
            {
                break;
            }
            parents.push(parent.to_owned());
            above = parent;
        }
        parents
    }

    fn leave(&mut self, cache: &str, reason: String) {
        self.decision.left_alone.push(LeftAlone {
            cache: cache.to_owned(),
            reason,
        });
    }

    fn finish(self) -> Decision {
        let mut decision = self.decision;
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        let mut env: BTreeMap<String, String> = self.env.into_iter().map(named).collect();
        let mut without: BTreeSet<String> = self.neutral.keys().cloned().collect();
        for (name, value) in self.neutral {
            if let Some(value) = value {
                env.entry(name).or_insert(value);
            }
        }
        let there = self.site.exec.env.iter().map(|(name, _)| name);
        without.extend(there.filter(|name| env.contains_key(*name)).cloned());
        decision.without = without.into_iter().collect();
        decision.mounts.sort_by(|a, b| a.target.cmp(&b.target));
        decision.left_alone.sort_by(|a, b| a.cache.cmp(&b.cache));
        decision.env = env.into_iter().collect();
        decision.tmpfs = self.tmpfs.into_iter().map(str::to_owned).collect();
        decision.parents = self.parents.into_iter().collect();
        decision
    }
}
