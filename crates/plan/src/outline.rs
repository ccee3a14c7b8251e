//! What a spec offers, and what a build of it takes: the targets, and the parameters of one.

use std::collections::BTreeMap;

use larder_diagnostic::Span;
use larder_spec::model::Spec;

use crate::model::{Action, Plan, PlannedArg, PlannedOptions, PlannedRun};

/// A stage that can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What the spec says that it is for.
    pub description: Option<String>,
    /// Its `from`, as written.
    pub base: String,
    /// Whether it is built when the client names none.
    pub is_default: bool,
    /// Its `platform`, as written.
    pub platform: Option<String>,
    /// Where its name is.
    pub span: Span,
}

/// The parameters of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The stage that is built.
    pub name: String,
    /// What the spec says that it is for.
    pub description: Option<String>,
    /// Args, in the order of the spec.
    pub args: Vec<PlannedArg>,
    /// Secrets of the client, each once, in the order of the spec.
    pub secrets: Vec<Wanted>,
    /// SSH agents of the client, each once, in the order of the spec.
    pub ssh: Vec<Wanted>,
    /// Caches, each id once, in the order of the spec.
    pub caches: Vec<UsedCache>,
}

/// Something that the client is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Names it.
    pub id: String,
    /// Whether a step fails without it.
    pub required: bool,
    /// The first step that wants it.
    pub span: Span,
}

/// A cache that steps mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedCache {
    /// The id that BuildKit knows it by.
    pub id: String,
    /// The catalogue's name, or the author's.
    pub name: String,
    /// Where the first step has it, absolute.
    pub target: String,
    /// The first step that mounts it.
    pub span: Span,
}

/// Every stage of a spec, in the order of the file. Nothing is looked up for it.
pub fn targets(spec: &Spec) -> Vec<Target> {
    let default = match &spec.target {
        Some(target) => Some(&target.value),
        None => spec.stages.last().map(|stage| &stage.name.value),
    };
    let stages = spec.stages.iter().map(|stage| Target {
        name: stage.name.value.clone(),
        description: stage
            .description
            .as_ref()
            .map(|description| description.value.clone()),
        base: stage.from.to_string(),
        is_default: Some(&stage.name.value) == default,
        platform: stage
            .platform
            .as_ref()
            .map(|platform| platform.value.to_string()),
        span: stage.name.span,
    });
    stages.collect()
}

/// What a planned build takes.
pub fn outline(plan: &Plan) -> Outline {
    let mut secrets = Wants::default();
    let mut ssh = Wants::default();
    let mut caches: BTreeMap<&str, UsedCache> = BTreeMap::new();
    for (span, run) in runs(plan) {
        let PlannedOptions {
            secrets: wanted,
            ssh: agents,
            ..
        } = &run.options;
        for secret in wanted {
            secrets.add(&secret.id, !secret.optional, span);
        }
        for agent in agents {
            ssh.add(&agent.id, !agent.optional, span);
        }
        for mount in &run.decision.mounts {
            let used = UsedCache {
                id: mount.id.clone(),
                name: mount.cache.clone(),
                target: mount.target.clone(),
                span,
            };
            let known = caches.entry(&mount.id).or_insert_with(|| used.clone());
            if span < known.span {
                *known = used;
            }
        }
    }
    let mut caches: Vec<UsedCache> = caches.into_values().collect();
    caches.sort_by(|a, b| (a.span, &a.target).cmp(&(b.span, &b.target)));
    let result = plan.stages.last();
    Outline {
        name: result.map(|stage| stage.name.clone()).unwrap_or_default(),
        description: result.and_then(|stage| stage.description.clone()),
        args: plan.args.clone(),
        secrets: secrets.sorted(),
        ssh: ssh.sorted(),
        caches,
    }
}

fn runs(plan: &Plan) -> impl Iterator<Item = (Span, &PlannedRun)> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    steps.filter_map(|step| match &step.action {
        Action::Run(run) => Some((step.span, run.as_ref())),
        _ => None,
    })
}

/// By id.
#[derive(Default)]
struct Wants<'p>(BTreeMap<&'p str, (bool, Span)>);

impl<'p> Wants<'p> {
    fn add(&mut self, id: &'p str, required: bool, span: Span) {
        let known = self.0.entry(id).or_insert((required, span));
        known.0 |= required;
        known.1 = known.1.min(span);
    }

    fn sorted(self) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = (self.0.into_iter())
            .map(|(id, (required, span))| Wanted {
                id: id.to_owned(),
                required,
                span,
            })
            .collect();
        wanted.sort_by(|a, b| (a.span, &a.id).cmp(&(b.span, &b.id)));
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_twice_is_listed_once() {
        let mut wants = Wants::default();
        wants.add("b", false, Span::new(5, 6));
        wants.add("a", false, Span::new(7, 8));
        wants.add("b", true, Span::new(2, 3));
        let wanted = |id: &str, required, span| Wanted {
            id: id.to_owned(),
            required,
            span,
        };
        assert_eq!(
            wants.sorted(),
            [
                wanted("b", true, Span::new(2, 3)),
                wanted("a", false, Span::new(7, 8))
            ]
        );
    }
}
