//! What the final image keeps below `/cache` for running containers.

use std::collections::BTreeSet;
use std::sync::Arc;

use larder_catalog::{RUNTIMES, Runtime};
use larder_diagnostic::{Diagnostic, Span, Spanned, quote};
use larder_inject::{CacheMount, Id};
use larder_spec::model::{EnvVar, StepKind, Tool};

use crate::base::Ground;
use crate::env::Env;
use crate::from::From;
use crate::image::History;
use crate::model::{Account, Action, Owner, PlannedRuntime, PlannedStage, PlannedStep};
use crate::names;
use crate::planner::Planner;
use crate::stage::Builder;
use crate::stages::Stages;
use crate::suggest;

/// What `runtime-caches` comes to before any step is planned. Nothing where it is off.
#[derive(Debug, Default)]
pub(crate) struct RuntimeCaches {
    /// What it names.
    named: Vec<&'static Runtime>,
    /// Those of them that are no cache: what steps install is to be there.
    installed: Vec<&'static Runtime>,
    /// The target, and the stages that it stands on, down to the one on an image.
    chain: Vec<usize>,
    span: Span,
}

/// Where everything is.
const ROOT: &str = "/cache";

impl RuntimeCaches {
    /// Looks names up, and finds the stages that count.
    pub(crate) fn resolve(planner: &mut Planner<'_>, stages: &Stages) -> RuntimeCaches {
        let Some(asked) = &planner.spec.runtime_caches else {
            return RuntimeCaches::default();
        };
        let mut wanted = BTreeSet::new();
        for name in &asked.named {
            let found = named(&name.value);
            if found.is_empty() {
                planner.report(unknown(name));
            }
            wanted.extend(found.iter().map(|runtime| runtime.name));
        }
        let all = RUNTIMES.iter();
        let named: Vec<_> = all.filter(|one| wanted.contains(one.name)).collect();
        let mut chain = Vec::new();
        let mut next = stages.order[..stages.needed].last().copied();
        while let Some(stage) = next {
            chain.push(stage);
            next = match stages.bases[stage] {
                From::Stage(below) => Some(below),
                From::Scratch | From::Image { .. } | From::Named(_) | From::Unclear => None,
            };
        }
        RuntimeCaches {
            installed: named
                .iter()
                .copied()
                .filter(|one| one.installed.is_some())
                .collect(),
            named,
            chain,
            span: asked.span,
        }
    }

    /// What the steps of a stage, and of those that stand on it, install into.
    pub(crate) fn installed(&self, stage: usize) -> Installed<'_> {
        let bottom = self.chain.last() == Some(&stage);
        Installed {
            runtimes: if bottom { &self.installed } else { &[] },
            span: self.span,
        }
    }

    /// Adds the last step to the target, the last of the stages, and variables to its config.
    pub(crate) fn keep(
        &self,
        planner: &mut Planner<'_>,
        position: &[usize],
        stages: &mut [PlannedStage],
        ground: &mut Ground,
    ) {
        let (Some(&target), Some(&bottom)) = (self.chain.first(), self.chain.last()) else {
            return;
        };
        planner.aside = false;
        let said = Said::of(self, planner, position, stages);
        let kept: Vec<&Runtime> = RUNTIMES
            .iter()
            .filter(|runtime| said.uses(runtime) || self.names(runtime))
            .collect();
        let installer = stages.get(position[bottom]).map(|stage| stage.user.owner());
        let Some(stage) = stages.last_mut() else {
            return;
        };
        if kept.is_empty() {
            // Which caches steps get is not known before everything is.
            if planner.needs.is_empty() {
                planner.report(nothing(&stage.name, self.span));
            }
            return;
        }
        let account = match &planner.spec.stages[target].image.user {
            None => Arc::clone(&stage.user),
            Some(user) => {
                let written = &ground.config.config.user;
                let account = ground.users.account(planner, written, Some(user.span));
                Arc::new(account)
            }
        };
        if !self.installed.is_empty() && installer != Some(account.owner()) {
            planner.report(
                Diagnostic::warning(
                    self.span,
                    "the image runs as another user than the one who owns what steps install",
                )
                .lint("runtime-cache-of-another-user")
                .hint("give the stages, and the image, one `user`"),
            );
        }
        let mut env = Env::of_image(&ground.config.config.env, ground.complete);
        for runtime in &kept {
            for (name, value) in runtime.env(account.user.home.as_deref()) {
                if !said.variables.contains(&name.to_ascii_lowercase()) {
                    env.set(name, value);
                }
            }
            append_path(&mut env, runtime.path);
        }
        ground.config.config.env = env.to_image();
        let all: Vec<&str> = kept.iter().map(|runtime| runtime.name).collect();
        let name = names::line(&format!("runtime caches {}", all.join(" ")));
        ground.config.history.push(History {
            created_by: Some(name.clone()),
            ..History::default()
        });
        stage.steps.push(PlannedStep {
            name,
            span: self.span,
            action: Action::Runtime(said.plan(&kept, &account)),
        });
    }

    fn names(&self, runtime: &Runtime) -> bool {
        self.named.iter().any(|named| named.name == runtime.name)
    }
}

/// What the stages that count say.
#[derive(Debug, Default)]
struct Said {
    /// Tools that their steps use.
    tools: BTreeSet<&'static str>,
    /// Where they copy to.
    copies: BTreeSet<String>,
    /// Variables that they set, in lower case.
    variables: BTreeSet<String>,
}

impl Said {
    fn of(
        caches: &RuntimeCaches,
        planner: &Planner<'_>,
        position: &[usize],
        stages: &[PlannedStage],
    ) -> Said {
        let mut said = Said::default();
        for &index in &caches.chain {
            let stage = &planner.spec.stages[index];
            said.variables.extend(lower_case(&stage.env));
            said.variables.extend(lower_case(&stage.image.env));
            for step in &stage.steps {
                if let StepKind::Install(install) = &step.kind {
                    let tool = planner.installs.get(&install.tool.span);
                    said.tools
                        .insert(catalogue_name(*tool.unwrap_or(&install.tool.value)));
                }
            }
            let steps = stages.get(position[index]);
            for step in steps.into_iter().flat_map(|stage| &stage.steps) {
                match &step.action {
                    Action::Run(run) => {
                        let mounts = run.decision.mounts.iter();
                        said.tools.extend(mounts.filter_map(tool_of_cache));
                    }
                    Action::Copy(copies) | Action::Link(copies) => {
                        let places = copies.iter().map(|copy| copy.dest.clone());
                        said.copies.extend(places);
                    }
                    Action::Directories { .. } | Action::Account { .. } | Action::Runtime(_) => {}
                }
            }
        }
        said
    }

    fn uses(&self, runtime: &Runtime) -> bool {
        runtime.installed.is_none() && !runtime.by_name && self.tools.contains(runtime.tool)
    }

    fn plan(&self, kept: &[&Runtime], account: &Account) -> PlannedRuntime {
        let home = account.user.home.as_deref();
        let directories = kept.iter().flat_map(|runtime| runtime.directories);
        let directories: BTreeSet<&str> = directories.copied().chain([ROOT]).collect();
        let files = kept.iter().flat_map(|runtime| runtime.files(home));
        PlannedRuntime {
            directories: directories.into_iter().map(str::to_owned).collect(),
            owner: account.owner(),
            files: files
                .filter(|(path, _)| !self.copies.contains(path))
                .map(|(path, contents)| {
                    let own = home.is_some_and(|home| larder_catalog::within(&path, home));
                    let owner = if own {
                        account.owner()
                    } else {
                        Owner::default()
                    };
                    (path, (contents.to_owned(), owner))
                })
                .collect(),
        }
    }
}

/// What steps of a stage install into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installed<'r> {
    runtimes: &'r [&'static Runtime],
    span: Span,
}

impl Builder<'_, '_> {
    /// Makes what is installed go where the image looks for it.
    pub(crate) fn install_into(&mut self, installed: Installed<'_>) {
        let account = Arc::clone(&self.account);
        let set: BTreeSet<String> = lower_case(&self.stage.env).collect();
        for runtime in installed.runtimes {
            for (name, value) in runtime.env(account.user.home.as_deref()) {
                if !set.contains(&name.to_ascii_lowercase()) {
                    self.variables.set(name, value.clone());
                    self.image_variables.set(name, value);
                }
            }
            append_path(&mut self.variables, runtime.path);
            append_path(&mut self.image_variables, runtime.path);
        }
        let directories = installed.runtimes.iter();
        let directories: BTreeSet<&str> = directories
            .flat_map(|runtime| runtime.directories.iter().copied())
            .collect();
        let directories: Vec<&str> = directories.into_iter().collect();
        self.directories("make", &directories, &account, installed.span);
    }
}

/// Directories of programs come last: what a volume holds hides nothing of the image.
fn append_path(env: &mut Env, directories: &[&str]) {
    for directory in directories {
        let path = env.get("PATH").unwrap_or_default();
        if path.split(':').all(|known| known != *directory) {
            let path = format!("{path}:{directory}");
            env.set("PATH", path);
        }
    }
}

fn lower_case(variables: &[EnvVar]) -> impl Iterator<Item = String> {
    let names = variables.iter();
    names.map(|variable| variable.name.value.to_ascii_lowercase())
}

/// What the catalogue calls a tool that `install` knows.
fn catalogue_name(tool: Tool) -> &'static str {
    match tool {
        Tool::Dotnet => "nuget",
        other => other.name(),
    }
}

/// The tool that a mounted cache belongs to, unless it is the author's own.
fn tool_of_cache(mount: &CacheMount) -> Option<&'static str> {
    let own = mount.id.parse::<Id>().is_ok_and(|id| id.own);
    let cache = larder_catalog::cache(&mount.cache).filter(|_| !own);
    cache.map(|cache| cache.tool)
}

/// What a name stands for: one of that name, or else those of a tool or a language.
fn named(name: &str) -> Vec<&'static Runtime> {
    let one = RUNTIMES.iter().filter(|runtime| runtime.name == name);
    let one: Vec<_> = one.collect();
    if !one.is_empty() {
        return one;
    }
    RUNTIMES
        .iter()
        .filter(|runtime| !runtime.by_name)
        .filter(|runtime| runtime.tool == name || runtime.groups.contains(&name))
        .collect()
}

fn nothing(stage: &str, span: Span) -> Diagnostic {
    let message = format!(
        "no step of {} uses a tool that keeps caches in the image",
        quote(stage)
    );
    Diagnostic::warning(span, message)
        .lint("runtime-caches-of-nothing")
        .hint("name languages or tools, as in `[python]`")
}

fn unknown(name: &Spanned<String>) -> Diagnostic {
    let mut known: Vec<&str> = RUNTIMES
        .iter()
        .flat_map(|runtime| {
            [runtime.name, runtime.tool]
                .into_iter()
                .chain(runtime.groups.iter().copied())
        })
        .collect();
    known.sort_unstable();
    known.dedup();
    let message = if larder_catalog::named(&name.value).is_empty() {
        format!("no cache is called {}", quote(&name.value))
    } else {
        format!("{} has nothing for a running container", quote(&name.value))
    };
    Diagnostic::error(name.span, message).hint(suggest::hint("caches", &name.value, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_every_tool_of_install() {
        for tool in Tool::ALL.into_iter().filter(|tool| *tool != Tool::Auto) {
            let name = catalogue_name(tool);
            let known = RUNTIMES.iter().any(|runtime| runtime.tool == name);
            assert!(known, "{name}");
        }
    }
}
