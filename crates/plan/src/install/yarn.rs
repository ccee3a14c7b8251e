//! Yarn, the classic one (1) and the later ones: `package.json`, `yarn.lock`, the manifests of
//! workspaces, and what `.yarn` holds of yarn itself.

use serde_json::Value;

use super::node::{self, Package};
use super::text::{plain, yaml_scalar};
use super::{Finder, Recipe};
use crate::planner::File;

const SETTINGS: &str = ".yarnrc.yml";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let package = node::package(finder, "yarn", "yarn init");
    let lock = finder.take("yarn.lock");
    let settings = finder.take_private(SETTINGS);
    finder.take_private(".yarnrc");
    finder.take_private(".npmrc");
    for pattern in [
        ".yarn/releases/*js",
        ".yarn/plugins/*js",
        ".yarn/plugins/*/*js",
        ".yarn/patches/*.patch",
    ] {
        finder.take_all(pattern);
    }
    let Package::Known(package) = package else {
        return None;
    };
    if let File::Text(text) = settings {
        node::take_named(finder, SETTINGS, yaml_scalar(text, "yarnPath"));
    }
    let workspaces = node::workspaces(&package);
    node::take_packages(finder, &package, (node::PACKAGE, &workspaces), "yarn");
    let files = finder.files()?;
    let classic = is_classic(&package, lock, settings);
    let locked = lock != File::Absent;
    if !locked {
        let hint = if classic {
            "run `yarn install` and keep the file it writes"
        } else {
            "run `yarn install --mode=update-lockfile` and keep the file it writes"
        };
        finder.warn(
            "without `yarn.lock`, yarn picks versions anew each time",
            hint,
        );
    }
    let mut command = vec!["yarn", "install"];
    match (classic, locked) {
        (true, true) => command.extend(["--frozen-lockfile", "--non-interactive"]),
        (true, false) => command.push("--non-interactive"),
        (false, true) => command.push("--immutable"),
        // Where `CI` is set, a lockfile would be asked for.
        (false, false) => command.push("--no-immutable"),
    }
    Some(Recipe::copying(files, command))
}

/// Whether yarn 1 is meant: `packageManager` says so, or else nothing of a later one is there.
fn is_classic(package: &Value, lock: File<'_>, settings: File<'_>) -> bool {
    if let Some(("yarn", version)) = node::manager(package) {
        return version == "classic" || version.split('.').next() == Some("1");
    }
    let later = match lock {
        File::Text(text) => plain(text)
            .lines()
            .any(|line| line.starts_with("__metadata:")),
        File::Absent | File::Unknown => false,
    };
    !later && !matches!(settings, File::Text(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_yarns_are_told_apart() {
        let with = |manager: &str| serde_json::json!({ "packageManager": manager });
        let none = serde_json::json!({});
        let (old, new) = (
            File::Text("# yarn lockfile v1\n"),
            File::Text("__metadata:\n  version: 8\n"),
        );
        let settings = File::Text("nodeLinker: node-modules\n");
        for (package, lock, settings, classic) in [
            (&none, File::Absent, File::Absent, true),
            (&none, old, File::Absent, true),
            (&none, new, File::Absent, false),
            (&none, File::Absent, settings, false),
            (&with("yarn@1.22.22"), new, settings, true),
            (&with("yarn@4.5.0+sha512.x"), old, File::Absent, false),
            (&with("yarn@10.0.0"), old, File::Absent, false),
            (&with("pnpm@9"), old, File::Absent, true),
        ] {
            assert_eq!(
                is_classic(package, lock, settings),
                classic,
                "{package} {lock:?}"
            );
        }
    }
}
