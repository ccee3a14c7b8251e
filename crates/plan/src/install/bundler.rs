//! Bundler: `Gemfile` (or `gems.rb`), its lockfile, and the gemspecs of gems in the context.

use std::collections::BTreeSet;

use super::glob::literally;
use super::{Finder, Recipe, relative};
use crate::paths::{parent, under};
use crate::planner::File;

pub(super) fn recipe(finder: &mut Finder<'_, '_>) -> Option<Recipe> {
    let manifests = ["Gemfile", "gems.rb"].map(|name| finder.take(name));
    let locks = ["Gemfile.lock", "gems.locked"].map(|name| finder.take(name));
    for name in [".ruby-version", ".tool-versions"] {
        finder.take(name);
    }
    finder.take_private(".bundle/config");
    let (name, lock) = match manifests {
        [File::Text(_), _] => ("Gemfile", locks[0]),
        [_, File::Text(_)] => ("gems.rb", locks[1]),
        _ => {
            if manifests.iter().all(|file| *file == File::Absent) {
                finder.missing(
                    "Gemfile",
                    "make one with `bundle init`; if it is in another directory, give that as `workdir`",
                );
            }
            return None;
        }
    };
    let first = finder.path(name);
    let mut seen = BTreeSet::new();
    let mut next = vec![first];
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let File::Text(text) = finder.take_path(&path) else {
            continue;
        };
        for named in named(text) {
            let at = match &named {
                Named::Gemfile(path) | Named::Gem(path) | Named::File(path) => path.as_str(),
            };
            let Some(found) = relative(parent(&path), at) else {
                finder.outside(&path, at);
                continue;
            };
            match named {
                Named::Gem(_) => {
                    // Those of `path "engines" do` are one directory further down.
                    let below = literally(&found);
                    for pattern in ["*.gemspec", "*/*.gemspec"] {
                        if pattern.starts_with("*/") && found.is_empty() {
                            continue;
                        }
                        let found = finder.list(&under(&below, pattern));
                        next.extend(found.into_iter().map(str::to_owned));
                    }
                }
                Named::Gemfile(_) => next.push(found),
                Named::File(_)
                    if found
                        .rsplit('/')
                        .next()
                        .is_some_and(|name| name.contains('.')) =>
                {
                    next.push(found);
                }
                Named::File(_) => next.push(format!("{found}.rb")),
            }
        }
    }
    let files = finder.files()?;
    let locked = lock != File::Absent;
    if !locked {
        finder.warn(
            format!("without a lockfile beside `{name}`, bundler picks versions anew each time"),
            "run `bundle lock` and keep the file it writes",
        );
    }
    let mut env = Vec::new();
    env.extend(locked.then_some(("BUNDLE_FROZEN", "true")));
    Some(Recipe {
        env,
        ..Recipe::copying(files, ["bundle", "install"])
    })
}

/// What a file in Ruby names.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// `eval_gemfile "x"`.
    Gemfile(String),
    /// `gemspec`, `gem "x", path: "y"`, `path "y" do`.
    Gem(String),
    /// `require_relative "lib/x/version"`, `File.read("VERSION")`.
    File(String),
}

fn named(text: &str) -> Vec<Named> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.starts_with('#') {
            continue;
        }
        let after = |word: &str| {
            let at = line.find(word)?;
            let before = line[..at].chars().next_back();
            let free = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
            free.then(|| first_string(&line[at + word.len()..]))?
        };
        let path = after("path:").or_else(|| after(":path =>")).or_else(|| {
            let starts = line.starts_with("path ") || line.starts_with("path(");
            starts.then(|| after("path"))?
        });
        if let Some(file) = after("eval_gemfile") {
            out.push(Named::Gemfile(file));
        } else if let Some(file) = after("require_relative").or_else(|| after("File.read")) {
            out.push(Named::File(file));
        } else if line == "gemspec" || line.starts_with("gemspec ") || line.starts_with("gemspec(")
        {
            out.push(Named::Gem(path.unwrap_or_default()));
        } else if let Some(path) = path {
            out.push(Named::Gem(path));
        }
    }
    out
}

/// The string that a text starts with, past blank space and a parenthesis; none with code in it.
fn first_string(text: &str) -> Option<String> {
    let text = text.trim_start_matches([' ', '\t', '(']);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, _) = text[1..].split_once(quote)?;
    (!value.is_empty() && !value.contains("#{")).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_ruby_name_others() {
        let text = "source 'https://rubygems.org'\n# gem 'no', path: 'no'\ngem 'a', path: 'engines/a'\n\
            gem \"b\", :path => \"b\" # why\npath 'components' do\nend\ngemspec\ngemspec path: 'c'\n\
            eval_gemfile(\"more/Gemfile\")\neval_gemfile \"#{x}\"\nrequire_relative 'lib/x/version'\n\
            gem 'full_path'\nspec.version = File.read('VERSION')\n";
        let gem = |path: &str| Named::Gem(path.to_owned());
        assert_eq!(
            named(text),
            [
                gem("engines/a"),
                gem("b"),
                gem("components"),
                gem(""),
                gem("c"),
                Named::Gemfile("more/Gemfile".to_owned()),
                Named::File("lib/x/version".to_owned()),
                Named::File("VERSION".to_owned()),
            ]
        );
    }
}
