//! Whose the caches of an author's own are.

use std::collections::{BTreeMap, BTreeSet};

use larder_catalog::within;
use larder_diagnostic::{Diagnostic, quote};
use larder_inject::CacheMount;
use larder_spec::model::CacheIds;

use super::secrets::of_path;
use super::{Found, Run};

/// Directories above a mount that BuildKit would make root's in somebody's home.
pub(super) fn parents(run: &Run<'_>, found: &mut Vec<Found>) {
    for (mount, declared) in run.own() {
        let Some(home) = of_path(&mount.target) else {
            continue;
        };
        let Some((parent, _)) = mount.target.rsplit_once('/') else {
            continue;
        };
        let made = &run.planned.decision.parents;
        if parent == home || !within(parent, home) || made.iter().any(|made| made == parent) {
            continue;
        }
        let message = format!(
            "BuildKit makes {} root's for the cache {}, if the image does not have it",
            quote(parent),
            quote(&mount.cache)
        );
        let span = declared.map_or(run.span, |own| own.target.span);
        let hint = format!(
            "mount it at `/cache/{}`, or run the step as the user of {}",
            mount.cache,
            quote(home)
        );
        let diagnostic = Diagnostic::warning(span, message).lint("root-owned-parents");
        found.push(run.found(diagnostic.hint(hint)));
    }
}

/// Caches of one id that BuildKit keeps more than once.
pub(super) fn owners<'r, 'a: 'r>(runs: impl Iterator<Item = &'r Run<'a>>, found: &mut Vec<Found>) {
    let mut first: BTreeMap<&str, (&Run<'_>, &CacheMount)> = BTreeMap::new();
    let mut told: BTreeSet<(&str, String)> = BTreeSet::new();
    for run in runs {
        for mount in &run.planned.decision.mounts {
            let Some(name) = common(run, mount) else {
                continue;
            };
            let &mut (other, known) = first.entry(name).or_insert((run, mount));
            let Some((here, there)) = differ(mount, known) else {
                continue;
            };
            let message = format!(
                "the cache {} is {here} here and {there} elsewhere, so BuildKit keeps two",
                quote(name)
            );
            if !told.insert((name, here)) {
                continue;
            }
            let mut diagnostic = Diagnostic::warning(run.span, message)
                .lint("cache-of-two-owners")
                .label(other.span, there);
            let hint = match run.declared(&mount.cache) {
                Some(own) => {
                    diagnostic = diagnostic.label(own.id.span, "declared here");
                    "write `uid`, `gid`, `mode` and `sharing` on it, or give each its own `id`"
                }
                None => "run both steps as one user",
            };
            found.push(run.found(diagnostic.hint(hint)));
        }
    }
}

/// What a cache is called, if that does not say whose it is.
fn common<'r>(run: &Run<'_>, mount: &'r CacheMount) -> Option<&'r str> {
    match run.spec.cache_ids {
        CacheIds::Larder => mount.own.then_some(&mount.cache),
        CacheIds::Dockerfile => Some(&mount.id),
    }
}

/// In what two mounts of one cache differ.
fn differ(a: &CacheMount, b: &CacheMount) -> Option<(String, String)> {
    let owner = |mount: &CacheMount| format!("{}:{}'s", mount.uid, mount.gid);
    let mode = |mount: &CacheMount| format!("of mode {:04o}", mount.mode);
    let sharing = |mount: &CacheMount| format!("`{}`", mount.sharing.as_str());
    let by: [&dyn Fn(&CacheMount) -> String; 3] = [&owner, &mode, &sharing];
    by.iter()
        .map(|show| (show(a), show(b)))
        .find(|(here, there)| here != there)
}
