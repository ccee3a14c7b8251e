//! The layer cache that several machines share: where layers are looked for, and where a client writes them.
//!
//! Only a client can write them; the frontend passes on what is to be looked for.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span};
use larder_spec::model::{BackendKind, Spec};

use crate::Facts;
use crate::planner::Planner;
use crate::request::Request;

/// The build arg, or variable of the command, that names a reference for every build of a server.
pub const CACHE_REGISTRY: &str = "CACHE_REGISTRY";
/// The build arg, or variable of the command, for the mode of every export.
pub const CACHE_MODE: &str = "CACHE_MODE";

/// Where layers come from and go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerCache {
    /// In the order in which they are tried.
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
    (cache, planner.diagnostics)
}

impl Planner<'_> {
    pub(crate) fn layer_cache(&mut self) -> LayerCache {
        let given = |name| self.request.build_args.get(name);
        let Some(reference) = given(CACHE_REGISTRY).filter(|text| !text.is_empty()) else {
            return LayerCache::default();
        };
        let mode = given(CACHE_MODE).map_or("max", String::as_str);
        let entry = |options: &[(&str, &str)]| CacheEntry {
            kind: BackendKind::Registry,
            options: (options.iter())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            span: None,
        };
        LayerCache {
            imports: vec![entry(&[("ref", reference)])],
            exports: vec![entry(&[("ref", reference), ("mode", mode)])],
        }
    }
}
