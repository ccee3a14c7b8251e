//! `caches`, at any level.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::quantities::truth;
use super::{Decoder, Slot};
use crate::language::CACHE;
use crate::model::{CacheChoice, CacheEntry, OwnCache, RuntimeCaches, Sharing, Spec, StepKind};
use crate::template::Template;
use crate::tree::Kind;

const SHARING: [(&str, Sharing); 3] = [
    ("shared", Sharing::Shared),
    ("private", Sharing::Private),
    ("locked", Sharing::Locked),
];

/// What is the same wherever a cache is named.
fn settings(own: &OwnCache) -> impl PartialEq + use<> {
    let text = |template: &Option<Template>| template.as_ref().map(ToString::to_string);
    let owner = (own.uid, own.gid, own.mode);
    (own.sharing, owner, text(&own.from), text(&own.source))
}

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
                    let hint = match truth(word) {
                        Some(true) => "write `auto`",
                        Some(false) => "write `none`",
                        None => "put brackets around a name, as in `[pip]`",
                    };
                    self.error(span, message, hint);
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
                let hint = match truth(word) {
                    Some(true) => "write `true`",
                    Some(false) => "write `false`",
                    None => "put brackets around a name, as in `[python]`",
                };
                self.error(span, message, hint);
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
        let (mut id, mut target) = (None, None);
        let mut sharing = Sharing::Shared;
        let (mut uid, mut gid, mut mode) = (None, None, None);
        let (mut from, mut source) = (None, None);
        let fields = self.whole(slot, &CACHE, "write `{id: name, target: /directory}`");
        let has_from = fields.iter().any(|field| field.key == "from");
        for field in fields {
            match field.key {
                "id" => id = self.name_of(field, "a cache"),
                "target" => target = self.absolute(field),
                "sharing" => sharing = self.word(field, &SHARING).unwrap_or(sharing),
                "uid" => uid = self.id(field),
                "gid" => gid = self.id(field),
                "from" => from = self.base(field),
                "source" => {
                    source = self.template(field, "a path");
                    if !has_from {
                        let hint = "add `from`, which says of what it is a directory";
                        self.error(field.at, "a cache with `source` and no `from`", hint);
                    }
                }
                _ => mode = self.mode(field).map(|m| m.value),
            }
        }
        Some(OwnCache {
            id: id?,
            target: target?,
            sharing,
            uid,
            gid,
            mode,
            from,
            source,
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
                    .hint("give both the same settings, all but `target`, or another `id`"),
                );
            }
        }
    }
}
