//! Mappings: those with keys of ours, and those with keys of the user's.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, quote};

use super::{Decoder, Slot, describe};
use crate::language::Mapping;
use crate::suggest;
use crate::tree::{Kind, Node};

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
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node<'src>,
        mapping: &Mapping,
    ) -> Vec<Slot<'n, 'src>> {
        let mut fields = self.pairs(node);
        self.retain_known(&mut fields, mapping);
        fields
    }

    /// The same, where keys without which the mapping is wrong are reported. `hint` says what to
    /// write then.
    pub(super) fn whole<'n>(
        &mut self,
        slot: Slot<'n, 'src>,
        mapping: &Mapping,
        hint: &str,
    ) -> Vec<Slot<'n, 'src>> {
        let fields = self.fields(slot.node, mapping);
        for key in mapping.keys.iter().filter(|key| key.required) {
            if !fields.iter().any(|field| field.key == key.name) {
                let message = format!("{} without `{}`", mapping.of, key.name);
                self.error(slot.span(), message, hint);
            }
        }
        fields
    }

    /// Reports what is not one of the keys. It is removed, or read as the key that was meant, so
    /// that a letter too many does not make more mistakes than one.
    pub(super) fn retain_known(&mut self, fields: &mut Vec<Slot<'_, 'src>>, mapping: &Mapping) {
        let mut given: Vec<&str> = fields.iter().map(|field| field.key).collect();
        given.retain(|key| mapping.has(key));
        fields.retain_mut(|slot| {
            if mapping.has(slot.key) {
                return true;
            }
            // Nobody reads on, so no suggestion is looked for.
            if self.report.is_full() {
                self.report.drop_one();
                return false;
            }
            let message = format!("unknown key {} in {}", quote(slot.key), mapping.of);
            let mut elsewhere = mapping.elsewhere.iter();
            let advice = elsewhere.find(|(word, _)| word.eq_ignore_ascii_case(slot.key));
            let meant = if let Some((_, advice)) = advice {
                self.error(slot.at, message, *advice);
                let says = |name: &&str| *advice == suggest::hint(Some(name), &[]);
                mapping.names().find(says)
            } else {
                let meant = suggest::closest(slot.key, mapping.names());
                let known: Vec<&str> = mapping.names().collect();
                self.error(slot.at, message, suggest::hint(meant, &known));
                meant
            };
            if let Some(meant) = meant.filter(|meant| !given.contains(meant)) {
                given.push(meant);
                slot.key = meant;
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
                    let what = if self.report.hides(at) {
                        "a key".to_owned()
                    } else {
                        quote(name)
                    };
                    self.report.push(
                        Diagnostic::error(at, format!("{what} is given twice"))
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
