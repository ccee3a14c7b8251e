//! `image`, and command lines.

use larder_diagnostic::Spanned;

use super::fields::Keys;
use super::{Decoder, Slot};
use crate::model::{Command, Image};
use crate::template::Template;
use crate::tree::Kind;

const IMAGE: Keys = Keys {
    of: "`image`",
    known: &[
        "entrypoint",
        "cmd",
        "env",
        "expose",
        "labels",
        "user",
        "workdir",
    ],
    elsewhere: &[
        ("from", "put it beside `image`"),
        ("command", "did you mean `cmd`?"),
    ],
};

impl<'src> Decoder<'_, 'src> {
    /// The OCI image config.
    pub(super) fn image(&mut self, slot: Slot<'_, 'src>) -> Image {
        let mut image = Image::default();
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            self.wrong(slot, "a mapping with `cmd`, `expose` and the like", None);
            return image;
        }
        for field in self.fields(slot.node, &IMAGE) {
            match field.key {
                "entrypoint" => image.entrypoint = self.command(field),
                "cmd" => image.cmd = self.command(field),
                "env" => image.env = self.env(field),
                "expose" => image.expose = self.expose(field),
                "labels" => image.labels = self.labels(field),
                "user" => image.user = self.user(field),
                _ => image.workdir = self.template(field, "a path"),
            }
        }
        image
    }

    fn expose(&mut self, slot: Slot<'_, 'src>) -> Vec<Template> {
        let ports = self.list_or_one(slot, "a list of ports");
        ports.into_iter().filter_map(|p| self.port(p)).collect()
    }

    fn labels(&mut self, slot: Slot<'_, 'src>) -> Vec<(Spanned<String>, Template)> {
        let hint = "write `name: value`, one on a line";
        let entries = self.entries(slot, "a mapping of names to values", Some(hint));
        let mut out = Vec::new();
        for entry in entries.into_iter().flatten() {
            if entry.key.trim().is_empty() {
                self.error(entry.at, "a label without a name", "give it one");
                continue;
            }
            let value = self.template_or_empty(entry);
            let name = Spanned::new(entry.key.to_owned(), entry.at);
            out.extend(value.map(|value| (name, value)));
        }
        out
    }

    /// Text for a shell, or a list of words.
    pub(super) fn command(&mut self, slot: Slot<'_, 'src>) -> Option<Command> {
        const EXPECTED: &str = "a command or a list of words";
        if !matches!(slot.kind(), Kind::List(_)) {
            if matches!(slot.kind(), Kind::Mapping(_)) && slot.key == "run" {
                let hint = "write the command after `run:`, and `user`, `env` and so on beside it";
                self.wrong(slot, EXPECTED, Some(hint.to_owned()));
                return None;
            }
            let text = self.text(slot, EXPECTED)?;
            return Some(Command::Shell(Spanned::new(text.to_owned(), slot.span())));
        }
        let elements = self.list(slot, EXPECTED)?;
        if elements.len() == 0 {
            // An image may clear what its base runs.
            if slot.key != "run" {
                return Some(Command::Exec(Vec::new()));
            }
            self.error(slot.span(), "`run` has no words", "write what runs");
            return None;
        }
        let mut words = Vec::with_capacity(elements.len());
        for (i, element) in elements.enumerate() {
            let word = if i == 0 {
                self.text(element, "a word")?
            } else {
                self.text_or_empty(element, "a word")?
            };
            words.push(Spanned::new(word.to_owned(), element.span()));
        }
        Some(Command::Exec(words))
    }
}
