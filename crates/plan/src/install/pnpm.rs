//! pnpm: `package.json`, `pnpm-lock.yaml`, and the manifests of the packages that
//! `pnpm-workspace.yaml` lists.

use super::node::{self, Package};
use super::text::yaml_values;
use super::{Finder, Recipe};
use crate::planner::File;

const WORKSPACE: &str = "pnpm-workspace.yaml";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let package = node::package(finder, "pnpm", "pnpm init");
    let lock = finder.take("pnpm-lock.yaml");
    let workspace = finder.take(WORKSPACE);
    finder.take_private(".npmrc");
    for name in [".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"] {
        finder.take(name);
    }
    let Package::Known(package) = package else {
        return None;
    };
    let mut members = Vec::new();
    if let File::Text(text) = workspace {
        members = yaml_values(text, "packages");
        node::take_named(finder, WORKSPACE, yaml_values(text, "patchedDependencies"));
    }
    let patched = package
        .get("pnpm")
        .and_then(|pnpm| pnpm.get("patchedDependencies"));
    node::take_named(finder, node::PACKAGE, node::files(patched));
    node::take_packages(finder, &package, (WORKSPACE, &members), "pnpm");
    let files = finder.files()?;
    let locked = lock != File::Absent;
    if !locked {
        finder.warn(
            "without `pnpm-lock.yaml`, pnpm picks versions anew each time",
            "run `pnpm install --lockfile-only` and keep the file it writes",
        );
    }
    let frozen = if locked {
        "--frozen-lockfile"
    } else {
        "--no-frozen-lockfile"
    };
    Some(Recipe::copying(files, ["pnpm", "install", frozen]))
}
