//! `run` and `install` steps.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::{Decoder, Slot};
use crate::language::{INSTALL_STEP, RUN_STEP};
use crate::model::{EnvVar, Install, Run, RunOptions, Step, StepKind, Tool};
use crate::suggest;
use crate::template::Template;
use crate::tree::Kind;

/// Package managers of distributions.
const OF_SYSTEMS: [&str; 9] = [
    "apk", "apt", "apt-get", "dnf", "microdnf", "pacman", "tdnf", "yum", "zypper",
];

impl<'src> Decoder<'_, 'src> {
    pub(super) fn run(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let (mut name, mut command) = (None, None);
        let (mut user, mut workdir, mut env, mut caches) = (None, None, Vec::new(), None);
        let (mut shell, mut outputs) = (None, Vec::new());
        let mut options = RunOptions::default();
        for field in self.fields(slot.node, &RUN_STEP) {
            match field.key {
                "run" => command = self.command(field),
                "name" => name = self.template(field, "text"),
                "user" => user = self.user(field),
                "workdir" => workdir = self.template(field, "a path"),
                "shell" => {
                    shell = self.shell(field);
                    self.shell_of_words(slot, field);
                }
                "env" => env = self.env(field),
                "outputs" => outputs = self.outputs(field),
                "caches" => caches = self.caches(field),
                _ => self.option(&mut options, field),
            }
        }
        self.each_place_once(&options);
        self.each_variable_once(&options, &env);
        let kind = StepKind::Run(Box::new(Run {
            command: command?,
            user,
            workdir,
            shell,
            env,
            caches,
            options,
            outputs,
        }));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    /// Reports the `shell` of a step that runs words, which no shell sees.
    fn shell_of_words(&mut self, step: Slot<'_, 'src>, shell: Slot<'_, 'src>) {
        let Kind::Mapping(pairs) = step.kind() else {
            return;
        };
        let run = pairs.iter().find(|(key, _)| key.scalar() == Some("run"));
        let Some((key, value)) = run else { return };
        if matches!(value.resolve().kind, Kind::List(_)) {
            self.report.push(
                Diagnostic::error(shell.at, "`shell` on a step whose `run` is a list of words")
                    .label(key.resolve().span, "a list runs without a shell")
                    .hint("write the command as one line, or leave `shell` out"),
            );
        }
    }

    /// Reports variables that are set twice, at least once to a secret.
    fn each_variable_once(&mut self, options: &RunOptions, env: &[EnvVar]) {
        let of_secrets = options.secrets.iter().filter_map(|s| s.env.as_ref());
        let of_env = env.iter().map(|variable| &variable.name);
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for name in of_secrets.chain(of_env) {
            if let Some(first) = seen.insert(&name.value, name.span) {
                let message = format!("the variable {} is set twice", quote(&name.value));
                self.report.push(
                    Diagnostic::error(name.span, message)
                        .label(first, "to a secret here")
                        .hint("keep one of them"),
                );
            }
        }
    }

    pub(super) fn install(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let (mut name, mut tool) = (None, None);
        let (mut user, mut workdir, mut env, mut caches) = (None, None, Vec::new(), None);
        let mut options = RunOptions::default();
        for field in self.fields(slot.node, &INSTALL_STEP) {
            match field.key {
                "install" => tool = self.tool(field),
                "name" => name = self.template(field, "text"),
                "user" => user = self.user(field),
                "workdir" => workdir = self.manifest_directory(field),
                "env" => env = self.env(field),
                "caches" => caches = self.caches(field),
                _ => self.option(&mut options, field),
            }
        }
        self.each_place_once(&options);
        self.each_variable_once(&options, &env);
        let kind = StepKind::Install(Box::new(Install {
            tool: tool?,
            user,
            workdir,
            env,
            caches,
            options,
        }));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn tool(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Tool>> {
        const EXPECTED: &str = "the name of a package manager, or `auto`";
        let hint = match slot.kind() {
            Kind::List(_) => Some("write a step for each"),
            Kind::Mapping(_) => Some("write `install: npm`, and `workdir` and so on beside it"),
            _ => None,
        };
        if let Some(hint) = hint {
            self.wrong(slot, EXPECTED, Some(hint.to_owned()));
            return None;
        }
        let text = self.text(slot, EXPECTED)?;
        if let Some(tool) = Tool::ALL.into_iter().find(|tool| tool.name() == text) {
            return Some(Spanned::new(tool, slot.span()));
        }
        let message = format!(
            "{} is not a package manager that `install` knows",
            quote(text)
        );
        let names = Tool::ALL.map(Tool::name);
        let first = text.split_whitespace().next().unwrap_or_default();
        let hint = if OF_SYSTEMS.contains(&first) {
            format!(
                "it reads a project's manifest; write `run: {first} …` for packages of the system"
            )
        } else if first != text && names.contains(&first) {
            format!(
                "write `install: {first}` for what the manifest names, or the command after `run:`"
            )
        } else {
            match suggest::closest(text, names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it knows {}; run any other", suggest::list(names)),
            }
        };
        self.error(slot.span(), message, hint);
        None
    }

    /// A directory both in the context and below the stage's.
    fn manifest_directory(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let path = self.template(slot, "a path")?;
        if path.literal().is_some_and(|text| text.starts_with('/')) {
            self.error(
                path.span,
                "`workdir` of an `install` step takes a path below the context",
                "begin it without `/`: it is the same below the context and the stage's `workdir`",
            );
            return None;
        }
        self.in_context(&path).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Shape;

    #[test]
    fn the_table_has_every_tool() {
        let install = INSTALL_STEP.keys.iter().find(|key| key.name == "install");
        let Some(Shape::Word(words)) = install.map(|key| &key.takes) else {
            panic!("{install:?}");
        };
        assert_eq!(*words, Tool::ALL.map(Tool::name));
    }
}
