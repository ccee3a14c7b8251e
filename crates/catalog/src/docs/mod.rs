//! The catalogue, for people: a page of everything, and a page for each language.

mod cache;
mod runtime;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::cache::Cache;
use crate::program::CACHES;
use crate::runtime::{RUNTIMES, Runtime};

/// A file of documentation, in Markdown.
#[derive(Debug)]
pub struct Page {
    /// Its path in the repository.
    pub path: String,
    /// Ends with a newline.
    pub text: String,
}

/// Every page, by path. Links go by where the pages are.
pub fn docs() -> Vec<Page> {
    let caches = CACHES.iter().flat_map(|cache| cache.groups);
    let runtimes = RUNTIMES.iter().flat_map(|runtime| runtime.groups);
    let groups: BTreeSet<&str> = caches.chain(runtimes).copied().collect();
    let mut pages = vec![Page {
        path: "docs/caches.md".to_owned(),
        text: overview(&groups),
    }];
    pages.extend(groups.into_iter().map(|group| Page {
        path: format!("docs/caches/{group}.md"),
        text: of_group(group),
    }));
    pages
}

fn overview(groups: &BTreeSet<&str>) -> String {
    let mut out = String::from(
        "# The caches\n\n\
         What Larder mounts, and what it rests on. Written by `cargo xtask docs` from the entries in\n\
         `crates/catalog/caches`.\n\n\
         A *download* is an archive that the tool unpacks elsewhere, a *store* is read in place by\n\
         later commands, *compile* is intermediate results, and an *output* is what the build is for:\n\
         it is mounted only where `caches` has its name. The last columns are who shares a cache\n\
         (`cache-scope` overrides it), and what its id has beside name, scope and owner.\n\n\
         More on each, by language:",
    );
    for (at, group) in groups.iter().enumerate() {
        let separator = if at == 0 { "" } else { "," };
        _ = write!(out, "{separator}\n[{group}](caches/{group}.md)");
    }
    out += ".\n\n| cache | holds | class | sharing | scope | key | source |\n|---|---|---|---|---|---|---|\n";
    for cache in CACHES {
        _ = writeln!(
            out,
            "| [{0}](caches/{1}.md#{0}) | {2} | {3} | {4} | {5} | {6} | [{7}]({8}) |",
            cache.name,
            cache.groups[0],
            cache.title,
            cache.class.as_str(),
            cache.sharing.as_str(),
            cache.scope.as_str(),
            cache::key(cache),
            site(cache.source),
            cache.source,
        );
    }
    out += "\n## Below `/cache` in an image\n\n\
            What an image has there for running containers: directories that belong to its user, and the\n\
            variables that send tools to them. What says \"by name\" is there only where it is asked for.\n\n";
    out += &runtime::table(RUNTIMES);
    out += "\n## What is no cache\n\nNo build mounts these: what a step puts there belongs into the image.\n\n";
    out += &runtime::installed(RUNTIMES);
    out
}

fn of_group(group: &str) -> String {
    let caches: Vec<&Cache> = CACHES
        .iter()
        .filter(|cache| cache.groups.contains(&group))
        .collect();
    let runtimes: Vec<&Runtime> = RUNTIMES
        .iter()
        .filter(|runtime| runtime.groups.contains(&group))
        .collect();
    let mut out = format!(
        "# Caches: {group}\n\n\
         Written by `cargo xtask docs`; what the words mean is in [the overview](../caches.md).\n"
    );
    if !caches.is_empty() {
        out += "\n";
        out += &cache::table(&caches);
    }
    for cache in &caches {
        out += &cache::section(cache);
    }
    if !runtimes.is_empty() {
        out += "\n## Below `/cache` in an image\n\n";
        out += &runtime::table(runtimes.iter().copied());
    }
    if runtimes.iter().any(|runtime| runtime.installed.is_some()) {
        out += "\n## What is no cache\n\n";
        out += &runtime::installed(runtimes);
    }
    out
}

/// `github.com` of an address.
fn site(address: &str) -> &str {
    let rest = address.trim_start_matches("https://");
    rest.split('/').next().unwrap_or(rest)
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(code).collect();
    texts.join(", ")
}
