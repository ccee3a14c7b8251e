//! Bun: `package.json`, `bun.lock`, and the manifests of workspaces.

use super::node::{self, Package};
use super::{Finder, Recipe};
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let package = node::package(finder, "bun", "bun init");
    let lock = finder.take("bun.lock");
    finder.take_private("bunfig.toml");
    finder.take_private(".npmrc");
    let Package::Known(package) = package else {
        return None;
    };
    node::take_named(
        finder,
        node::PACKAGE,
        node::files(package.get("patchedDependencies")),
    );
    let workspaces = node::workspaces(&package);
    node::take_packages(finder, &package, (node::PACKAGE, &workspaces), "bun");
    if lock == File::Absent {
        // The lockfile of bun up to 1.1 is no text.
        let old = finder.path("bun.lockb");
        finder.take_unseen(&old);
    }
    let files = finder.files()?;
    let mut command = vec!["bun", "install"];
    if lock == File::Absent {
        finder.warn(
            "without `bun.lock`, bun may pick versions anew each time; `bun.lockb` is copied, and not checked",
            "run `bun install --save-text-lockfile --lockfile-only` and keep the file it writes",
        );
    } else {
        command.push("--frozen-lockfile");
    }
    Some(Recipe::copying(files, command))
}
