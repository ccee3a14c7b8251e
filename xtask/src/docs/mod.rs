//! Documentation that is generated from data.

mod diagnostics;
mod language;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::run;

/// Hold generated pages alone.
const FOLDERS: [&str; 2] = ["docs/caches", rows::FOLDER];

/// Pages by their paths in the repository.
type Pages = BTreeMap<String, String>;

/// Writes the generated pages, or with `check` fails when one is not what it would be.
pub(crate) fn write(check: bool) -> Result<()> {
    let root = run::root()?;
    let pages = pages(&root)?;
    if !check {
        for folder in FOLDERS {
            fs::create_dir_all(root.join(folder))
                .with_context(|| format!("cannot make {folder}"))?;
        }
    }
    for (path, text) in &pages {
        if !check {
            if run::write_if_changed(&root.join(path), text)? {
                run::say(format!("wrote {path}"));
            }
            continue;
        }
        let old = fs::read_to_string(root.join(path))
            .with_context(|| format!("cannot read {path}; `cargo xtask docs` writes it"))?;
        if let Some(line) = first_difference(&old, text) {
            bail!(
                "{path} is not what it is written from, from line {line} on; \
                 run `cargo xtask docs` and commit it"
            );
        }
    }
    for path in present(&root)?
        .iter()
        .filter(|path| !pages.contains_key(*path))
    {
        if check {
            bail!("nothing generates {path}; run `cargo xtask docs` and commit that");
        }
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
        run::say(format!("removed {path}"));
    }
    Ok(())
}

/// Every page that is generated, or has generated parts.
fn pages(root: &Path) -> Result<Pages> {
    let mut all = Pages::new();
    let caches = larder_catalog::docs();
    let caches = caches.into_iter().map(|page| (page.path, page.text));
    let lints = ("docs/lints.md".to_owned(), larder_plan::lints::docs());
    let sources = [
        caches.chain([lints]).collect(),
        language::pages(root)?,
        diagnostics::pages(root)?,
        rows::pages()?,
    ];
    for (path, text) in sources.into_iter().flat_map(Pages::into_iter) {
        ensure!(!all.contains_key(&path), "{path} is written twice");
        all.insert(path, text);
    }
    Ok(all)
}

/// The pages of the folders that are there, sorted.
fn present(root: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for folder in FOLDERS {
        let entries =
            fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
        for entry in entries {
            found.insert(format!("{folder}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    Ok(found)
}

/// The files of a folder that have an extension, by name.
fn files(root: &Path, folder: &str, extension: &str) -> Result<Vec<(String, String)>> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot read {folder}"))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|one| one == extension) {
            let path = format!("{folder}/{name}");
            let text = fs::read_to_string(root.join(&path))
                .with_context(|| format!("cannot read {path}"))?;
            found.push((path, text));
        }
    }
    found.sort();
    Ok(found)
}

/// The first line, from 1, in which two texts differ.
fn first_difference(old: &str, new: &str) -> Option<usize> {
    if old == new {
        return None;
    }
    let same = old
        .lines()
        .zip(new.lines())
        .take_while(|(old, new)| old == new)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::{first_difference, write};

    #[test]
    fn differences_are_found_by_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a\n", "a"), Some(2));
    }

    #[test]
    fn what_is_generated_is_up_to_date() {
        if let Err(error) = write(true) {
            panic!("{error:#}");
        }
    }
}
