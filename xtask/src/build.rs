//! Builds with buildx, and what they left behind.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use larder_e2e::Progress;

use crate::engine::Engine;
use crate::run;

/// A build that went well.
#[derive(Debug)]
pub(crate) struct Built {
    /// What the builder reported.
    pub(crate) progress: Progress,
    /// From start to end, seen from outside.
    pub(crate) time: Duration,
}

/// Runs `docker buildx build` with these words over a context.
pub(crate) fn build(engine: &Engine, words: &[impl AsRef<OsStr>], context: &Path) -> Result<Built> {
    let mut command = engine.docker();
    command
        .args(["buildx", "build", "--progress=rawjson"])
        .args(words)
        .arg(context);
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot run docker buildx")?;
    let time = start.elapsed();
    let progress = Progress::read(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("the build failed\n{}{}", progress.logs, progress.text);
    }
    Ok(Built { progress, time })
}

/// What a cache mount of the engine holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CacheMount {
    /// Its id.
    pub(crate) id: String,
    /// Where it was mounted first.
    pub(crate) path: String,
    /// How much is in it, in the builder's words.
    pub(crate) size: String,
}

/// The cache mounts of a namespace.
pub(crate) fn cache_mounts(engine: &Engine, namespace: &str) -> Result<Vec<CacheMount>> {
    let mut command = engine.docker();
    command.args([
        "buildx",
        "du",
        "--verbose",
        "--filter",
        "type=exec.cachemount",
    ]);
    let text = run::output(&mut command)?;
    let mut found = mounts(&text);
    found.retain(|mount| mount.id.contains(namespace));
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

fn mounts(text: &str) -> Vec<CacheMount> {
    text.split("\n\n")
        .filter_map(|record| {
            let field = |name: &str| {
                let line = record.lines().find_map(|line| line.strip_prefix(name));
                line.map(str::trim)
            };
            let description = field("Description:")?;
            let path = description
                .strip_prefix("cached mount ")?
                .split(' ')
                .next()?;
            let id = description.rsplit(" with id ").next()?.trim_matches('"');
            let size = field("Size:")?;
            Some(CacheMount {
                id: id.to_owned(),
                path: path.to_owned(),
                size: size.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_mounts_are_told_from_du() {
        let text = "ID:\t\tabc\nSize:\t\t5.2MB\n\
                    Description:\tcached mount /cache/pip from exec pip install with id \"ns/larder/x\"\n\n\
                    ID:\t\tdef\nSize:\t\t1MB\nDescription:\tlocal source for context\n\nTotal:\t6MB\n";
        assert_eq!(
            mounts(text),
            [CacheMount {
                id: "ns/larder/x".to_owned(),
                path: "/cache/pip".to_owned(),
                size: "5.2MB".to_owned()
            }]
        );
    }
}
