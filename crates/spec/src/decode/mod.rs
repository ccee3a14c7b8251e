//! From the tree to the model: each file reads one thing that a spec holds.

mod add;
mod annotations;
mod base;
mod caches;
mod conceal;
mod copy;
mod fields;
mod file;
mod healthcheck;
mod image;
mod layers;
mod mounts;
mod options;
mod outputs;
mod quantities;
mod run;
mod spec;
mod stage;
mod step;
mod values;
mod variables;

use larder_diagnostic::{Diagnostic, Span, quote};

use crate::report::Report;
use crate::suggest;
use crate::template::Template;
use crate::tree::{Kind, Node, span};

pub(crate) use conceal::conceal_words;
pub(crate) use quantities::{is_time, truth};
pub(crate) use spec::{BEGINNING, spec};

/// What decoding needs everywhere.
pub(crate) struct Decoder<'r, 'src> {
    pub(crate) source: &'src str,
    pub(crate) report: &'r mut Report,
}

/// A value and the key that it belongs to.
#[derive(Clone, Copy)]
struct Slot<'n, 'src> {
    key: &'n str,
    /// Where the key is.
    at: Span,
    /// Whether the value is an element of the key's list.
    element: bool,
    node: &'n Node<'src>,
}

impl<'src> Slot<'_, 'src> {
    /// What a message calls it.
    fn subject(&self) -> String {
        if self.element {
            format!("an element of {}", quote(self.key))
        } else {
            quote(self.key)
        }
    }

    /// The value, or the key of a value that is not written.
    fn span(&self) -> Span {
        let span = self.node.resolve().span;
        if span.start < span.end { span } else { self.at }
    }

    fn kind(&self) -> &Kind<'src> {
        &self.node.resolve().kind
    }
}

/// What a node is, in a message.
fn describe(node: &Node<'_>) -> &'static str {
    match &node.resolve().kind {
        _ if node.is_null() => "nothing",
        Kind::List(_) => "a list",
        Kind::Mapping(_) => "a mapping",
        _ => "text",
    }
}

impl<'src> Decoder<'_, 'src> {
    fn error(&mut self, at: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.report.push(Diagnostic::error(at, message).hint(hint));
    }

    /// The value is of another kind than it should be.
    fn wrong(&mut self, slot: Slot<'_, 'src>, expected: &str, hint: Option<String>) {
        let subject = slot.subject();
        let diagnostic = if slot.node.is_null() {
            let hint = match self.word_for_nothing(slot.node) {
                Some(word) => format!("it takes {expected}; `{word}` is text in quotes alone"),
                None => format!("it takes {expected}"),
            };
            Diagnostic::error(slot.span(), format!("{subject} has no value")).hint(hint)
        } else {
            let found = describe(slot.node);
            Diagnostic::error(
                slot.span(),
                format!("{subject} takes {expected}, not {found}"),
            )
        };
        let diagnostic = match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        };
        self.report.push(diagnostic);
    }

    /// The word that YAML takes for nothing, where it is written.
    fn word_for_nothing(&self, node: &Node<'src>) -> Option<&'src str> {
        let at = node.resolve().span;
        let written = self.source.get(at.start as usize..at.end as usize)?;
        (node.is_null() && node.scalar() == Some(written)).then_some(written)
    }

    /// The elements of a list.
    fn list<'n>(
        &mut self,
        slot: Slot<'n, 'src>,
        expected: &str,
    ) -> Option<impl ExactSizeIterator<Item = Slot<'n, 'src>> + use<'n, 'src>> {
        let Kind::List(elements) = &slot.node.resolve().kind else {
            self.wrong(slot, expected, None);
            return None;
        };
        Some(elements.iter().map(move |node| Slot {
            element: true,
            node,
            ..slot
        }))
    }

    /// The elements of a list, or a single value that stands for a list of one.
    fn list_or_one<'n>(&mut self, slot: Slot<'n, 'src>, expected: &str) -> Vec<Slot<'n, 'src>> {
        match slot.kind() {
            Kind::Scalar { .. } => vec![slot],
            _ => self
                .list(slot, expected)
                .map(Iterator::collect)
                .unwrap_or_default(),
        }
    }

    /// The text of a scalar, which may be empty where that is written out.
    fn text_or_empty<'n>(&mut self, slot: Slot<'n, 'src>, expected: &str) -> Option<&'n str> {
        match slot.node.scalar() {
            Some(text) if !slot.node.is_null() => {
                if text.contains('\0') {
                    self.error(
                        slot.span(),
                        format!("a NUL character in {}", slot.subject()),
                        "remove it; nothing that runs in a container can receive one",
                    );
                    return None;
                }
                Some(text)
            }
            _ => {
                self.wrong(slot, expected, None);
                None
            }
        }
    }

    /// The text of a scalar, which says something.
    fn text<'n>(&mut self, slot: Slot<'n, 'src>, expected: &str) -> Option<&'n str> {
        let text = self.text_or_empty(slot, expected)?;
        if text.trim().is_empty() {
            let diagnostic = Diagnostic::error(slot.span(), format!("{} is empty", slot.subject()));
            self.report
                .push(diagnostic.hint(format!("write {expected}, or leave it out")));
            return None;
        }
        Some(text)
    }

    /// Text with `${ARG}` in it, which may be empty.
    fn template_or_empty(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        if slot.node.is_null() {
            let message = format!("{} has no value", slot.subject());
            let hint = match self.word_for_nothing(slot.node) {
                Some(word) => {
                    format!("write `\"\"` for an empty value; `{word}` is text in quotes alone")
                }
                None => "write `\"\"` for an empty value".to_owned(),
            };
            self.error(slot.span(), message, hint);
            return None;
        }
        let text = self.text_or_empty(slot, "text")?;
        self.parse_template(text, slot, 0)
    }

    /// Text with `${ARG}` in it, which says something.
    fn template(&mut self, slot: Slot<'_, 'src>, expected: &str) -> Option<Template> {
        let text = self.text(slot, expected)?;
        self.parse_template(text, slot, 0)
    }

    /// A template from the part of a scalar's text that follows `skip` bytes.
    fn parse_template(
        &mut self,
        text: &str,
        slot: Slot<'_, 'src>,
        skip: usize,
    ) -> Option<Template> {
        let whole = slot.span();
        let exact = self.text_start(slot.node, &text[skip..], skip);
        match Template::parse(&text[skip..], whole, exact) {
            Ok(template) => Some(template),
            Err(mistakes) => {
                for mistake in mistakes {
                    self.report.push(mistake);
                }
                None
            }
        }
    }

    /// Where in the source a scalar's text begins after `skip` bytes, if the source has it letter
    /// for letter.
    fn text_start(&self, node: &Node<'_>, rest: &str, skip: usize) -> Option<u32> {
        let at = node.resolve().span;
        let written = self.source.get(at.start as usize..at.end as usize)?;
        let quoted = usize::from(written.starts_with(['"', '\'']));
        let start = quoted + skip;
        let end = written.len().checked_sub(quoted)?;
        (written.get(start..end)? == rest).then(|| span(at.start as usize + start, 0).start)
    }

    /// One of a few words.
    fn word<T: Copy>(&mut self, slot: Slot<'_, 'src>, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let expected = format!("one of {}", suggest::list(known.iter().copied()));
        let text = self.text(slot, &expected)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let message = format!("{} takes {expected}, not {}", slot.subject(), quote(text));
            let diagnostic = Diagnostic::error(slot.span(), message);
            let off = truth(text) == Some(false) && known.contains(&"none");
            let meant = suggest::closest(text, known.iter().copied());
            self.report.push(match meant.or(off.then_some("none")) {
                Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                None => diagnostic,
            });
        }
        found.map(|(_, value)| *value)
    }
}
