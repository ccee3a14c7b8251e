//! Maven: `pom.xml`, those of modules and of parents in the context, `.mvn`, and the wrapper.

use std::collections::BTreeSet;

use super::xml::{self, Event};
use super::{Finder, Recipe, relative};
use crate::paths::{parent, under};
use crate::planner::File;

const POM: &str = "pom.xml";

/// From 3.9.0 on, modules that need each other are left out: nobody has built them yet.
const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:go-offline";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let root = finder.take(POM);
    let wrapper = finder.take("mvnw");
    let properties = finder.take(".mvn/wrapper/maven-wrapper.properties");
    for name in [
        "maven.config",
        "jvm.config",
        "extensions.xml",
        "toolchains.xml",
    ] {
        finder.take(&format!(".mvn/{name}"));
    }
    for name in ["settings.xml", "local-settings.xml"] {
        finder.take_private(&format!(".mvn/{name}"));
    }
    match root {
        File::Text(_) => {}
        File::Absent => {
            finder.missing(
                POM,
                "make one with `mvn archetype:generate`; if it is in another directory, give that as `workdir`",
            );
            return None;
        }
        File::Unknown => return None,
    }
    let root = finder.path(POM);
    let mut seen = BTreeSet::new();
    let mut next = vec![(root, true)];
    while let Some((path, required)) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        match finder.take_path(&path) {
            File::Text(text) => {
                let pom = Pom::of(text);
                next.extend(pom.parent_in(&path).map(|above| (above, false)));
                for module in &pom.modules {
                    match relative(parent(&path), module) {
                        Some(module) => next.push((module_path(&module), true)),
                        None => finder.outside(&path, module),
                    }
                }
            }
            // A parent may come from a repository.
            File::Absent if required => missing(finder, &path),
            File::Absent | File::Unknown => {}
        }
    }
    let has_own = matches!(wrapper, File::Text(_)) && matches!(properties, File::Text(_));
    if has_own {
        let jar = finder.path(".mvn/wrapper/maven-wrapper.jar");
        finder.take_unseen(&jar);
    }
    let files = finder.files()?;
    // A checkout may have lost the mode of a program.
    let mut command = if has_own {
        vec!["sh", "mvnw"]
    } else {
        vec!["mvn"]
    };
    command.extend(["-B", "-ntp", GOAL]);
    Some(Recipe::copying(files, command))
}

/// Says that a module is missing.
fn missing(finder: &mut Finder<'_, '_>, path: &str) {
    let hint = match finder.ignored(path) {
        Some(pattern) => {
            format!("`.dockerignore` leaves it out, by `{pattern}`; add `!{path}` there")
        }
        None => "add it, or take it out of `modules`".to_owned(),
    };
    finder.error(
        format!("`{path}` is a module, and is not in the build context"),
        &hint,
    );
}

/// A module is a directory or a file.
fn module_path(module: &str) -> String {
    let is_file = std::path::Path::new(module)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xml"));
    if is_file {
        module.to_owned()
    } else {
        under(module, POM)
    }
}

/// What a `pom.xml` says of others.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pom {
    modules: Vec<String>,
    has_parent: bool,
    /// Where the parent is; empty for a repository.
    relative: Option<String>,
}

impl Pom {
    fn of(text: &str) -> Pom {
        let mut pom = Pom::default();
        xml::walk(&xml::events(text), |at, event| match (at, event) {
            (
                ["project", "modules", "module"]
                | ["project", "subprojects", "subproject"]
                | ["project", "profiles", "profile", "modules", "module"],
                Event::Text(module),
            ) => pom.modules.push(module.clone()),
            (["project", "parent"], Event::Start { .. }) => pom.has_parent = true,
            (["project", "parent", "relativePath"], Event::Start { .. }) => {
                pom.relative = Some(String::new());
            }
            (["project", "parent", "relativePath"], Event::Text(path)) => {
                pom.relative = Some(path.clone());
            }
            _ => {}
        });
        // A property: which file it is, only Maven knows.
        pom.modules.retain(|module| !module.contains("${"));
        pom
    }

    /// Where the parent may be in the context.
    fn parent_in(&self, path: &str) -> Option<String> {
        let written = self.relative.as_deref().unwrap_or("../pom.xml");
        if !self.has_parent || written.is_empty() {
            return None;
        }
        relative(parent(path), written).map(|above| module_path(&above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pom_names_modules_and_a_parent() {
        let pom = Pom::of(
            "<project><parent><groupId>x</groupId></parent><modules><module>a</module>\
             <module>b/x.xml</module><module>${c}</module></modules><profiles><profile><modules>\
             <module>d</module></modules></profile></profiles></project>",
        );
        assert_eq!(pom.modules, ["a", "b/x.xml", "d"]);
        assert_eq!(pom.parent_in("m/pom.xml").as_deref(), Some("pom.xml"));
        assert_eq!(pom.parent_in("pom.xml"), None);
        let away = Pom::of("<project><parent><relativePath/></parent></project>");
        assert_eq!(away.parent_in("m/pom.xml"), None);
        let near = Pom::of("<project><parent><relativePath>../p</relativePath></parent></project>");
        assert_eq!(near.parent_in("m/pom.xml").as_deref(), Some("p/pom.xml"));
        assert_eq!(Pom::of("<project/>").parent_in("m/pom.xml"), None);
    }
}
