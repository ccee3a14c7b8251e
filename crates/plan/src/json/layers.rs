//! The layer cache for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::layers::{CacheEntry, LayerCache};

/// `imports` and `exports`, each with BuildKit's options; what is empty is left out.
#[derive(Serialize)]
pub(super) struct Layers<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imports: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    options: &'a BTreeMap<String, String>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(cache: &'a LayerCache) -> Layers<'a> {
        let places = |entries: &'a [CacheEntry]| -> Vec<Place<'a>> {
            let places = entries.iter().map(|entry| Place {
                r#type: entry.kind.name(),
                options: &entry.options,
            });
            places.collect()
        };
        Layers {
            imports: places(&cache.imports),
            exports: places(&cache.exports),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.imports.is_empty() && self.exports.is_empty()
    }
}
