//! Which caches a reading uses, and what in it defeats them.

use std::cell::RefCell;

use crate::cache::{Cache, Condition, Defeat, Sign};
use crate::program::{self, CACHES, Program, ProgramUse, basename};
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

    /// What keeps a cache empty, with the words that do it.
    pub fn defeats(
        &self,
        cache: &'static Cache,
        env: &[(String, String)],
    ) -> Vec<(String, &'static Defeat)> {
        self.signs(cache.defeats, cache, env)
    }

    /// What makes a mount of a cache harm the image, with the words that say so.
    pub fn avoids(
        &self,
        cache: &'static Cache,
        env: &[(String, String)],
    ) -> Vec<(String, &'static Defeat)> {
        self.signs(cache.avoids, cache, env)
    }

    /// The words that say that a command makes do with what a cache has, if one does.
    pub fn offline(&self, cache: &'static Cache, env: &[(String, String)]) -> Option<String> {
        let variables = Variables::new(env, &self.commands);
        let mut signs = cache.offline.iter();
        signs.find_map(|sign| self.sign(sign, None, cache, &variables))
    }

    /// Whether a command fills a cache that others only read.
    pub fn renews(&self, cache: &Cache) -> bool {
        cache.renewed_by.is_empty()
            || (cache.renewed_by.iter()).any(|pattern| self.command(pattern, None).is_some())
    }

    fn signs(
        &self,
        of: &'static [Defeat],
        cache: &'static Cache,
        env: &[(String, String)],
    ) -> Vec<(String, &'static Defeat)> {
        let variables = Variables::new(env, &self.commands);
        let found = of.iter().filter_map(|defeat| {
            let words = self.sign(&defeat.sign, defeat.unless, cache, &variables)?;
            Some((words, defeat))
        });
        found.collect()
    }

    fn sign(
        &self,
        sign: &'static Sign,
        unless: Option<&str>,
        cache: &'static Cache,
        variables: &Variables,
    ) -> Option<String> {
        match sign {
            Sign::Flag(flag) => self.flag(flag, cache, variables),
            Sign::Command(pattern) => self.command(pattern, unless),
            Sign::Variable(condition) => variables.witness(condition),
        }
    }

    /// Whether a command sets a variable, for itself or for those after it.
    pub fn sets(&self, variable: &str, any_case: bool) -> bool {
        self.commands
            .iter()
            .flat_map(assigned)
            .any(|(name, _)| name == variable || (any_case && name.eq_ignore_ascii_case(variable)))
    }

    /// Whether a command sets a variable to a value in which a text occurs.
    pub fn says(&self, variable: &str, text: &str) -> bool {
        self.commands
            .iter()
            .flat_map(assigned)
            .any(|(name, value)| name == variable && value.contains(text))
    }

    fn flag(&self, flag: &str, cache: &'static Cache, variables: &Variables) -> Option<String> {
        let has = |word: &&Word| {
            word.text
                .strip_prefix(flag)
                .is_some_and(|rest| rest.is_empty() || (rest.starts_with('=') && flag.len() > 2))
        };
        self.commands.iter().find_map(|command| {
            let word = command.words.iter().skip(1).find(has)?;
            used_by(command, variables)
                .any(|(used, _)| std::ptr::eq(used, cache))
                .then(|| word.text.clone())
        })
    }

    fn command(&self, pattern: &[&str], unless: Option<&str>) -> Option<String> {
        let (name, rest) = pattern.split_first()?;
        self.commands.iter().find_map(|command| {
            let calls = invocations(command).find(|call| call.program.name == *name)?;
            let (flags, phrase): (Vec<&str>, Vec<&str>) =
                rest.iter().partition(|word| word.starts_with('-'));
            let matches = calls.starts_with(&phrase)
                && flags
                    .iter()
                    .all(|flag| calls.arguments.iter().any(|word| word.text == *flag));
            let excused = unless.is_some_and(|text| calls.mentions(text));
            (matches && !excused).then(|| {
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
pub(crate) struct Invocation<'a> {
    pub(crate) program: &'static Program,
    /// The words that run it.
    caller: &'a [Word],
    arguments: &'a [Word],
}

impl Invocation<'_> {
    /// The words that run it, for people.
    pub(crate) fn shown(&self) -> String {
        let mut shown = basename(&self.caller[0].text).to_owned();
        for word in &self.caller[1..] {
            shown.push(' ');
            shown.push_str(&word.text);
        }
        shown
    }

    /// The arguments that are no options, as far as that is certain, and where they are.
    fn plain(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut words = self.arguments.iter().enumerate();
        let program = self.program;
        let mut first = true;
        std::iter::from_fn(move || {
            loop {
                let (at, word) = words.next()?;
                if word.text == "--" {
                    continue;
                }
                if word.text.starts_with('-') {
                    if program.takes_next(&word.text) {
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
                return Some((at, word.text.as_str()));
            }
        })
    }

    pub(crate) fn starts_with(&self, phrase: &[&str]) -> bool {
        self.after(phrase).is_some()
    }

    /// The arguments after a subcommand.
    fn after(&self, phrase: &[&str]) -> Option<&[Word]> {
        let mut plain = self.plain();
        let mut next = 0;
        for word in phrase {
            let (at, found) = plain.next()?;
            if found != *word {
                return None;
            }
            next = at + 1;
        }
        Some(&self.arguments[next..])
    }

    /// Whether all arguments are options.
    fn is_bare(&self) -> bool {
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            if !word.text.starts_with('-') {
                return false;
            }
            if self.program.takes_next(&word.text) {
                words.next();
            }
        }
        self.does_something()
    }

    /// The words that say that it is such a call, if it is.
    fn says(&self, listed: &ProgramUse) -> Option<String> {
        let has = |text: &str| self.arguments.iter().any(|word| word.text == text);
        if listed.except.iter().any(|text| has(text)) {
            return None;
        }
        let any = listed.subcommands.is_empty()
            && listed.options.is_empty()
            && listed.mentions.is_empty()
            && !listed.bare;
        let mentioned = |text: &&&str| self.mentions(text);
        let words: Vec<&str> = if let Some(phrase) = listed
            .subcommands
            .iter()
            .find(|phrase| self.starts_with(phrase))
        {
            phrase.to_vec()
        } else if (any && self.does_something()) || (listed.bare && self.is_bare()) {
            Vec::new()
        } else {
            let option = listed.options.iter().find(|text| has(text));
            vec![option.or_else(|| listed.mentions.iter().find(mentioned))?]
        };
        let mut shown = self.shown();
        for word in words {
            shown.push(' ');
            shown.push_str(word);
        }
        Some(shown)
    }

    fn mentions(&self, text: &str) -> bool {
        self.arguments.iter().any(|word| word.text.contains(text))
    }

    /// Whether it is asked to do something, not just who it is.
    fn does_something(&self) -> bool {
        const ASKS: [&str; 6] = ["--version", "--help", "-V", "-h", "-v", "-version"];
        self.arguments.is_empty()
            || self
                .arguments
                .iter()
                .any(|word| !ASKS.contains(&word.text.as_str()))
    }
}

pub(crate) fn invocations(command: &Command) -> impl Iterator<Item = Invocation<'_>> {
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
        loop {
            let word = words.get(at)?;
            let (name, next) = match host.flag {
                None if !word.text.starts_with('-') => (word, at + 1),
                Some(_) if !word.text.starts_with('-') => return None,
                Some(flag) if !word.text.starts_with("--") && word.text.ends_with(flag) => {
                    (words.get(at + 1)?, at + 2)
                }
                _ => {
                    let takes_next = host.value_flags.contains(&word.text.as_str());
                    at += if takes_next { 2 } else { 1 };
                    continue;
                }
            };
            let is_it = match host.flag {
                Some(_) => name.text == host.program.name,
                None => program::programs(&name.text).any(|it| std::ptr::eq(it, host.program)),
            };
            let (caller, arguments) = words.split_at(next);
            return (name.certain && is_it).then_some(Invocation {
                program: host.program,
                caller,
                arguments,
            });
        }
    });
    direct.chain(modules)
}

/// `~/bin/pip`, in which only the home directory is unknown.
fn is_at_home(word: &Word) -> bool {
    let rest = word.text.strip_prefix("~/");
    rest.is_some_and(|rest| !rest.contains(['$', '`', '*', '?', '[', '{']))
}

/// Whether a command is a call of a program that uses caches. Those that do under a condition alone
/// (`make` with ccache) may use others too.
pub(crate) fn calls_known(command: &Command) -> bool {
    invocations(command)
        .filter(|call| call.program.when.is_empty())
        .any(|call| (call.program.uses.iter()).any(|listed| call.says(listed).is_some()))
}

fn used_by<'a>(
    command: &'a Command,
    variables: &'a Variables,
) -> impl Iterator<Item = (&'static Cache, String)> + 'a {
    invocations(command)
        .filter(|call| call.program.when.is_empty() || variables.allow(call))
        .flat_map(|call| {
            call.program.uses.iter().flat_map(move |listed| {
                call.says(listed).into_iter().flat_map(|words| {
                    listed
                        .caches
                        .iter()
                        .map(move |cache| (&CACHES[*cache], words.clone()))
                })
            })
        })
}

/// The command that a command runs, if it is a program of the catalogue that does: `uv run X`.
pub(crate) fn run_by(command: &Command) -> Option<Command> {
    invocations(command).find_map(|call| {
        let mut runs = call.program.runs.iter();
        let mut words = runs.find_map(|phrase| call.after(phrase))?;
        while let [option, rest @ ..] = words
            && option.text.starts_with('-')
        {
            words = match rest {
                [_, after @ ..] if call.program.takes_next(&option.text) => after,
                _ => rest,
            };
        }
        (!words.is_empty()).then(|| Command {
            assignments: Vec::new(),
            words: words.to_vec(),
            runs_as: command.runs_as,
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
        let variable = condition.variable()?;
        let env = self
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let written = self.commands.iter().flat_map(assigned);
        env.chain(written)
            .find(|(name, value)| *name == variable && condition.holds(value))
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
