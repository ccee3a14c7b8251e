//! Where commands put what a build is for: a mount there keeps it out of the image.

use crate::path::{clean, within};
use crate::program::basename;
use crate::removal::paths;
use crate::shell::{Command, Reading};
use crate::uses::invocations;

/// A directory that a command puts its result into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The words of the command: `cargo build`.
    pub words: String,
    /// Absolute and clean.
    pub directory: String,
}

/// Programs that take files from one place to another.
const COPIES: [&str; 7] = ["cat", "cp", "dd", "install", "mv", "tar", "zip"];

impl Reading {
    /// What the commands make below `cwd`, or where variables of `env` say. Nothing, where that is not
    /// certain: after `cd`, or if something unknown runs beside them.
    pub fn results(&self, cwd: &str, env: &[(String, String)]) -> Vec<Made> {
        let moves = |command: &Command| {
            let first = command.words.first();
            first.is_some_and(|word| ["cd", "pushd"].contains(&word.text.as_str()))
        };
        if self.runs_unknown() || self.commands.iter().any(moves) {
            return Vec::new();
        }
        let mut made = Vec::new();
        for call in self.commands.iter().flat_map(invocations) {
            for result in call.program.results {
                let phrase = result
                    .subcommands
                    .iter()
                    .find(|phrase| call.starts_with(phrase));
                let told = |variable: &&str| self.sets(variable, false);
                if (phrase.is_none() && !result.subcommands.is_empty())
                    || result.variables.iter().any(told)
                {
                    continue;
                }
                let given = env
                    .iter()
                    .find(|(name, _)| result.variables.contains(&name.as_str()));
                let path = given.map_or(result.path, |(_, value)| value.as_str());
                let absolute = clean(path).or_else(|| clean(&format!("{cwd}/{path}")));
                let words = [call.shown()].into_iter().chain(
                    phrase
                        .into_iter()
                        .flat_map(|p| p.iter())
                        .map(|&w| w.to_owned()),
                );
                made.extend(absolute.map(|directory| Made {
                    words: words.collect::<Vec<_>>().join(" "),
                    directory,
                }));
            }
        }
        made
    }

    /// Whether a command copies something out of a directory.
    pub fn takes_from(&self, directory: &str, cwd: &str, env: &[(String, String)]) -> bool {
        self.commands.iter().any(|command| {
            let mut words = command.words.iter();
            let copies = words
                .next()
                .is_some_and(|word| COPIES.contains(&basename(&word.text)));
            copies
                && words
                    .flat_map(|word| paths(word, Some(cwd), None, env))
                    .any(|path| within(&path, directory))
        })
    }
}
