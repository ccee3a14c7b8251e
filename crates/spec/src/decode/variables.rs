//! `env` and `args`.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::{Decoder, Slot};
use crate::language::ARG;
use crate::model::{Arg, EnvVar};
use crate::tree::Kind;

impl<'src> Decoder<'_, 'src> {
    /// A mapping of names to values.
    pub(super) fn env(&mut self, slot: Slot<'_, 'src>) -> Vec<EnvVar> {
        let expected = "a mapping of names to values";
        let hint = "write `NAME: value`, one on a line";
        let Some(entries) = self.entries(slot, expected, Some(hint)) else {
            return Vec::new();
        };
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            let good = self.identifier(entry.key, entry);
            let value = self.template_or_empty(entry);
            if let (true, Some(value)) = (good, value) {
                let name = Spanned::new(entry.key.to_owned(), entry.at);
                out.push(EnvVar { name, value });
            }
        }
        out
    }

    /// A mapping of names to defaults, or a list of names, each with or without `=default`.
    pub(super) fn args(&mut self, slot: Slot<'_, 'src>) -> Vec<Arg> {
        let expected = "a mapping of names to defaults, or a list of names";
        if !matches!(slot.kind(), Kind::List(_)) {
            let entries = self.entries(slot, expected, None).unwrap_or_default();
            return entries.into_iter().filter_map(|e| self.arg(e)).collect();
        }
        let elements = self.list(slot, expected).into_iter().flatten();
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut out = Vec::new();
        for element in elements {
            let Some(text) = self.text(element, "`NAME` or `NAME=default`") else {
                continue;
            };
            let (name, default) = match text.split_once('=') {
                Some((name, _)) => (name, self.parse_template(text, element, name.len() + 1)),
                None => (text, None),
            };
            let at = element.span();
            if !self.identifier(name, element) {
                continue;
            }
            if let Some(first) = seen.insert(name, at) {
                self.report.push(
                    Diagnostic::error(at, format!("{} is given twice", quote(name)))
                        .label(first, "first here")
                        .hint("keep one of them"),
                );
                continue;
            }
            let name = Spanned::new(name.to_owned(), at);
            out.push(Arg {
                name,
                default,
                description: None,
            });
        }
        out
    }

    fn arg(&mut self, entry: Slot<'_, 'src>) -> Option<Arg> {
        if !self.identifier(entry.key, entry) {
            return None;
        }
        let name = Spanned::new(entry.key.to_owned(), entry.at);
        let mut arg = Arg {
            name,
            default: None,
            description: None,
        };
        match entry.kind() {
            Kind::Mapping(_) => {
                for field in self.fields(entry.node, &ARG) {
                    match field.key {
                        "default" => arg.default = self.template_or_empty(field),
                        _ => arg.description = self.words(field),
                    }
                }
            }
            Kind::List(_) => {
                let expected = "a default, or a mapping with `default` and `description`";
                self.wrong(entry, expected, None);
            }
            _ if entry.node.is_null() => {}
            _ => arg.default = self.template_or_empty(entry),
        }
        Some(arg)
    }

    /// Text for people.
    pub(super) fn words(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<String>> {
        let text = self.text(slot, "text")?;
        Some(Spanned::new(text.trim().to_owned(), slot.span()))
    }
}
