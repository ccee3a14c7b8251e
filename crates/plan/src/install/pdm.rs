//! PDM: `pyproject.toml`, `pdm.lock`, `pdm.toml`.

use toml::{Table, Value};

use super::python::{self, PYPROJECT, Project};
use super::text::{at, strings};
use super::{Finder, Recipe};
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let project = python::project(finder, "pdm", "pdm init");
    let lock = finder.take("pdm.lock");
    finder.take_private("pdm.toml");
    finder.take(".python-version");
    let Project::Known(project) = project else {
        return None;
    };
    let files = finder.files()?;
    for name in local(&project) {
        python::not_there(finder, PYPROJECT, name, "pdm");
    }
    let locked = lock != File::Absent;
    if !locked {
        finder.warn(
            "without `pdm.lock`, PDM picks versions anew each time",
            "run `pdm lock` and keep the file it writes",
        );
    }
    let mut command = vec!["pdm", "install", "--no-self"];
    command.extend(locked.then_some("--check"));
    Some(Recipe {
        path: Some((".venv/bin", None)),
        ..Recipe::copying(files, command)
    })
}

/// The dependencies that are directories of the project.
fn local(project: &Table) -> Vec<&str> {
    let mut all: Vec<&str> = strings(at(project, &["project", "dependencies"])).collect();
    for groups in [
        &["project", "optional-dependencies"][..],
        &["dependency-groups"],
        &["tool", "pdm", "dev-dependencies"],
    ] {
        let groups = at(project, groups).and_then(Value::as_table);
        let groups = groups.into_iter().flat_map(Table::values);
        all.extend(groups.flat_map(|group| strings(Some(group))));
    }
    all.into_iter()
        .filter_map(|dependency| {
            let (_, path) = dependency.split_once("file:///${PROJECT_ROOT}/")?;
            Some(path.split(['#', ' ', ';']).next().unwrap_or(path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_every_group() {
        let project: Table = "[project]\ndependencies = ['a @ file:///${PROJECT_ROOT}/a', 'b>1']\n\
             [dependency-groups]\ntest = ['-e file:///${PROJECT_ROOT}/../c#egg=c', {include-group = 'x'}]\n"
            .parse()
            .expect("it is TOML");
        assert_eq!(local(&project), ["a", "../c"]);
    }
}
