//! `caches`, at any level.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::fields::Keys;
use super::{Decoder, Slot};
use crate::model::{CacheChoice, CacheEntry, OwnCache, RuntimeCaches, Sharing, Spec, StepKind};
use crate::tree::Kind;

const OWN: Keys = Keys {
    of: "a cache",
    known: &["id", "target", "sharing", "uid", "gid", "mode"],
    elsewhere: &[
        ("name", "did you mean `id`?"),
        ("path", "did you mean `target`?"),
    ],
};

const SHARING: [(&str, Sharing); 3] = [
    ("shared", Sharing::Shared),
    ("private", Sharing::Private),
    ("locked", Sharing::Locked),
];

impl<'src> Decoder<'_, 'src> {
    /// `auto`, `none`, or a list.
    pub(super) fn caches(&mut self, slot: Slot<'_, 'src>) -> Option<CacheChoice> {
        const EXPECTED: &str = "`auto`, `none` or a list of caches";
        let span = slot.span();
        let choice = |auto, entries| CacheChoice {
            auto,
            entries,
            span,
        };
        if let Some(word) = slot.node.scalar().filter(|_| !slot.node.is_null()) {
            return match word {
                "auto" => Some(choice(true, Vec::new())),
                "none" => Some(choice(false, Vec::new())),
                _ => {
                    let message =
                        format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(word));
                    self.error(span, message, "put brackets around a name, as in `[pip]`");
                    None
                }
            };
        }
        let mut entries = Vec::new();
        let mut auto: Option<Span> = None;
        let mut none: Option<Span> = None;
        for element in self.list(slot, EXPECTED)? {
            if matches!(element.kind(), Kind::Mapping(_)) {
                entries.extend(self.own_cache(element).map(CacheEntry::Own));
                continue;
            }
            let Some(name) = self.text(element, "the name of a cache, or a cache of your own")
            else {
                continue;
            };
            match name {
                "auto" => auto = Some(element.span()),
                "none" => none = Some(element.span()),
                _ => {
                    let name = Spanned::new(name.to_owned(), element.span());
                    entries.push(CacheEntry::Named(name));
                }
            }
        }
        if let (Some(auto), Some(none)) = (auto, none) {
            self.report.push(
                Diagnostic::error(none, "`none` and `auto` in one list")
                    .label(auto, "`auto` is here")
                    .hint("`none` leaves the list alone, `auto` adds to it: keep one of them"),
            );
        }
        Some(choice(none.is_none(), entries))
    }

    /// `true`, `false`, or a list of names.
    pub(super) fn runtime_caches(&mut self, slot: Slot<'_, 'src>) -> Option<RuntimeCaches> {
        const EXPECTED: &str = "`true`, `false` or a list of caches";
        let span = slot.span();
        let named = match slot.node.scalar().filter(|_| !slot.node.is_null()) {
            Some("true") => Vec::new(),
            Some("false") => return None,
            Some(word) => {
                let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(word));
                self.error(
                    span,
                    message,
                    "put brackets around a name, as in `[python]`",
                );
                return None;
            }
            None => {
                let elements = self.list(slot, EXPECTED)?;
                if elements.len() == 0 {
                    let message = format!("{} has no names", slot.subject());
                    let hint = "write `true` for the tools that steps use, or leave it out";
                    self.error(span, message, hint);
                }
                let name = |element: Slot<'_, 'src>| {
                    let name = self.text(element, "the name of a cache, a tool or a language")?;
                    Some(Spanned::new(name.to_owned(), element.span()))
                };
                elements.filter_map(name).collect()
            }
        };
        Some(RuntimeCaches { named, span })
    }

    fn own_cache(&mut self, slot: Slot<'_, 'src>) -> Option<OwnCache> {
        let mut id = None;
        let mut target = None;
        let mut sharing = Sharing::Shared;
        let (mut uid, mut gid, mut mode) = (None, None, None);
        let mut has = (false, false);
        for field in self.fields(slot.node, &OWN) {
            match field.key {
                "id" => {
                    has.0 = true;
                    id = self.cache_id(field);
                }
                "target" => {
                    has.1 = true;
                    target = self.absolute(field);
                }
                "sharing" => sharing = self.word(field, &SHARING).unwrap_or(sharing),
                "uid" => uid = self.id(field),
                "gid" => gid = self.id(field),
                _ => mode = self.mode(field).map(|m| m.value),
            }
        }
        for (given, key) in [(has.0, "id"), (has.1, "target")] {
            if !given {
                self.error(
                    slot.span(),
                    format!("a cache without `{key}`"),
                    "write `{id: name, target: /directory}`",
                );
            }
        }
        Some(OwnCache {
            id: id?,
            target: target?,
            sharing,
            uid,
            gid,
            mode,
            from: None,
            source: None,
        })
    }

    /// Reports own caches that one id makes the same, and that are set differently.
    pub(super) fn one_setting_for_each_id(&mut self, spec: &Spec) {
        let of_steps = spec.stages.iter().flat_map(|stage| &stage.steps);
        let of_steps = of_steps.filter_map(|step| match &step.kind {
            StepKind::Run(run) => run.caches.as_ref(),
            StepKind::Install(install) => install.caches.as_ref(),
            StepKind::Copy(_) | StepKind::Add(_) | StepKind::File(_) => None,
        });
        let of_stages = spec.stages.iter().filter_map(|stage| stage.caches.as_ref());
        let choices = spec.caches.iter().chain(of_stages).chain(of_steps);
        let mut first: BTreeMap<&str, &OwnCache> = BTreeMap::new();
        for entry in choices.flat_map(|choice| &choice.entries) {
            let CacheEntry::Own(own) = entry else {
                continue;
            };
            let known = *first.entry(&own.id.value).or_insert(own);
            let settings = |own: &OwnCache| (own.sharing, own.uid, own.gid, own.mode);
            if settings(known) != settings(own) {
                self.report.push(
                    Diagnostic::error(
                        own.id.span,
                        format!(
                            "the cache {} has other settings elsewhere",
                            quote(&own.id.value)
                        ),
                    )
                    .label(known.id.span, "here")
                    .hint("give both the same `sharing`, `uid`, `gid` and `mode`, or another `id`"),
                );
            }
        }
    }

    fn cache_id(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<String>> {
        let id = self.text(slot, "a name")?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !id.chars().all(good) {
            self.error(
                slot.span(),
                format!("{} cannot be the id of a cache", quote(id)),
                "use letters, digits, `-`, `_` and `.`",
            );
            return None;
        }
        Some(Spanned::new(id.to_owned(), slot.span()))
    }
}
