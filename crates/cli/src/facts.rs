//! What planning asks of the build context, and of the context `larder-cache`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

use anyhow::{Context as _, Result, ensure};
use larder_plan::{ContextFiles, ignore};

use crate::input::read_file;

/// The size of the largest manifest or lockfile that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The largest number of paths that one pattern may lead to.
const MAX_PATHS: usize = 10_000;

/// Looks for a path or pattern below the context, and adds what is there.
pub(crate) fn gather(root: &Path, wanted: &str, files: &mut ContextFiles) -> Result<()> {
    files.asked.insert(wanted.to_owned());
    for path in expand(root, wanted)? {
        if ignore::is_ignored(&files.ignore, &path) {
            continue;
        }
        let Some(text) = read(root, &path, &files.ignore)? else {
            continue;
        };
        files.found.insert(path, text);
    }
    Ok(())
}

/// The names of the directories in a directory; links to some are none.
pub(crate) fn directories(above: &Path) -> Result<BTreeSet<String>> {
    let shown = || above.display().to_string();
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(above).with_context(shown)? {
        let entry = entry.with_context(shown)?;
        if entry.file_type().with_context(shown)?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// The paths that a pattern may stand for.
fn expand(root: &Path, pattern: &str) -> Result<Vec<String>> {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(pattern).components().all(inside) {
        return Ok(Vec::new());
    }
    let mut paths = vec![String::new()];
    for segment in pattern.split('/').filter(|s| !matches!(*s, "" | ".")) {
        let mut next = Vec::new();
        for path in &paths {
            let join = |name: &str| match path.as_str() {
                "" => name.to_owned(),
                path => format!("{path}/{name}"),
            };
            if segment.contains(['*', '?', '[', '\\']) {
                next.extend(names(root, path, segment).iter().map(|name| join(name)));
            } else {
                next.push(join(segment));
            }
            ensure!(
                next.len() <= MAX_PATHS,
                "{pattern}: more than {MAX_PATHS} paths of the build context match"
            );
        }
        paths = next;
    }
    Ok(paths)
}

/// The names in a directory of the context that match, sorted.
fn names(root: &Path, directory: &str, segment: &str) -> Vec<String> {
    let Some(entries) = fs::canonicalize(root.join(directory))
        .ok()
        .filter(|real| real.starts_with(root))
        .and_then(|real| fs::read_dir(real).ok())
    else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name == segment || ignore::matches(segment, name))
        .take(MAX_PATHS + 1)
        .collect();
    names.sort();
    names
}

/// A file's text; `None` if there is no such file, or links lead out of the context or to what
/// `.dockerignore` keeps out of it.
fn read(root: &Path, path: &str, patterns: &[String]) -> Result<Option<String>> {
    let Ok(real) = fs::canonicalize(root.join(path)) else {
        return Ok(None);
    };
    let Ok(below) = real.strip_prefix(root) else {
        return Ok(None);
    };
    let ignored = ignore::is_ignored(patterns, &below.to_string_lossy());
    if ignored || !real.is_file() {
        return Ok(None);
    }
    let bytes = read_file(&real, MAX_BYTES)?;
    let text =
        String::from_utf8(bytes).with_context(|| format!("{path}: the file is not UTF-8"))?;
    Ok(Some(text))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What is found below a context that holds `a`, `crates/{x,y}/Cargo.toml`, `keep/out`, a
    /// directory `d`, and links: to `a`, to a file outside, to a directory outside, to `keep/out`.
    fn found(wanted: &str, ignored: &str) -> Vec<(String, String)> {
        let outside = tempfile::tempdir().expect("a directory");
        let context = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(context.path()).expect("it is there");
        for directory in ["crates/x", "crates/y", "keep", "d"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        for file in [
            "a",
            "crates/x/Cargo.toml",
            "crates/y/Cargo.toml",
            "keep/out",
        ] {
            fs::write(root.join(file), file).expect("written");
        }
        fs::create_dir(outside.path().join("z")).expect("made");
        for file in ["secret", "z/Cargo.toml"] {
            fs::write(outside.path().join(file), "secret").expect("written");
        }
        symlink("a", root.join("to-a")).expect("linked");
        symlink("keep/out", root.join("to-out")).expect("linked");
        symlink(outside.path().join("secret"), root.join("to-secret")).expect("linked");
        symlink(outside.path().join("z"), root.join("crates/z")).expect("linked");
        let mut files = ContextFiles {
            ignore: ignore::parse(ignored),
            ..ContextFiles::default()
        };
        gather(&root, wanted, &mut files).expect("read");
        assert!(files.asked.contains(wanted));
        files.found.into_iter().collect()
    }

    fn paths(wanted: &str, ignored: &str) -> Vec<String> {
        let found = found(wanted, ignored);
        assert!(found.iter().all(|(_, text)| text != "secret"));
        found.into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn reads_paths_and_patterns() {
        assert_eq!(found("a", ""), [("a".to_owned(), "a".to_owned())]);
        assert_eq!(paths("./a", ""), ["a"]);
        assert_eq!(
            paths("crates/*/Cargo.toml", ""),
            ["crates/x/Cargo.toml", "crates/y/Cargo.toml"]
        );
        for nothing in ["missing", "d", "missing/*/x", "a/b"] {
            assert_eq!(paths(nothing, ""), [] as [&str; 0], "{nothing}");
        }
    }

    #[test]
    fn stays_in_the_context() {
        assert_eq!(found("to-a", ""), [("to-a".to_owned(), "a".to_owned())]);
        for outside in [
            "to-secret",
            "crates/z/Cargo.toml",
            "../a",
            "/etc/passwd",
            "crates/z/*",
        ] {
            assert_eq!(paths(outside, ""), [] as [&str; 0], "{outside}");
        }
    }

    #[test]
    fn honours_dockerignore() {
        assert_eq!(
            paths("crates/*/Cargo.toml", "crates/x"),
            ["crates/y/Cargo.toml"]
        );
        assert_eq!(paths("keep/out", "*\n"), [] as [&str; 0]);
        assert_eq!(paths("keep/out", "*\n!keep"), ["keep/out"]);
        assert_eq!(paths("to-out", "keep"), [] as [&str; 0]);
    }
}
