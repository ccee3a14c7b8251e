//! `file` steps.

use larder_diagnostic::quote;

use super::{Decoder, Slot};
use crate::language::{FILE, FILE_STEP};
use crate::model::{Content, FileStep, Step, StepKind};
use crate::template::Template;
use crate::tree::Kind;

const HINT: &str = "write `{dest: /etc/motd, content: …}`";

impl<'src> Decoder<'_, 'src> {
    pub(super) fn file_step(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let (mut name, mut file) = (None, None);
        for field in self.fields(slot.node, &FILE_STEP) {
            match field.key {
                "file" => file = self.file(field),
                _ => name = self.template(field, "text"),
            }
        }
        let kind = StepKind::File(Box::new(file?));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn file(&mut self, slot: Slot<'_, 'src>) -> Option<FileStep> {
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            self.wrong(
                slot,
                "a mapping with `dest` and `content`",
                Some(HINT.to_owned()),
            );
            return None;
        }
        let (mut dest, mut content, mut chown, mut chmod) = (None, None, None, None);
        let mut expand = false;
        for field in self.whole(slot, &FILE, HINT) {
            match field.key {
                "dest" => dest = self.file_name(field),
                "content" => content = Some(field),
                "chown" => chown = self.user(field),
                "chmod" => chmod = self.mode(field),
                _ => expand = self.bool(field).unwrap_or(false),
            }
        }
        let content = self.content(content?, expand);
        Some(FileStep {
            dest: dest?,
            content: content?,
            chown,
            chmod,
        })
    }

    fn content(&mut self, slot: Slot<'_, 'src>, expand: bool) -> Option<Content> {
        if matches!(slot.kind(), Kind::List(_) | Kind::Mapping(_)) {
            let hint = "write `content: |`, and the text indented below it";
            self.wrong(slot, "text", Some(hint.to_owned()));
            return None;
        }
        if expand {
            return self.template_or_empty(slot).map(Content::Expanded);
        }
        if slot.node.is_null() {
            let hint = "write `\"\"` for an empty file";
            self.error(slot.span(), "`content` has no value", hint);
            return None;
        }
        let text = self.text_or_empty(slot, "text")?;
        Some(Content::Plain(text.to_owned()))
    }

    /// A path that does not end in a directory.
    fn file_name(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let dest = self.template(slot, "a path")?;
        if let Some(text) = dest.literal() {
            let last = text.rsplit('/').next().unwrap_or_default();
            if matches!(last, "" | "." | "..") {
                let message = format!("{} is a directory, not a file", quote(&text));
                self.error(dest.span, message, "add the name of the file");
                return None;
            }
        }
        Some(dest)
    }
}
