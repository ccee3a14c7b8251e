//! Programs that run other programs.

use super::grammar::script;
use super::{Command, Read, RunsAs, Word, deeper};
use crate::program::basename;
use crate::uses::run_by;

/// A program that runs the rest of its arguments.
struct Wrapper {
    name: &'static str,
    /// Options that take the next word.
    value_flags: &'static [&'static str],
    /// Words before the command.
    operands: usize,
    who: Who,
}

/// Whom a wrapper makes the user.
enum Who {
    Same,
    /// Root, or whom the option names.
    Asked(&'static str),
    /// Whom the first word before the command names.
    Named,
    Other,
}

const fn same(
    name: &'static str,
    value_flags: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper {
        name,
        value_flags,
        operands,
        who: Who::Same,
    }
}

/// By name.
static WRAPPERS: &[Wrapper] = &[
    same("builtin", &[], 0),
    same("busybox", &[], 0),
    same("catchsegv", &[], 0),
    same("chronic", &[], 0),
    same("command", &[], 0),
    Wrapper {
        name: "doas",
        value_flags: &["-C", "-u"],
        operands: 0,
        who: Who::Asked("-u"),
    },
    same("dumb-init", &["--rewrite", "-r"], 0),
    same("eatmydata", &[], 0),
    same("env", &["--chdir", "--unset", "-C", "-u"], 0),
    same("exec", &["-a"], 0),
    Wrapper {
        name: "gosu",
        value_flags: &[],
        operands: 1,
        who: Who::Named,
    },
    same("ionice", &["--class", "--classdata", "-c", "-n"], 0),
    same("linux32", &[], 0),
    same("linux64", &[], 0),
    same("nice", &["--adjustment", "-n"], 0),
    same("nohup", &[], 0),
    Wrapper {
        name: "runuser",
        value_flags: &["--group", "--user", "-g", "-u"],
        operands: 0,
        who: Who::Other,
    },
    same("setarch", &[], 1),
    Wrapper {
        name: "setpriv",
        value_flags: &["--groups", "--regid", "--reuid", "--rgid", "--ruid"],
        operands: 0,
        who: Who::Other,
    },
    same(
        "stdbuf",
        &["--error", "--input", "--output", "-e", "-i", "-o"],
        0,
    ),
    Wrapper {
        name: "su-exec",
        value_flags: &[],
        operands: 1,
        who: Who::Named,
    },
    Wrapper {
        name: "sudo",
        value_flags: &[
            "--chdir",
            "--chroot",
            "--close-from",
            "--group",
            "--host",
            "--prompt",
            "--role",
            "--type",
            "--user",
            "-C",
            "-D",
            "-R",
            "-T",
            "-g",
            "-h",
            "-p",
            "-r",
            "-t",
            "-u",
        ],
        operands: 0,
        who: Who::Asked("-u"),
    },
    same("time", &["--format", "--output", "-f", "-o"], 0),
    same("timeout", &["--kill-after", "--signal", "-k", "-s"], 1),
    same("tini", &["-e", "-p"], 0),
    same(
        "xargs",
        &[
            "--arg-file",
            "--delimiter",
            "--max-args",
            "--max-chars",
            "--max-procs",
            "-E",
            "-I",
            "-L",
            "-P",
            "-a",
            "-d",
            "-n",
            "-s",
        ],
        0,
    ),
];

const SHELLS: [&str; 7] = ["ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"];

/// Adds the commands that a command runs. If it is a shell that reads its standard input, says who
/// runs that.
pub(super) fn unwrap(
    mut command: Command,
    depth: u32,
    found: &mut Vec<Command>,
) -> Read<Option<RunsAs>> {
    while let Some(first) = command.words.first().filter(|word| word.certain) {
        let name = basename(&first.text);
        if SHELLS.contains(&name) {
            return shell(command, depth, found);
        }
        match name {
            "eval" => {
                if command.words.iter().all(|word| word.certain) {
                    let words: Vec<&str> = command.words[1..]
                        .iter()
                        .map(|word| word.text.as_str())
                        .collect();
                    script(&words.join(" "), command.runs_as, deeper(depth)?, found)?;
                    keep_assignments(command, found);
                } else {
                    found.push(command);
                }
                return Ok(None);
            }
            "su" => {
                switch_user(command, depth, found)?;
                return Ok(None);
            }
            "find" => {
                let words = &command.words;
                let runs = |word: &Word| ["-exec", "-execdir"].contains(&word.text.as_str());
                if let Some(at) = words.iter().position(runs) {
                    let ends = |word: &&Word| word.text != ";" && word.text != "+";
                    let words = words[at + 1..].iter().take_while(ends).cloned().collect();
                    let run = Command {
                        assignments: Vec::new(),
                        words,
                        runs_as: command.runs_as,
                    };
                    unwrap(run, deeper(depth)?, found)?;
                }
                break;
            }
            _ => {}
        }
        let Ok(at) = WRAPPERS.binary_search_by(|wrapper| wrapper.name.cmp(name)) else {
            break;
        };
        if !strip(&WRAPPERS[at], &mut command) {
            keep_assignments(command, found);
            return Ok(None);
        }
    }
    let inner = run_by(&command);
    found.push(command);
    if let Some(inner) = inner {
        unwrap(inner, deeper(depth)?, found)?;
    }
    Ok(None)
}

/// Removes a wrapper, its options and its operands; says whether a command is left that runs.
fn strip(wrapper: &Wrapper, command: &mut Command) -> bool {
    let mut user = None;
    let mut at = 1;
    let mut operands = wrapper.operands;
    while let Some(word) = command.words.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if wrapper.name == "command" && ["-v", "-V"].contains(&text) {
            return false;
        }
        if text.starts_with('-') && text.len() > 1 {
            let (flag, attached) = split_flag(text);
            let takes = takes_next(wrapper.value_flags, text);
            let value = if takes {
                command.words.get(at + 1).map(|word| word.text.clone())
            } else {
                attached.map(str::to_owned)
            };
            if let (Who::Asked(asked), Some(value)) = (&wrapper.who, value)
                && (flag == *asked || flag == "--user" || (takes && text.ends_with('u')))
            {
                user = Some(value);
            }
            at += if takes { 2 } else { 1 };
            continue;
        }
        if matches!(wrapper.name, "env" | "sudo" | "doas")
            && let Some((name, value)) = text.split_once('=')
        {
            let (text, certain) = (value.to_owned(), word.certain);
            let value = Word { text, certain };
            command.assignments.push((name.to_owned(), value));
            at += 1;
            continue;
        }
        if operands == 0 {
            break;
        }
        if matches!(wrapper.who, Who::Named) {
            user = Some(text.to_owned());
        }
        operands -= 1;
        at += 1;
    }
    let is_root = |user: &str| {
        let name = user.split(':').next().unwrap_or_default();
        matches!(name, "root" | "0" | "#0")
    };
    match wrapper.who {
        Who::Same => {}
        Who::Asked(_) | Who::Named => {
            let root = user.as_deref().is_none_or(is_root);
            command.runs_as = if root { RunsAs::Root } else { RunsAs::Other };
        }
        Who::Other => command.runs_as = RunsAs::Other,
    }
    command.words.drain(..at.min(command.words.len()));
    !command.words.is_empty()
}

fn split_flag(text: &str) -> (&str, Option<&str>) {
    if text.starts_with("--") {
        text.split_once('=')
            .map_or((text, None), |(flag, value)| (flag, Some(value)))
    } else {
        let end = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
        (&text[..end], (end < text.len()).then(|| &text[end..]))
    }
}

/// Whether an option, perhaps the last of several in one word, takes the next word.
fn takes_next(value_flags: &[&str], text: &str) -> bool {
    if text.starts_with("--") {
        return value_flags.contains(&text);
    }
    let takes = |letter: char| {
        value_flags
            .iter()
            .any(|flag| flag.len() == 2 && flag.ends_with(letter))
    };
    text.chars()
        .skip(1)
        .position(takes)
        .is_some_and(|at| at + 2 == text.chars().count())
}

fn shell(command: Command, depth: u32, found: &mut Vec<Command>) -> Read<Option<RunsAs>> {
    let (mut from_text, mut from_input) = (false, false);
    let mut at = 1;
    while let Some(word) = command.words.get(at) {
        let text = word.text.as_str();
        let options = text.strip_prefix(['-', '+']).unwrap_or_default();
        if options.is_empty() || !word.certain {
            break;
        }
        at += 1;
        if options == "-" {
            break;
        }
        if options.starts_with('-') {
            at += usize::from(matches!(options, "-rcfile" | "-init-file"));
        } else {
            from_text |= options.contains('c');
            from_input |= options.contains('s');
            at += usize::from(options.contains(['o', 'O']));
        }
    }
    let runs_as = command.runs_as;
    let operand = command.words.get(at).cloned();
    match operand {
        Some(word) if from_text => {
            if word.certain {
                script(&word.text, runs_as, deeper(depth)?, found)?;
                keep_assignments(command, found);
            } else {
                found.push(command);
            }
            Ok(None)
        }
        Some(_) if !from_input => {
            found.push(command);
            Ok(None)
        }
        _ => {
            keep_assignments(command, found);
            Ok((!from_text).then_some(runs_as))
        }
    }
}

fn switch_user(command: Command, depth: u32, found: &mut Vec<Command>) -> Read<()> {
    let mut runs_as = RunsAs::Root;
    let mut script_word = None;
    let mut words = command.words[1..].iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "--command" | "-c" | "-lc" => script_word = words.next(),
            "-s" | "--shell" | "-g" | "--group" | "-G" | "-w" => drop(words.next()),
            text if text.starts_with('-') => {}
            "root" if word.certain => {}
            _ => runs_as = RunsAs::Other,
        }
    }
    match script_word {
        Some(word) if word.certain => script(&word.text, runs_as, deeper(depth)?, found),
        _ => {
            found.push(command);
            Ok(())
        }
    }
}

/// What a command assigns may matter to those in it.
fn keep_assignments(command: Command, found: &mut Vec<Command>) {
    if !command.assignments.is_empty() {
        found.push(Command {
            words: Vec::new(),
            ..command
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_sorted() {
        assert!(WRAPPERS.is_sorted_by_key(|wrapper| wrapper.name));
    }
}
