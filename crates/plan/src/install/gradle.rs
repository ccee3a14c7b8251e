//! Gradle: the settings, the build scripts of every project, version catalogues, lockfiles, the
//! wrapper, and builds that make plugins (`buildSrc`, `includeBuild`) as a whole.
//!
//! Everything is mounted for the command only: what it fetches is all that stays.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finder, Recipe, relative};
use crate::paths::{parent, under};
use crate::planner::File;

/// The name of the script that adds the task, which goes beside the settings.
const SCRIPT: &str = ".larder.init.gradle";

/// Fetches what every configuration needs; `gradle dependencies` gets no further than metadata. What
/// other projects make is left out: there are no sources yet. A configuration that cannot be resolved
/// does not stop the others, and says so when it is needed.
const FETCH: &str = "\
allprojects { project ->
    project.tasks.register('larderFetch') {
        doLast {
            def all = project.buildscript.configurations.toList() + project.configurations.toList()
            all.findAll { it.canBeResolved }.each { configuration ->
                try {
                    configuration.incoming.artifactView { view ->
                        view.lenient(true)
                        view.componentFilter { it instanceof org.gradle.api.artifacts.component.ModuleComponentIdentifier }
                    }.files.files
                } catch (Exception problem) {
                    project.logger.info(\"${configuration.name}: ${problem.message}\")
                }
            }
        }
    }
}
";

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    const SETTINGS: [&str; 2] = ["settings.gradle", "settings.gradle.kts"];
    let settings = SETTINGS.map(|name| finder.take(name));
    let builds = BUILDS.map(|name| finder.take(name));
    let wrapper = finder.take("gradlew");
    let properties = finder.take("gradle/wrapper/gradle-wrapper.properties");
    finder.take_private("gradle.properties");
    for pattern in [
        "*.gradle",
        "*.gradle.kts",
        "gradle/*.toml",
        "gradle/*.gradle",
        "gradle/*.gradle.kts",
    ] {
        finder.take_all(pattern);
    }
    for name in [
        "gradle/verification-metadata.xml",
        "gradle/gradle-daemon-jvm.properties",
    ] {
        finder.take(name);
    }
    take_locks(finder, &finder.directory.clone());
    let own = finder.path("buildSrc");
    if take_scripts(finder, &own) {
        finder.take_directory(&own);
    }
    if settings
        .iter()
        .chain(&builds)
        .all(|file| *file == File::Absent)
    {
        finder.missing(
            "build.gradle",
            "make one with `gradle init`; if it is in another directory, give that as `workdir`",
        );
        return None;
    }
    let mut seen = BTreeSet::new();
    for (name, file) in SETTINGS.iter().zip(settings) {
        let File::Text(text) = file else { continue };
        let path = finder.path(name);
        let said = Settings::of(text);
        for directory in &said.projects {
            match relative(&finder.directory, directory) {
                Some(project) => {
                    // A project needs no script of its own, and neither do those that it is in.
                    let mut at = project.as_str();
                    for _ in 0..DEEPEST {
                        if at.len() <= finder.directory.len() || !seen.insert(at.to_owned()) {
                            break;
                        }
                        take_scripts(finder, at);
                        take_locks(finder, at);
                        at = parent(at);
                    }
                }
                None => finder.outside(&path, directory),
            }
        }
        for directory in &said.builds {
            match relative(&finder.directory, directory) {
                Some(build) => finder.take_directory(&build),
                None => finder.outside(&path, directory),
            }
        }
    }
    let has_own = matches!(wrapper, File::Text(_)) && matches!(properties, File::Text(_));
    if has_own {
        let jar = finder.path("gradle/wrapper/gradle-wrapper.jar");
        finder.take_unseen(&jar);
    }
    let mut files = finder.files()?;
    files.sort();
    // A checkout may have lost the mode of a program.
    let mut command = if has_own {
        vec!["sh", "gradlew"]
    } else {
        vec!["gradle"]
    };
    command.extend(["--no-daemon", "--init-script", SCRIPT]);
    // The task looks at projects while it runs.
    command.extend(["-Dorg.gradle.configuration-cache=false", "larderFetch"]);
    let script = finder.path(SCRIPT);
    Some(Recipe {
        stubs: Some(BTreeMap::from([(script, FETCH.to_owned())])),
        writes: true,
        ..Recipe::copying(files, command)
    })
}

/// Projects may be in each other so deep.
const DEEPEST: usize = 32;

const BUILDS: [&str; 2] = ["build.gradle", "build.gradle.kts"];

/// Takes the scripts of a project; whether there are any.
fn take_scripts(finder: &mut Finder<'_, '_>, directory: &str) -> bool {
    let mut found = false;
    for pattern in ["*.gradle", "*.gradle.kts"] {
        let pattern = under(&super::glob::literally(directory), pattern);
        for path in finder.list(&pattern) {
            finder.take_path(path);
            found = true;
        }
    }
    finder.take_private_path(&under(directory, "gradle.properties"));
    found
}

/// Takes the lockfiles of a project.
fn take_locks(finder: &mut Finder<'_, '_>, directory: &str) {
    for name in [
        "gradle.lockfile",
        "buildscript-gradle.lockfile",
        "settings-gradle.lockfile",
    ] {
        finder.take_path(&under(directory, name));
    }
}

/// What settings say, as far as it is written with plain strings.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    /// Directories of projects.
    projects: Vec<String>,
    /// Directories of builds that are included as a whole.
    builds: Vec<String>,
}

impl Settings {
    fn of(text: &str) -> Settings {
        let text = uncommented(text);
        let mut settings = Settings::default();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("include") {
            let before = rest[..at].chars().next_back();
            rest = &rest[at + "include".len()..];
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '\'')) {
                continue;
            }
            let (builds, after) = match rest.strip_prefix("Build") {
                Some(after) => (true, after),
                None => (false, rest),
            };
            let (names, after) = arguments(after);
            rest = after;
            if builds {
                settings.builds.extend(names);
            } else {
                let directory = |name: String| name.trim_matches(':').replace(':', "/");
                settings.projects.extend(names.into_iter().map(directory));
            }
        }
        // `project(":a").projectDir = file("elsewhere/a")`, `new File(rootDir, "x")`.
        for line in text.lines().filter(|line| line.contains("projectDir")) {
            let place = line
                .split_once('=')
                .and_then(|(_, value)| strings(value).pop());
            settings.projects.extend(place);
        }
        settings
    }
}

/// The strings that a call is given, and what follows: `("a", "b")`, `'a', 'b'`.
fn arguments(text: &str) -> (Vec<String>, &str) {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t']);
    rest = rest.strip_prefix('(').unwrap_or(rest);
    loop {
        let start = rest.trim_start();
        let Some(quote) = start.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return (out, rest);
        };
        let Some((value, after)) = start[1..].split_once(quote) else {
            return (out, "");
        };
        if !value.contains('$') {
            out.push(value.to_owned());
        }
        rest = after;
        match rest.trim_start().strip_prefix(',') {
            Some(after) => rest = after,
            None => return (out, rest),
        }
    }
}

/// The strings in a text.
fn strings(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = if rest[at..].starts_with('"') {
            '"'
        } else {
            '\''
        };
        let Some((value, after)) = rest[at + 1..].split_once(quote) else {
            break;
        };
        if !value.contains('$') {
            out.push(value.trim_start_matches('/').to_owned());
        }
        rest = after;
    }
    out
}

/// A script without its comments.
fn uncommented(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c, chars.peek()) {
            (None, '/', Some('/')) => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            (None, '/', Some('*')) => {
                let mut before = ' ';
                for c in chars.by_ref() {
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
            }
            _ => {
                match quote {
                    None if matches!(c, '"' | '\'') => quote = Some(c),
                    Some(open) if c == open || c == '\n' => quote = None,
                    _ => {}
                }
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_projects_and_builds() {
        let settings = Settings::of(
            "pluginManagement { includeBuild(\"build-logic\") }\n// include 'no'\n\
             rootProject.name = 'x' /* include 'no' */\ninclude 'a', ':b:c',\n    'd'\n\
             include(\"e\")\ninclude(\":f\", \":g\")\nincludeFlat 'h'\n\
             project(':f').projectDir = file('elsewhere/f')\n\
             url 'https://x/y'\ninclude \"$dynamic\"\nmavenCentral { content { includeGroup(\"com.x\") } }\n",
        );
        assert_eq!(settings.builds, ["build-logic"]);
        assert_eq!(
            settings.projects,
            ["a", "b/c", "d", "e", "f", "g", "elsewhere/f"]
        );
        for broken in [
            "include",
            "include(",
            "include '",
            "include 'a',",
            "/*",
            "projectDir = '",
        ] {
            Settings::of(broken);
        }
    }
}
