//! A command line: what belongs together is written on a line of its own.

use std::fmt;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The program, and what follows on its line.
    head: Vec<String>,
    /// The others.
    parts: Vec<Vec<String>>,
}

impl Line {
    /// A program with words that say what it is to do.
    pub(crate) fn new(head: &[&str]) -> Line {
        Line {
            head: head.iter().map(|word| (*word).to_owned()).collect(),
            parts: Vec::new(),
        }
    }

    /// A word of its own.
    pub(crate) fn word(&mut self, word: impl Into<String>) {
        self.parts.push(vec![word.into()]);
    }

    /// Words of which nobody here knows what belongs together.
    pub(crate) fn rest(&mut self, words: &[String]) {
        if !words.is_empty() {
            self.parts.push(words.to_vec());
        }
    }

    /// An option without a value.
    pub(crate) fn flag(&mut self, name: &str, given: bool) {
        if given {
            self.word(name);
        }
    }

    /// An option.
    pub(crate) fn option(&mut self, name: &str, value: impl Into<String>) {
        self.parts.push(vec![name.to_owned(), value.into()]);
    }

    /// An option for each value.
    pub(crate) fn options<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            self.option(name, value);
        }
    }

    /// The program and its arguments.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let parts = self.head.iter().chain(self.parts.iter().flatten());
        parts.map(String::as_str)
    }

    /// To be started.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// Becomes the program: nothing stands between it and who started this.
    #[cfg(unix)]
    pub(crate) fn run(&self) -> Result<ExitCode> {
        use std::os::unix::process::CommandExt as _;
        let error = self.command().exec();
        Err(error).with_context(|| self.cannot())
    }

    /// Runs the program to its end.
    #[cfg(not(unix))]
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let status = self.command().status().with_context(|| self.cannot())?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    fn cannot(&self) -> String {
        let program = self.words().next().unwrap_or_default();
        format!("cannot run `{program}`; install it, or name another client with --client")
    }
}

/// For a shell, on several lines.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |words: &[String]| {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            words.join(" ")
        };
        f.write_str(&quoted(&self.head))?;
        for part in &self.parts {
            write!(f, " \\\n  {}", quoted(part))?;
        }
        f.write_str("\n")
    }
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [
            ("type=image,name=a/b:1", "type=image,name=a/b:1"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME", "'it'\\''s $HOME'"),
            ("a\nb", "'a\nb'"),
            ("~", "'~'"),
            ("\"x,y\"", "'\"x,y\"'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn parts_are_on_lines_of_their_own() {
        let mut line = Line::new(&["docker", "buildx", "build"]);
        line.option("--tag", "shop:1");
        line.flag("--push", true);
        line.flag("--load", false);
        line.word(".");
        let shown = "docker buildx build \\\n  --tag shop:1 \\\n  --push \\\n  .\n";
        assert_eq!(line.to_string(), shown);
        let words: Vec<&str> = line.words().collect();
        assert_eq!(
            words,
            [
                "docker", "buildx", "build", "--tag", "shop:1", "--push", "."
            ]
        );
    }
}
