//! Which caches a reading uses, and what in it defeats them.

use std::cell::RefCell;

use crate::cache::{Cache, Condition, Sign};
use crate::program::{self, CACHES, Program, basename};
use crate::shell::{Command, DECLARES, Reading, RunsAs, Word, read};

/// A cache that a command uses.
#[derive(Clone, Debug)]
pub struct Use {
    /// The cache.
    pub cache: &'static Cache,
    /// The words that say so: `pip install`.
    pub words: String,
    /// Who runs them.
    pub runs_as: RunsAs,
}

/// The caches that a process and what it runs use, in the order of its commands. `env` is what the
/// process gets.
pub fn uses(args: &[String], env: &[(String, String)]) -> Vec<Use> {
    read(args).uses(env)
}

impl Reading {
    /// The caches that the commands use, in their order; a cache once for the same words.
    pub fn uses(&self, env: &[(String, String)]) -> Vec<Use> {
        let variables = Variables::new(env, &self.commands);
        let mut uses: Vec<Use> = Vec::new();
        for command in &self.commands {
            for (cache, words) in used_by(command, &variables) {
                let known = |known: &Use| {
                    std::ptr::eq(known.cache, cache)
                        && known.runs_as == command.runs_as
                        && known.words == words
                };
                if !uses.iter().any(known) {
                    uses.push(Use {
                        cache,
                        words,
                        runs_as: command.runs_as,
                    });
                }
            }
        }
        uses
    }

    /// What keeps a cache empty: the words that do it, and what to do instead.
    pub fn defeats(
        &self,
        cache: &'static Cache,
        env: &[(String, String)],
    ) -> Vec<(String, &'static str)> {
        let variables = Variables::new(env, &self.commands);
        let mut found = Vec::new();
        for defeat in cache.defeats {
            let words = match &defeat.sign {
                Sign::Flag(flag) => self.flag(flag, cache, &variables),
                Sign::Command(pattern) => self.command(pattern),
                Sign::Variable(condition) => variables.witness(condition),
            };
            found.extend(words.map(|words| (words, defeat.hint)));
        }
        found
    }

    /// Whether a command sets a variable, for itself or for those after it.
    pub fn sets(&self, variable: &str, any_case: bool) -> bool {
        self.commands
            .iter()
            .flat_map(assigned)
            .any(|(name, _)| name == variable || (any_case && name.eq_ignore_ascii_case(variable)))
    }

    fn flag(&self, flag: &str, cache: &'static Cache, variables: &Variables) -> Option<String> {
        let has = |word: &&Word| {
            word.text.strip_prefix(flag).is_some_and(|rest| {
                rest.is_empty() || (rest.starts_with('=') && flag.starts_with("--"))
            })
        };
        self.commands.iter().find_map(|command| {
            let word = command.words.iter().skip(1).find(has)?;
            used_by(command, variables)
                .any(|(used, _)| std::ptr::eq(used, cache))
                .then(|| word.text.clone())
        })
    }

    fn command(&self, pattern: &[&str]) -> Option<String> {
        let (name, rest) = pattern.split_first()?;
        self.commands.iter().find_map(|command| {
            let calls = invocations(command).find(|call| call.program.name == *name)?;
            let (flags, phrase): (Vec<&str>, Vec<&str>) =
                rest.iter().partition(|word| word.starts_with('-'));
            let matches = calls.starts_with(&phrase)
                && flags
                    .iter()
                    .all(|flag| calls.arguments.iter().any(|word| word.text == *flag));
            matches.then(|| {
                let mut words = calls.shown();
                for word in rest {
                    words.push(' ');
                    words.push_str(word);
                }
                words
            })
        })
    }
}

/// A program of the catalogue that a command runs, perhaps as a module.
struct Invocation<'a> {
    program: &'static Program,
    /// The words that run it.
    caller: &'a [Word],
    arguments: &'a [Word],
}

impl Invocation<'_> {
    /// The words that run it, for people.
    fn shown(&self) -> String {
        let mut shown = basename(&self.caller[0].text).to_owned();
        for word in &self.caller[1..] {
            shown.push(' ');
            shown.push_str(&word.text);
        }
        shown
    }

    /// The arguments that are no options, as far as that is certain.
    fn plain(&self) -> impl Iterator<Item = &str> {
        let mut words = self.arguments.iter();
        let program = self.program;
        let mut first = true;
        std::iter::from_fn(move || {
            loop {
                let word = words.next()?;
                if word.text == "--" {
                    continue;
                }
                if word.text.starts_with('-') {
                    if program
                        .value_flags
                        .binary_search(&word.text.as_str())
                        .is_ok()
                    {
                        words.next();
                    }
                    continue;
                }
                if !word.certain {
                    return None;
                }
                if std::mem::take(&mut first)
                    && program.prefix.is_some_and(|p| word.text.starts_with(p))
                {
                    continue;
                }
                return Some(word.text.as_str());
            }
        })
    }

    fn starts_with(&self, phrase: &[&str]) -> bool {
        let mut plain = self.plain();
        phrase.iter().all(|word| plain.next() == Some(*word))
    }

    /// Whether it is asked to do something, not just who it is.
    fn does_something(&self) -> bool {
        const ASKS: [&str; 5] = ["--version", "--help", "-V", "-h", "-v"];
        self.arguments.is_empty()
            || self
                .arguments
                .iter()
                .any(|word| !ASKS.contains(&word.text.as_str()))
    }
}

fn invocations(command: &Command) -> impl Iterator<Item = Invocation<'_>> {
    let words = command.words.as_slice();
    let first = words
        .first()
        .filter(|word| word.certain || is_at_home(word));
    let first = first.map_or("", |word| &word.text);
    let direct = program::programs(first).map(|program| {
        let (caller, arguments) = words.split_at(1);
        Invocation {
            program,
            caller,
            arguments,
        }
    });
    let modules = program::hosts(first).iter().filter_map(|host| {
        let mut at = 1;
        while let Some(word) = words.get(at).filter(|word| word.text.starts_with('-')) {
            if !word.text.starts_with("--") && word.text.ends_with(host.flag) {
                let module = words.get(at + 1)?;
                let (caller, arguments) = words.split_at(at + 2);
                return (module.certain && module.text == host.program.name).then_some(
                    Invocation {
                        program: host.program,
                        caller,
                        arguments,
                    },
                );
            }
            at += if host.value_flags.contains(&word.text.as_str()) {
                2
            } else {
                1
            };
        }
        None
    });
    direct.chain(modules)
}

/// `~/bin/pip`, in which only the home directory is unknown.
fn is_at_home(word: &Word) -> bool {
    let rest = word.text.strip_prefix("~/");
    rest.is_some_and(|rest| !rest.contains(['$', '`', '*', '?', '[', '{']))
}

fn used_by<'a>(
    command: &'a Command,
    variables: &'a Variables,
) -> impl Iterator<Item = (&'static Cache, String)> + 'a {
    invocations(command)
        .filter(|call| call.program.when.is_empty() || variables.allow(call))
        .flat_map(|call| {
            call.program.uses.iter().flat_map(move |listed| {
                let phrase = if listed.subcommands.is_empty() {
                    call.does_something().then_some(&[][..])
                } else {
                    listed
                        .subcommands
                        .iter()
                        .copied()
                        .find(|phrase| call.starts_with(phrase))
                };
                let words = phrase.map(|phrase| {
                    let mut words = call.shown();
                    for word in phrase {
                        words.push(' ');
                        words.push_str(word);
                    }
                    words
                });
                words.into_iter().flat_map(|words| {
                    listed
                        .caches
                        .iter()
                        .map(move |cache| (&CACHES[*cache], words.clone()))
                })
            })
        })
}

/// Variables that a command may see. Which of several assignments came last is not followed.
struct Variables<'a> {
    env: &'a [(String, String)],
    commands: &'a [Command],
    /// Programs whose conditions on variables were looked at, and whether one holds.
    known: RefCell<Vec<(&'static Program, bool)>>,
}

impl<'a> Variables<'a> {
    fn new(env: &'a [(String, String)], commands: &'a [Command]) -> Variables<'a> {
        Variables {
            env,
            commands,
            known: RefCell::default(),
        }
    }

    /// Whether one of the program's conditions holds.
    fn allow(&self, call: &Invocation) -> bool {
        let program = call.program;
        let has = |condition: &Condition| {
            matches!(condition, Condition::Argument(argument)
                if call.arguments.iter().any(|word| word.text == *argument))
        };
        let known = self
            .known
            .borrow()
            .iter()
            .find(|known| std::ptr::eq(known.0, program))
            .copied();
        let holds = known.map_or_else(
            || {
                let holds = program
                    .when
                    .iter()
                    .any(|condition| self.witness(condition).is_some());
                self.known.borrow_mut().push((program, holds));
                holds
            },
            |known| known.1,
        );
        holds || program.when.iter().any(has)
    }

    /// The assignment that makes a condition hold.
    fn witness(&self, condition: &Condition) -> Option<String> {
        let (variable, fits): (&str, &dyn Fn(&str) -> bool) = match condition {
            Condition::Set(variable) => (variable, &|_| true),
            Condition::Filled(variable) => (variable, &|value| !value.is_empty()),
            Condition::Word(variable, word) => (variable, &|value: &str| {
                value
                    .split_ascii_whitespace()
                    .any(|part| part == *word || basename(part) == *word)
            }),
            Condition::Entry(variable, entry) => (variable, &|value: &str| {
                value.split(':').any(|part| part == *entry)
            }),
            Condition::Argument(_) => return None,
        };
        let env = self
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let written = self.commands.iter().flat_map(assigned);
        env.chain(written)
            .find(|(name, value)| *name == variable && fits(value))
            .map(|(name, value)| format!("{name}={value}"))
    }
}

/// The variables that a command sets, `export` and its like included.
fn assigned(command: &Command) -> impl Iterator<Item = (&str, &str)> {
    let before = command
        .assignments
        .iter()
        .map(|(name, word)| (name.as_str(), word.text.as_str()));
    let declares = command
        .words
        .first()
        .is_some_and(|word| DECLARES.contains(&word.text.as_str()));
    let after = command.words.iter().skip(1).filter(move |_| declares);
    before.chain(after.filter_map(|word| word.text.split_once('=')))
}
