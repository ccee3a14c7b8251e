//! Composer: `composer.json`, `composer.lock`, and those of packages in the context. `auth.json` holds
//! secrets, and stays where it is.

use serde_json::Value;

use super::glob::Globs;
use super::{Finder, Recipe, text};
use crate::paths::under;
use crate::planner::File;

const MANIFEST: &str = "composer.json";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let manifest = finder.take(MANIFEST);
    let lock = finder.take("composer.lock");
    finder.take("symfony.lock");
    let found = match manifest {
        File::Text(found) => found,
        File::Absent => {
            finder.missing(
                MANIFEST,
                "make one with `composer init`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
        File::Unknown => return None,
    };
    let path = finder.path(MANIFEST);
    let json = text::json(finder, &path, found, "composer")?;
    let directory = finder.directory.clone();
    let (globs, outside) = Globs::of(&directory, repositories(&json));
    for name in outside {
        finder.outside(&path, name);
    }
    for package in finder.directories(&globs, MANIFEST) {
        finder.take_path(&under(package, MANIFEST));
    }
    let files = finder.files()?;
    let mut command = vec!["composer", "install"];
    if lock == File::Absent {
        finder.warn(
            "without `composer.lock`, composer picks versions anew each time",
            "run `composer update --no-install` and keep the file it writes",
        );
    }
    // Scripts and what is loaded need the sources.
    command.extend(["--no-scripts", "--no-autoloader", "--no-interaction"]);
    Some(Recipe::copying(files, command))
}

/// The directories of repositories of type `path`.
fn repositories(manifest: &Value) -> Vec<&str> {
    let all: Vec<&Value> = match manifest.get("repositories") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    };
    all.into_iter()
        .filter(|one| one.get("type").and_then(Value::as_str) == Some("path"))
        .filter_map(|one| one.get("url")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_two_forms() {
        let path = serde_json::json!({"type": "path", "url": "packages/*"});
        let other = serde_json::json!({"type": "vcs", "url": "https://example.com"});
        let list = serde_json::json!({"repositories": [path, other, 1]});
        assert_eq!(repositories(&list), ["packages/*"]);
        let map = serde_json::json!({"repositories": {"x": path, "y": false}});
        assert_eq!(repositories(&map), ["packages/*"]);
    }
}
