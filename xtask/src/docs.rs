//! Documentation that is generated from data.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run;

/// Holds generated pages alone.
const FOLDER: &str = "docs/caches";

/// Writes the generated pages, or with `check` fails when one is not what it would be.
pub(crate) fn write(check: bool) -> Result<()> {
    crate::rows::write(check)?;
    let root = run::root()?;
    let pages = larder_catalog::docs();
    let wanted: BTreeSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    if !check {
        fs::create_dir_all(root.join(FOLDER)).with_context(|| format!("cannot make {FOLDER}"))?;
    }
    for page in &pages {
        let path = root.join(&page.path);
        if !check {
            if run::write_if_changed(&path, &page.text)? {
                run::say(format!("wrote {}", page.path));
            }
            continue;
        }
        let old = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}; `cargo xtask docs` writes it", page.path))?;
        if let Some(line) = first_difference(&old, &page.text) {
            bail!(
                "{} is not what the catalogue says, from line {line} on; \
                 run `cargo xtask docs` and commit it",
                page.path
            );
        }
    }
    for path in present(&root)?
        .iter()
        .filter(|path| !wanted.contains(path.as_str()))
    {
        if check {
            bail!("{path} is no page of the catalogue; run `cargo xtask docs` and commit that");
        }
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
        run::say(format!("removed {path}"));
    }
    Ok(())
}

/// The pages that are there, sorted.
fn present(root: &Path) -> Result<BTreeSet<String>> {
    let folder = root.join(FOLDER);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {FOLDER}"))?;
    let name = |entry: std::io::Result<fs::DirEntry>| {
        Ok(format!("{FOLDER}/{}", entry?.file_name().to_string_lossy()))
    };
    entries.map(name).collect()
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
    use super::first_difference;

    #[test]
    fn differences_are_found_by_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a\n", "a"), Some(2));
    }
}
