//! pip: `requirements.txt`, and the files that it names.

use std::collections::BTreeSet;

use super::{Finder, Recipe, relative};
use crate::paths::parent;
use crate::planner::File;

const REQUIREMENTS: &str = "requirements.txt";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    // To explain an absence.
    let pyproject = finder.path("pyproject.toml");
    match finder.take(REQUIREMENTS) {
        File::Text(_) => {}
        File::Unknown => {
            finder.look(&pyproject);
            return None;
        }
        File::Absent => {
            let hint = match finder.look(&pyproject) {
                File::Text(_) => {
                    "pip cannot install what a `pyproject.toml` asks for by itself; \
                     write `install: uv`, `poetry` or `pdm`, or make the list with `uv pip compile pyproject.toml -o requirements.txt`"
                }
                File::Absent => {
                    "write the packages there, one to a line; if it is in another directory, give that as `workdir`"
                }
                File::Unknown => return None,
            };
            finder.missing(REQUIREMENTS, hint);
            return None;
        }
    }
    let mut seen = BTreeSet::new();
    let mut next = vec![crate::paths::under(&finder.directory, REQUIREMENTS)];
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let text = match finder.take_path(&path) {
            File::Text(text) => text,
            File::Unknown => continue,
            File::Absent => {
                finder.error(
                    format!(
                        "`{path}` is named by a requirements file, and is not in the build context"
                    ),
                    "add the file, or take the line out",
                );
                continue;
            }
        };
        for line in lines(text) {
            match entry(&line) {
                Entry::File(name) => {
                    if name.contains("://") {
                        continue;
                    }
                    match relative(parent(&path), name) {
                        Some(path) => next.push(path),
                        None => finder.error(
                            format!(
                                "`{path}` names `{name}`, which is outside of the build context"
                            ),
                            "keep requirements files in the context",
                        ),
                    }
                }
                Entry::Local(what) => {
                    let message = format!(
                        "`{path}` installs `{what}` from the build context, which is not there yet"
                    );
                    finder.warn(
                        message,
                        "`copy` what it needs before, or leave the line to a `run: pip install` after the `copy`",
                    );
                }
                Entry::Other => {}
            }
        }
    }
    let files = finder.files()?;
    Some(Recipe {
        programs: Some(".local/bin"),
        ..Recipe::copying(files, ["pip", "install", "-r", REQUIREMENTS])
    })
}

/// Lines as pip sees them: joined at backslashes, without comments.
fn lines(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    for part in text.lines() {
        if let Some(part) = part.strip_suffix('\\') {
            line.push_str(part);
            continue;
        }
        line.push_str(part);
        let whole = std::mem::take(&mut line);
        let whole = match whole.find(" #") {
            Some(comment) => &whole[..comment],
            None => whole.as_str(),
        };
        let whole = whole.trim();
        if !whole.is_empty() && !whole.starts_with('#') {
            out.push(whole.to_owned());
        }
    }
    if !line.trim().is_empty() {
        out.push(line.trim().to_owned());
    }
    out
}

#[derive(Debug, PartialEq, Eq)]
enum Entry<'l> {
    /// `-r other.txt`, `-c constraints.txt`.
    File(&'l str),
    /// `-e .`, `./package`.
    Local(&'l str),
    Other,
}

fn entry(line: &str) -> Entry<'_> {
    let option = |names: &[&str]| {
        names.iter().find_map(|name| {
            let rest = line.strip_prefix(name)?;
            let long = name.starts_with("--");
            let value = rest.trim_start_matches([' ', '\t', '=']);
            (!value.is_empty() && (!long || value.len() < rest.len())).then_some(value)
        })
    };
    if let Some(file) = option(&["-r", "-c", "--requirement", "--constraint"]) {
        return Entry::File(file);
    }
    let local = option(&["-e", "--editable"]).unwrap_or(line);
    let path = local.split([';', '[']).next().unwrap_or_default().trim();
    if path == "."
        || path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with("file:.")
    {
        return Entry::Local(path);
    }
    Entry::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart() {
        for (line, expected) in [
            ("-r other.txt", Entry::File("other.txt")),
            ("-rother.txt", Entry::File("other.txt")),
            ("--requirement=a.txt", Entry::File("a.txt")),
            ("-c constraints.txt", Entry::File("constraints.txt")),
            ("--constraints", Entry::Other),
            ("-e .", Entry::Local(".")),
            ("-e git+https://example.com/x", Entry::Other),
            ("./pkg[extra] ; python_version > '3'", Entry::Local("./pkg")),
            ("requests==2.32.0", Entry::Other),
        ] {
            assert_eq!(entry(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_are_joined_and_cleaned() {
        let text = "# c\na==1 \\\n  --hash=sha256:x\n\nb # why\nc\\";
        assert_eq!(lines(text), ["a==1   --hash=sha256:x", "b", "c"]);
    }
}
