//! A stage, below `stages` or at the top.

use larder_diagnostic::{Spanned, quote};

use super::{Decoder, Slot};
use crate::language::STAGE;
use crate::model::Stage;
use crate::tree::Kind;

impl<'src> Decoder<'_, 'src> {
    /// A stage below its name.
    pub(super) fn stage(&mut self, slot: Slot<'_, 'src>) -> Option<Stage> {
        let named = self.stage_name(slot);
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            let hint = "write `from: …` and `steps:` below the name";
            self.wrong(slot, "a mapping", Some(hint.to_owned()));
            return None;
        }
        let fields = self.fields(slot.node, &STAGE);
        let name = Spanned::new(slot.key.to_owned(), slot.at);
        let mut stage = Stage::empty(name);
        let has_from = self.stage_fields(&mut stage, fields);
        if !has_from {
            self.error(
                slot.at,
                format!("the stage {} has no `from`", quote(slot.key)),
                "name an image, another stage, or `scratch`",
            );
        }
        named.then_some(stage)
    }

    /// Reads what a stage has, below its name or at the top; whether `from` was there.
    pub(super) fn stage_fields(&mut self, stage: &mut Stage, fields: Vec<Slot<'_, 'src>>) -> bool {
        let mut has_from = false;
        for field in fields {
            match field.key {
                "from" => {
                    has_from = true;
                    if let Some((from, platform)) = self.base_and_platform(field) {
                        stage.from = from;
                        stage.platform = platform;
                    }
                }
                "description" => stage.description = self.words(field),
                "args" => stage.args = self.args(field),
                "env" => stage.env = self.env(field),
                "workdir" => stage.workdir = self.template(field, "a path"),
                "user" => stage.user = self.user(field),
                "shell" => stage.shell = self.shell(field),
                "caches" => stage.caches = self.caches(field),
                "steps" => stage.steps = self.steps(field),
                _ => stage.image = self.image(field),
            }
        }
        has_from
    }

    fn stage_name(&mut self, slot: Slot<'_, 'src>) -> bool {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if slot.key == "scratch" {
            let hint = "choose another; `scratch` is the empty image";
            self.error(slot.at, "a stage cannot be called `scratch`", hint);
            return false;
        }
        if slot.key.is_empty() || !slot.key.chars().all(good) {
            self.error(
                slot.at,
                format!("{} cannot be the name of a stage", quote(slot.key)),
                "use letters, digits, `-`, `_` and `.`",
            );
            return false;
        }
        true
    }
}
