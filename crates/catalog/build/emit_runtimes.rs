//! The table of what images keep, as Rust.

use crate::data::{Class, Tool};
use crate::emit::{overlays, setting, slice};
use crate::runtimes::{self, Kept};

/// The table that `src/runtime.rs` includes.
pub(crate) fn table(tools: &[Tool]) -> String {
    let rows: String = runtimes::all(tools).iter().map(row).collect();
    format!("/// Every one, by name.\npub static RUNTIMES: &[Runtime] = &[\n{rows}];\n")
}

fn row(kept: &Kept) -> String {
    let caches: Vec<&str> = kept
        .caches
        .iter()
        .map(|cache| cache.name.as_str())
        .collect();
    let titles: Vec<&str> = kept
        .caches
        .iter()
        .map(|cache| cache.title.as_str())
        .collect();
    let title = match kept.more {
        Some(more) if !more.title.is_empty() => more.title.clone(),
        _ => titles.join("; "),
    };
    let installed = kept.more.filter(|_| caches.is_empty()).map(|more| {
        let (why_not, instead, source) = (&more.why_not, &more.instead, &more.source);
        format!("Installed {{ why_not: {why_not:?}, instead: {instead:?}, source: {source:?} }}")
    });
    let installed = installed.map_or_else(|| "None".to_owned(), |row| format!("Some({row})"));
    let by_name = kept
        .caches
        .iter()
        .any(|cache| matches!(cache.class, Class::Output));
    let env: Vec<String> = kept
        .env
        .iter()
        .map(|(variable, value)| format!("({variable:?}, {})", setting(value)))
        .collect();
    let (path, files) = kept.more.map_or_else(Default::default, |more| {
        (more.path.as_slice(), more.files.as_slice())
    });
    format!(
        "Runtime {{\n    name: {:?},\n    tool: {:?},\n    title: {title:?},\n    groups: &{:?},\n    \
         caches: &{caches:?},\n    installed: {installed},\n    by_name: {by_name},\n    \
         directories: &{:?},\n    path: &{path:?},\n    env: {},\n    files: {},\n}},\n",
        kept.name,
        kept.tool.name,
        kept.tool.groups,
        kept.directories.iter().collect::<Vec<_>>(),
        slice(&env),
        slice(&overlays(files)),
    )
}
