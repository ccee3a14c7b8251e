//! uv: `pyproject.toml`, `uv.lock`, and the manifests of a workspace and of packages named by path.

use std::collections::BTreeSet;

use toml::Table;

use super::glob::Globs;
use super::python::{self, PYPROJECT, Project};
use super::text::{at, strings};
use super::{Finder, Recipe, relative, text};
use crate::paths::under;
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let project = python::project(finder, "uv", "uv init");
    let lock = finder.take("uv.lock");
    for name in [".python-version", ".python-versions"] {
        finder.take(name);
    }
    finder.take_private("uv.toml");
    let Project::Known(project) = project else {
        return None;
    };
    let mut local = BTreeSet::new();
    let workspace = take_members(finder, &project, &mut local);
    let files = finder.files()?;
    let locked = lock != File::Absent;
    if !locked {
        finder.warn(
            "without `uv.lock`, uv picks versions anew each time",
            "run `uv lock` and keep the file it writes",
        );
    }
    let mut command: Vec<String> = ["uv", "sync"].map(str::to_owned).to_vec();
    command.extend(locked.then(|| "--locked".to_owned()));
    // Its own packages need their sources.
    command.push(
        if workspace {
            "--no-install-workspace"
        } else {
            "--no-install-project"
        }
        .to_owned(),
    );
    for name in local {
        command.extend(["--no-install-package".to_owned(), name]);
    }
    Some(Recipe {
        path: Some((".venv/bin", Some("UV_PROJECT_ENVIRONMENT"))),
        ..Recipe::copying(files, command)
    })
}

/// Takes the manifests of the members of a workspace, and of packages that are named by path, whose
/// names are added. Whether it is a workspace.
fn take_members(
    finder: &mut Finder<'_, '_>,
    project: &Table,
    local: &mut BTreeSet<String>,
) -> bool {
    let directory = finder.directory.clone();
    let workspace = at(project, &["tool", "uv", "workspace"]);
    let members = strings(workspace.and_then(|workspace| workspace.get("members")));
    let excluded: Vec<String> = strings(workspace.and_then(|workspace| workspace.get("exclude")))
        .map(|pattern| format!("!{pattern}"))
        .collect();
    let all = members.chain(excluded.iter().map(String::as_str));
    let (globs, outside) = Globs::of(&directory, all);
    for name in outside {
        let path = finder.path(PYPROJECT);
        finder.outside(&path, name);
    }
    let mut seen = BTreeSet::from([directory.clone()]);
    let mut next: Vec<(String, String)> = (finder.directories(&globs, PYPROJECT).iter())
        .map(|path| (String::new(), (*path).to_owned()))
        .collect();
    next.extend(sources(finder, project, &directory, local));
    while let Some((from, name)) = next.pop() {
        let Some(path) = relative(&from, &name) else {
            finder.outside(&under(&from, PYPROJECT), &name);
            continue;
        };
        if !seen.insert(path.clone()) {
            continue;
        }
        let manifest = under(&path, PYPROJECT);
        if let File::Text(found) = finder.take_path(&manifest)
            && let Some(project) = text::toml(finder, &manifest, found, "uv")
        {
            next.extend(sources(finder, &project, &path, local));
        }
    }
    workspace.is_some()
}

/// The directories of packages that are named by path, and where from. Those packages are not
/// installed yet; archives are taken along.
fn sources(
    finder: &mut Finder<'_, '_>,
    project: &Table,
    directory: &str,
    local: &mut BTreeSet<String>,
) -> Vec<(String, String)> {
    let sources = at(project, &["tool", "uv", "sources"]).and_then(toml::Value::as_table);
    let mut out = Vec::new();
    for (name, source) in sources.into_iter().flatten() {
        let one = std::slice::from_ref(source);
        let several = source.as_array().map_or(one, Vec::as_slice);
        for path in several
            .iter()
            .filter_map(|source| source.get("path")?.as_str())
        {
            if python::is_archive(path) {
                match relative(directory, path) {
                    Some(path) => finder.take_unseen(&path),
                    None => finder.outside(&under(directory, PYPROJECT), path),
                }
            } else {
                local.insert(name.clone());
                out.push((directory.to_owned(), path.to_owned()));
            }
        }
    }
    out
}
