//! `registry-cache`.

use larder_diagnostic::{Spanned, quote};

use super::quantities::truth;
use super::{Decoder, Slot};
use crate::language::{LAYER_CACHE, Mapping};
use crate::model::{BackendKind, CacheBackend, Direction, RegistryCache};
use crate::secrets;
use crate::template::Template;
use crate::tree::Kind;

const EXPECTED: &str = "a reference, a mapping with `ref`, or `none`";
const PLACE: &str = "a reference or a mapping";
const PLACES: &str = "a reference, a mapping, a list of these, or `none`";
const REFERENCE: &str = "a reference such as `registry:5000/shop/cache`";

type Setting = (Spanned<String>, Template);

/// The settings of one mapping.
#[derive(Default)]
struct Settings {
    given: Vec<Setting>,
    /// Something was there that is wrong, so that what is missing may be that.
    lost: bool,
}

impl<'src> Decoder<'_, 'src> {
    /// `none`, a reference, or a mapping.
    pub(super) fn registry_cache(&mut self, slot: Slot<'_, 'src>) -> Option<RegistryCache> {
        let mut cache = RegistryCache {
            import: Vec::new(),
            export: Vec::new(),
            span: slot.at,
        };
        match slot.kind() {
            Kind::Mapping(_) => match self.kind_of(slot)? {
                BackendKind::Registry => self.in_registry(slot, &mut cache),
                kind => self.both(slot, kind, &mut cache),
            },
            Kind::List(_) => {
                let hint = "write `import: […]` and `export: …`, since layers are written to one place as a rule";
                self.wrong(slot, EXPECTED, Some(hint.to_owned()));
            }
            _ if slot.node.scalar() == Some("none") => {}
            _ => {
                let reference = self.registry_reference(slot, EXPECTED)?;
                cache.import = vec![place(&reference, &[], Direction::Import)];
                cache.export = vec![place(&reference, &[], Direction::Export)];
            }
        }
        Some(cache)
    }

    /// A mapping with `ref`, `import` and `export`.
    fn in_registry(&mut self, slot: Slot<'_, 'src>, cache: &mut RegistryCache) {
        let mut fields = self.safe_fields(slot, &LAYER_CACHE);
        let mut sides = Vec::new();
        fields.retain(|field| {
            let side = matches!(field.key, "import" | "export");
            if side {
                sides.push(*field);
            }
            !side
        });
        let mut common = self.settings(&fields, BackendKind::Registry, None);
        common.lost |= slot.pairs() > fields.len() + sides.len();
        if sides.is_empty() && !common.lost && !common.has("ref") {
            let hint = "write `ref: registry:5000/shop/cache`, or `import` and `export`";
            self.error(slot.span(), "`registry-cache` names no place", hint);
            return;
        }
        for direction in [Direction::Import, Direction::Export] {
            let side = sides.iter().find(|field| field.key == direction.name());
            let places = match side {
                Some(side) => self.places(*side, &common, direction),
                None if common.has("ref") => vec![CacheBackend {
                    kind: BackendKind::Registry,
                    options: common.toward(BackendKind::Registry, direction),
                    span: slot.span(),
                }],
                None => Vec::new(),
            };
            match direction {
                Direction::Import => cache.import = places,
                Direction::Export => cache.export = places,
            }
        }
    }

    /// A mapping of another kind, which stands for both directions.
    fn both(&mut self, slot: Slot<'_, 'src>, kind: BackendKind, cache: &mut RegistryCache) {
        let fields = self.safe_fields(slot, kind.table());
        let mut settings = self.settings(&fields, kind, None);
        settings.lost |= slot.pairs() > fields.len();
        let toward = |direction| {
            let here = match kind.place(direction) {
                Some(key) => settings.has(key),
                None => kind.goes(direction),
            };
            let options = settings.toward(kind, direction);
            let span = slot.span();
            here.then_some(CacheBackend {
                kind,
                options,
                span,
            })
        };
        cache.import.extend(toward(Direction::Import));
        cache.export.extend(toward(Direction::Export));
        if cache.import.is_empty() && cache.export.is_empty() && !settings.lost {
            let hint = "write `src` to import from it, and `dest` to export to it";
            self.error(
                slot.span(),
                format!("{} names no place", kind.table().of),
                hint,
            );
        }
    }

    /// The places of one direction.
    fn places(
        &mut self,
        slot: Slot<'_, 'src>,
        common: &Settings,
        direction: Direction,
    ) -> Vec<CacheBackend> {
        match slot.kind() {
            Kind::List(_) => {
                let elements = self.list(slot, PLACES).map(Iterator::collect::<Vec<_>>);
                let elements = elements.unwrap_or_default();
                let places = elements.into_iter();
                places
                    .filter_map(|element| self.place(element, common, direction, PLACE))
                    .collect()
            }
            _ if slot.node.scalar() == Some("none") => Vec::new(),
            _ => Vec::from_iter(self.place(slot, common, direction, PLACES)),
        }
    }

    fn place(
        &mut self,
        slot: Slot<'_, 'src>,
        common: &Settings,
        direction: Direction,
        expected: &str,
    ) -> Option<CacheBackend> {
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            if slot.element && slot.node.scalar() == Some("none") {
                let hint = format!("write `{}: none` without a list", slot.key);
                self.error(slot.span(), "`none` in a list", hint);
                return None;
            }
            let reference = self.registry_reference(slot, expected)?;
            return Some(place(&reference, &common.given, direction));
        }
        let kind = self.kind_of(slot)?;
        let table = kind.table();
        let fields = self.safe_fields(slot, table);
        if !kind.goes(direction) {
            let at = fields.iter().find(|field| field.key == "type");
            let at = at.map_or(slot.span(), Slot::span);
            let hint = "name the image itself, as in `import: registry:5000/shop:latest`";
            self.error(at, format!("{} is for exports alone", table.of), hint);
            return None;
        }
        let mut own = self.settings(&fields, kind, Some(direction));
        own.lost |= slot.pairs() > fields.len();
        let mut options = own.toward(kind, direction);
        let inherited = common.toward(kind, direction).into_iter();
        let is_new =
            |(name, _): &Setting| table.has(kind.key_of(&name.value)) && !own.has(&name.value);
        options.extend(inherited.filter(is_new));
        if let Some(key) = kind.place(direction)
            && !options.iter().any(|(name, _)| name.value == key)
        {
            if !own.lost && !common.lost {
                let message = format!("{} without `{key}`", table.of);
                let hint = match kind {
                    BackendKind::Local => format!("add `{key}`, the client's directory"),
                    _ => format!("add `{key}: registry:5000/shop/cache`"),
                };
                self.error(slot.span(), message, hint);
            }
            return None;
        }
        let span = slot.span();
        (!own.lost).then_some(CacheBackend {
            kind,
            options,
            span,
        })
    }

    /// What kind of place a mapping is about: a registry if it does not say.
    fn kind_of(&mut self, slot: Slot<'_, 'src>) -> Option<BackendKind> {
        let Kind::Mapping(pairs) = slot.kind() else {
            return None;
        };
        let mut pairs = pairs.iter();
        let Some((key, node)) = pairs.find(|(key, _)| key.scalar() == Some("type")) else {
            return Some(BackendKind::Registry);
        };
        let field = Slot {
            key: "type",
            at: key.resolve().span,
            element: false,
            node,
        };
        if let Some(text) = node.scalar()
            && self.has_credentials(field, text)
        {
            return None;
        }
        self.word(field, &BackendKind::ALL.map(|kind| (kind.name(), kind)))
    }

    /// The fields of a mapping without credentials, which are reported and not shown.
    fn safe_fields<'n>(&mut self, slot: Slot<'n, 'src>, mapping: &Mapping) -> Vec<Slot<'n, 'src>> {
        let mut fields = self.pairs(slot.node);
        fields.retain(|field| {
            if secrets::in_reference(field.key) {
                let message = format!("an unknown key in {}", mapping.of);
                self.error(field.at, message, "write `ref:` before a reference");
                return false;
            }
            let credential = secrets::is_key(field.key);
            if credential {
                let message = format!("{} in a spec", quote(field.key));
                self.error(field.at, message, secrets::advice(mapping));
            }
            !credential
        });
        self.retain_known(&mut fields, mapping);
        let missing = mapping.keys.iter().filter(|key| key.required);
        for key in missing {
            if !fields.iter().any(|field| field.key == key.name) {
                let message = format!("{} without `{}`", mapping.of, key.name);
                self.error(slot.span(), message, format!("add `{}`", key.name));
            }
        }
        fields
    }

    /// The settings of a mapping. Each is checked as far as it has no args in it.
    fn settings(
        &mut self,
        fields: &[Slot<'_, 'src>],
        kind: BackendKind,
        direction: Option<Direction>,
    ) -> Settings {
        let mut settings = Settings::default();
        for field in fields.iter().filter(|field| field.key != "type") {
            let for_other = direction.filter(|direction| !direction.takes(field.key));
            if let Some(direction) = for_other {
                let message = format!("`{}` in an {}", field.key, direction.name());
                let hint = format!(
                    "leave it out: it is for {}s alone",
                    direction.other().name()
                );
                self.error(field.at, message, hint);
                settings.lost = true;
                continue;
            }
            match self.setting(*field, kind) {
                Some(value) => {
                    let name = kind.option_of(field.key).to_owned();
                    settings.given.push((Spanned::new(name, field.at), value));
                }
                None => settings.lost = true,
            }
        }
        settings
    }

    fn setting(&mut self, field: Slot<'_, 'src>, kind: BackendKind) -> Option<Template> {
        if field.key == "ref" {
            return self.registry_reference(field, REFERENCE);
        }
        let expected = kind.expected(field.key);
        let text = self.text(field, &expected)?;
        let plain = !secrets::in_text(text) && !text.contains("://");
        if !plain && self.has_credentials(field, text) {
            return None;
        }
        let template = self.parse_template(text, field, 0)?;
        if let Some(text) = template.literal()
            && let Err(wrong) = kind.check(field.key, &text)
        {
            if !self.has_credentials(field, &text) {
                self.report.push(wrong.at(field.span()));
            }
            return None;
        }
        Some(template)
    }

    fn registry_reference(&mut self, slot: Slot<'_, 'src>, expected: &str) -> Option<Template> {
        let off = |text: &str| text != "0" && truth(text) == Some(false);
        if slot.node.scalar().is_some_and(off) && !slot.element && slot.key != "ref" {
            let word = quote(slot.node.scalar().unwrap_or_default());
            let message = format!("{} takes {expected}, not {word}", slot.subject());
            self.error(slot.span(), message, "write `none`");
            return None;
        }
        let text = self.text(slot, expected)?;
        if self.has_credentials(slot, text) {
            return None;
        }
        self.parse_template(text, slot, 0)
    }

    /// Reports credentials in a value.
    fn has_credentials(&mut self, slot: Slot<'_, 'src>, text: &str) -> bool {
        let found =
            secrets::in_reference(text) || (!slot.key.contains("url") && text.contains("://"));
        if found {
            self.report.hide(slot.span());
            let (message, hint) = secrets::refusal(&slot.subject(), text);
            self.error(slot.span(), message, hint);
        }
        found
    }
}

impl Slot<'_, '_> {
    /// How many pairs the mapping has.
    fn pairs(&self) -> usize {
        match self.kind() {
            Kind::Mapping(pairs) => pairs.len(),
            _ => 0,
        }
    }
}

impl Settings {
    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given.value == name)
    }

    /// Those that a direction takes.
    fn toward(&self, kind: BackendKind, direction: Direction) -> Vec<Setting> {
        toward(&self.given, kind, direction)
    }
}

fn toward(settings: &[Setting], kind: BackendKind, direction: Direction) -> Vec<Setting> {
    let taken = settings
        .iter()
        .filter(|(name, _)| direction.takes(kind.key_of(&name.value)));
    taken.cloned().collect()
}

/// A reference with what holds for all of them.
fn place(reference: &Template, common: &[Setting], direction: Direction) -> CacheBackend {
    let kind = BackendKind::Registry;
    let span = reference.span;
    let mut options = vec![(Spanned::new("ref".to_owned(), span), reference.clone())];
    let common = toward(common, kind, direction).into_iter();
    options.extend(common.filter(|(name, _)| name.value != "ref"));
    CacheBackend {
        kind,
        options,
        span,
    }
}
