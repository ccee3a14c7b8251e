//! Files that a step copies out of its mounts, in the same execution: what is in a mount is not in the
//! image, and after the step nobody has it.

use larder_diagnostic::{Diagnostic, quote};
use larder_inject::{CacheMount, Decision};
use larder_spec::model::{Command, Output, Run};

use crate::model::{PlannedOptions, PlannedOutput};
use crate::paths::{join, parent};
use crate::planner::Planner;
use crate::stage::Builder;

impl Builder<'_, '_> {
    /// The outputs of a step, with absolute paths.
    pub(crate) fn outputs(&mut self, run: &Run, cwd: &str) -> Vec<PlannedOutput> {
        if let (Some(first), Err((message, hint))) = (run.outputs.first(), self.can_copy(run)) {
            let error = Diagnostic::error(first.from.span, message).hint(hint);
            self.planner.report(error);
            return Vec::new();
        }
        run.outputs
            .iter()
            .filter_map(|output| self.output(output, cwd))
            .collect()
    }

    fn output(&mut self, output: &Output, cwd: &str) -> Option<PlannedOutput> {
        let from = self.expand_maybe(&output.from);
        let (from, written) = (from?, self.expand_maybe(&output.to)?);
        let (from, mut to) = (join(cwd, &from), join(cwd, &written));
        let name = from.rsplit('/').next().unwrap_or_default();
        if name.is_empty() {
            self.planner.report(
                Diagnostic::error(output.from.span, "the root cannot be copied")
                    .hint("name a file or a directory"),
            );
            return None;
        }
        if written == "." || written.ends_with('/') || written.ends_with("/.") {
            to = join(&to, name);
        }
        let inside = |path: &str, above: &str| larder_catalog::within(path, above);
        // Where the base is not known yet, the directory may be another.
        if self.ground.complete && (inside(&from, &to) || inside(&to, &from)) {
            self.planner.report(
                Diagnostic::error(
                    output.to.span,
                    format!("{} would be copied to {}", quote(&from), quote(&to)),
                )
                .hint("name a place outside of what is copied"),
            );
            return None;
        }
        let span = output.to.span;
        Some(PlannedOutput { from, to, span })
    }

    /// Whether there is a shell to copy with; what is wrong, and what to do, otherwise.
    fn can_copy(&self, run: &Run) -> Result<(), (&'static str, &'static str)> {
        if !self.has_bourne_shell() {
            return Err((
                "`outputs` needs a Bourne shell, and the image's is another",
                "copy the files with the command itself",
            ));
        }
        let is_scratch = self.ground.complete && self.ground.bottom.is_none();
        if is_scratch && matches!(run.command, Command::Exec(_)) {
            return Err((
                "`outputs` needs a shell and `cp`, which `scratch` does not have",
                "let the command write where the files are to be",
            ));
        }
        Ok(())
    }

    /// The words that run a command, and copy its outputs if it succeeds. The command's words stay what
    /// they are, each an argument, and so does the status that it ends with.
    pub(crate) fn copying(&self, args: Vec<String>, outputs: &[PlannedOutput]) -> Vec<String> {
        if outputs.is_empty() {
            return args;
        }
        let mut script = "set -e\n\"$@\"".to_owned();
        for output in outputs {
            let above = format!("/{}", parent(&output.to).trim_start_matches('/'));
            script.push_str("\nmkdir -p -- ");
            script.push_str(&quoted(&above));
            script.push_str("\ncp -aT -- ");
            script.push_str(&quoted(&output.from));
            script.push(' ');
            script.push_str(&quoted(&output.to));
        }
        let shell = self.shell.iter().cloned();
        shell
            .chain([script, "outputs".to_owned()])
            .chain(args)
            .collect()
    }
}

/// Reports outputs that are copied into a mount, where they are lost again.
pub(crate) fn check(
    planner: &mut Planner<'_>,
    outputs: &[PlannedOutput],
    decision: &Decision,
    options: &PlannedOptions,
) {
    for output in outputs {
        let holds = |target: &&String| larder_catalog::within(&output.to, target);
        if let Some(target) = options.targets().find(holds) {
            planner.report(
                Diagnostic::error(
                    output.span,
                    format!(
                        "{} is in what is mounted at {}",
                        quote(&output.to),
                        quote(target)
                    ),
                )
                .hint("name a directory of the image: what is in a mount is not in the image"),
            );
            continue;
        }
        let holds = |mount: &&CacheMount| larder_catalog::within(&output.to, &mount.target);
        if let Some(mount) = decision.mounts.iter().find(holds) {
            planner.report(
                Diagnostic::error(
                    output.span,
                    format!("{} is in the cache `{}`", quote(&output.to), mount.cache),
                )
                .hint("name a directory of the image: what is in a cache is not in the image"),
            );
        }
    }
}

/// A text as one word of a Bourne shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
