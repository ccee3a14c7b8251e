//! Poetry: `pyproject.toml`, `poetry.lock`, `poetry.toml`.

use toml::{Table, Value};

use super::python::{self, PYPROJECT, Project};
use super::text::at;
use super::{Finder, Recipe, relative};
use crate::paths::under;
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let project = python::project(finder, "poetry", "poetry init");
    let lock = finder.take("poetry.lock");
    finder.take_private("poetry.toml");
    let Project::Known(project) = project else {
        return None;
    };
    let mut directories = false;
    for path in local(&project) {
        let directory = finder.directory.clone();
        match relative(&directory, path) {
            None => finder.outside(&under(&directory, PYPROJECT), path),
            Some(path) if python::is_archive(&path) => finder.take_unseen(&path),
            Some(path) => {
                directories = true;
                finder.take_path(&under(&path, PYPROJECT));
            }
        }
    }
    let files = finder.files()?;
    if lock == File::Absent {
        finder.warn(
            "without `poetry.lock`, poetry picks versions anew each time",
            "run `poetry lock` and keep the file it writes",
        );
    }
    let mut command = vec!["poetry", "install", "--no-root", "--no-interaction"];
    // Packages named by path need their sources.
    command.extend(directories.then_some("--no-directory"));
    Some(Recipe {
        env: vec![("POETRY_VIRTUALENVS_IN_PROJECT", "true")],
        path: Some((".venv/bin", None)),
        ..Recipe::copying(files, command)
    })
}

/// The paths of dependencies, in whichever group.
fn local(project: &Table) -> Vec<&str> {
    let poetry = |path: &[&str]| at(project, &[&["tool", "poetry"], path].concat());
    let mut tables: Vec<&Value> = Vec::new();
    tables.extend(poetry(&["dependencies"]));
    tables.extend(poetry(&["dev-dependencies"]));
    let groups = poetry(&["group"]).and_then(Value::as_table);
    let groups = groups.into_iter().flat_map(Table::values);
    tables.extend(groups.filter_map(|group| group.get("dependencies")));
    tables
        .into_iter()
        .filter_map(Value::as_table)
        .flat_map(Table::values)
        .flat_map(|dependency| {
            let one = std::slice::from_ref(dependency);
            dependency.as_array().map_or(one, Vec::as_slice)
        })
        .filter_map(|dependency| dependency.get("path")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_every_group() {
        let project: Table = "[tool.poetry.dependencies]\na = { path = '../a', develop = true }\nb = '1'\n\
             c = [{ path = 'c.whl', python = '<3' }, { version = '1' }]\n\
             [tool.poetry.dev-dependencies]\nd = { path = 'd' }\n[tool.poetry.group.test.dependencies]\ne.path = 'e'\n"
            .parse()
            .expect("it is TOML");
        assert_eq!(local(&project), ["../a", "c.whl", "d", "e"]);
    }
}
