//! The top of a spec.

use larder_diagnostic::{Diagnostic, Spanned, quote};

use super::{Decoder, Slot, describe};
use crate::comments;
use crate::language::SPEC;
use crate::model::{CacheIds, Layout, Scope, Spec, Stage};
use crate::tree::{Kind, Node};

const LAYOUTS: [(&str, Layout); 3] = [
    ("cache", Layout::Cache),
    ("home", Layout::Home),
    ("default", Layout::Default),
];
const IDS: [(&str, CacheIds); 2] = [
    ("larder", CacheIds::Larder),
    ("dockerfile", CacheIds::Dockerfile),
];
const SCOPES: [(&str, Scope); 2] = [("shared", Scope::Shared), ("project", Scope::Project)];

/// What to write first.
pub(crate) const BEGINNING: &str = "begin with `from: <image>` and `steps:`";

/// A whole spec. `None` if there is no stage in it.
pub(crate) fn spec<'src>(decoder: &mut Decoder<'_, 'src>, root: &Node<'src>) -> Option<Spec> {
    decoder.conceal(root);
    if !matches!(root.resolve().kind, Kind::Mapping(_)) {
        let message = format!("a spec is a mapping, not {}", describe(root));
        decoder.error(root.span, message, BEGINNING);
        return None;
    }
    decoder.top(root)
}

impl<'src> Decoder<'_, 'src> {
    fn top(&mut self, root: &Node<'src>) -> Option<Spec> {
        let mut spec = Spec {
            name: None,
            args: Vec::new(),
            user: None,
            caches: None,
            layout: Layout::default(),
            cache_ids: CacheIds::default(),
            scope: None,
            runtime_caches: None,
            stages: Vec::new(),
            registry_cache: None,
            target: None,
            ignores: comments::ignores(self.source),
            hidden: Vec::new(),
        };
        let mut stages = None;
        let mut inline = Vec::new();
        for field in self.top_fields(root) {
            match field.key {
                "name" => spec.name = self.project_name(field),
                "args" => spec.args = self.args(field),
                "user" => spec.user = self.user(field),
                "caches" => spec.caches = self.caches(field),
                "cache-layout" => spec.layout = self.word(field, &LAYOUTS).unwrap_or_default(),
                "cache-ids" => spec.cache_ids = self.word(field, &IDS).unwrap_or_default(),
                "cache-scope" => spec.scope = self.word(field, &SCOPES),
                "runtime-caches" => spec.runtime_caches = self.runtime_caches(field),
                "target" => {
                    let name = self.text(field, "the name of a stage");
                    spec.target = name.map(|n| Spanned::new(n.to_owned(), field.span()));
                }
                "registry-cache" => spec.registry_cache = self.registry_cache(field),
                "stages" => stages = Some(field),
                _ => inline.push(field),
            }
        }
        spec.stages = match stages {
            Some(stages) => self.stages(stages, &inline),
            None => self.only_stage(inline, root),
        };
        self.one_setting_for_each_id(&spec);
        spec.hidden = self.report.hidden().collect();
        (!spec.stages.is_empty()).then_some(spec)
    }

    /// What the user keeps for themselves is left out.
    fn top_fields<'n>(&mut self, root: &'n Node<'src>) -> Vec<Slot<'n, 'src>> {
        let mut fields = self.pairs(root);
        fields.retain(|field| !field.key.starts_with("x-"));
        self.retain_known(&mut fields, &SPEC);
        fields
    }

    fn stages(&mut self, slot: Slot<'_, 'src>, inline: &[Slot<'_, 'src>]) -> Vec<Stage> {
        for field in inline {
            let message = format!("`{}` at the top of a spec that has `stages`", field.key);
            self.report.push(
                Diagnostic::error(field.at, message)
                    .label(slot.at, "`stages` is here")
                    .hint("move it into a stage"),
            );
        }
        let expected = "a mapping of names to stages";
        let hint = "write the name of a stage, and below it `from: …` and `steps:`";
        let Some(entries) = self.entries(slot, expected, Some(hint)) else {
            return Vec::new();
        };
        if entries.is_empty() {
            self.error(slot.span(), "`stages` has none", hint);
        }
        entries.into_iter().filter_map(|e| self.stage(e)).collect()
    }

    /// A spec whose one stage is written at the top.
    fn only_stage(&mut self, inline: Vec<Slot<'_, 'src>>, root: &Node<'src>) -> Vec<Stage> {
        if inline.is_empty() {
            self.error(root.span, "a spec without `from` or `stages`", BEGINNING);
            return Vec::new();
        }
        let place = inline
            .iter()
            .find(|f| f.key == "from")
            .unwrap_or(&inline[0])
            .at;
        let mut stage = Stage::empty(Spanned::new("default".to_owned(), place));
        if !self.stage_fields(&mut stage, inline) {
            let hint = "name an image, or `scratch`";
            self.error(place, "a spec with one stage has no `from`", hint);
        }
        vec![stage]
    }

    fn project_name(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<String>> {
        let name = self.text(slot, "a name")?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
        if !name.chars().all(good) {
            self.error(
                slot.span(),
                format!("{} cannot be the name of a project", quote(name)),
                "use lower-case letters, digits, `-`, `_`, `.` and `/`",
            );
            return None;
        }
        Some(Spanned::new(name.to_owned(), slot.span()))
    }
}
