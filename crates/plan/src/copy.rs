//! Plans `copy`, and what it has in common with `add` and `file`.

use std::collections::BTreeSet;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};
use larder_spec::model::{Copy, Step};
use larder_spec::template::Template;

use crate::from::From;
use crate::ignore::{exclusion, is_pattern, malformed};
use crate::model::{Action, CopyFrom, Owner, PlannedCopy, PlannedRun, PlannedStage};
use crate::names;
use crate::stage::Builder;

/// In a source of a copy with `parents`, what is before it is not made below `dest`.
pub(crate) const PIVOT: &str = "/./";

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
            .map(|template| self.source(template, &from, copy.parents))
            .collect();
        let dest = self.destination(&copy.dest, copy.src.len(), copy.parents);
        let owner = self.owner(copy.chown.as_ref());
        let exclude = self.exclusions(&copy.exclude);
        let src = src.into_iter().collect::<Option<Vec<String>>>();
        let (Some(src), Some(dest), Some(owner), Some(exclude)) = (src, dest, owner, exclude)
        else {
            return;
        };
        let name = self.name(step, || {
            format!("copy {} to {dest}{origin}", names::paths(&src))
        });
        let copy_planned = PlannedCopy {
            mode: copy.chmod.as_ref().map(|mode| mode.value),
            exclude,
            parents: copy.parents,
            ..PlannedCopy::new(from, src, dest, owner)
        };
        self.push_copies(name, step.span, vec![copy_planned], copy.link);
    }

    /// Adds a step that copies.
    pub(crate) fn push_copies(
        &mut self,
        name: String,
        span: Span,
        copies: Vec<PlannedCopy>,
        link: bool,
    ) {
        let action = if link {
            self.check_link(span, &copies);
            Action::Link(copies)
        } else {
            Action::Copy(copies)
        };
        self.push(name, span, action);
    }

    /// What progress calls a step that has no name of its own.
    pub(crate) fn name(&mut self, step: &Step, otherwise: impl FnOnce() -> String) -> String {
        match &step.name {
            Some(name) => names::line(&self.expand(name)),
            None => names::line(&otherwise()),
        }
    }

    /// A path below the root of what is copied from; with `parents`, the [`PIVOT`] stays.
    pub(crate) fn source(
        &mut self,
        template: &Template,
        from: &CopyFrom,
        parents: bool,
    ) -> Option<String> {
        let written = self.expand_maybe(template)?;
        self.path_source(&written, template.span, from, parents)
    }

    pub(crate) fn path_source(
        &mut self,
        written: &str,
        span: Span,
        from: &CopyFrom,
        parents: bool,
    ) -> Option<String> {
        if written.is_empty() {
            self.planner.report(
                Diagnostic::error(span, "the path is empty").hint("write `.` for everything"),
            );
            return None;
        }
        self.check_pattern(written, span)?;
        let (above, below) = match written.split_once(PIVOT) {
            Some((above, below)) if parents => (above, below),
            _ => ("", written),
        };
        let parts = (crate::paths::below(above), crate::paths::below(below));
        let (Some(above), Some(below)) = parts else {
            self.planner.report(outside(written, span, from));
            return None;
        };
        Some(match (above.is_empty(), below.is_empty()) {
            (true, _) => below,
            (_, true) => above,
            _ => format!("{above}{PIVOT}{below}"),
        })
    }

    /// Patterns of what is not copied.
    pub(crate) fn exclusions(&mut self, patterns: &[Template]) -> Option<Vec<String>> {
        let exclude: Vec<Option<String>> = patterns
            .iter()
            .map(|template| {
                let written = self.expand_maybe(template)?;
                if written.trim_start_matches('!').trim().is_empty() {
                    self.planner.report(
                        Diagnostic::error(template.span, "the pattern is empty")
                            .hint("write what is left out, such as `**/*.pyc`"),
                    );
                    return None;
                }
                self.check_pattern(&written, template.span)?;
                Some(exclusion(&written))
            })
            .collect();
        exclude.into_iter().collect()
    }

    fn check_pattern(&mut self, written: &str, span: Span) -> Option<()> {
        let Some((why, hint)) = malformed(written) else {
            return Some(());
        };
        self.planner.report(
            Diagnostic::error(
                span,
                format!("the pattern {} is malformed: {why}", quote(written)),
            )
            .hint(hint),
        );
        None
    }

    /// Where a number of sources go: an absolute path, which ends in `/` if it is a directory that
    /// they go into.
    pub(crate) fn destination(
        &mut self,
        template: &Template,
        sources: usize,
        parents: bool,
    ) -> Option<String> {
        let written = self.expand_maybe(template)?;
        if written.is_empty() {
            self.planner.report(
                Diagnostic::error(template.span, "`dest` is empty")
                    .hint("write `.` for the stage's directory"),
            );
            return None;
        }
        let directory = is_directory(&written);
        // Of a text without args, the parser has said it.
        if sources > 1 && !directory && template.literal().is_none() {
            self.planner.report(
                Diagnostic::error(
                    template.span,
                    format!("several things are copied to one name, {}", quote(&written)),
                )
                .hint("end `dest` with `/`, so that it is a directory"),
            );
            return None;
        }
        let mut dest = crate::paths::join(&self.workdir, &written);
        if (sources > 1 || parents || directory) && dest != "/" {
            dest.push('/');
        }
        Some(dest)
    }

    /// Who owns what a step brings in.
    pub(crate) fn owner(&mut self, chown: Option<&Spanned<Template>>) -> Option<Owner> {
        let Some(chown) = chown else {
            return Some(self.account.owner());
        };
        let written = self.expand_maybe(&chown.value)?;
        let users = &self.ground.users;
        Some(users.owner(self.planner, &written, chown.span))
    }
}

/// Whether a path as it is written is a directory's.
pub(crate) fn is_directory(written: &str) -> bool {
    matches!(
        written.rsplit('/').next().unwrap_or_default(),
        "" | "." | ".."
    )
}

pub(crate) fn outside(written: &str, span: Span, from: &CopyFrom) -> Diagnostic {
    let (what, hint) = match from {
        CopyFrom::Context => (
            "the build context",
            "paths start at the context; build from a directory further up to reach it",
        ),
        CopyFrom::Source(_) => ("the repository", "paths start at its root"),
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
                for copy in copies {
                    paths.extend(copy.src.iter().map(|src| match src.split_once(PIVOT) {
                        Some((above, below)) if copy.parents => crate::paths::under(above, below),
                        _ => src.clone(),
                    }));
                }
            }
            Action::Run(run) => paths.extend(of_run(run)),
            Action::Directories { .. } | Action::Account { .. } | Action::Runtime(_) => {}
        }
    }
    if paths.iter().any(String::is_empty) {
        return None;
    }
    Some(paths.into_iter().collect())
}

fn of_run(run: &PlannedRun) -> impl Iterator<Item = String> {
    let copied = run.manifests.iter().flat_map(|manifests| &manifests.copied);
    copied.chain(run.options.of_context()).cloned()
}

/// The path or pattern that a copy starts at, below the root of what it is copied from, and with
/// `parents` the pattern below that.
pub(crate) fn start(copy: &PlannedCopy, src: &str) -> (String, Option<String>) {
    let (above, below) = match src.split_once(PIVOT) {
        _ if !copy.parents => return (src.to_owned(), None),
        Some((above, below)) => (above, below),
        None => ("", src),
    };
    let below = (!below.is_empty()).then(|| below.to_owned());
    (above.to_owned(), below)
}

/// Whether a source of a copy is a pattern.
pub(crate) fn has_pattern(copy: &PlannedCopy, src: &str) -> bool {
    !matches!(copy.from, CopyFrom::Source(_) | CopyFrom::Text(_)) && is_pattern(src)
}
