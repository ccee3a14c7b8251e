//! How steps look in the progress display.

use buildkit_llb::{Digest, Meta, ProgressGroup};

use crate::model::{Action, Plan, PlannedStage, PlannedStep};
use crate::request::platform_name;

/// What is said of a step's operation: its name, with the caches that are mounted for it.
pub(super) fn step(stage: &PlannedStage, index: usize) -> Meta {
    let mut name = stage.label(index);
    if let Some(Action::Run(run)) = stage.steps.get(index).map(|step| &step.action) {
        let mounts = run.decision.mounts.iter();
        let mut caches: Vec<&str> = mounts.map(|mount| mount.cache.as_str()).collect();
        caches.sort_unstable();
        caches.dedup();
        let list = caches.join(", ");
        let said = match caches.len() {
            0 => String::new(),
            1 => format!(" (cache: {list})"),
            _ => format!(" (caches: {list})"),
        };
        name.push_str(&said);
    }
    Meta::named(name)
}

/// The group that a step forms with the operations that are there for it alone, if there are any: a
/// client shows the operations of a group as one.
pub(super) fn group(plan: &Plan, step: &PlannedStep, named: &Meta) -> Option<ProgressGroup> {
    let Action::Run(run) = &step.action else {
        return None;
    };
    let manifests = run.manifests.as_ref()?;
    let what = run.args.iter().chain(&manifests.copied);
    Some(of(plan, named.name.clone()?, what))
}

/// A group of that name. A client may show several builds at once, which have groups of their own by what
/// they do.
pub(super) fn of<'a>(
    plan: &Plan,
    name: String,
    what: impl Iterator<Item = &'a String>,
) -> ProgressGroup {
    let platform = platform_name(&plan.request.platform);
    let mut text = format!("{}\n{platform}\n{name}", plan.project);
    for part in what {
        text.push('\n');
        text.push_str(part);
    }
    ProgressGroup {
        id: Digest::of(text.as_bytes()).to_string(),
        name,
        weak: false,
    }
}

/// The same group, for an operation that the step needs.
pub(super) fn helper(name: &str, group: Option<&ProgressGroup>) -> Meta {
    Meta {
        progress_group: group.map(|group| ProgressGroup {
            weak: true,
            ..group.clone()
        }),
        ..Meta::named(name)
    }
}
