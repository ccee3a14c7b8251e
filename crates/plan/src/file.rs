//! Plans `file`.

use larder_diagnostic::{Diagnostic, quote};
use larder_spec::model::{Content, FileStep, Step};

use crate::copy::is_directory;
use crate::model::{CopyFrom, PlannedCopy};
use crate::stage::Builder;

/// The mode of a file that says nothing of it.
const MODE: u32 = 0o644;

impl Builder<'_, '_> {
    pub(crate) fn file(&mut self, step: &Step, file: &FileStep) {
        let text = match &file.content {
            Content::Plain(text) => Some(text.clone()),
            Content::Expanded(template) => self.expand_maybe(template),
        };
        let dest = self.expand_maybe(&file.dest).and_then(|written| {
            if !is_directory(&written) {
                return Some(crate::paths::join(&self.workdir, &written));
            }
            let message = if written.is_empty() {
                "`dest` is empty".to_owned()
            } else {
                format!("{} is a directory", quote(&written))
            };
            self.planner.report(
                Diagnostic::error(file.dest.span, message)
                    .hint("end `dest` with the name of the file, as in `/etc/app.conf`"),
            );
            None
        });
        let owner = self.owner(file.chown.as_ref());
        let (Some(text), Some(dest), Some(owner)) = (text, dest, owner) else {
            return;
        };
        if !self.planner.spend(text.len(), step.span) {
            return;
        }
        let name = self.name(step, || format!("file {dest}"));
        let base = dest.rsplit('/').next().unwrap_or_default().to_owned();
        let copy = PlannedCopy {
            mode: Some(file.chmod.as_ref().map_or(MODE, |mode| mode.value)),
            ..PlannedCopy::new(CopyFrom::Text(text), vec![base], dest, owner)
        };
        self.push_copies(name, step.span, vec![copy], false);
    }
}
