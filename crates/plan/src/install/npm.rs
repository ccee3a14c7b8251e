//! npm: `package.json`, a lockfile, and the manifests of workspaces.

use super::node::{self, Package};
use super::{Finder, Recipe};
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let package = node::package(finder, "npm", "npm init");
    let locks = ["package-lock.json", "npm-shrinkwrap.json"].map(|name| finder.take(name));
    finder.take_private(".npmrc");
    let Package::Known(package) = package else {
        return None;
    };
    let workspaces = node::workspaces(&package);
    node::take_packages(finder, &package, (node::PACKAGE, &workspaces), "npm");
    let files = finder.files()?;
    let locked = locks.iter().any(|lock| matches!(lock, File::Text(_)));
    if !locked {
        finder.warn(
            "without `package-lock.json`, npm picks versions anew each time",
            "run `npm install --package-lock-only` and keep the file it writes",
        );
    }
    Some(Recipe::copying(
        files,
        ["npm", if locked { "ci" } else { "install" }],
    ))
}
