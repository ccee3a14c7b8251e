//! Where the layers of a pipeline are kept.

use std::env::{self, VarError};

use anyhow::{Result, anyhow, bail};
use buildkit_llb::ImageName;
use larder_plan::layers::{CACHE_MODE, CACHE_REGISTRY, CacheEntry};
use larder_spec::model::BackendKind;

use super::System;
use super::pipeline::Runner;
use crate::build::{Outcome, Session};
use crate::client::{Client, Layers};
use crate::compose::may_hold_password;

/// The arg through which a pipeline says which branch it builds, if a spec declares it.
pub(super) const BRANCH: &str = "BRANCH";
/// Stands for the branch while places of layers are looked up.
pub(super) const ANY_BRANCH: &str = "the-branch-that-is-built";

/// Where layers are kept.
pub(super) enum Cache {
    /// Nowhere.
    None,
    /// In the cache of GitHub Actions.
    Actions,
    /// In a repository of a registry.
    Registry {
        /// Its name; `None` is beside the image.
        repository: Option<String>,
        /// How much of a build is kept.
        mode: String,
    },
    /// Where the spec says.
    Spec {
        /// For each platform.
        places: Vec<Places>,
        /// Whether all branches have one place, into which the default branch alone may write.
        shared: bool,
    },
}

/// What a client is told for a platform, as options in which [`Cache::place`] puts the branch.
#[derive(Default)]
pub(super) struct Places {
    /// Those that the frontend cannot look into; it does all others.
    pub(super) imports: Vec<String>,
    /// Where layers are written to.
    pub(super) exports: Vec<String>,
}

impl Cache {
    /// Whether a job writes layers somewhere.
    pub(super) fn is_written(&self) -> bool {
        match self {
            Cache::None => false,
            Cache::Actions | Cache::Registry { .. } => true,
            Cache::Spec { places, .. } => places.iter().any(|one| !one.exports.is_empty()),
        }
    }

    /// An export of the spec with the branch in its place.
    pub(super) fn place(export: &str, branch: &str) -> String {
        export.replace(ANY_BRANCH, branch)
    }
}

/// The places that the spec names, for each platform, and whether the branch is a part of its places.
pub(super) fn of_spec(
    session: &Session,
    system: System,
    runners: &[Runner],
    takes_branch: bool,
) -> Result<Outcome<(Cache, bool)>> {
    let branch = [(BRANCH.to_owned(), ANY_BRANCH.to_owned())];
    let args = if takes_branch { &branch[..] } else { &[] };
    let mut all: Vec<Places> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    let (mut of_branches, mut one_for_all) = (false, false);
    for runner in runners {
        let Outcome::Good(cache) = session.layer_cache(&runner.platform, args) else {
            return Ok(Outcome::Mistakes);
        };
        let mut entries = cache.imports.iter().chain(&cache.exports);
        of_branches |= entries.any(|entry| entry.option().contains(ANY_BRANCH));
        let mut entries = cache.imports.iter().chain(&cache.exports);
        if system == System::GitLab && entries.any(|entry| entry.kind == BackendKind::Gha) {
            bail!(
                "`registry-cache` of the spec has `type: gha`, which only GitHub has: name a registry there, or \
                 take --cache registry"
            );
        }
        for export in &cache.exports {
            if export.kind == BackendKind::Inline {
                continue;
            }
            one_for_all |= !export.option().contains(ANY_BRANCH);
            places.push(match export.reference() {
                Some(reference) => reference.to_owned(),
                None => export.option(),
            });
        }
        let exports = cache.exports.iter().map(CacheEntry::option).collect();
        let imports = Layers::for_client(cache, Client::Buildx, true).imports();
        all.push(Places { imports, exports });
    }
    places.sort();
    let twice = |two: &&[String]| matches!(two, [one, other] if one == other);
    if let Some([place, ..]) = places.windows(2).find(twice) {
        bail!(
            "the jobs of several platforms would overwrite each other's layers at `{}`: write \
             `${{TARGETARCH}}` into the reference of `registry-cache`",
            Cache::place(place, "${BRANCH}")
        );
    }
    let cache = Cache::Spec {
        places: all,
        shared: one_for_all,
    };
    Ok(Outcome::Good((cache, of_branches)))
}

/// What the operator of a server says of layers.
pub(super) struct Server {
    /// Empty: they are not kept.
    registry: String,
    mode: String,
}

impl Server {
    /// What the args say, or else the environment.
    pub(super) fn find(args: &[(String, String)]) -> Result<Option<Server>> {
        let variable = |name: &str| {
            if let Some((_, value)) = args.iter().rfind(|(one, _)| one == name) {
                return Ok(Some(value.clone()));
            }
            match env::var(name) {
                Ok(value) => Ok(Some(value)),
                Err(VarError::NotPresent) => Ok(None),
                Err(VarError::NotUnicode(_)) => Err(anyhow!("the variable {name} is not UTF-8")),
            }
        };
        let Some(registry) = variable(CACHE_REGISTRY)? else {
            return Ok(None);
        };
        if may_hold_password(&registry) {
            bail!(
                "{CACHE_REGISTRY}: the reference has credentials, or is an address with `://`, and is not \
                 shown; write REGISTRY/NAME"
            );
        }
        if !registry.is_empty() {
            let parsed = ImageName::parse(&registry)
                .map_err(|error| anyhow!("{CACHE_REGISTRY}={registry}: {}", error.reason()))?;
            if parsed.digest().is_some() {
                bail!("{CACHE_REGISTRY}={registry}: layers cannot be written to a digest");
            }
        }
        let mode = variable(CACHE_MODE)?.filter(|mode| !mode.is_empty());
        let mode = mode.unwrap_or_else(|| "max".to_owned());
        if !["min", "max"].contains(&mode.as_str()) {
            bail!("{CACHE_MODE}={mode}: write min or max");
        }
        Ok(Some(Server { registry, mode }))
    }

    /// The place for a project's layers.
    pub(super) fn cache(self, project: &str) -> Cache {
        if self.registry.is_empty() {
            return Cache::None;
        }
        let last = self.registry.rfind('/').map_or(0, |at| at + 1);
        let (repository, own) = match self.registry[last..].split_once(':') {
            Some((name, tag)) => (format!("{}{name}", &self.registry[..last]), tag),
            None => (self.registry.clone(), project),
        };
        Cache::Registry {
            repository: Some(format!("{repository}/{}", below(own))),
            mode: self.mode,
        }
    }
}

/// A name as a path below a repository, so that no two projects share tags.
pub(super) fn below(name: &str) -> String {
    let part = |part: &str| {
        let mut out = String::new();
        for c in part.chars().take(60) {
            let c = c.to_ascii_lowercase();
            if c.is_ascii_alphanumeric() {
                out.push(c);
            } else if out.ends_with(|last: char| last.is_ascii_alphanumeric()) {
                out.push(if matches!(c, '.' | '_') { c } else { '-' });
            }
        }
        out.trim_matches(['.', '_', '-']).to_owned()
    };
    let parts: Vec<String> = (name.split('/').map(part))
        .filter(|part| !part.is_empty())
        .take(2)
        .collect();
    match parts.join("/") {
        path if path.is_empty() => "default".to_owned(),
        path => path,
    }
}

/// The letters of a name that a tag can have, with room for a platform. Workflows do the same to the branch, by [`SLUG`].
pub(super) fn slug(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let mut slug: String = name.chars().map(letter).take(80).collect();
    if slug.starts_with(['.', '-']) {
        slug.replace_range(..1, "_");
    }
    slug
}

/// What [`slug`] does, as filters of a shell.
pub(super) const SLUG: &str = "LC_ALL=C sed 's/[^A-Za-z0-9_.-]/-/g; s/^[.-]/_/' | cut -c 1-80";
