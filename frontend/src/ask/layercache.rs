//! Where layers are imported from and exported to, and what of it answers.

use larder_gateway::{Bridge, Failure, RawResult};
use larder_plan::layers::{CacheEntry, LayerCache};
use serde_json::{Value, json};

use buildkit_llb::{ImageName, Platform};

use super::Question;
use super::table::table;
use crate::layers::answer::Answer;
use crate::layers::{answer, probe};

/// Every place of every platform, once.
pub(crate) async fn answered(
    bridge: &impl Bridge,
    caches: &[LayerCache],
    platform: &Platform,
) -> Result<RawResult, Failure> {
    let imports = once(caches.iter().flat_map(|cache| &cache.imports));
    let exports = once(caches.iter().flat_map(|cache| &cache.exports));
    let names = imports.iter().chain(&exports);
    let said = probe::ask(bridge, names.filter_map(|entry| name(entry)), platform).await?;
    let mut rows = Vec::new();
    let mut list =
        |direction: &str, entries: &[&CacheEntry], against: fn(&Answer) -> _| -> Vec<Value> {
            let mut list = Vec::new();
            for entry in entries {
                let name = name(entry);
                let answer = name.map(|name| answer(&said, &name, &entry.options));
                let reason: Option<String> = answer.as_ref().and_then(against);
                let status = match (&answer, &reason) {
                    (None, _) => "not asked",
                    (Some(_), None) => "answers",
                    (Some(_), Some(reason)) => reason,
                };
                rows.push([direction.to_owned(), entry.option(), status.to_owned()]);
                let mut json = json!({
                    "type": entry.kind.name(),
                    "options": entry.options,
                    "option": entry.option(),
                    "answers": reason.is_none(),
                    "reason": reason.unwrap_or_default(),
                });
                if let Some(reference) = entry.reference() {
                    json["reference"] = json!(reference);
                }
                list.push(json);
            }
            list
        };
    let json = json!({
        "imports": list("import", &imports, Answer::against_import),
        "exports": list("export", &exports, Answer::against_export),
    });
    let json = serde_json::to_vec_pretty(&json).unwrap_or_default();
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    let rows: Vec<_> = [["WAY", "PLACE", "STATE"]]
        .into_iter()
        .chain(rows)
        .collect();
    Ok(Question::LayerCache.answer(json, table(1, &rows)))
}

fn once<'a>(entries: impl Iterator<Item = &'a CacheEntry>) -> Vec<&'a CacheEntry> {
    let mut found: Vec<&CacheEntry> = Vec::new();
    for entry in entries {
        let same = |it: &&CacheEntry| it.kind == entry.kind && it.options == entry.options;
        if !found.iter().any(same) {
            found.push(entry);
        }
    }
    found
}

fn name(entry: &CacheEntry) -> Option<ImageName> {
    ImageName::parse(entry.reference()?).ok()
}
