//! `install: auto`: the tool whose manifest and lockfile are there.

use larder_spec::model::Tool;

use super::Finder;
use super::node;
use super::text::{at, plain};
use crate::planner::File;

/// Files that only one tool has.
const MARKS: [(Tool, &[&str]); 15] = [
    (Tool::Uv, &["uv.lock"]),
    (Tool::Poetry, &["poetry.lock"]),
    (Tool::Pdm, &["pdm.lock"]),
    (Tool::Pipenv, &["Pipfile.lock", "Pipfile"]),
    (Tool::Npm, &["package-lock.json", "npm-shrinkwrap.json"]),
    (Tool::Pnpm, &["pnpm-lock.yaml"]),
    (Tool::Yarn, &["yarn.lock"]),
    (Tool::Bun, &["bun.lock"]),
    (Tool::Go, &["go.mod", "go.work"]),
    (Tool::Cargo, &["Cargo.toml"]),
    (Tool::Maven, &["pom.xml"]),
    (
        Tool::Gradle,
        &[
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
        ],
    ),
    (Tool::Bundler, &["Gemfile", "gems.rb"]),
    (Tool::Composer, &["composer.json"]),
    (Tool::Dotnet, &["*.sln", "*.slnx", "*.??proj"]),
];
const PYTHON: [Tool; 5] = [Tool::Pip, Tool::Uv, Tool::Poetry, Tool::Pdm, Tool::Pipenv];
const NODE: [Tool; 4] = [Tool::Npm, Tool::Pnpm, Tool::Yarn, Tool::Bun];

/// The tool, unless it has to be found out first, or there is none or several, which is reported.
pub(super) fn tool(finder: &mut Finder<'_, '_>) -> Option<Tool> {
    let mut found: Vec<(Tool, String)> = Vec::new();
    for (tool, names) in MARKS {
        for name in names {
            if let Some(path) = is_there(finder, name)
                && found.iter().all(|(known, _)| *known != tool)
            {
                found.push((tool, path));
            }
        }
    }
    let [package, pyproject, requirements] = [node::PACKAGE, "pyproject.toml", "requirements.txt"]
        .map(|name| {
            let path = finder.path(name);
            finder.look(&path)
        });
    if !finder.complete() {
        return None;
    }
    if let File::Text(text) = package {
        node_tool(text, &mut found);
    }
    python_tool(pyproject, requirements, &mut found);
    match found.as_slice() {
        [(tool, _)] => {
            finder.found(*tool);
            Some(*tool)
        }
        [] => {
            none(finder, pyproject);
            None
        }
        several => {
            let list: Vec<String> = several
                .iter()
                .map(|(tool, path)| format!("{} (`{path}`)", tool.name()))
                .collect();
            let message = format!(
                "{} has several package managers: {}",
                finder.place(),
                list.join(", ")
            );
            let names: Vec<String> = several
                .iter()
                .map(|(tool, _)| format!("`install: {}`", tool.name()))
                .collect();
            finder.error(
                message,
                &format!("write the ones that you mean: {}", names.join(", ")),
            );
            None
        }
    }
}

/// The path of a file of the directory, or of the first one that a pattern stands for.
fn is_there(finder: &mut Finder<'_, '_>, name: &str) -> Option<String> {
    let path = finder.path(name);
    if crate::ignore::is_pattern(name) {
        let pattern = crate::paths::under(&super::glob::literally(&finder.directory), name);
        return finder.list(&pattern).first().map(|path| (*path).to_owned());
    }
    matches!(finder.look(&path), File::Text(_)).then_some(path)
}

/// Without a lockfile, `packageManager` says which tool it is; with several, which one counts.
fn node_tool(text: &str, found: &mut Vec<(Tool, String)>) {
    let package: Option<serde_json::Value> = serde_json::from_str(plain(text)).ok();
    let named = package
        .as_ref()
        .and_then(node::manager)
        .and_then(|(name, _)| NODE.into_iter().find(|tool| tool.name() == name));
    let locked = found.iter().any(|(tool, _)| NODE.contains(tool));
    match named {
        Some(tool) => {
            found.retain(|(other, _)| !NODE.contains(other));
            found.push((tool, node::PACKAGE.to_owned()));
        }
        None if !locked => found.push((Tool::Npm, node::PACKAGE.to_owned())),
        None => {}
    }
}

/// Without a lockfile, a table of a tool says which it is; then a list of requirements.
fn python_tool(pyproject: File<'_>, requirements: File<'_>, found: &mut Vec<(Tool, String)>) {
    if found.iter().any(|(tool, _)| PYTHON.contains(tool)) {
        return;
    }
    if let File::Text(text) = pyproject
        && let Ok(project) = plain(text).parse::<toml::Table>()
    {
        for tool in [Tool::Uv, Tool::Poetry, Tool::Pdm] {
            if at(&project, &["tool", tool.name()]).is_some() {
                found.push((tool, format!("[tool.{}] of pyproject.toml", tool.name())));
            }
        }
    }
    if matches!(requirements, File::Text(_)) && found.iter().all(|(tool, _)| !PYTHON.contains(tool))
    {
        found.push((Tool::Pip, "requirements.txt".to_owned()));
    }
}

fn none(finder: &mut Finder<'_, '_>, pyproject: File<'_>) {
    if matches!(pyproject, File::Text(_)) {
        finder.error(
            "`pyproject.toml` alone does not say which tool installs from it".to_owned(),
            "write `install: uv`, `poetry` or `pdm`, and keep the lockfile that it writes",
        );
        return;
    }
    let message = format!(
        "there is no manifest of a package manager in {}",
        finder.place()
    );
    let names: Vec<&str> = Tool::ALL
        .into_iter()
        .filter(|tool| *tool != Tool::Auto)
        .map(Tool::name)
        .collect();
    let hint = format!(
        "there are {}; if the manifest is in another directory, give that as `workdir`, and see that \
         `.dockerignore` does not leave it out",
        names.join(", ")
    );
    finder.error(message, &hint);
}
