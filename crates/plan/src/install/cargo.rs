//! Cargo: `Cargo.toml`, `Cargo.lock`, and the manifests of the workspace.
//!
//! Cargo wants a target behind every manifest, so made-up ones stand beside them, and all of it is
//! mounted for the command only: what it fetches is all that stays.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::text::strings;
use super::{Finder, Recipe, relative, text};
use crate::paths::under;
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let root = finder.take("Cargo.toml");
    let lock = finder.take("Cargo.lock");
    for name in ["rust-toolchain.toml", "rust-toolchain"] {
        finder.take(name);
    }
    for name in [".cargo/config.toml", ".cargo/config"] {
        finder.take_private(name);
    }
    match root {
        File::Text(_) => {}
        File::Absent => {
            finder.missing(
                "Cargo.toml",
                "make one with `cargo init`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
        File::Unknown => return None,
    }
    let mut stubs = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut next = vec![finder.directory.clone()];
    while let Some(directory) = next.pop() {
        if !seen.insert(directory.clone()) {
            continue;
        }
        let path = under(&directory, "Cargo.toml");
        let found = match finder.take_path(&path) {
            File::Text(found) => found,
            File::Absent => {
                finder.error(
                    format!("`{path}` is part of the workspace, and is not in the build context"),
                    "add it, or take it out of the workspace",
                );
                continue;
            }
            File::Unknown => continue,
        };
        let Some(manifest) = text::toml(finder, &path, found, "cargo") else {
            continue;
        };
        add_stubs(&manifest, &directory, &mut stubs);
        for name in path_dependencies(&manifest) {
            match relative(&directory, name) {
                Some(path) => next.push(path),
                None => finder.error(
                    format!("`{path}` needs `{name}`, which is outside of the build context"),
                    "build from a directory that holds both",
                ),
            }
        }
        members(finder, &manifest, &directory, &mut next);
    }
    let mut files = finder.files()?;
    files.sort();
    let locked = lock != File::Absent;
    if !locked {
        finder.warn(
            "without `Cargo.lock`, cargo picks versions anew each time",
            "run `cargo generate-lockfile` and keep the file it writes",
        );
    }
    let mut command = vec!["cargo", "fetch"];
    command.extend(locked.then_some("--locked"));
    Some(Recipe {
        stubs: Some(stubs),
        writes: !locked,
        ..Recipe::copying(files, command)
    })
}

/// Adds the members of a workspace.
fn members(finder: &mut Finder<'_, '_>, manifest: &Table, directory: &str, next: &mut Vec<String>) {
    let Some(workspace) = manifest.get("workspace") else {
        return;
    };
    let excluded: Vec<String> = strings(workspace.get("exclude"))
        .filter_map(|path| relative(directory, path))
        .collect();
    for member in strings(workspace.get("members")) {
        let Some(member) = relative(directory, member) else {
            continue;
        };
        if !crate::ignore::is_pattern(&member) {
            next.push(member);
            continue;
        }
        let found = finder.list(&under(&member, "Cargo.toml")).into_iter();
        next.extend(
            found
                .map(|path| crate::paths::parent(path).to_owned())
                .filter(|path| !excluded.contains(path)),
        );
    }
}

/// The directories of dependencies that are named by path, in whichever table.
fn path_dependencies(manifest: &Table) -> Vec<&str> {
    const TABLES: [&str; 5] = [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
    ];
    let mut tables: Vec<&Value> = Vec::new();
    tables.extend(TABLES.iter().filter_map(|name| manifest.get(*name)));
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        for target in targets.values() {
            tables.extend(TABLES.iter().filter_map(|name| target.get(name)));
        }
    }
    if let Some(workspace) = manifest.get("workspace") {
        tables.extend(workspace.get("dependencies"));
    }
    if let Some(patch) = manifest.get("patch").and_then(Value::as_table) {
        tables.extend(patch.values());
    }
    tables
        .into_iter()
        .filter_map(Value::as_table)
        .flat_map(Table::values)
        .filter_map(|dependency| dependency.get("path")?.as_str())
        .collect()
}

const MAIN: &str = "fn main() {}\n";

/// Makes up the targets of a package.
fn add_stubs(manifest: &Table, directory: &str, stubs: &mut BTreeMap<String, String>) {
    let Some(package) = manifest.get("package") else {
        return;
    };
    let mut add = |path: &str, text: &str| {
        let inside = (!path.starts_with('/'))
            .then(|| crate::paths::below(&under(directory, path)))
            .flatten();
        if let Some(path) = inside {
            stubs.insert(path, text.to_owned());
        }
    };
    add("src/lib.rs", "");
    add("src/main.rs", MAIN);
    if let Some(path) = package.get("build").and_then(Value::as_str) {
        add(path, MAIN);
    }
    if let Some(name) = package.get("default-run").and_then(Value::as_str) {
        add(&format!("src/bin/{name}.rs"), MAIN);
    }
    if let Some(path) = manifest
        .get("lib")
        .and_then(|lib| lib.get("path"))
        .and_then(Value::as_str)
    {
        add(path, "");
    }
    for (kind, place) in [
        ("bin", "src/bin"),
        ("example", "examples"),
        ("test", "tests"),
        ("bench", "benches"),
    ] {
        let list = manifest.get(kind).and_then(Value::as_array);
        for target in list.map(Vec::as_slice).unwrap_or_default() {
            match (target.get("path"), target.get("name")) {
                (Some(Value::String(path)), _) => add(path, MAIN),
                (_, Some(Value::String(name))) => add(&format!("{place}/{name}.rs"), MAIN),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_gets_a_stub() {
        let manifest: Table = "[package]\nname = \"x\"\nbuild = \"build/main.rs\"\n[lib]\npath = \"lib/x.rs\"\n\
             [[bin]]\nname = \"tool\"\n[[bin]]\nname = \"y\"\npath = \"y.rs\"\n[[test]]\nname = \"t\"\n[[bench]]\nname = \"../../../up\"\n"
            .parse()
            .expect("it is TOML");
        let mut stubs = BTreeMap::new();
        add_stubs(&manifest, "a", &mut stubs);
        let paths: Vec<&str> = stubs.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "a/build/main.rs",
                "a/lib/x.rs",
                "a/src/bin/tool.rs",
                "a/src/lib.rs",
                "a/src/main.rs",
                "a/tests/t.rs",
                "a/y.rs"
            ]
        );
    }

    #[test]
    fn path_dependencies_are_found_everywhere() {
        let manifest: Table = "[dependencies]\na = { path = \"../a\" }\nb = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\nc.path = \"c\"\n\
             [workspace.dependencies]\nd = { path = \"d\" }\n[patch.crates-io]\ne = { path = \"e\" }\n"
            .parse()
            .expect("it is TOML");
        assert_eq!(path_dependencies(&manifest), ["../a", "c", "d", "e"]);
    }
}
