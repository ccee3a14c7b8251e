//! Elements of `steps`.

use larder_diagnostic::{Diagnostic, quote};

use super::{Decoder, Slot};
use crate::model::Step;
use crate::suggest;
use crate::tree::{Kind, Node};

const KINDS: [&str; 5] = ["run", "install", "copy", "add", "file"];

const EACH: &str = "write `run: …`, `install: …`, `copy: …`, `add: …` or `file: …`";

const BESIDE: &str = "put it beside `steps`, or on the step that it is for";
const IN_IMAGE: &str = "put it below `image`, which is beside `steps`";
const ON_STEP: &str = "put it on the step that it is for";

/// Instructions of a Dockerfile that are no steps.
const NO_STEPS: [(&str, &str); 23] = [
    ("annotations", IN_IMAGE),
    ("arg", "declare it in `args`, beside `steps`"),
    ("args", "put it beside `steps`"),
    ("caches", BESIDE),
    ("cmd", IN_IMAGE),
    ("entrypoint", IN_IMAGE),
    ("env", BESIDE),
    ("expose", IN_IMAGE),
    ("from", "begin another stage, below `stages`"),
    ("healthcheck", IN_IMAGE),
    (
        "label",
        "put it below `image`, which is beside `steps`, as `labels`",
    ),
    ("labels", IN_IMAGE),
    ("mounts", ON_STEP),
    ("on-build", IN_IMAGE),
    (
        "onbuild",
        "put it below `image`, which is beside `steps`, as `on-build`",
    ),
    ("secrets", ON_STEP),
    ("shell", BESIDE),
    ("ssh", ON_STEP),
    ("stop-signal", IN_IMAGE),
    (
        "stopsignal",
        "put it below `image`, which is beside `steps`, as `stop-signal`",
    ),
    ("user", BESIDE),
    (
        "volume",
        "put it below `image`, which is beside `steps`, as `volumes`",
    ),
    ("workdir", BESIDE),
];

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
            "copy" => self.copy_step(slot),
            "add" => self.add_step(slot),
            _ => self.file_step(slot),
        }
    }

    /// Which of [`KINDS`] the step is.
    fn kind_of_step(&mut self, slot: Slot<'_, 'src>) -> Option<&'static str> {
        let Kind::Mapping(pairs) = slot.kind() else {
            let hint = match slot.kind() {
                Kind::Scalar { .. } if !slot.node.is_null() => "write `run: ` before a command",
                _ => EACH,
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
        let advice = |(key, _): &(Node<'_>, Node<'_>)| {
            let name = key.scalar()?.to_ascii_lowercase();
            let found = NO_STEPS.iter().find(|(word, _)| *word == name);
            found.map(|(_, advice)| *advice)
        };
        let command = |name: &str| name.contains(char::is_whitespace);
        let first = pairs.first().and_then(|(key, _)| key.scalar());
        let hint = match pairs.as_slice() {
            [only] => advice(only),
            _ => None,
        };
        let hint = hint.unwrap_or(if first.is_some_and(command) {
            "write `run: ` before a command, and put it in quotes if it holds `: `"
        } else {
            EACH
        });
        let names = suggest::list(KINDS);
        self.error(slot.span(), format!("a step without one of {names}"), hint);
    }
}
