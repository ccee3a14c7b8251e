//! npm: `package.json`, a lockfile, and the manifests of workspaces.

use serde_json::Value;

use super::{Finder, Recipe, relative};
use crate::paths::under;
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let package = finder.take("package.json");
    let locks = ["package-lock.json", "npm-shrinkwrap.json"].map(|name| finder.take(name));
    finder.take(".npmrc");
    let package = match package {
        File::Text(text) => text,
        File::Absent => {
            finder.missing(
                "package.json",
                "make one with `npm init`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
        File::Unknown => return None,
    };
    let package: Value = match serde_json::from_str(package) {
        Ok(package) => package,
        Err(error) => {
            finder.error(
                format!(
                    "`{}` is not JSON: {error}",
                    under(&finder.directory, "package.json")
                ),
                "npm could not read it either",
            );
            return None;
        }
    };
    let mut complete = true;
    for workspace in workspaces(&package) {
        let Some(path) = relative(&finder.directory, &under(workspace, "package.json")) else {
            continue;
        };
        match finder.planner.files(&path) {
            Some(found) => {
                for path in found {
                    finder.take_path(path);
                }
            }
            None => complete = false,
        }
    }
    let locked = locks.iter().any(|lock| matches!(lock, File::Text(_)));
    if !complete || locks.contains(&File::Unknown) {
        return None;
    }
    if !locked {
        finder.warn(
            "without `package-lock.json`, npm picks versions anew each time",
            "run `npm install --package-lock-only` and keep the file it writes",
        );
    }
    Some(Recipe {
        files: std::mem::take(&mut finder.files),
        command: vec!["npm", if locked { "ci" } else { "install" }],
        ..Recipe::default()
    })
}

fn workspaces(package: &Value) -> Vec<&str> {
    let list = match package.get("workspaces") {
        Some(Value::Object(object)) => object.get("packages"),
        other => other,
    };
    let list = list.and_then(Value::as_array).map(Vec::as_slice);
    let names = list.unwrap_or_default().iter().filter_map(Value::as_str);
    names
        .map(|name| name.trim_start_matches("./").trim_end_matches('/'))
        .filter(|name| !name.starts_with('!'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_have_two_forms() {
        let list = serde_json::json!({"workspaces": ["./packages/*/", "app", "!old"]});
        assert_eq!(workspaces(&list), ["packages/*", "app"]);
        let object = serde_json::json!({"workspaces": {"packages": ["app"]}});
        assert_eq!(workspaces(&object), ["app"]);
        assert_eq!(workspaces(&serde_json::json!({"workspaces": 1})), [""; 0]);
    }
}
