//! Specs that take what others make.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_plan::{CACHE_CONTEXT, context_name, contexts_used};
use larder_spec::model::{CacheChoice, CacheEntry, MountKind, RunOptions, Spec, StepKind};
use larder_spec::template::Template;

use super::Given;
use super::spec::BakedSpec;

/// Which spec takes from which.
pub(super) struct Links {
    /// By spec: the others, each with the name that it is known by.
    to: Vec<BTreeMap<usize, String>>,
    /// By spec: the contexts of the command line that it uses.
    given: Vec<BTreeSet<String>>,
}

impl Links {
    /// Finds them, those in circles, and those for platforms that nothing is built for.
    pub(super) fn find(specs: &mut [BakedSpec], given: &Given) -> Links {
        let mut names = BTreeMap::new();
        for (at, spec) in specs.iter().enumerate() {
            if spec.spec.is_some() && !spec.target.is_empty() {
                names.entry(context_name(&spec.name)).or_insert(at);
            }
        }
        let mut links = Links {
            to: Vec::with_capacity(specs.len()),
            given: Vec::with_capacity(specs.len()),
        };
        for at in 0..specs.len() {
            links.of(at, specs, &names, given);
        }
        links.circles(specs);
        links
    }

    fn of(
        &mut self,
        at: usize,
        specs: &mut [BakedSpec],
        names: &BTreeMap<String, usize>,
        given: &Given,
    ) {
        let (mut to, mut own) = (BTreeMap::new(), BTreeSet::new());
        if let Some(spec) = &specs[at].spec {
            let stage = |name: &str| spec.stages.iter().any(|stage| stage.name.value == name);
            let free = |name: &&String| !given.contexts.contains_key(*name) && !stage(name);
            let others = names.iter().filter(|(_, other)| **other != at);
            let others = others.map(|(name, _)| name).filter(free);
            let keys: Vec<&String> = others.chain(given.contexts.keys()).collect();
            let mut wrong = Vec::new();
            for platform in given.platforms() {
                let request = specs[at].request(given, platform);
                for (key, wanted) in contexts_used(spec, &request, keys.iter().copied()) {
                    if given.contexts.contains_key(&key) {
                        own.insert(key);
                    } else if let Some(&other) = names.get(&key) {
                        if !given.platforms().contains(&wanted) {
                            wrong.push(not_built_for(spec, &key, &wanted, given));
                        }
                        to.insert(other, key);
                    }
                }
            }
            specs[at].diagnostics.extend(wrong);
        }
        self.to.push(to);
        self.given.push(own);
    }

    /// Reports every circle once, in the file of the spec that comes first in it.
    fn circles(&self, specs: &mut [BakedSpec]) {
        let mut left: BTreeSet<usize> = (0..specs.len()).collect();
        loop {
            // What takes from nothing that is left is in no circle.
            let in_circle = |at: &usize| self.to[*at].keys().any(|other| left.contains(other));
            let next: BTreeSet<usize> = left.iter().copied().filter(in_circle).collect();
            if next.len() < left.len() {
                left = next;
                continue;
            }
            let Some(&start) = left.first() else { return };
            let mut path = vec![start];
            let mut at = start;
            while let Some(&other) = self.to[at].keys().find(|other| left.contains(other)) {
                if let Some(first) = path.iter().position(|&seen| seen == other) {
                    path.drain(..first);
                    break;
                }
                path.push(other);
                at = other;
            }
            let first = (0..path.len()).min_by_key(|&place| path[place]);
            path.rotate_left(first.unwrap_or_default());
            self.report(&path, specs);
            for at in path {
                left.remove(&at);
            }
        }
    }

    fn report(&self, path: &[usize], specs: &mut [BakedSpec]) {
        const MOST_SHOWN: usize = 8;
        let mut shown: Vec<String> = (path.iter().take(MOST_SHOWN))
            .map(|&at| format!("{} ({})", specs[at].name, specs[at].input.shown.name))
            .collect();
        if path.len() > MOST_SHOWN {
            shown.push("…".to_owned());
        }
        let first = path[0];
        shown.push(specs[first].name.clone());
        let second = path.get(1).unwrap_or(&first);
        let place = self.to[first].get(second).zip(specs[first].spec.as_ref());
        let place = place.and_then(|(key, spec)| mention(spec, key));
        let message = format!("the specs need each other: {}", shown.join(" → "));
        specs[first].diagnostics.push(
            Diagnostic::error(place, message).hint(
                "move what both need into a spec of its own; if an image of that name is meant, give it with \
                 `--build-context NAME=docker-image://IMAGE`",
            ),
        );
    }

    /// The contexts of a target: other targets, and those of the command line.
    pub(super) fn contexts(
        &self,
        at: usize,
        specs: &[BakedSpec],
        given: &Given,
    ) -> BTreeMap<String, String> {
        let links = self.to[at].iter();
        let links = links.map(|(&to, name)| (name.clone(), format!("target:{}", specs[to].target)));
        let own = self.given[at].iter();
        let own = own.filter_map(|name| Some((name.clone(), given.contexts.get(name)?.clone())));
        links.chain(own).collect()
    }

    /// Whether any spec uses a context of the command line.
    pub(super) fn uses(&self, name: &str) -> bool {
        name == CACHE_CONTEXT || self.given.iter().any(|own| own.contains(name))
    }
}

fn not_built_for(spec: &Spec, name: &str, wanted: &Platform, given: &Given) -> Diagnostic {
    let built: Vec<String> = given.platforms().iter().map(ToString::to_string).collect();
    let message = format!(
        "{} is taken for {wanted}, and built for {}",
        quote(name),
        built.join(", ")
    );
    Diagnostic::error(mention(spec, name), message).hint(format!(
        "build for it too, with `--platform {},{wanted}`",
        built.join(",")
    ))
}

/// The first place that names a context outright.
fn mention(spec: &Spec, name: &str) -> Option<Span> {
    let named = |template: &&Template| {
        let text = template.literal();
        text.is_some_and(|text| context_name(&text) == name)
    };
    taken(spec)
        .into_iter()
        .find(named)
        .map(|template| template.span)
}

/// Every `from` of a spec.
fn taken(spec: &Spec) -> Vec<&Template> {
    let mut taken: Vec<&Template> = caches(spec.caches.as_ref()).collect();
    for stage in &spec.stages {
        taken.push(&stage.from);
        taken.extend(caches(stage.caches.as_ref()));
        for step in &stage.steps {
            let (options, own): (&RunOptions, _) = match &step.kind {
                StepKind::Copy(copy) => {
                    taken.extend(&copy.from);
                    continue;
                }
                StepKind::Run(run) => (&run.options, &run.caches),
                StepKind::Install(install) => (&install.options, &install.caches),
                StepKind::Add(_) | StepKind::File(_) => continue,
            };
            for mount in &options.mounts {
                if let MountKind::Bind(bind) = &mount.kind {
                    taken.extend(&bind.from);
                }
            }
            taken.extend(caches(own.as_ref()));
        }
    }
    taken
}

fn caches(choice: Option<&CacheChoice>) -> impl Iterator<Item = &Template> {
    let entries = choice.into_iter().flat_map(|choice| &choice.entries);
    entries.filter_map(|entry| match entry {
        CacheEntry::Own(cache) => cache.from.as_ref(),
        CacheEntry::Named(_) => None,
    })
}
