//! Documentation that is generated from data.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run;

const CACHES: &str = "docs/caches.md";

const INTRODUCTION: &str = "\
# The caches

The caches that Larder knows, each with the claims that its mounts rest on, and where those come from.
Written by `cargo xtask docs` from the entries in `crates/catalog/caches`.

";

/// Writes the generated pages, or with `check` fails when one is not what it would be.
pub(crate) fn write(check: bool) -> Result<()> {
    let path = run::root()?.join(CACHES);
    let text = format!("{INTRODUCTION}{}", larder_catalog::docs());
    if !check {
        if run::write_if_changed(&path, &text)? {
            run::say(format!("wrote {CACHES}"));
        }
        return Ok(());
    }
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {CACHES}"))?;
    if let Some(line) = first_difference(&old, &text) {
        bail!(
            "{CACHES} is not what the catalogue says, from line {line} on; \
             run `cargo xtask docs` and commit it"
        );
    }
    Ok(())
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
