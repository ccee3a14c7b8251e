//! Go: `go.mod` and `go.sum`, those of a workspace, and those of modules that stand beside it.

use std::collections::BTreeSet;

use super::{Finder, Recipe, relative};
use crate::paths::under;
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let work = finder.take("go.work");
    finder.take("go.work.sum");
    let module = finder.take("go.mod");
    let sum = finder.take("go.sum");
    if [work, module, sum].contains(&File::Unknown) {
        return None;
    }
    let mut modules = Vec::new();
    match (work, module) {
        (File::Text(text), _) => {
            modules.extend(directives(text, "use"));
            modules.extend(directives(text, "replace"));
        }
        (_, File::Text(_)) => {}
        _ => {
            finder.missing(
                "go.mod",
                "make one with `go mod init`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
    }
    if let File::Text(text) = module {
        modules.extend(directives(text, "replace"));
        if sum == File::Absent && text.lines().any(|line| line.trim().starts_with("require")) {
            finder.warn(
                "without `go.sum`, Go cannot tell whether it got the right modules",
                "run `go mod tidy` and keep the file it writes",
            );
        }
    }
    let mut seen = BTreeSet::from([finder.directory.clone()]);
    let mut next: Vec<(String, String)> = modules
        .into_iter()
        .map(|path| (finder.directory.clone(), path))
        .collect();
    while let Some((from, path)) = next.pop() {
        let Some(directory) = relative(&from, &path) else {
            finder.error(
                format!("`{path}` is a Go module outside of the build context"),
                "build from a directory that holds both",
            );
            continue;
        };
        if !seen.insert(directory.clone()) {
            continue;
        }
        let module = finder.take_path(&under(&directory, "go.mod"));
        finder.take_path(&under(&directory, "go.sum"));
        if let File::Text(text) = module {
            let more = directives(text, "replace");
            next.extend(more.into_iter().map(|path| (directory.clone(), path)));
        }
    }
    let files = finder.files()?;
    Some(Recipe::copying(files, ["go", "mod", "download"]))
}

/// The directories that `use` or `replace` directives name, alone or in a block.
fn directives(text: &str, name: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let words = if inside {
            if line == ")" {
                inside = false;
                continue;
            }
            line
        } else {
            let Some(rest) = line.strip_prefix(name) else {
                continue;
            };
            if rest.trim_start() == "(" {
                inside = true;
                continue;
            }
            if !rest.starts_with([' ', '\t']) {
                continue;
            }
            rest
        };
        let path = match words.split_once("=>") {
            Some((_, path)) => path,
            None => words,
        };
        let path = path.trim().trim_matches(['"', '`']);
        let local =
            path == "." || path == ".." || path.starts_with("./") || path.starts_with("../");
        if local {
            out.push(path.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_stand_alone_or_in_blocks() {
        let work = "go 1.22\n\nuse ./a // why\nuse (\n\t./b\n\t.\n)\n";
        assert_eq!(directives(work, "use"), ["./a", "./b", "."]);
        let module = "module x\nreplace (\n\ty v1 => ../y\n\tz => example.com/z v2\n)\nreplace w => \"./w\"\n";
        assert_eq!(directives(module, "replace"), ["../y", "./w"]);
    }
}
