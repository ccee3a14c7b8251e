//! Plans `install`: the manifests first, then what installs from them and nothing else.

mod cargo;
mod go;
mod npm;
mod pip;

use std::collections::BTreeMap;
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{Install, Step, Tool};

use crate::model::{Account, Action, CopyFrom, Manifests, PlannedCopy};
use crate::names;
use crate::paths::{parent, under};
use crate::planner::{File, Planner};
use crate::run::Program;
use crate::stage::Builder;

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
    command: Vec<&'static str>,
    /// A directory below home that gets programs.
    programs: Option<&'static str>,
}

/// Looks for manifests in a directory of the context.
struct Finder<'f, 'a> {
    planner: &'f mut Planner<'a>,
    /// The directory; empty for the context itself.
    directory: String,
    span: Span,
    files: Vec<String>,
}

/// Where manifests are while a command runs that leaves none.
const MOUNTED: &str = "/.larder";

impl Builder<'_, '_> {
    pub(crate) fn install(&mut self, step: &Step, install: &Install, account: &Arc<Account>) {
        let span = install.tool.span;
        let Some((directory, workdir)) = self.install_directory(install) else {
            return;
        };
        let mut finder = Finder {
            planner: self.planner,
            directory,
            span,
            files: Vec::new(),
        };
        let recipe = match install.tool.value {
            Tool::Pip => pip::recipe(&mut finder),
            Tool::Npm => npm::recipe(&mut finder),
            Tool::Go => go::recipe(&mut finder),
            Tool::Cargo => cargo::recipe(&mut finder),
            _ => None,
        };
        let directory = finder.directory;
        // Reported, or asked for.
        let Some(recipe) = recipe else { return };
        self.directory(&workdir, account, span);
        if let (Some(programs), Some(home)) = (recipe.programs, &account.user.home)
            && account.user.uid != 0
        {
            self.prepend_path(&crate::paths::join(home, programs));
        }
        let args: Vec<String> = recipe.command.iter().map(|&word| word.to_owned()).collect();
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
        let env = self.environment(account, &install.env);
        let options = self.options(&install.options, &cwd, account.owner());
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
            let below = match from.strip_prefix(directory) {
                Some(below) => below.trim_start_matches('/').to_owned(),
                // Beside the directory: `../constraints.txt`.
                None => up(directory, from),
            };
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

/// The path in the context of a file that is named relative to a directory there.
fn relative(directory: &str, name: &str) -> Option<String> {
    if name.starts_with('/') {
        return None;
    }
    crate::paths::below(&under(directory, name))
}

impl<'a> Finder<'_, 'a> {
    /// A file of the directory, taken along if it is there.
    fn take(&mut self, name: &str) -> File<'a> {
        let path = under(&self.directory, name);
        self.take_path(&path)
    }

    /// A file of the context, taken along if it is there.
    fn take_path(&mut self, path: &str) -> File<'a> {
        let file = self.planner.file(path);
        if matches!(file, File::Text(_)) && !self.files.iter().any(|known| known == path) {
            self.files.push(path.to_owned());
        }
        file
    }

    /// Says that a file is missing, and why that may be.
    fn missing(&mut self, name: &str, hint: &str) {
        let path = under(&self.directory, name);
        let place = if self.directory.is_empty() {
            "the build context".to_owned()
        } else {
            format!("`{}` of the build context", self.directory)
        };
        let error = Diagnostic::error(self.span, format!("there is no `{name}` in {place}"));
        let ignore = &self.planner.facts.files.ignore;
        let hint = match crate::ignore::deciding(ignore, &path) {
            Some(pattern) if !pattern.starts_with('!') => {
                format!("`.dockerignore` leaves it out, by `{pattern}`; add `!{path}` there")
            }
            _ => hint.to_owned(),
        };
        self.planner.report(error.hint(hint));
    }

    fn warn(&mut self, message: &str, hint: &str) {
        self.planner
            .report(Diagnostic::warning(self.span, message).hint(hint));
    }

    fn error(&mut self, message: String, hint: &str) {
        self.planner
            .report(Diagnostic::error(self.span, message).hint(hint));
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
