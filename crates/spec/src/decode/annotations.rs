//! `annotations` of `image`.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::{Decoder, Slot};
use crate::model::{Annotation, AnnotationLevel};
use crate::suggest;

const LEVELS: [(&str, AnnotationLevel); 4] = [
    ("manifest", AnnotationLevel::Manifest),
    ("manifest-descriptor", AnnotationLevel::ManifestDescriptor),
    ("index", AnnotationLevel::Index),
    ("index-descriptor", AnnotationLevel::IndexDescriptor),
];

impl<'src> Decoder<'_, 'src> {
    /// A mapping of names to values. What a name is put on may stand before it.
    pub(super) fn annotations(&mut self, slot: Slot<'_, 'src>) -> Vec<Annotation> {
        let hint = "write `name: value`, one on a line";
        let entries = self.entries(slot, "a mapping of names to values", Some(hint));
        let mut seen: BTreeMap<(AnnotationLevel, &str), Span> = BTreeMap::new();
        let mut out = Vec::new();
        for entry in entries.into_iter().flatten() {
            let (levels, name) = match entry.key.split_once(':') {
                Some((levels, name)) => (self.levels(entry, levels), name),
                None => (vec![AnnotationLevel::default()], entry.key),
            };
            if name.is_empty() {
                self.error(entry.at, "an annotation without a name", "give it one");
                continue;
            }
            if name.contains(|c: char| c.is_whitespace() || c == ':') {
                let message = format!("{} cannot be the name of an annotation", quote(name));
                let hint = "write it as in `org.opencontainers.image.title`";
                self.error(entry.at, message, hint);
                continue;
            }
            let Some(value) = self.template_or_empty(entry) else {
                continue;
            };
            for level in levels {
                if let Some(first) = seen.insert((level, name), entry.at) {
                    self.report.push(
                        Diagnostic::error(entry.at, format!("{} is given twice", quote(name)))
                            .label(first, "first here")
                            .hint("keep one of them"),
                    );
                    continue;
                }
                out.push(Annotation {
                    level,
                    name: Spanned::new(name.to_owned(), entry.at),
                    value: value.clone(),
                });
            }
        }
        out
    }

    /// What stands before the colon, with commas.
    fn levels(&mut self, entry: Slot<'_, 'src>, text: &str) -> Vec<AnnotationLevel> {
        let mut out = Vec::new();
        for word in text.split(',') {
            if let Some((_, level)) = LEVELS.iter().find(|(name, _)| *name == word) {
                out.push(*level);
                continue;
            }
            let message = format!("{} is nothing that an annotation is put on", quote(word));
            let names = LEVELS.map(|(name, _)| name);
            let hint = match suggest::closest(word, names) {
                _ if word.contains('[') => {
                    "leave out the brackets: it is put on those of all platforms".to_owned()
                }
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known before the `:` are {}", suggest::list(names)),
            };
            self.error(entry.at, message, hint);
        }
        out
    }
}
