//! Plans `install`: the manifests first, then what installs from them and nothing else.

mod auto;
mod bun;
mod bundler;
mod cargo;
mod composer;
mod dotnet;
mod finder;
mod glob;
mod go;
mod gradle;
mod maven;
mod node;
mod npm;
mod pdm;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
mod private;
mod python;
mod text;
mod uv;
mod xml;
mod yarn;

use std::collections::BTreeMap;
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{Install, Step, Tool};

use crate::model::{Account, Action, CopyFrom, Manifests, PlannedCopy};
use crate::names;
use crate::paths::{parent, under};
use crate::run::Program;
use crate::stage::Builder;

use finder::Finder;

/// What a package manager needs.
#[derive(Debug, Default)]
struct Recipe {
    /// Manifests: paths of the context.
    files: Vec<String>,
    /// Made-up files, for tools that want more than manifests: path in the context, and contents. If
    /// there are any, all files are mounted for the command only; otherwise they are copied.
    stubs: Option<BTreeMap<String, String>>,
    /// Whether the command writes beside the manifests.
    writes: bool,
    /// The command.
    command: Vec<String>,
    /// Variables of the command, unless the image or the spec sets them.
    env: Vec<(&'static str, &'static str)>,
    /// A directory below home that gets programs.
    programs: Option<&'static str>,
    /// A directory below the step's that gets programs, and the variable that moves the one it is in.
    path: Option<(&'static str, Option<&'static str>)>,
}

impl Recipe {
    /// A command on files that are copied.
    fn copying(files: Vec<String>, command: impl IntoIterator<Item: Into<String>>) -> Recipe {
        Recipe {
            files,
            command: command.into_iter().map(Into::into).collect(),
            ..Recipe::default()
        }
    }
}

/// Where manifests are while a command runs that leaves none.
const MOUNTED: &str = "/.larder";

impl Builder<'_, '_> {
    pub(crate) fn install(&mut self, step: &Step, install: &Install, account: &Arc<Account>) {
        let span = install.tool.span;
        let Some((directory, workdir)) = self.install_directory(install) else {
            return;
        };
        let mut finder = Finder::new(self.planner, directory, span);
        let tool = match install.tool.value {
            Tool::Auto => auto::tool(&mut finder),
            tool => Some(tool),
        };
        let recipe = tool.and_then(|tool| recipe(tool, &mut finder));
        let directory = finder.directory;
        // Reported, or asked for.
        let Some(recipe) = recipe else { return };
        self.directory(&workdir, account, span);
        if let (Some(programs), Some(home)) = (recipe.programs, &account.user.home)
            && account.user.uid != 0
        {
            self.prepend_path(&crate::paths::join(home, programs));
        }
        if let Some((programs, variable)) = recipe.path {
            let moved = variable.and_then(|name| self.variables.get(name));
            let programs = match moved.filter(|moved| !moved.is_empty()) {
                Some(moved) => under(moved, "bin"),
                None => programs.to_owned(),
            };
            self.prepend_path(&crate::paths::join(&workdir, &programs));
        }
        let args = recipe.command;
        let mut cwd = workdir;
        let manifests = if let Some(stubs) = recipe.stubs {
            cwd = Arc::from(crate::paths::join(MOUNTED, &directory));
            Some(Manifests {
                target: MOUNTED.to_owned(),
                copied: recipe.files,
                stubs,
                writable: recipe.writes,
            })
        } else {
            self.copy_manifests(&recipe.files, &directory, &cwd, account, step.span);
            None
        };
        let name = match &step.name {
            Some(name) => names::line(&self.expand(name)),
            None => format!("run {}", names::words(&args)),
        };
        let mut env = self.environment(account, &install.env);
        let unset = |(name, _): &&(&str, &str)| env.iter().all(|(known, _)| known != name);
        let own: Vec<(String, String)> = (recipe.env.iter().filter(unset))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if !own.is_empty() {
            env = env.iter().cloned().chain(own).collect();
        }
        let options = self.options(&install.options, &cwd, account.owner(), &install.env);
        self.program(Program {
            name,
            span: step.span,
            args,
            env,
            own_env: &install.env,
            cwd,
            account: Arc::clone(account),
            caches: install.caches.as_ref(),
            outputs: Vec::new(),
            manifests,
            options,
        });
    }

    /// The directory of the context and of the image that an install works in.
    fn install_directory(&mut self, install: &Install) -> Option<(String, Arc<str>)> {
        let Some(template) = &install.workdir else {
            return Some((String::new(), Arc::clone(&self.workdir)));
        };
        let written = self.expand_maybe(template)?;
        let below = crate::paths::below(&written).filter(|_| !written.starts_with('/'));
        let Some(below) = below else {
            self.planner.report(
                Diagnostic::error(
                    template.span,
                    format!("{} is no directory of the build context", quote(&written)),
                )
                .hint(
                    "manifests are looked for in the context; write the path there, such as `web`",
                ),
            );
            return None;
        };
        let workdir = Arc::from(crate::paths::join(&self.workdir, &below));
        Some((below, workdir))
    }

    /// Copies manifests to where they are in the context, one operation for all.
    fn copy_manifests(
        &mut self,
        files: &[String],
        directory: &str,
        workdir: &str,
        account: &Account,
        span: Span,
    ) {
        let mut by_directory: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for file in files {
            by_directory
                .entry(parent(file))
                .or_default()
                .push(file.clone());
        }
        let copies = by_directory.into_iter().map(|(from, src)| {
            // Beside the directory: `../constraints.txt`.
            let below = up(directory, from);
            let dest = crate::paths::join(workdir, &below);
            let dest = if dest == "/" { dest } else { dest + "/" };
            PlannedCopy::new(CopyFrom::Context, src, dest, account.owner())
        });
        let copies = copies.collect();
        let name = names::line(&format!("copy {}", names::paths(files)));
        self.push(name, span, Action::Copy(copies));
    }
}

/// The way from one directory to another.
fn up(from: &str, to: &str) -> String {
    let mut from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let mut to: Vec<&str> = to.split('/').filter(|part| !part.is_empty()).collect();
    while !from.is_empty() && from.first() == to.first() {
        from.remove(0);
        to.remove(0);
    }
    let mut parts = vec![".."; from.len()];
    parts.append(&mut to);
    parts.join("/")
}

/// The longest path that a kernel takes.
const LONGEST: usize = 4096;

/// The path in the context of a file that is named relative to a directory there.
fn relative(directory: &str, name: &str) -> Option<String> {
    if name.starts_with('/') || name.len() > LONGEST || name.contains('\0') {
        return None;
    }
    crate::paths::below(&under(directory, name))
}

/// What a tool needs; nothing if something is wrong, which is reported, or has to be found out first.
fn recipe(tool: Tool, finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    match tool {
        Tool::Auto => None,
        Tool::Pip => pip::recipe(finder),
        Tool::Uv => uv::recipe(finder),
        Tool::Poetry => poetry::recipe(finder),
        Tool::Pdm => pdm::recipe(finder),
        Tool::Pipenv => pipenv::recipe(finder),
        Tool::Npm => npm::recipe(finder),
        Tool::Pnpm => pnpm::recipe(finder),
        Tool::Yarn => yarn::recipe(finder),
        Tool::Bun => bun::recipe(finder),
        Tool::Go => go::recipe(finder),
        Tool::Cargo => cargo::recipe(finder),
        Tool::Maven => maven::recipe(finder),
        Tool::Gradle => gradle::recipe(finder),
        Tool::Bundler => bundler::recipe(finder),
        Tool::Composer => composer::recipe(finder),
        Tool::Dotnet => dotnet::recipe(finder),
    }
}

#[cfg(test)]
mod tests {
    use super::up;

    #[test]
    fn the_way_up_is_short() {
        assert_eq!(up("a/b", "a/c"), "../c");
        assert_eq!(up("a/b", ""), "../..");
        assert_eq!(up("a", "b/c"), "../b/c");
    }
}
