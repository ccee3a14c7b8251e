//! Pipenv: `Pipfile`, `Pipfile.lock`.

use toml::Table;

use super::{Finder, Recipe, python, relative, text};
use crate::planner::File;

const PIPFILE: &str = "Pipfile";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let pipfile = finder.take(PIPFILE);
    let lock = finder.take("Pipfile.lock");
    let found = match pipfile {
        File::Text(found) => found,
        File::Absent => {
            finder.missing(
                PIPFILE,
                "make one with `pipenv install`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
        File::Unknown => return None,
    };
    let path = finder.path(PIPFILE);
    let table = text::toml(finder, &path, found, "pipenv")?;
    let directory = finder.directory.clone();
    let mut missing = Vec::new();
    for name in local(&table) {
        match relative(&directory, name) {
            None => finder.outside(&path, name),
            Some(path) if python::is_archive(&path) => finder.take_unseen(&path),
            Some(_) => missing.push(name),
        }
    }
    let files = finder.files()?;
    for name in missing {
        python::not_there(finder, PIPFILE, name, "pipenv");
    }
    let mut command = vec!["pipenv", "install"];
    if lock == File::Absent {
        finder.warn(
            "without `Pipfile.lock`, pipenv picks versions anew each time",
            "run `pipenv lock` and keep the file it writes",
        );
    } else {
        command.push("--deploy");
    }
    Some(Recipe {
        env: vec![("PIPENV_VENV_IN_PROJECT", "1")],
        path: Some((".venv/bin", None)),
        ..Recipe::copying(files, command)
    })
}

/// The paths of packages, in whichever category.
fn local(pipfile: &Table) -> Vec<&str> {
    pipfile
        .values()
        .filter_map(toml::Value::as_table)
        .flat_map(Table::values)
        .filter_map(|package| {
            package
                .get("path")
                .or_else(|| package.get("file"))?
                .as_str()
        })
        .filter(|path| !path.contains("://"))
        .collect()
}
