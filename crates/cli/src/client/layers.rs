//! What a client has to do for the layer cache: all writing, and the looking that the frontend cannot do.

use std::env;
use std::fmt;

use anyhow::{Result, bail};
use larder_diagnostic::{Diagnostic, SourceFile, Span};
use larder_plan::Request;
use larder_plan::layers::{CacheEntry, LayerCache, layer_cache};
use larder_spec::model::BackendKind;
use larder_spec::parse;

use super::Client;
use super::ask::{Answer, Answered, Builder};
use crate::project;

/// What a client is told of the layer cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers {
    /// Places to look for layers, that the frontend cannot look into.
    pub(crate) imports: Vec<CacheEntry>,
    /// Places to write layers to.
    pub(crate) exports: Vec<CacheEntry>,
}

/// Why layers are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The builder cannot.
    Builder(Builder),
    /// Nobody said in time which registries answer.
    Late,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lost::Builder(Builder::Stored) => {
                "Docker's own builder can only write `type=registry`, `local`, `inline` and `gha`; make another \
                 with `docker buildx create --use`, or name one with --builder"
            }
            Lost::Builder(_) => {
                "Docker's own builder can only write `type=inline`, as it is without the containerd image \
                 store; make another with `docker buildx create --use`, name one with --builder, or turn \
                 that store on"
            }
            Lost::Late => "the builder did not say in time whether the registry answers",
        })
    }
}

/// Where layers are for any of these builds, and what `CACHE_REGISTRY` comes to if the frontend cannot know;
/// or what is wrong with `registry-cache`. Other mistakes are left to the frontend.
pub(crate) fn of_spec(
    source: &SourceFile,
    requests: &[Request],
) -> Result<(LayerCache, Option<String>), Vec<Diagnostic>> {
    let parsed = parse(source);
    let block = block(&source.text, "registry-cache");
    let within = |diagnostic: &Diagnostic| match (&block, diagnostic.span) {
        (Some(block), Some(span)) => block.start <= span.start && span.start < block.end,
        _ => false,
    };
    let mut mistakes = parsed.diagnostics;
    mistakes.retain(|diagnostic| diagnostic.is_error() && within(diagnostic));
    let mut all = LayerCache::default();
    let mut registry = None;
    for request in requests {
        let Some(spec) = &parsed.spec else { break };
        let (cache, diagnostics) = layer_cache(spec, request);
        // What the client or the environment says has no place in the file.
        let ours = |it: &Diagnostic| it.is_error() && (it.span.is_none() || within(it));
        mistakes.extend(diagnostics.into_iter().filter(ours));
        registry = registry.or_else(|| project::registry(spec, &cache));
        add(&mut all.imports, cache.imports);
        add(&mut all.exports, cache.exports);
    }
    if mistakes.is_empty() {
        return Ok((all, registry));
    }
    mistakes.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    mistakes.dedup();
    Err(mistakes)
}

fn add(all: &mut Vec<CacheEntry>, more: Vec<CacheEntry>) {
    for entry in more {
        let option = entry.option();
        if all.iter().all(|known| known.option() != option) {
            all.push(entry);
        }
    }
}

/// Where a key at the top of a spec is, with all that is below it.
fn block(text: &str, key: &str) -> Option<Span> {
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let of_key = || line.trim_start_matches(['"', '\'']).starts_with(key);
        let below = line.starts_with([' ', '\t', '#', '-', '\n', '\r', '}', ']']);
        match start {
            None if of_key() => start = Some(at),
            Some(start) if !below => return Some(span(start, at)),
            _ => {}
        }
        at += line.len();
    }
    start.map(|start| span(start, at + 1))
}

fn span(start: usize, end: usize) -> Span {
    let of = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        start: of(start),
        end: of(end),
    }
}

/// Whether this is a workflow of GitHub Actions, with what its cache takes.
pub(crate) fn github() -> bool {
    let given = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    given("ACTIONS_RUNTIME_TOKEN") && (given("ACTIONS_CACHE_URL") || given("ACTIONS_RESULTS_URL"))
}

impl Layers {
    /// What of a layer cache a client is told.
    pub(crate) fn for_client(cache: LayerCache, client: Client, in_github: bool) -> Layers {
        // Outside of a workflow, buildx passes over the cache of GitHub, and buildctl fails.
        let usable = |entry: &CacheEntry| {
            let given = |name: &str| entry.options.contains_key(name);
            let complete = given("token") && (given("url") || given("url_v2"));
            entry.kind != BackendKind::Gha || client == Client::Buildx || in_github || complete
        };
        let by_clients = |entry: &CacheEntry| match entry.kind {
            BackendKind::Local | BackendKind::Gha | BackendKind::S3 => true,
            BackendKind::Registry | BackendKind::Inline | BackendKind::Azblob => false,
        };
        let mut layers = Layers {
            imports: cache.imports,
            exports: cache.exports,
        };
        layers
            .imports
            .retain(|entry| by_clients(entry) && usable(entry));
        layers.exports.retain(usable);
        layers
    }

    /// Options for looking.
    pub(crate) fn imports(&self) -> Vec<String> {
        self.imports.iter().map(CacheEntry::option).collect()
    }

    /// Options for writing.
    pub(crate) fn exports(&self) -> Vec<String> {
        self.exports.iter().map(CacheEntry::option).collect()
    }

    /// Whether every builder can write them.
    pub(crate) fn needs_exporter(&self) -> bool {
        (self.exports.iter()).any(|entry| entry.kind != BackendKind::Inline)
    }

    /// Whether a registry is written to.
    pub(crate) fn needs_registry(&self) -> bool {
        (self.exports.iter()).any(|entry| entry.kind == BackendKind::Registry)
    }

    /// Leaves those that a builder can write. What there is to say of the others.
    pub(crate) fn only(&mut self, builder: Builder) -> Option<String> {
        let lost = |entry: &CacheEntry| !builder.writes(entry.kind.name());
        let names: Vec<String> = (self.exports.iter())
            .filter(|entry| lost(entry))
            .map(shown)
            .collect();
        self.exports.retain(|entry| !lost(entry));
        let reason = Lost::Builder(builder).to_string();
        (!names.is_empty()).then(|| not_written(&names.join(", "), &reason))
    }

    /// Leaves out the registries that do not answer: writing to one would never end. What there is to say
    /// of these.
    pub(crate) fn answered(&mut self, answer: &Answer) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut self.exports) {
            let Some(reference) = entry.reference() else {
                kept.push(entry);
                continue;
            };
            let reason = match answer {
                Answer::Known(all) => match all.iter().find(|one| one.is_of(&entry)) {
                    Some(Answered {
                        answers: false,
                        reason,
                        ..
                    }) => Some(reason.clone().unwrap_or_default()),
                    _ => None,
                },
                Answer::Late => Some(Lost::Late.to_string()),
                Answer::Failed => {
                    let ignores = "ignore-error".to_owned();
                    entry.options.entry(ignores).or_insert("true".to_owned());
                    kept.push(entry);
                    continue;
                }
            };
            match reason {
                None => kept.push(entry),
                Some(reason) if must(&entry) => bail!(
                    "the layer cache `{reference}` cannot be written, and its `ignore-error` is false{}",
                    because(&reason)
                ),
                Some(reason) => warnings.push(not_written(reference, &reason)),
            }
        }
        self.exports = kept;
        Ok(warnings)
    }
}

fn must(entry: &CacheEntry) -> bool {
    let given = entry.options.get("ignore-error");
    given.is_some_and(|value| value == "false")
}

fn shown(entry: &CacheEntry) -> String {
    entry
        .reference()
        .map_or_else(|| format!("type={}", entry.kind.name()), str::to_owned)
}

fn not_written(what: &str, reason: &str) -> String {
    format!("the layer cache `{what}` is not written{}", because(reason))
}

/// The first line of a reason, without what a terminal would obey.
fn because(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default().trim();
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.as_str() {
        "" => String::new(),
        line => format!(": {line}"),
    }
}

#[cfg(test)]
mod tests;
