//! What a cache of an author's own hides.

use std::collections::BTreeMap;

use larder_catalog::within;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_inject::CacheMount;

use super::{Found, Run, View};
use crate::model::{Action, Base, PlannedStep};

/// Directories in which every image has something.
const OF_THE_IMAGE: [&str; 19] = [
    "/bin",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/root",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/lib/dpkg",
];

pub(super) fn check<'a>(
    view: &View<'a>,
    run: &Run<'a>,
    fillers: &mut Fillers<'a>,
    found: &mut Vec<Found>,
) {
    for (mount, declared) in run.own() {
        let (target, cache) = (&mount.target, quote(&mount.cache));
        let at = quote(target);
        let span = declared.map_or(run.span, |own| own.target.span);
        let (message, other) = if OF_THE_IMAGE.contains(&target.as_str()) {
            (
                format!("the cache {cache} hides what the image has at {at}"),
                None,
            )
        } else if let Some(other) = filled(view, run, fillers, mount) {
            let message = format!("the cache {cache} hides what an earlier step put at {at}");
            (message, Some(other))
        } else if within(&run.planned.cwd, target) {
            let message = format!(
                "the cache {cache} takes in {}, in which the step works: what it writes there does \
                 not get into the image",
                quote(&run.planned.cwd)
            );
            (message, None)
        } else {
            continue;
        };
        let mut diagnostic = Diagnostic::warning(span, message)
            .lint("mount-hides-files")
            .hint(format!(
                "mount it elsewhere, such as at `/cache/{}`",
                mount.cache
            ));
        if let Some(other) = other {
            diagnostic = diagnostic.label(other, "put there here");
        }
        found.push(run.found(diagnostic));
    }
}

/// The first step of a stage that puts something at a path, by stage and path.
pub(super) type Fillers<'a> = BTreeMap<(usize, &'a str), Option<usize>>;

/// The first step before a run, also of the stages below, that put something where a mount is.
fn filled<'a>(
    view: &View<'a>,
    run: &Run<'a>,
    fillers: &mut Fillers<'a>,
    mount: &'a CacheMount,
) -> Option<Span> {
    let mut index = run.stage_index;
    let mut before = run.index;
    let mut found = None;
    loop {
        let stage = view.stages.get(index)?;
        let first = fillers.entry((index, &mount.target)).or_insert_with(|| {
            let mut steps = stage.steps.iter();
            steps.position(|step| fills(step, &mount.target))
        });
        if let Some(first) = first.filter(|first| *first < before) {
            found = stage.steps.get(first).map(|step| step.span);
        }
        let Base::Stage(below) = stage.base else {
            return found;
        };
        index = below;
        before = usize::MAX;
    }
}

fn fills(step: &PlannedStep, target: &str) -> bool {
    match &step.action {
        Action::Copy(copies) | Action::Link(copies) => copies.iter().any(|copy| {
            let dest = copy.dest.trim_end_matches('/');
            within(if dest.is_empty() { "/" } else { dest }, target)
        }),
        Action::Run(run) => {
            let mut mounts = run.decision.mounts.iter();
            mounts.all(|mount| !within(target, &mount.target))
                && run.args.iter().any(|text| names(text, target))
        }
        Action::Directories { .. } | Action::Account { .. } | Action::Runtime(_) => false,
    }
}

/// Whether a text has a path, or one below it.
fn names(text: &str, path: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + path.len()..].chars().next();
        !before.is_some_and(|c| of_name(c) || "/~}".contains(c)) && !after.is_some_and(of_name)
    })
}
