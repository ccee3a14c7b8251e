//! Elements of `steps`.

use larder_diagnostic::{Diagnostic, Spanned, quote};

use super::fields::Keys;
use super::{Decoder, Slot};
use crate::model::{Copy, Install, Run, RunOptions, Step, StepKind, Tool};
use crate::suggest;
use crate::template::Template;
use crate::tree::Kind;

const KINDS: [&str; 3] = ["run", "install", "copy"];

const RUN: Keys = Keys {
    of: "a `run` step",
    known: &["run", "name", "user", "workdir", "env", "caches", "outputs"],
    elsewhere: &[],
};

const INSTALL: Keys = Keys {
    of: "an `install` step",
    known: &["install", "name", "user", "workdir", "env", "caches"],
    elsewhere: &[("outputs", "only a `run` step has outputs")],
};

const INSIDE: &str = "put it inside, as in `copy: {src: …, dest: …}`";

const COPY_STEP: Keys = Keys {
    of: "a `copy` step",
    known: &["copy", "name"],
    elsewhere: &[
        ("from", INSIDE),
        ("src", INSIDE),
        ("dest", INSIDE),
        ("chown", INSIDE),
        ("chmod", INSIDE),
        ("user", "set `chown` inside `copy`"),
    ],
};

const COPY: Keys = Keys {
    of: "`copy`",
    known: &["from", "src", "dest", "chown", "chmod"],
    elsewhere: &[
        ("user", "did you mean `chown`?"),
        ("name", "put it beside `copy`"),
    ],
};

impl<'src> Decoder<'_, 'src> {
    pub(super) fn steps(&mut self, slot: Slot<'_, 'src>) -> Vec<Step> {
        let Some(elements) = self.list(slot, "a list") else {
            return Vec::new();
        };
        let mut out = Vec::with_capacity(elements.len());
        out.extend(elements.filter_map(|element| self.step(element)));
        out
    }

    fn step(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        match self.kind_of_step(slot)? {
            "run" => self.run(slot),
            "install" => self.install(slot),
            _ => self.copy_step(slot),
        }
    }

    /// Which of `run`, `install` and `copy` the step is.
    fn kind_of_step(&mut self, slot: Slot<'_, 'src>) -> Option<&'static str> {
        let Kind::Mapping(pairs) = slot.kind() else {
            let hint = match slot.kind() {
                Kind::Scalar { .. } if !slot.node.is_null() => "write `run: ` before a command",
                _ => "write `run: …`, `install: …` or `copy: …`",
            };
            self.wrong(slot, "a mapping", Some(hint.to_owned()));
            return None;
        };
        let mut found = None;
        for (key, _) in pairs {
            let Some(kind) = KINDS.into_iter().find(|k| key.scalar() == Some(k)) else {
                continue;
            };
            let at = key.resolve().span;
            match found {
                None => found = Some((kind, at)),
                // Given twice, which is reported with all other keys.
                Some((first, _)) if first == kind => {}
                Some((first, place)) => {
                    let message = format!("`{kind}` in a step that has `{first}`");
                    self.report.push(
                        Diagnostic::error(at, message)
                            .label(place, "what the step does already")
                            .hint(format!("begin a step of its own: `- {kind}: …`")),
                    );
                    return None;
                }
            }
        }
        if found.is_none() {
            self.no_kind(slot);
        }
        found.map(|(kind, _)| kind)
    }

    fn no_kind(&mut self, slot: Slot<'_, 'src>) {
        let Kind::Mapping(pairs) = slot.kind() else {
            return;
        };
        for (key, _) in pairs {
            let Some(name) = key.scalar() else { continue };
            if let Some(meant) = suggest::closest(name, KINDS) {
                let message = format!("unknown key {} in a step", quote(name));
                let at = key.resolve().span;
                self.error(at, message, format!("did you mean `{meant}`?"));
                return;
            }
        }
        let command = |name: &str| name.contains(char::is_whitespace);
        let first = pairs.first().and_then(|(key, _)| key.scalar());
        let hint = if first.is_some_and(command) {
            "write `run: ` before a command, and put it in quotes if it holds `: `"
        } else {
            "write `run: …`, `install: …` or `copy: …`"
        };
        self.error(
            slot.span(),
            "a step without `run`, `install` or `copy`",
            hint,
        );
    }

    fn run(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let mut name = None;
        let mut command = None;
        let (mut user, mut workdir, mut env, mut caches) = (None, None, Vec::new(), None);
        let mut outputs = Vec::new();
        for field in self.fields(slot.node, &RUN) {
            match field.key {
                "run" => command = self.command(field),
                "name" => name = self.template(field, "text"),
                "user" => user = self.user(field),
                "workdir" => workdir = self.template(field, "a path"),
                "env" => env = self.env(field),
                "outputs" => outputs = self.outputs(field),
                _ => caches = self.caches(field),
            }
        }
        let kind = StepKind::Run(Box::new(Run {
            command: command?,
            user,
            workdir,
            env,
            caches,
            outputs,
            shell: None,
            options: RunOptions::default(),
        }));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn install(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let mut name = None;
        let mut tool = None;
        let (mut user, mut workdir, mut env, mut caches) = (None, None, Vec::new(), None);
        for field in self.fields(slot.node, &INSTALL) {
            match field.key {
                "install" => {
                    let at = field.span();
                    tool = self
                        .word(field, &Tool::ALL.map(|tool| (tool.name(), tool)))
                        .map(|tool| Spanned::new(tool, at));
                }
                "name" => name = self.template(field, "text"),
                "user" => user = self.user(field),
                "workdir" => workdir = self.manifest_directory(field),
                "env" => env = self.env(field),
                _ => caches = self.caches(field),
            }
        }
        let kind = StepKind::Install(Box::new(Install {
            tool: tool?,
            user,
            workdir,
            env,
            caches,
            options: RunOptions::default(),
        }));
        let span = slot.span();
        Some(Step { name, kind, span })
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

    fn copy_step(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let mut name = None;
        let mut copy = None;
        for field in self.fields(slot.node, &COPY_STEP) {
            match field.key {
                "copy" => copy = self.copy(field),
                _ => name = self.template(field, "text"),
            }
        }
        let kind = StepKind::Copy(Box::new(copy?));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn copy(&mut self, slot: Slot<'_, 'src>) -> Option<Copy> {
        const PATHS: &str = "a path or a list of paths";
        let here = |slot: &Slot<'_, 'src>| Template::text(".", slot.span());
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            let src = self.sources(slot, "a path, a list of paths, or a mapping with `src`")?;
            let inside = self.all_in_context(&src);
            return inside.then(|| Copy::new(src, here(&slot)));
        }
        let (mut from, mut src, mut chown, mut chmod) = (None, None, None, None);
        let mut dest = Some(here(&slot));
        let (mut has_from, mut has_src) = (false, false);
        for field in self.fields(slot.node, &COPY) {
            match field.key {
                "from" => {
                    has_from = true;
                    from = self.base(field);
                }
                "src" => {
                    has_src = true;
                    src = self.sources(field, PATHS);
                }
                "dest" => dest = self.template(field, "a path"),
                "chown" => chown = self.user(field),
                _ => chmod = self.mode(field),
            }
        }
        if !has_src {
            self.error(slot.span(), "a `copy` without `src`", "say what is copied");
        }
        let (src, dest) = (src?, dest?);
        if !has_from && !self.all_in_context(&src) {
            return None;
        }
        if has_from && from.is_none() {
            return None;
        }
        let to = dest.literal();
        if src.len() > 1
            && to.is_some_and(|to| !to.ends_with('/') && to != "." && !to.ends_with("/."))
        {
            self.error(
                dest.span,
                "several things are copied to one name",
                "end `dest` with `/`, so that it is a directory",
            );
        }
        Some(Copy {
            from,
            src,
            dest,
            chown,
            chmod,
            exclude: Vec::new(),
            parents: false,
            link: false,
        })
    }

    fn sources(&mut self, slot: Slot<'_, 'src>, expected: &str) -> Option<Vec<Template>> {
        let sources = self.list_or_one(slot, expected);
        if sources.is_empty() {
            if matches!(slot.kind(), Kind::List(_)) {
                self.error(slot.span(), "nothing to copy", "name at least one path");
            }
            return None;
        }
        let count = sources.len();
        let paths: Vec<Template> = sources
            .into_iter()
            .filter_map(|source| self.template(source, "a path"))
            .collect();
        (paths.len() == count).then_some(paths)
    }
}
