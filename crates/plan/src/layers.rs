//! The layer cache that several machines share: where layers are looked for, and where a client writes them.
//!
//! Only a client can write them; the frontend passes on what is to be looked for.

mod operator;
mod place;

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, share_hidden};
use larder_spec::model::{BackendKind, CacheBackend, Direction, Spec};

pub use operator::with_tag;

use crate::Facts;
use crate::args::{self, Args};
use crate::planner::Planner;
use crate::request::Request;

/// The build arg, or variable of the command, that names a reference for every build of a server.
pub const CACHE_REGISTRY: &str = "CACHE_REGISTRY";
/// The build arg, or variable of the command, for the mode of every export.
pub const CACHE_MODE: &str = "CACHE_MODE";

/// Where layers come from and go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerCache {
    /// In the order of the spec. BuildKit asks all of them at once.
    pub imports: Vec<CacheEntry>,
    /// In the order of the spec.
    pub exports: Vec<CacheEntry>,
}

/// One place for layers, with nothing left to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// What kind of place.
    pub kind: BackendKind,
    /// Its options by BuildKit's names: `ref`, `mode`, `registry.insecure`.
    pub options: BTreeMap<String, String>,
    /// Where the spec says so; `None` if the client does.
    pub span: Option<Span>,
}

impl CacheEntry {
    /// The reference in a registry.
    pub fn reference(&self) -> Option<&str> {
        match self.kind {
            BackendKind::Registry => self.options.get("ref").map(String::as_str),
            _ => None,
        }
    }

    /// As clients take it: `type=registry,ref=registry:5000/shop-cache,mode=max`.
    pub fn option(&self) -> String {
        let mut out = format!("type={}", self.kind.name());
        for (name, value) in &self.options {
            out.push(',');
            let field = format!("{name}={value}");
            if field.contains([',', '"', '\n', '\r']) {
                out.push('"');
                out.push_str(&field.replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(&field);
            }
        }
        out
    }
}

/// The layer cache of a build, without planning anything else, and what is wrong with it.
pub fn layer_cache(spec: &Spec, request: &Request) -> (LayerCache, Vec<Diagnostic>) {
    let facts = Facts::default();
    let mut planner = Planner::new(spec, request, &facts);
    let cache = planner.layer_cache();
    share_hidden(&mut planner.diagnostics, &spec.hidden);
    (cache, planner.diagnostics)
}

impl Planner<'_> {
    pub(crate) fn layer_cache(&mut self) -> LayerCache {
        let args = args::top(self);
        let mode = self.operator_mode(&args);
        if let Some(cache) = self.operator_cache(&args, mode.as_deref()) {
            return cache;
        }
        let Some(written) = &self.spec.registry_cache else {
            return LayerCache::default();
        };
        LayerCache {
            imports: self.imports(&written.import, &args),
            exports: self.exports(&written.export, &args, mode.as_deref()),
        }
    }

    /// Each once: args may make two of them the same.
    fn imports(&mut self, written: &[CacheBackend], args: &Args) -> Vec<CacheEntry> {
        let mut found: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let mut out = Vec::new();
        for place in written {
            let Some(entry) = self.cache_entry(place, args, Direction::Import) else {
                continue;
            };
            found.entry(place::identity(&entry)).or_insert_with(|| {
                out.push(entry);
                out.len()
            });
        }
        out
    }

    fn exports(
        &mut self,
        written: &[CacheBackend],
        args: &Args,
        mode: Option<&str>,
    ) -> Vec<CacheEntry> {
        let mut found: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let mut out: Vec<CacheEntry> = Vec::new();
        for (index, place) in written.iter().enumerate() {
            let Some(mut entry) = self.cache_entry(place, args, Direction::Export) else {
                continue;
            };
            defaults(&mut entry, mode);
            let known = *found.entry(place::identity(&entry)).or_insert_with(|| {
                out.push(entry.clone());
                index
            });
            if known == index {
                continue;
            }
            let first = &written[known];
            let same = out
                .iter()
                .any(|other| other.kind == entry.kind && other.options == entry.options);
            // Args may make two of them the same: `${BRANCH:-main}` and `main`.
            if !same || place::written_alike(first, place) {
                self.report(
                    Diagnostic::error(place.span, "the same export twice")
                        .label(first.span, "first here")
                        .hint("keep one of them, since the last one written would win"),
                );
            }
        }
        out
    }
}

/// What holds for exports unless the spec says otherwise; an inline cache has no settings.
fn defaults(entry: &mut CacheEntry, mode: Option<&str>) {
    if entry.kind == BackendKind::Inline {
        return;
    }
    let options = &mut entry.options;
    if let Some(mode) = mode {
        options.insert("mode".to_owned(), mode.to_owned());
    } else {
        let mode = options.entry("mode".to_owned());
        mode.or_insert_with(|| "max".to_owned());
    }
    // A directory of the client's does not fail for a while, as servers do.
    if entry.kind != BackendKind::Local {
        let ignore = options.entry("ignore-error".to_owned());
        ignore.or_insert_with(|| "true".to_owned());
    }
}
