//! Plans `copy`.

use std::collections::BTreeSet;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{Copy, Step};
use larder_spec::template::Template;

use crate::from::From;
use crate::model::{Action, CopyFrom, PlannedCopy, PlannedStage};
use crate::names;
use crate::stage::Builder;

impl Builder<'_, '_> {
    pub(crate) fn copy(&mut self, step: &Step, copy: &Copy, from: Option<&From>) {
        let (from, origin) = match from {
            None => (CopyFrom::Context, String::new()),
            Some(from) => match from.files(self.planner, self.position) {
                Some((from, name)) => (from, format!(" from {name}")),
                // Reported already.
                None => return,
            },
        };
        let src: Vec<Option<String>> = copy
            .src
            .iter()
            .map(|template| self.source(template, &from))
            .collect();
        let written = self.expand_maybe(&copy.dest);
        let owner = match &copy.chown {
            Some(chown) => {
                let written = self.expand_maybe(&chown.value);
                written.map(|written| {
                    let users = &self.ground.users;
                    users.owner(self.planner, &written, chown.span)
                })
            }
            None => Some(self.account.owner()),
        };
        let src = src.into_iter().collect::<Option<Vec<String>>>();
        let (Some(src), Some(written), Some(owner)) = (src, written, owner) else {
            return;
        };
        if written.is_empty() {
            self.planner.report(
                Diagnostic::error(copy.dest.span, "`dest` is empty")
                    .hint("write `.` for the stage's directory"),
            );
            return;
        }
        let mut dest = crate::paths::join(&self.workdir, &written);
        let last = written.rsplit('/').next().unwrap_or_default();
        if (src.len() > 1 || matches!(last, "" | "." | "..")) && dest != "/" {
            dest.push('/');
        }
        let name = if let Some(name) = &step.name {
            names::line(&self.expand(name))
        } else {
            names::line(&format!("copy {} to {dest}{origin}", names::paths(&src)))
        };
        let copy = PlannedCopy {
            mode: copy.chmod.as_ref().map(|mode| mode.value),
            ..PlannedCopy::new(from, src, dest, owner)
        };
        self.push(name, step.span, Action::Copy(vec![copy]));
    }

    fn source(&mut self, template: &Template, from: &CopyFrom) -> Option<String> {
        let written = self.expand_maybe(template)?;
        if written.is_empty() {
            self.planner.report(
                Diagnostic::error(template.span, "the path is empty")
                    .hint("write `.` for everything"),
            );
            return None;
        }
        let below = crate::paths::below(&written);
        if below.is_none() {
            self.planner.report(outside(&written, template.span, from));
        }
        below
    }
}

fn outside(written: &str, span: Span, from: &CopyFrom) -> Diagnostic {
    let (what, hint) = match from {
        CopyFrom::Context => (
            "the build context",
            "paths start at the context; build from a directory further up to reach it",
        ),
        _ => ("what it is copied from", "paths start at the root there"),
    };
    Diagnostic::error(span, format!("{} is outside of {what}", quote(written))).hint(hint)
}

/// The paths of the context that stages use, sorted; `None` if one uses all of it.
pub(crate) fn context_paths(stages: &[PlannedStage]) -> Option<Vec<String>> {
    let mut paths = BTreeSet::new();
    for step in stages.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            Action::Copy(copies) | Action::Link(copies) => {
                let copies = copies.iter().filter(|copy| copy.from == CopyFrom::Context);
                paths.extend(copies.flat_map(|copy| &copy.src));
            }
            Action::Run(run) => {
                paths.extend(run.manifests.iter().flat_map(|manifests| &manifests.copied));
                paths.extend(run.options.of_context());
            }
            Action::Directories { .. } | Action::Account { .. } | Action::Runtime(_) => {}
        }
    }
    if paths.iter().any(|path| path.is_empty()) {
        return None;
    }
    Some(paths.into_iter().cloned().collect())
}
