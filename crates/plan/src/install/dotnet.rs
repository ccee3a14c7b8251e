//! .NET: the solution or the project of the directory, the projects that these name, what `MSBuild` and
//! `NuGet` read beside and above them, and lockfiles.

use std::collections::BTreeSet;

use super::text::plain;
use super::xml::{self, Event};
use super::{Finder, Recipe, relative};
use crate::paths::{parent, under};
use crate::planner::File;

const SOLUTIONS: [&str; 2] = ["*.sln", "*.slnx"];
const PROJECTS: &str = "*.??proj";
const LOCK: &str = "packages.lock.json";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let solutions: Vec<&str> = SOLUTIONS
        .iter()
        .flat_map(|name| finder.take_all(name))
        .collect();
    let pattern = under(&super::glob::literally(&finder.directory), PROJECTS);
    let projects = finder.list(&pattern);
    for name in ["global.json", ".config/dotnet-tools.json"] {
        finder.take(name);
    }
    let directory = finder.directory.clone();
    let mut above = BTreeSet::new();
    take_above(finder, &directory, &mut above);
    if !finder.complete() {
        return None;
    }
    let root = root(finder, &solutions, &projects)?;
    let mut seen = BTreeSet::new();
    let mut locks = Vec::new();
    let mut next = vec![(root.to_owned(), root.to_owned())];
    while let Some((path, by)) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        match finder.take_path(&path) {
            File::Text(text) => {
                let of_solution = path == root && !solutions.is_empty();
                let names = if of_solution {
                    in_solution(text)
                } else {
                    in_project(text)
                };
                for name in names {
                    match relative(parent(&path), &name) {
                        Some(found) => next.push((found, path.clone())),
                        None => finder.outside(&path, &name),
                    }
                }
                if !of_solution && is_project(&path) {
                    take_above(finder, parent(&path), &mut above);
                    locks.push(finder.take_path(&under(parent(&path), LOCK)));
                }
            }
            File::Absent if is_project(&path) => {
                let hint = match finder.ignored(&path) {
                    Some(pattern) => {
                        format!(
                            "`.dockerignore` leaves it out, by `{pattern}`; add `!{path}` there"
                        )
                    }
                    None => "add it, or take it out there".to_owned(),
                };
                finder.error(
                    format!("`{by}` names `{path}`, which is not in the build context"),
                    &hint,
                );
            }
            File::Absent | File::Unknown => {}
        }
    }
    let files = finder.files()?;
    let locked = locks.iter().filter(|lock| **lock != File::Absent).count();
    if (1..locks.len()).contains(&locked) {
        finder.warn(
            format!("some projects have no `{LOCK}`, so it is not checked for any"),
            "run `dotnet restore --use-lock-file` and keep the files it writes",
        );
    }
    let name = root.rsplit('/').next().unwrap_or(root).to_owned();
    let mut command: Vec<String> = vec!["dotnet".to_owned(), "restore".to_owned(), name];
    command.extend((locked > 0 && locked == locks.len()).then(|| "--locked-mode".to_owned()));
    Some(Recipe::copying(files, command))
}

/// The solution, or else the project, of the directory; that there is none or several is reported.
fn root<'a>(
    finder: &mut Finder<'_, 'a>,
    solutions: &[&'a str],
    projects: &[&'a str],
) -> Option<&'a str> {
    let choice = if solutions.is_empty() {
        projects
    } else {
        solutions
    };
    match choice {
        [one] => Some(*one),
        [] => {
            let message = format!(
                "there is no solution and no project of .NET in {}",
                finder.place()
            );
            finder.error(
                message,
                "make one with `dotnet new`; if it is in another directory, give that as `workdir`, \
                 and see that `.dockerignore` does not leave it out",
            );
            None
        }
        several => {
            let message = format!(
                "there are several solutions or projects of .NET in {}: {}",
                finder.place(),
                several
                    .iter()
                    .map(|path| format!("`{path}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            finder.error(
                message,
                "keep one of them there, or `copy` them and `run: dotnet restore` with a name",
            );
            None
        }
    }
}

fn is_project(path: &str) -> bool {
    path.ends_with("proj")
}

/// Takes what a project inherits from its directory and those above, up to the root of the context.
fn take_above(finder: &mut Finder<'_, '_>, directory: &str, seen: &mut BTreeSet<String>) {
    let mut at = directory;
    while seen.insert(at.to_owned()) {
        for name in [
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
        ] {
            finder.take_path(&under(at, name));
        }
        for name in ["nuget.config", "NuGet.config", "NuGet.Config"] {
            finder.take_private_path(&under(at, name));
        }
        at = parent(at);
    }
}

/// The projects of a solution, in either format.
fn in_solution(text: &str) -> Vec<String> {
    let text = plain(text);
    let mut out = Vec::new();
    if text.trim_start().starts_with('<') {
        xml::walk(&xml::events(text), |at, event| {
            if let (Some(&"Project"), Event::Start { attributes, .. }) = (at.last(), event) {
                out.extend(xml::attribute(attributes, "Path"));
            }
        });
    } else {
        for line in text
            .lines()
            .filter(|line| line.trim_start().starts_with("Project("))
        {
            // `Project("{…}") = "name", "src\a\a.csproj", "{…}"`.
            out.extend(line.split('"').nth(5).map(str::to_owned));
        }
    }
    out.retain(|path| is_project(path));
    out.iter().map(|path| path.replace('\\', "/")).collect()
}

/// The projects and other files that a project names.
fn in_project(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    xml::walk(&xml::events(text), |at, event| {
        let Event::Start { name, attributes } = event else {
            return;
        };
        match *name {
            "ProjectReference" => {
                let list = xml::attribute(attributes, "Include").unwrap_or_default();
                out.extend(list.split(';').map(|path| path.trim().to_owned()));
            }
            "Import" if at.first() == Some(&"Project") && !attributes.contains("Sdk") => {
                out.extend(xml::attribute(attributes, "Project"));
            }
            _ => {}
        }
    });
    // What properties and patterns come to, only MSBuild knows.
    out.retain(|path| !path.is_empty() && !path.contains(['$', '*', '%', '@']));
    out.iter().map(|path| path.replace('\\', "/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_have_two_formats() {
        let old = "\u{feff}\r\nMicrosoft Visual Studio Solution File, Format Version 12.00\r\n\
            Project(\"{FAE0}\") = \"App\", \"src\\App\\App.csproj\", \"{1}\"\r\nEndProject\r\n\
            Project(\"{2150}\") = \"docs\", \"docs\", \"{2}\"\r\nEndProject\r\nProject(\"\r\n";
        assert_eq!(in_solution(old), ["src/App/App.csproj"]);
        let new = "<Solution><Folder Name=\"/src/\"><Project Path=\"src/App/App.csproj\" /></Folder></Solution>";
        assert_eq!(in_solution(new), ["src/App/App.csproj"]);
    }

    #[test]
    fn projects_name_others() {
        let text = "<Project Sdk=\"Microsoft.NET.Sdk\"><Import Project=\"..\\common.props\" />\
            <Import Project=\"x\" Sdk=\"y\" /><ItemGroup><ProjectReference Include=\"..\\Lib\\Lib.fsproj\" />\
            <ProjectReference Include=\"$(X)\\a.csproj;b.csproj\" /></ItemGroup></Project>";
        assert_eq!(
            in_project(text),
            ["../common.props", "../Lib/Lib.fsproj", "b.csproj"]
        );
    }
}
