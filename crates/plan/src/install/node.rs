//! What npm, pnpm, yarn and bun have in common: `package.json`, and those of workspaces.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::glob::Globs;
use super::{Finder, relative, text};
use crate::paths::under;
use crate::planner::File;

pub(super) const PACKAGE: &str = "package.json";

/// The `package.json` of the directory.
pub(super) enum Package {
    Known(Value),
    /// Nobody has looked yet.
    Unknown,
    /// It is missing or broken, which is reported.
    None,
}

pub(super) fn package(finder: &mut Finder<'_, '_>, tool: &str, init: &str) -> Package {
    match finder.take(PACKAGE) {
        File::Text(found) => {
            let path = finder.path(PACKAGE);
            match text::json(finder, &path, found, tool) {
                Some(package) => Package::Known(package),
                None => Package::None,
            }
        }
        File::Absent => {
            let hint = format!(
                "make one with `{init}`; if it is in another directory, give that as `workdir`"
            );
            finder.missing(PACKAGE, &hint);
            Package::None
        }
        File::Unknown => Package::Unknown,
    }
}

/// What a `package.json` says its workspaces are.
pub(super) fn workspaces(package: &Value) -> Vec<&str> {
    let list = match package.get("workspaces") {
        Some(Value::Object(object)) => object.get("packages"),
        other => other,
    };
    let list = list.and_then(Value::as_array).map(Vec::as_slice);
    list.unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// Takes the `package.json` of each workspace that a manifest lists, and those of packages that are
/// named by path.
pub(super) fn take_packages(
    finder: &mut Finder<'_, '_>,
    package: &Value,
    (manifest, workspaces): (&str, &[&str]),
    tool: &str,
) {
    let directory = finder.directory.clone();
    let (globs, outside) = Globs::of(&directory, workspaces.iter().copied());
    for name in outside {
        let path = finder.path(manifest);
        finder.outside(&path, name);
    }
    let mut seen = BTreeSet::from([directory.clone()]);
    let mut next: Vec<(String, String)> = local(package)
        .into_iter()
        .map(|name| (directory.clone(), name.to_owned()))
        .collect();
    let members = finder.directories(&globs, PACKAGE);
    next.extend(
        members
            .iter()
            .map(|path| (String::new(), (*path).to_owned())),
    );
    while let Some((from, name)) = next.pop() {
        let Some(path) = relative(&from, &name) else {
            let path = under(&from, PACKAGE);
            finder.outside(&path, &name);
            continue;
        };
        if is_archive(&name) {
            finder.take_unseen(&path);
            continue;
        }
        if !seen.insert(path.clone()) {
            continue;
        }
        let manifest = under(&path, PACKAGE);
        if let File::Text(found) = finder.take_path(&manifest)
            && let Some(package) = text::json(finder, &manifest, found, tool)
        {
            let local = local(&package).into_iter();
            next.extend(local.map(|name| (path.clone(), name.to_owned())));
        }
    }
}

/// The packages that are named by path.
fn local(package: &Value) -> Vec<&str> {
    let tables = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "resolutions",
        "overrides",
    ];
    let tables = tables
        .iter()
        .filter_map(|table| package.get(table)?.as_object());
    tables
        .flat_map(Map::values)
        .filter_map(Value::as_str)
        .filter_map(|version| {
            let path = ["file:", "link:", "portal:"]
                .iter()
                .find_map(|protocol| version.strip_prefix(protocol))?;
            // Yarn adds what the path is relative to.
            Some(path.split("::").next().unwrap_or(path))
        })
        .collect()
}

fn is_archive(name: &str) -> bool {
    [".tgz", ".tar.gz", ".tar"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Files that a `package.json` names below a key: `patchedDependencies`.
pub(super) fn files(table: Option<&Value>) -> impl Iterator<Item = &str> {
    let table = table.and_then(Value::as_object);
    table
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_str)
}

/// Takes files that are named relative to the directory, and says which of them are missing.
pub(super) fn take_named<'n>(
    finder: &mut Finder<'_, '_>,
    manifest: &str,
    names: impl IntoIterator<Item = &'n str>,
) {
    let directory = finder.directory.clone();
    for name in names {
        match relative(&directory, name) {
            None => finder.outside(&under(&directory, manifest), name),
            Some(path) => {
                if finder.take_path(&path) == File::Absent {
                    let manifest = finder.path(manifest);
                    finder.error(
                        format!("`{manifest}` names `{path}`, which is not in the build context"),
                        "add the file, or take it out there",
                    );
                }
            }
        }
    }
}

/// The tool that `packageManager` names, and its version: `pnpm@10.1.0+sha512…`.
pub(super) fn manager(package: &Value) -> Option<(&str, &str)> {
    package.get("packageManager")?.as_str()?.split_once('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_have_two_forms() {
        let list = serde_json::json!({"workspaces": ["./packages/*/", "app", "!old", 1]});
        assert_eq!(workspaces(&list), ["./packages/*/", "app", "!old"]);
        let object = serde_json::json!({"workspaces": {"packages": ["app"]}});
        assert_eq!(workspaces(&object), ["app"]);
        assert_eq!(workspaces(&serde_json::json!({"workspaces": 1})), [""; 0]);
    }

    #[test]
    fn packages_may_be_named_by_path() {
        let package = serde_json::json!({
            "dependencies": {"a": "file:../a", "b": "^1", "c": "npm:x@1", "d": 1},
            "devDependencies": {"e": "link:./e"},
            "resolutions": {"f": "portal:f::locator=x"},
        });
        assert_eq!(local(&package), ["../a", "./e", "f"]);
    }
}
