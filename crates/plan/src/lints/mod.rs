//! The warnings of planning, each with a name by which a comment in the spec can silence it.
//!
//! Those about caches are found here: they look at what was planned, and decide nothing.

mod apt;
mod hidden;
mod own;
mod secrets;
mod steps;
mod wanted;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_inject::CacheMount;
use larder_spec::model::{self, CacheChoice, CacheEntry, EnvVar, OwnCache, Spec, Step, StepKind};

use crate::model::{Action, PlannedRun, PlannedStage};
use crate::planner::Planner;
use crate::suggest;

pub(crate) use steps::says as of;
pub use wanted::Wanted;

/// A kind of warning.
#[derive(Debug)]
pub struct Lint {
    /// Its name.
    pub name: &'static str,
    /// What is the case.
    pub about: &'static str,
    /// What to do about it.
    pub instead: &'static str,
}

/// Every kind, by name.
pub const LINTS: [Lint; 23] = [
    Lint {
        name: "annotation-without-index",
        about: "An annotation is for the index of several platforms, and the result has one platform, so \
                it is left out.",
        instead: "Build for several platforms, or put the annotation on the manifest.",
    },
    Lint {
        name: "cache-defeated",
        about: "A flag, or a variable of the spec, keeps a tool from using its mounted cache: \
                `--no-cache-dir`, `apk add --no-cache`, `PIP_NO_CACHE_DIR`. A variable of the base \
                image is taken out for the step, as `larder plan -v` says.",
        instead: "Leave it out. What is in a mount does not get into the image.",
    },
    Lint {
        name: "cache-emptied",
        about: "A command empties a mounted cache: `apt-get clean`, `pip cache purge`, \
                `rm -rf /var/lib/apt/lists/*`.",
        instead: "Leave it out. What is in a mount does not get into the image.",
    },
    Lint {
        name: "cache-not-mounted",
        about: "A flag or a variable leads the tool elsewhere, or makes a mount harm the image, so \
                there is none: `PIP_CACHE_DIR=/tmp pip install …`, `UV_LINK_MODE=symlink`.",
        instead: "Leave it out, or write `caches: none` if it is meant.",
    },
    Lint {
        name: "cache-of-two-owners",
        about: "Steps have a cache of one `id` with different owners, modes or sharing. BuildKit \
                keeps one directory for each.",
        instead: "Write `uid`, `gid`, `mode` and `sharing` the same everywhere, or give each its own `id`.",
    },
    Lint {
        name: "credentials-in-cache",
        about: "A cache of your own is or holds a directory in which tools keep credentials: \
                `~/.ssh`, `~/.aws`, `~/.docker`, `~/.m2` with its `settings.xml`. Other builds can \
                read what is in a cache.",
        instead: "Mount the directory below it that is the cache, such as `~/.m2/repository`.",
    },
    Lint {
        name: "doubtful-install",
        about: "An `install` works, and may not do what is meant: there is no lockfile, so versions \
                are picked anew each time, or a manifest names what is not there yet.",
        instead: "Keep the lockfile beside the manifest; `copy` what the manifest names before.",
    },
    Lint {
        name: "image-like-stage",
        about: "`from` names an image, and its name is close to that of a stage.",
        instead: "Correct it, or write the image with its tag.",
    },
    Lint {
        name: "layer-cache-unavailable",
        about: "Layers are looked for in a registry that is down, says nothing, does not let the client \
                read, or has nothing of that name yet. The build goes on without them, also with \
                `# check=error=true`.",
        instead: "Look after the registry, or log in. A name of which there is nothing yet is made by the \
                  first build that exports its layers.",
    },
    Lint {
        name: "link-over-symlink",
        about: "A copy with `link` goes below a path that is a symbolic link in most images, such as \
                `/bin`. A layer of its own replaces the link by a directory.",
        instead: "Write where the link leads, `/usr/bin`, or leave `link` out.",
    },
    Lint {
        name: "mount-hides-files",
        about: "A cache of your own is mounted over a directory that the image needs, that an \
                earlier step filled, or in which the step works. The step does not see what is \
                there, and what it writes there does not get into the image.",
        instead: "Mount it elsewhere; `/cache/…` is the place for caches.",
    },
    Lint {
        name: "mounted-directory-removed",
        about: "A command removes the directory of a cache, or one above it. On a mount point that \
                fails with \"Device or resource busy\", so the step does not get the cache.",
        instead: "Leave it out, or write `caches: none` if it is meant.",
    },
    Lint {
        name: "onbuild-not-run",
        about: "The base image has `ONBUILD` instructions. They are Dockerfile's, and are not run.",
        instead: "Write what they do as steps.",
    },
    Lint {
        name: "option-without-effect",
        about: "The client sets limits of memory or processors, and the daemon knows none for steps.",
        instead: "Leave them out, or build with BuildKit v0.31 or newer.",
    },
    Lint {
        name: "result-in-cache",
        about: "A cache is mounted over the directory into which the command puts its result, so the \
                image does not get it.",
        instead: "Copy what the image needs with `outputs`, or leave out the cache.",
    },
    Lint {
        name: "root-owned-parents",
        about: "A cache of your own is below a home directory, and is not one that the step's user \
                has. BuildKit makes what is missing above a mount, and makes it root's: other tools \
                of that user then cannot write there.",
        instead: "Mount it at `/cache/…`, or run the step as that user.",
    },
    Lint {
        name: "runtime-cache-of-another-user",
        about: "The image keeps directories into which steps install things, and runs as another user \
                than theirs.",
        instead: "Give the stages, and the image, one `user`.",
    },
    Lint {
        name: "runtime-caches-of-nothing",
        about: "`runtime-caches` is on, and no step of the result uses a tool that keeps a directory in \
                the image.",
        instead: "Name languages or tools, or leave it out.",
    },
    Lint {
        name: "split-apt-install",
        about: "Steps that follow each other each run `apt-get install` alone.",
        instead: "Write one step with all packages.",
    },
    Lint {
        name: "unknown-build-arg",
        about: "The client gives a build arg that the spec does not declare.",
        instead: "Declare it under `args`, or leave it out.",
    },
    Lint {
        name: "unknown-epoch",
        about: "`SOURCE_DATE_EPOCH` names something that has no time: a stage, an image, a directory of \
                the client. The build goes on without.",
        instead: "Give seconds since 1970, or the name of a context that is a repository or a file of the web.",
    },
    Lint {
        name: "unknown-lint",
        about: "A comment `# larder: ignore=…` has a name that is not in this table.",
        instead: "Correct it.",
    },
    Lint {
        name: "unread-command",
        about: "The shell text of a step was not understood to its end, so no tool in it gets a cache.",
        instead: "Name the caches under `caches`.",
    },
];

const INTRODUCTION: &str = "\
# The warnings

What `larder check`, `docker buildx build --check` and builds warn of, by name. A warning stops nothing,
unless [`# check=error=true`](guide.md#8-asking-without-building) says so.
Written by `UPDATE_GOLDEN=1 cargo test -p larder-plan` from the table in `crates/plan/src/lints`.

To silence one for a step, name it in a comment on the line above or at the end of a line of the step,
with others after commas and a reason after a blank:

```yaml
from: python:3.13-slim
steps:
  # larder: ignore=cache-defeated the index changes without new versions
  - run: pip install --no-cache-dir --pre tool
  - run: apt-get update && apt-get install -y git && apt-get clean # larder: ignore=cache-emptied
```

A warning about an entry of `caches` is silenced at that entry as well, and one about no step in the line of
what it is about. To silence one in the whole file, skip its rule on top, as in a Dockerfile; `skip=all` skips all:

```yaml
# check=skip=LarderCacheDefeated,LarderSplitAptInstall
from: python:3.13-slim
```

";

/// How the name of a rule starts that is Larder's.
const OURS: &str = "Larder";
/// The build arg that says which warnings are wanted, over what the file says.
pub const CHECK: &str = "BUILDKIT_DOCKERFILE_CHECK";
/// What a warning without a name is called.
pub const UNNAMED: &str = "warning";

/// What is the case where a warning is shown.
pub fn about(name: &str) -> Option<&'static str> {
    let lint = LINTS.iter().find(|lint| lint.name == name)?;
    Some(lint.about)
}

/// What a warning is called where names of rules are in the style of Dockerfile's: `LarderCacheDefeated` for
/// `cache-defeated`.
pub fn rule(name: &str) -> String {
    let mut out = OURS.to_owned();
    for word in name.split('-') {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// The page of the documentation. Ends with a newline.
pub fn docs() -> String {
    let mut out = format!(
        "{INTRODUCTION}| name | rule | what is the case | what to do |\n|---|---|---|---|\n"
    );
    for Lint {
        name,
        about,
        instead,
    } in &LINTS
    {
        let _ = writeln!(out, "| `{name}` | `{}` | {about} | {instead} |", rule(name));
    }
    out
}

/// Leaves out the warnings that a comment in a line of what they are about silences.
pub fn silence(spec: &Spec, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.retain(|diagnostic| {
        diagnostic.is_error()
            || diagnostic
                .span
                .is_none_or(|span| !ignored(spec, diagnostic, &[span]))
    });
}

/// Whether a comment names the warning, in a line of one of the places.
fn ignored(spec: &Spec, diagnostic: &Diagnostic, places: &[Span]) -> bool {
    spec.ignores.iter().any(|ignore| {
        let about = |span: &Span| span.start < ignore.about.end && ignore.about.start < span.end;
        let mut names = ignore.names.iter();
        names.any(|name| Some(name.value.as_str()) == diagnostic.lint) && places.iter().any(about)
    })
}

/// Looks at everything that was planned.
pub(crate) fn check(planner: &mut Planner<'_>, stages: &[PlannedStage]) {
    let view = View {
        spec: planner.spec,
        stages,
    };
    let mut found = Vec::new();
    let mut fillers = hidden::Fillers::default();
    let stages = stages.iter().enumerate();
    let runs: Vec<Vec<Run<'_>>> = stages
        .map(|(index, stage)| view.runs(index, stage))
        .collect();
    for (stage, runs) in view.stages.iter().zip(&runs) {
        for run in runs {
            steps::check(run, &mut found);
            secrets::check(run, &mut found);
            own::parents(run, &mut found);
            hidden::check(&view, run, &mut fillers, &mut found);
        }
        apt::check(stage, runs, &mut found);
    }
    own::owners(runs.iter().flatten(), &mut found);
    for Found { diagnostic, step } in found {
        let places: Vec<Span> = diagnostic.span.into_iter().chain([step]).collect();
        let silenced = ignored(planner.spec, &diagnostic, &places);
        if !silenced {
            planner.report(diagnostic);
        }
    }
    unknown(planner);
}

fn unknown(planner: &mut Planner<'_>) {
    let names = || LINTS.iter().map(|lint| lint.name);
    for name in planner.spec.ignores.iter().flat_map(|ignore| &ignore.names) {
        if names().all(|known| known != name.value) {
            let message = format!("no warning is called {}", quote(&name.value));
            planner.report(
                Diagnostic::warning(name.span, message)
                    .lint("unknown-lint")
                    .hint(suggest::hint("warnings", &name.value, names())),
            );
        }
    }
}

/// A warning, and the step that it is about.
struct Found {
    diagnostic: Diagnostic,
    step: Span,
}

/// What was planned.
struct View<'a> {
    spec: &'a Spec,
    stages: &'a [PlannedStage],
}

/// A step that runs a program.
struct Run<'a> {
    spec: &'a Spec,
    /// As it is written.
    stage: Option<&'a model::Stage>,
    /// As it is written; none for what Larder does by itself.
    step: Option<&'a Step>,
    /// Where its stage is in the plan.
    stage_index: usize,
    /// Where it is in its stage.
    index: usize,
    planned: &'a PlannedRun,
    /// The lines to show.
    span: Span,
}

impl<'a> View<'a> {
    fn runs(&self, stage_index: usize, planned: &'a PlannedStage) -> Vec<Run<'a>> {
        let stage = self
            .spec
            .stages
            .iter()
            .find(|stage| stage.name.value == planned.name);
        let written = stage.into_iter().flat_map(|stage| &stage.steps);
        let written: BTreeMap<u32, &Step> = written.map(|step| (step.span.start, step)).collect();
        let run = |(index, step): (usize, &'a crate::model::PlannedStep)| {
            let Action::Run(run) = &step.action else {
                return None;
            };
            let before = written.range(..=step.span.start).next_back();
            let holding = before.filter(|(_, it)| step.span.end <= it.span.end);
            Some(Run {
                spec: self.spec,
                stage,
                step: holding.map(|(_, step)| *step),
                stage_index,
                index,
                planned: run,
                span: step.span,
            })
        };
        planned.steps.iter().enumerate().filter_map(run).collect()
    }
}

impl<'a> Run<'a> {
    /// A warning about the step.
    fn warn(&self, lint: &'static str, message: String, hint: impl Into<String>) -> Found {
        self.found(
            Diagnostic::warning(self.span, message)
                .lint(lint)
                .hint(hint),
        )
    }

    fn found(&self, diagnostic: Diagnostic) -> Found {
        Found {
            diagnostic,
            step: self.step.map_or(self.span, |step| step.span),
        }
    }

    /// Mounts of the author's own caches, and where they are declared.
    fn own(&self) -> impl Iterator<Item = (&'a CacheMount, Option<&'a OwnCache>)> {
        let mounts = self.planned.decision.mounts.iter();
        let own = mounts.filter(|mount| mount.own);
        own.map(|mount| (mount, self.declared(&mount.cache)))
    }

    /// The innermost declaration of a cache of the author's.
    fn declared(&self, id: &str) -> Option<&'a OwnCache> {
        let (caches, _) = self.of_step();
        let stage = self.stage.and_then(|stage| stage.caches.as_ref());
        let levels = caches.into_iter().chain(stage).chain(&self.spec.caches);
        let mut entries = levels.flat_map(|choice| &choice.entries);
        entries.find_map(|entry| match entry {
            CacheEntry::Own(own) if own.id.value == id => Some(own),
            _ => None,
        })
    }

    /// The step's own `caches` and `env`.
    fn of_step(&self) -> (Option<&'a CacheChoice>, &'a [EnvVar]) {
        match self.step.map(|step| &step.kind) {
            Some(StepKind::Run(run)) => (run.caches.as_ref(), &run.env),
            Some(StepKind::Install(install)) => (install.caches.as_ref(), &install.env),
            Some(StepKind::Copy(_) | StepKind::Add(_) | StepKind::File(_)) | None => (None, &[]),
        }
    }

    /// Where a variable is set, if that is in the step or its stage.
    fn variable(&self, name: &str) -> Option<Span> {
        let of_stage = self.stage.into_iter().flat_map(|stage| &stage.env);
        let (_, of_step) = self.of_step();
        let mut set = of_step.iter().chain(of_stage);
        set.find(|variable| variable.name.value == name)
            .map(|variable| variable.name.span)
    }
}
