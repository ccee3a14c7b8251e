//! What the three levels of `caches` come to, as a policy for one step.

use std::collections::BTreeSet;

use buildkit_llb::Platform;
use larder_catalog::within;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_inject::{OwnCache, Policy};
use larder_spec::model::{self, CacheChoice, CacheEntry};

use crate::model::{Action, PlannedStage};
use crate::planner::{Planner, Scope};
use crate::request::platform_name;
use crate::suggest;

/// The policy of a spec that says nothing, for what runs on this platform and distribution.
pub(crate) fn default_policy(
    planner: &Planner<'_>,
    platform: &Platform,
    distribution: &str,
) -> Policy {
    let name = planner.spec.name.as_ref();
    Policy {
        auto: true,
        named: Vec::new(),
        own: Vec::new(),
        layout: match planner.spec.layout {
            model::Layout::Cache => larder_inject::Layout::Cache,
            model::Layout::Home => larder_inject::Layout::Home,
            model::Layout::Default => larder_inject::Layout::Default,
        },
        ids: match planner.spec.cache_ids {
            model::CacheIds::Larder => larder_inject::Ids::Larder,
            model::CacheIds::Dockerfile => larder_inject::Ids::Dockerfile,
        },
        scope: planner.spec.scope.map(|scope| match scope {
            model::Scope::Shared => larder_inject::Scope::Shared,
            model::Scope::Project => larder_inject::Scope::Project,
        }),
        project: name.map_or_else(
            || planner.request.project.clone(),
            |name| name.value.clone(),
        ),
        namespace: planner.request.cache_namespace.clone(),
        platform: platform_name(platform),
        distribution: distribution.to_owned(),
        foreign: None,
    }
}

/// Applies one level to what the levels outside of it come to: `none` drops that, `auto` turns
/// choosing on, and names and own caches add to it. An own cache replaces one of the same id or target.
pub(crate) fn apply(
    planner: &mut Planner<'_>,
    policy: &mut Policy,
    choice: &CacheChoice,
    scope: Scope<'_>,
) {
    if !choice.auto {
        policy.auto = false;
        policy.named.clear();
        policy.own.clear();
    } else if choice.entries.is_empty() {
        policy.auto = true;
    }
    let mut here: Vec<(OwnCache, Span)> = Vec::new();
    for entry in &choice.entries {
        match entry {
            CacheEntry::Named(name) => {
                let caches = larder_catalog::named(&name.value);
                if caches.is_empty() {
                    planner.report(unknown(&name.value, name.span, planner.spec));
                }
                for cache in caches {
                    if !policy.named.iter().any(|known| known == cache.name) {
                        policy.named.push(cache.name.to_owned());
                    }
                }
            }
            CacheEntry::Own(own) => {
                if let Some(new) = own_cache(planner, own, scope) {
                    add(planner, policy, &mut here, new, own.target.span);
                }
            }
        }
    }
}

/// Adds an own cache to a policy and to those of its level. Two of a level want two places.
fn add(
    planner: &mut Planner<'_>,
    policy: &mut Policy,
    here: &mut Vec<(OwnCache, Span)>,
    new: OwnCache,
    span: Span,
) {
    let clashes = |(known, _): &&(OwnCache, Span)| known.id == new.id || overlap(known, &new);
    if let Some((known, place)) = here.iter().find(clashes) {
        let message = if known.id == new.id {
            format!("the cache {} is given twice", quote(&new.id))
        } else if known.target == new.target {
            format!("two caches at {}", quote(&new.target))
        } else {
            format!(
                "a cache at {} and one at {}",
                quote(&known.target),
                quote(&new.target)
            )
        };
        planner.report(
            Diagnostic::error(span, message)
                .label(*place, "the other one")
                .hint("keep one of them, or give each an `id` and a directory of its own"),
        );
        return;
    }
    let replaced = |known: &OwnCache| known.id == new.id || known.target == new.target;
    policy.own.retain(|known| !replaced(known));
    if let Some(known) = policy.own.iter().find(|known| overlap(known, &new)) {
        let message = format!(
            "{} overlaps {}, where the cache `{}` of an outer level is",
            quote(&new.target),
            quote(&known.target),
            known.id
        );
        planner.report(
            Diagnostic::error(span, message)
                .hint("give each a directory of its own, or add `none` to drop the outer ones"),
        );
        return;
    }
    policy.own.push(new.clone());
    here.push((new, span));
}

fn overlap(a: &OwnCache, b: &OwnCache) -> bool {
    within(&a.target, &b.target) || within(&b.target, &a.target)
}

/// What a policy takes up where it is applied, in bytes.
pub(crate) fn size(policy: &Policy) -> usize {
    let own = policy.own.iter().map(|own| own.id.len() + own.target.len());
    own.sum::<usize>() + 256 * policy.own.len()
}

/// Which directories of the client's context `larder-cache` caches start from. Asks what there is.
pub(crate) fn seeds(planner: &mut Planner<'_>, stages: &[PlannedStage]) -> BTreeSet<String> {
    if planner.request.cache_context.is_none() {
        return BTreeSet::new();
    }
    let runs = stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .filter_map(|step| match &step.action {
            Action::Run(run) => Some(run),
            _ => None,
        });
    let names = runs.flat_map(|run| {
        let names = run.decision.mounts.iter().map(|mount| &mount.cache);
        names.filter(|name| !run.seeds.contains_key(*name))
    });
    let mut names = names.peekable();
    if names.peek().is_none() {
        return BTreeSet::new();
    }
    let Some(directories) = &planner.facts.cache_directories else {
        planner.needs.cache_directories = true;
        return BTreeSet::new();
    };
    names
        .filter(|name| directories.contains(*name))
        .cloned()
        .collect()
}

fn unknown(name: &str, span: Span, spec: &model::Spec) -> Diagnostic {
    if let Some(installed) = larder_catalog::installed(name) {
        return Diagnostic::error(
            span,
            format!("{} is no cache: {}", quote(name), installed.why_not),
        )
        .hint(installed.instead);
    }
    let error = Diagnostic::error(span, format!("no cache is called {}", quote(name)));
    let own = own_ids(spec).find(|own| own.value == name);
    match own {
        Some(own) => error
            .hint("repeat the cache with its `target`, or declare it once at an outer level")
            .label(own.span, "a cache of your own by that name"),
        None => error.hint(suggest::hint(
            "caches",
            name,
            larder_catalog::names().iter().copied(),
        )),
    }
}

fn own_ids(spec: &model::Spec) -> impl Iterator<Item = &larder_diagnostic::Spanned<String>> {
    let stages = spec.stages.iter().filter_map(|stage| stage.caches.as_ref());
    spec.caches
        .iter()
        .chain(stages)
        .flat_map(|choice| &choice.entries)
        .filter_map(|entry| match entry {
            CacheEntry::Own(own) => Some(&own.id),
            CacheEntry::Named(_) => None,
        })
}

/// Whether a mount at a path would hide files that programs need.
fn is_of_the_system(path: &str) -> bool {
    const HOLD_MORE: [&str; 8] = [
        "/home",
        "/opt",
        "/root",
        "/usr",
        "/usr/local",
        "/usr/share",
        "/var",
        "/var/lib",
    ];
    const ALL_OF: [&str; 15] = [
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib32",
        "/lib64",
        "/proc",
        "/sbin",
        "/sys",
        "/usr/bin",
        "/usr/lib",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/sbin",
    ];
    HOLD_MORE.contains(&path) || ALL_OF.iter().any(|above| within(path, above))
}

fn own_cache(
    planner: &mut Planner<'_>,
    own: &model::OwnCache,
    scope: Scope<'_>,
) -> Option<OwnCache> {
    let target = planner.expand(&own.target, scope)?;
    let clean = crate::paths::join("/", &target);
    if !target.starts_with('/') || clean == "/" {
        planner.report(
            Diagnostic::error(
                own.target.span,
                format!("a cache cannot be mounted at {}", quote(&target)),
            )
            .hint("write an absolute path, such as `/cache/mine`"),
        );
        return None;
    }
    if is_of_the_system(&clean) {
        planner.report(
            Diagnostic::error(
                own.target.span,
                format!(
                    "a cache at {} would hide what the system has there",
                    quote(&clean)
                ),
            )
            .hint("mount it at a directory of its own, such as `/cache/mine`"),
        );
        return None;
    }
    Some(OwnCache {
        id: own.id.value.clone(),
        target: clean,
        sharing: match own.sharing {
            model::Sharing::Shared => larder_inject::Sharing::Shared,
            model::Sharing::Private => larder_inject::Sharing::Private,
            model::Sharing::Locked => larder_inject::Sharing::Locked,
        },
        uid: own.uid,
        gid: own.gid,
        mode: own.mode,
    })
}
