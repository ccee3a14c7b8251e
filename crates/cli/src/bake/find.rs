//! Where the specs of a repository are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Error, Result, bail, ensure};

use crate::input::{Input, SPEC};

/// Folders in which no project has specs of its own.
const SKIPPED: [&str; 3] = ["node_modules", "target", "vendor"];
/// More are no repository.
const MOST_FOLDERS: usize = 100_000;

/// Every spec once, in the order of the paths and by name below each, and what could not be read.
pub(super) fn specs(
    paths: &[PathBuf],
    all: bool,
    context: Option<&Path>,
) -> (Vec<Input>, Vec<Error>) {
    let mut inputs = Vec::new();
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let found = if all && path.is_dir() {
            below(path)
        } else {
            Ok(vec![path.clone()])
        };
        let found = found.unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        for path in found {
            match read(&path, context, all) {
                Ok(input) => {
                    let real = fs::canonicalize(&input.spec);
                    if seen.insert(real.unwrap_or_else(|_| input.spec.clone())) {
                        inputs.push(input);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
    }
    (inputs, errors)
}

fn read(path: &Path, context: Option<&Path>, all: bool) -> Result<Input> {
    if !all && path.is_dir() && !path.join(SPEC).exists() {
        bail!(
            "{}: there is no {SPEC} in it; to find those below it, add --all",
            path.display()
        );
    }
    let input = Input::read(path, None)?;
    match context {
        None => Ok(input),
        Some(context) => Input::read(context, Some(&input.spec)),
    }
}

/// The folders with specs in a folder and below it, by name.
fn below(top: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![top.to_owned()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        count += 1;
        ensure!(
            count <= MOST_FOLDERS,
            "{}: there are more than {MOST_FOLDERS} folders in it; name those with specs",
            top.display()
        );
        if folder.join(SPEC).is_file() {
            found.push(folder.clone());
        }
        let mut inner = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let skipped = name.starts_with('.') || SKIPPED.contains(&name.as_ref());
            // A link is no folder here, so that none is found twice or without end.
            if !skipped && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                inner.push(match folder.to_str() {
                    Some(".") => PathBuf::from(entry.file_name()),
                    _ => entry.path(),
                });
            }
        }
        inner.sort();
        folders.extend(inner.into_iter().rev());
    }
    ensure!(
        !found.is_empty(),
        "{}: there is no {SPEC} in it, nor below it",
        top.display()
    );
    Ok(found)
}

/// The build context as bake finds it from the current directory.
pub(super) fn written(input: &Input) -> Result<String> {
    let here = std::env::current_dir().context("the current directory")?;
    let here = fs::canonicalize(&here).unwrap_or(here);
    let given = &input.context;
    let climbs = |path: &Path| {
        let mut parts = path
            .components()
            .skip_while(|part| *part == Component::ParentDir);
        parts.any(|part| part == Component::ParentDir)
    };
    // Bake takes `a/..` for nothing, which is wrong where `a` is a link.
    let path = if given.is_absolute() || climbs(given) {
        let path = input.root.strip_prefix(&here);
        path.unwrap_or(&input.root).to_owned()
    } else {
        given
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect()
    };
    let text = path.to_str();
    let text = text.with_context(|| format!("{}: the path is not UTF-8", path.display()))?;
    Ok(match text {
        "" => ".".to_owned(),
        // What bake takes for an address elsewhere.
        text if text.starts_with("github.com/") || text.contains(':') => {
            let absolute = input.root.to_str();
            absolute.unwrap_or(text).to_owned()
        }
        text => text.to_owned(),
    })
}
