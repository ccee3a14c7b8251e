//! Which commands a command line may run.
//!
//! A reader for what POSIX shells and bash have in common. It says nothing rather than something
//! that may be wrong: a word that depends on a variable is marked so, and a text that it does not
//! follow to its end gives no commands at all.

mod grammar;
mod redirect;
mod unwrap;
mod word;

/// What a command line may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Simple commands in the order in which they are written, without the programs that only run
    /// others (`sudo`, `env`, `sh -c`).
    pub commands: Vec<Command>,
    /// Why it was not followed to its end, if so: lower-case, without a full stop. `commands` is empty
    /// then.
    pub unread: Option<String>,
}

/// A simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Variables set for it, or by it.
    pub assignments: Vec<(String, Word)>,
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// Who runs it.
    pub runs_as: RunsAs,
}

impl Command {
    /// A shell that reads a script which nobody knows.
    fn shell(runs_as: RunsAs) -> Command {
        let word = Word {
            text: "sh".to_owned(),
            certain: true,
        };
        Command {
            assignments: Vec::new(),
            words: vec![word],
            runs_as,
        }
    }
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What the program gets; what is written, where that depends on the run.
    pub text: String,
    /// Whether the program gets exactly `text`.
    pub certain: bool,
}

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsAs {
    /// The user of the operation.
    Step,
    /// Root, with an environment of its own (`sudo`).
    Root,
    /// Someone else.
    Other,
}

/// Reads the arguments of a process, those of `sh -c` included.
pub fn read(args: &[String]) -> Reading {
    let words = args
        .iter()
        .map(|arg| Word {
            text: arg.clone(),
            certain: true,
        })
        .collect();
    let mut commands = Vec::new();
    let command = Command {
        assignments: Vec::new(),
        words,
        runs_as: RunsAs::Step,
    };
    let done = unwrap::unwrap(command, 0, &mut commands);
    reading(done.map(drop), commands)
}

/// Reads the text of a script.
pub fn read_script(text: &str) -> Reading {
    let mut commands = Vec::new();
    let done = grammar::script(text, RunsAs::Step, 0, &mut commands);
    reading(done, commands)
}

fn reading(done: Read<()>, commands: Vec<Command>) -> Reading {
    match done {
        Ok(()) => Reading {
            commands,
            unread: None,
        },
        Err(unsure) => Reading {
            commands: Vec::new(),
            unread: Some(unsure.why()),
        },
    }
}

/// The text is not one that this reader follows.
#[derive(Clone, Debug)]
struct Unsure {
    /// What follows the place where it stopped; empty at the end of the text.
    rest: Option<String>,
}

impl Unsure {
    /// At the place where the reader is.
    const HERE: Unsure = Unsure { rest: None };

    /// Notes the place, unless a script inside of this one has.
    fn at(mut self, rest: &str) -> Unsure {
        const SHOWN: usize = 20;
        let start = || rest.trim_start().lines().next().unwrap_or_default();
        self.rest
            .get_or_insert_with(|| start().chars().take(SHOWN).collect());
        self
    }

    fn why(self) -> String {
        match self.rest.as_deref() {
            None => "its scripts are nested too deep".to_owned(),
            Some("") => {
                "a quote, a bracket or a word such as `done` is missing at its end".to_owned()
            }
            Some(rest) => format!("its shell syntax was not understood at `{rest}`"),
        }
    }
}

type Read<T> = Result<T, Unsure>;

/// Scripts in scripts, and brackets in brackets, beyond which nobody writes by hand.
const DEEPEST: u32 = 48;

fn deeper(depth: u32) -> Read<u32> {
    if depth < DEEPEST {
        Ok(depth + 1)
    } else {
        Err(Unsure::HERE)
    }
}

/// Commands whose arguments may be assignments.
pub(crate) const DECLARES: [&str; 5] = ["declare", "export", "local", "readonly", "typeset"];
