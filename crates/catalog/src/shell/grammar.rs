//! Lists, pipelines, and simple and compound commands.

use super::redirect::Heredoc;
use super::unwrap::unwrap;
use super::{Command, DECLARES, Read, RunsAs, Unsure, Word, deeper};

/// Adds the commands of a script.
pub(super) fn script(
    text: &str,
    runs_as: RunsAs,
    depth: u32,
    found: &mut Vec<Command>,
) -> Read<()> {
    let mut reader = Reader {
        text,
        at: 0,
        depth,
        runs_as,
        heredocs: Vec::new(),
        found,
    };
    let read = reader.list();
    let open = reader.peek().is_some() || !reader.heredocs.is_empty();
    let at = reader.at;
    match read {
        Ok(()) if !open => Ok(()),
        read => Err(read
            .err()
            .unwrap_or(Unsure::HERE)
            .at(text.get(at..).unwrap_or_default())),
    }
}

/// A place in a script.
pub(super) struct Reader<'t, 'c> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: u32,
    pub(super) runs_as: RunsAs,
    /// Here-documents whose bodies start on the next line.
    pub(super) heredocs: Vec<Heredoc>,
    pub(super) found: &'c mut Vec<Command>,
}

/// Words that end a list.
const CLOSERS: [&str; 8] = ["}", "do", "done", "elif", "else", "esac", "fi", "then"];

impl<'t> Reader<'t, '_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    pub(super) fn skip_while(&mut self, fits: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek() != Some(byte) {
            return Err(Unsure::HERE);
        }
        self.at += 1;
        Ok(())
    }

    /// Commands up to what closes the list.
    pub(super) fn list(&mut self) -> Read<()> {
        loop {
            self.lines()?;
            let closed = match self.peek() {
                None | Some(b')') => true,
                Some(b';') => return self.ends_case().then_some(()).ok_or(Unsure::HERE),
                Some(_) => self.reserved().is_some_and(|word| CLOSERS.contains(&word)),
            };
            if closed {
                return Ok(());
            }
            self.and_or()?;
            self.blank();
            match self.peek() {
                Some(b';') if self.ends_case() => return Ok(()),
                Some(b';' | b'&') => self.at += 1,
                None | Some(b'\n' | b')') => {}
                Some(_) => return Err(Unsure::HERE),
            }
        }
    }

    /// Runs a part of the grammar that may contain itself.
    pub(super) fn nested(&mut self, part: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        self.depth = deeper(self.depth)?;
        part(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn and_or(&mut self) -> Read<()> {
        loop {
            self.blank();
            while self.reserved() == Some("!") {
                self.at += 1;
                self.blank();
            }
            self.command()?;
            self.blank();
            let rest = &self.text.as_bytes()[self.at..];
            if rest.starts_with(b"&&") || rest.starts_with(b"||") || rest.starts_with(b"|&") {
                self.at += 2;
            } else if rest.starts_with(b"|") {
                self.at += 1;
            } else {
                return Ok(());
            }
            self.lines()?;
        }
    }

    fn command(&mut self) -> Read<()> {
        if self.peek() == Some(b'(') {
            match self.arithmetic(false) {
                Some(end) => self.at = end,
                None => self.substitution()?,
            }
            return self.redirections();
        }
        let Some(word) = self.reserved() else {
            return self.simple();
        };
        if CLOSERS.contains(&word) {
            return Err(Unsure::HERE);
        }
        if !matches!(
            word,
            "{" | "if" | "while" | "until" | "for" | "select" | "case" | "function" | "[[" | "time"
        ) {
            return self.simple();
        }
        self.at += word.len();
        self.nested(|reader| reader.compound(word))?;
        if word == "time" {
            Ok(())
        } else {
            self.redirections()
        }
    }

    fn compound(&mut self, word: &str) -> Read<()> {
        match word {
            "{" => self.list_until(&["}"]).map(drop),
            "if" => {
                self.list_until(&["then"])?;
                let mut end = self.list_until(&["elif", "else", "fi"])?;
                while end == "elif" {
                    self.list_until(&["then"])?;
                    end = self.list_until(&["elif", "else", "fi"])?;
                }
                if end == "else" {
                    self.list_until(&["fi"]).map(drop)
                } else {
                    Ok(())
                }
            }
            "while" | "until" => {
                self.list_until(&["do"])?;
                self.list_until(&["done"]).map(drop)
            }
            "for" | "select" => self.loop_over(),
            "case" => self.case(),
            "function" => {
                self.blank();
                self.word()?;
                self.blank();
                if self.peek() == Some(b'(') {
                    self.brackets()?;
                }
                self.lines()?;
                self.command()
            }
            "[[" => self.test(),
            _ => {
                self.blank();
                if self.reserved() == Some("-p") {
                    self.at += 2;
                    self.blank();
                }
                self.command()
            }
        }
    }

    /// A list, and the word that closes it.
    fn list_until(&mut self, ends: &[&'static str]) -> Read<&'static str> {
        self.list()?;
        let word = self.reserved().ok_or(Unsure::HERE)?;
        let end = *ends.iter().find(|end| **end == word).ok_or(Unsure::HERE)?;
        self.at += end.len();
        Ok(end)
    }

    fn loop_over(&mut self) -> Read<()> {
        self.blank();
        if let Some(end) = self.arithmetic(true) {
            self.at = end;
        } else {
            self.word()?;
            self.lines()?;
            if self.reserved() == Some("in") {
                self.at += 2;
                self.blank();
                while !matches!(self.peek(), None | Some(b';' | b'\n')) {
                    self.word()?;
                    self.blank();
                }
            }
        }
        self.blank();
        if self.peek() == Some(b';') {
            self.at += 1;
        }
        self.lines()?;
        if self.reserved() != Some("do") {
            return Err(Unsure::HERE);
        }
        self.at += 2;
        self.list_until(&["done"]).map(drop)
    }

    fn case(&mut self) -> Read<()> {
        self.blank();
        self.word()?;
        self.lines()?;
        if self.reserved() != Some("in") {
            return Err(Unsure::HERE);
        }
        self.at += 2;
        loop {
            self.lines()?;
            if self.reserved() == Some("esac") {
                self.at += 4;
                return Ok(());
            }
            if self.peek() == Some(b'(') {
                self.at += 1;
            }
            loop {
                self.blank();
                self.word()?;
                self.blank();
                if self.peek() != Some(b'|') {
                    break;
                }
                self.at += 1;
            }
            self.expect(b')')?;
            self.list()?;
            if self.ends_case() {
                self.skip_while(|byte| byte == b';' || byte == b'&');
            } else if self.reserved() != Some("esac") {
                return Err(Unsure::HERE);
            }
        }
    }

    /// `[[ … ]]`.
    fn test(&mut self) -> Read<()> {
        loop {
            self.lines()?;
            if self.reserved() == Some("]]") {
                self.at += 2;
                return Ok(());
            }
            match self.peek().ok_or(Unsure::HERE)? {
                b'(' | b')' | b'<' | b'>' | b'&' | b'|' => self.at += 1,
                b';' => return Err(Unsure::HERE),
                _ => drop(self.word()?),
            }
        }
    }

    fn simple(&mut self) -> Read<()> {
        let mut command = Command {
            assignments: Vec::new(),
            words: Vec::new(),
            runs_as: self.runs_as,
        };
        let start = self.at;
        let waiting = self.heredocs.len();
        loop {
            self.blank();
            if self.redirection()? {
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                Some(b'(') if command.words.len() == 1 && command.assignments.is_empty() => {
                    self.brackets()?;
                    self.lines()?;
                    return self.nested(Self::command);
                }
                Some(b'<' | b'>') => {
                    self.at += 1;
                    self.substitution()?;
                    command.words.push(Word {
                        text: "<(…)".to_owned(),
                        certain: false,
                    });
                }
                Some(_) => self.argument(&mut command)?,
            }
        }
        if self.at == start {
            return Err(Unsure::HERE);
        }
        let feeds = unwrap(command, self.depth, self.found)?;
        if self.heredocs.len() > waiting {
            self.heredocs
                .last_mut()
                .into_iter()
                .for_each(|heredoc| heredoc.feeds = feeds);
        } else if let Some(runs_as) = feeds {
            self.found.push(Command::shell(runs_as));
        }
        Ok(())
    }

    /// A word of a simple command, or an assignment.
    fn argument(&mut self, command: &mut Command) -> Read<()> {
        let declares = command
            .words
            .first()
            .is_some_and(|word| DECLARES.contains(&word.text.as_str()));
        if (command.words.is_empty() || declares)
            && let Some((name, value)) = self.assignment()?
        {
            if declares {
                let text = format!("{name}={}", value.text);
                let certain = value.certain;
                command.words.push(Word { text, certain });
            } else {
                command.assignments.push((name, value));
            }
            return Ok(());
        }
        let word = self.word()?;
        command.words.push(word);
        Ok(())
    }

    /// `NAME=value`, `NAME+=value`, `NAME=(…)`.
    fn assignment(&mut self) -> Read<Option<(String, Word)>> {
        let rest = &self.text[self.at..];
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        let (adds, length) = match after.as_bytes() {
            [b'=', ..] => (false, 1),
            [b'+', b'=', ..] => (true, 2),
            _ => return Ok(None),
        };
        let name = name.to_owned();
        self.at += end + length;
        let mut value = match self.peek() {
            None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')' | b'<' | b'>') => Word {
                text: String::new(),
                certain: true,
            },
            Some(b'(') => {
                self.at += 1;
                self.lines()?;
                while self.peek() != Some(b')') {
                    self.word()?;
                    self.lines()?;
                }
                self.at += 1;
                Word {
                    text: "(…)".to_owned(),
                    certain: false,
                }
            }
            Some(_) => self.word()?,
        };
        value.certain &= !adds;
        Ok(Some((name, value)))
    }

    fn brackets(&mut self) -> Read<()> {
        self.expect(b'(')?;
        self.blank();
        self.expect(b')')
    }

    /// Skips blanks, continued lines and a comment.
    pub(super) fn blank(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.next() == Some(b'\n') => self.at += 2,
                Some(b'#') => self.skip_while(|byte| byte != b'\n'),
                _ => return,
            }
        }
    }

    /// Skips blanks, comments, newlines, and the here-documents that follow them.
    fn lines(&mut self) -> Read<()> {
        self.blank();
        while self.peek() == Some(b'\n') {
            self.at += 1;
            for heredoc in std::mem::take(&mut self.heredocs) {
                self.body(&heredoc)?;
            }
            self.blank();
        }
        Ok(())
    }

    fn ends_case(&self) -> bool {
        self.peek() == Some(b';') && matches!(self.next(), Some(b';' | b'&'))
    }

    /// The unquoted word here, if it is one that the grammar may know.
    fn reserved(&self) -> Option<&'t str> {
        let rest = &self.text[self.at..];
        let plain = |c: char| c.is_ascii_lowercase() || "{}![]-".contains(c);
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let ends = rest[end..].starts_with([' ', '\t', '\n', ';', '&', '|', '(', ')', '<', '>']);
        let continued = rest[end..].starts_with("\\\n");
        (end > 0 && (ends || continued || end == rest.len())).then(|| &rest[..end])
    }
}
