//! Mappings: those with keys of ours, and those with keys of the user's.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, quote};

use super::{Decoder, Slot, describe};
use crate::suggest;
use crate::tree::{Kind, Node};

/// The keys that a mapping may have.
pub(super) struct Keys {
    /// What the mapping is, in a message: `a stage`.
    pub(super) of: &'static str,
    /// All that may be there.
    pub(super) known: &'static [&'static str],
    /// What to do about keys that belong elsewhere.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
}

impl<'src> Decoder<'_, 'src> {
    /// The pairs of a mapping with a user's own keys, in order, each key once.
    pub(super) fn entries<'n>(
        &mut self,
        slot: Slot<'n, 'src>,
        expected: &str,
        hint: Option<&str>,
    ) -> Option<Vec<Slot<'n, 'src>>> {
        if matches!(slot.kind(), Kind::Mapping(_)) {
            return Some(self.pairs(slot.node));
        }
        self.wrong(slot, expected, hint.map(str::to_owned));
        None
    }

    /// The pairs of a mapping with keys of ours. Others are reported and left out.
    pub(super) fn fields<'n>(&mut self, node: &'n Node<'src>, keys: &Keys) -> Vec<Slot<'n, 'src>> {
        let mut fields = self.pairs(node);
        self.retain_known(&mut fields, keys);
        fields
    }

    /// Reports what is not one of the keys. It is removed, or read as the key that was meant, so
    /// that a letter too many does not make more mistakes than one.
    pub(super) fn retain_known(&mut self, fields: &mut Vec<Slot<'_, 'src>>, keys: &Keys) {
        let mut given: Vec<&str> = fields.iter().map(|field| field.key).collect();
        given.retain(|key| keys.known.contains(key));
        fields.retain_mut(|slot| {
            if keys.known.contains(&slot.key) {
                return true;
            }
            // Nobody reads on, so no suggestion is looked for.
            if self.report.is_full() {
                self.report.drop_one();
                return false;
            }
            let message = format!("unknown key {} in {}", quote(slot.key), keys.of);
            let elsewhere = keys.elsewhere.iter().find(|(word, _)| *word == slot.key);
            if let Some((_, advice)) = elsewhere {
                self.error(slot.at, message, *advice);
                return false;
            }
            let meant = suggest::closest(slot.key, keys.known.iter().copied());
            self.error(slot.at, message, suggest::hint(meant, keys.known));
            if let Some(meant) = meant.filter(|meant| !given.contains(meant))
                && let Some(known) = keys.known.iter().find(|known| **known == meant)
            {
                given.push(known);
                slot.key = known;
                return true;
            }
            false
        });
    }

    /// Pairs with a key that is text and has not been there before.
    pub(super) fn pairs<'n>(&mut self, node: &'n Node<'src>) -> Vec<Slot<'n, 'src>> {
        let Kind::Mapping(pairs) = &node.resolve().kind else {
            return Vec::new();
        };
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut out = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let at = key.resolve().span;
            let Some(name) = key.scalar().filter(|_| !key.is_null()) else {
                let message = format!("a key must be text, not {}", describe(key));
                let at = if at.start < at.end { at } else { value.span };
                self.error(at, message, "write `key: value`");
                continue;
            };
            if name == "<<" {
                self.error(
                    at,
                    "YAML's merge key `<<` is not supported",
                    "repeat the keys, or share a whole value with an alias",
                );
                continue;
            }
            if pairs.len() > 1 {
                if let Some(first) = seen.get(name) {
                    self.report.push(
                        Diagnostic::error(at, format!("{} is given twice", quote(name)))
                            .label(*first, "first here")
                            .hint("keep one of them"),
                    );
                    continue;
                }
                seen.insert(name, at);
            }
            out.push(Slot {
                key: name,
                at,
                element: false,
                node: value,
            });
        }
        out
    }
}
