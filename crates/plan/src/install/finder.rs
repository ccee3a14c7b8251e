//! Looking for manifests in the context.

use std::collections::BTreeSet;

use larder_diagnostic::{Diagnostic, Span};

use super::glob::{self, Globs};
use super::private;
use crate::paths::under;
use crate::planner::{File, Planner};

/// Looks for manifests in a directory of the context.
pub(super) struct Finder<'f, 'a> {
    planner: &'f mut Planner<'a>,
    /// The directory; empty for the context itself.
    pub directory: String,
    span: Span,
    /// What the command needs: paths of the context, and patterns.
    files: Vec<String>,
    known: BTreeSet<String>,
    /// How often something was looked for.
    looks: usize,
    /// Whether everything that was looked for is known.
    complete: bool,
}

/// Manifests may name others, and those more: past so many, something is wrong.
const MOST_LOOKS: usize = 20_000;

impl<'f, 'a> Finder<'f, 'a> {
    pub(super) fn new(planner: &'f mut Planner<'a>, directory: String, span: Span) -> Self {
        Finder {
            planner,
            directory,
            span,
            files: Vec::new(),
            known: BTreeSet::new(),
            looks: 0,
            complete: true,
        }
    }

    /// A file of the directory, taken along if it is there.
    pub(super) fn take(&mut self, name: &str) -> File<'a> {
        let path = under(&self.directory, name);
        self.take_path(&path)
    }

    /// A file of the context, taken along if it is there.
    pub(super) fn take_path(&mut self, path: &str) -> File<'a> {
        let file = self.look(path);
        if matches!(file, File::Text(_)) {
            self.add(path);
        }
        file
    }

    /// A file of the directory that may hold passwords: taken along if it is there, unless it does.
    pub(super) fn take_private(&mut self, name: &str) -> File<'a> {
        let path = under(&self.directory, name);
        self.take_private_path(&path)
    }

    /// The same for a path of the context.
    pub(super) fn take_private_path(&mut self, path: &str) -> File<'a> {
        let file = self.look(path);
        if let File::Text(text) = file {
            match private::secret(text) {
                Some(what) => self.warn(
                    format!("`{path}` holds a secret ({what}), so `install` does not copy it"),
                    "name a variable there in place of it, and give that with `secrets`",
                ),
                None => self.add(path),
            }
        }
        file
    }

    /// A file of the context that is taken along if it is there, whatever is in it: one that is no
    /// text cannot be looked for.
    pub(super) fn take_unseen(&mut self, path: &str) {
        let mut start = path.to_owned();
        if let Some(last) = start.pop().filter(char::is_ascii_alphanumeric)
            && !crate::ignore::is_pattern(path)
        {
            self.add(&format!("{start}[{last}]"));
        }
    }

    /// A directory of the context, with all that is in it.
    pub(super) fn take_directory(&mut self, path: &str) {
        if !path.is_empty() {
            self.add(path);
        }
    }

    /// A file of the context that is only looked at.
    pub(super) fn look(&mut self, path: &str) -> File<'a> {
        if !self.may_look() {
            return File::Unknown;
        }
        let file = self.planner.file(path);
        self.complete &= file != File::Unknown;
        file
    }

    /// The files of the context that a pattern stands for, as far as they are known.
    pub(super) fn list(&mut self, pattern: &str) -> Vec<&'a str> {
        if !self.may_look() {
            return Vec::new();
        }
        let found = self.planner.files(pattern);
        self.complete &= found.is_some();
        found.unwrap_or_default()
    }

    /// The files of the directory that a pattern stands for, all taken along.
    pub(super) fn take_all(&mut self, pattern: &str) -> Vec<&'a str> {
        let pattern = under(&glob::literally(&self.directory), pattern);
        let found = self.list(&pattern);
        for path in &found {
            self.add(path);
        }
        found
    }

    /// The directories that globs stand for and that have a file of that name.
    pub(super) fn directories(&mut self, globs: &Globs, name: &str) -> Vec<&'a str> {
        let mut found = BTreeSet::new();
        for pattern in globs.patterns() {
            let paths = self.list(&under(pattern, name));
            found.extend(paths.into_iter().map(crate::paths::parent));
        }
        found.retain(|path| globs.picks(path));
        found.into_iter().collect()
    }

    fn add(&mut self, path: &str) {
        if self.known.insert(path.to_owned()) {
            self.files.push(path.to_owned());
        }
    }

    /// Whether there is no end to manifests that name others, which is reported.
    fn may_look(&mut self) -> bool {
        self.looks += 1;
        if self.looks == MOST_LOOKS {
            let error = format!("the manifests lead to more than {MOST_LOOKS} files");
            self.error(error, "`copy` what the command needs, and `run` it");
        }
        let may = self.looks < MOST_LOOKS;
        self.complete &= may;
        may
    }

    /// The files so far; `None` if something has to be found out first.
    pub(super) fn files(&mut self) -> Option<Vec<String>> {
        self.complete.then(|| std::mem::take(&mut self.files))
    }

    /// Whether everything that was looked for is known.
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    /// The path of a file of the directory, for people.
    pub(super) fn path(&self, name: &str) -> String {
        under(&self.directory, name)
    }

    /// The directory, for people.
    pub(super) fn place(&self) -> String {
        if self.directory.is_empty() {
            "the build context".to_owned()
        } else {
            format!("`{}` of the build context", self.directory)
        }
    }

    /// The pattern of `.dockerignore` that keeps a path out.
    pub(super) fn ignored(&self, path: &str) -> Option<&'a str> {
        let ignore = &self.planner.facts.files.ignore;
        crate::ignore::deciding(ignore, path).filter(|pattern| !pattern.starts_with('!'))
    }

    /// Says that a file is missing, and why that may be.
    pub(super) fn missing(&mut self, name: &str, hint: &str) {
        let path = under(&self.directory, name);
        let message = format!("there is no `{name}` in {}", self.place());
        let hint = match self.ignored(&path) {
            Some(pattern) => {
                format!("`.dockerignore` leaves it out, by `{pattern}`; add `!{path}` there")
            }
            None => hint.to_owned(),
        };
        self.error(message, &hint);
    }

    pub(super) fn warn(&mut self, message: impl Into<String>, hint: &str) {
        let warning = Diagnostic::warning(self.span, message).lint("doubtful-install");
        self.planner.report(warning.hint(hint));
    }

    pub(super) fn error(&mut self, message: String, hint: &str) {
        self.planner
            .report(Diagnostic::error(self.span, message).hint(hint));
    }

    /// Says that what a manifest names cannot be reached.
    pub(super) fn outside(&mut self, path: &str, name: &str) {
        self.error(
            format!("`{path}` names `{name}`, which is outside of the build context"),
            "build from a directory that holds both",
        );
    }

    /// Notes which tool an `install` turned out to be for.
    pub(super) fn found(&mut self, tool: larder_spec::model::Tool) {
        self.planner.installs.insert(self.span, tool);
    }
}
