//! What the operator of a server says: `CACHE_REGISTRY` and `CACHE_MODE`.

use std::collections::BTreeMap;

use larder_diagnostic::Span;
use larder_spec::model::{BackendKind, Direction};

use super::{CACHE_MODE, CACHE_REGISTRY, CacheEntry, LayerCache, defaults, place};
use crate::args::{Args, Value};
use crate::planner::Planner;

/// The longest tag.
const LONGEST_TAG: usize = 128;

impl Planner<'_> {
    /// The mode of every export, if it is set.
    pub(super) fn operator_mode(&mut self, args: &Args) -> Option<String> {
        let (mode, span) = self.said(CACHE_MODE, args)?;
        if mode.is_empty() {
            return None;
        }
        let kind = BackendKind::Registry;
        if let Err(mut wrong) = kind.check("mode", &mode) {
            wrong.message = wrong.message.replacen("mode", CACHE_MODE, 1);
            self.report(wrong.at(span));
            return None;
        }
        Some(mode)
    }

    /// What stands in for all that the spec says; nothing if it is empty.
    pub(super) fn operator_cache(&mut self, args: &Args, mode: Option<&str>) -> Option<LayerCache> {
        let (written, span) = self.said(CACHE_REGISTRY, args)?;
        if written.trim().is_empty() {
            return Some(LayerCache::default());
        }
        let project = self.spec.name.as_ref().map(|name| &name.value);
        let reference = with_tag(&written, project.unwrap_or(&self.request.project));
        let what = place::Reference {
            text: &reference,
            name: CACHE_REGISTRY,
            direction: Direction::Export,
            template: None,
        };
        if let Err(mut diagnostic) = what.check(args) {
            diagnostic.span = span;
            diagnostic.hidden = span.into_iter().collect();
            self.report(diagnostic);
            return Some(LayerCache::default());
        }
        let import = CacheEntry {
            kind: BackendKind::Registry,
            options: BTreeMap::from([("ref".to_owned(), reference)]),
            span,
        };
        let mut export = import.clone();
        defaults(&mut export, mode);
        Some(LayerCache {
            imports: vec![import],
            exports: vec![export],
        })
    }

    /// The value, and where it stands if that is the default of the spec's own arg.
    fn said(&self, name: &str, args: &Args) -> Option<(String, Option<Span>)> {
        if let Some(given) = self.request.build_args.get(name) {
            return Some((given.clone(), None));
        }
        let Value::Set(value) = args.get(name) else {
            return None;
        };
        let mut declared = self.spec.args.iter();
        let arg = declared.find(|arg| arg.name.value == name);
        let default = arg.and_then(|arg| arg.default.as_ref());
        Some((value.to_owned(), default.map(|default| default.span)))
    }
}

/// A reference without a tag gets the project's name as one, so that projects keep out of each other's way.
pub fn with_tag(reference: &str, project: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let whole = name.contains(':') || reference.contains('@');
    match tag_of(project).filter(|_| !whole) {
        Some(tag) => format!("{reference}:{tag}"),
        None => reference.to_owned(),
    }
}

/// A project's name as a tag.
fn tag_of(project: &str) -> Option<String> {
    let of_tag = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let tag = project.chars().map(|c| if of_tag(c) { c } else { '-' });
    let tag: String = tag
        .skip_while(|c| ".-".contains(*c))
        .take(LONGEST_TAG)
        .collect();
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_the_tag_where_there_is_none() {
        for (reference, project, expected) in [
            ("r:5000/cache", "shop", "r:5000/cache:shop"),
            ("r:5000/cache", "acme/web", "r:5000/cache:acme-web"),
            ("r:5000/cache", "", "r:5000/cache"),
            ("r:5000/cache:a", "shop", "r:5000/cache:a"),
            ("r/cache@sha256:0", "shop", "r/cache@sha256:0"),
        ] {
            assert_eq!(with_tag(reference, project), expected);
        }
    }

    #[test]
    fn names_of_projects_become_tags() {
        assert_eq!(tag_of("shop").as_deref(), Some("shop"));
        assert_eq!(tag_of("acme/shop.api").as_deref(), Some("acme-shop.api"));
        assert_eq!(tag_of("../x").as_deref(), Some("x"));
        assert_eq!(tag_of("-/.").as_deref(), None);
        assert_eq!(tag_of(&"x".repeat(200)).map(|tag| tag.len()), Some(128));
    }
}
