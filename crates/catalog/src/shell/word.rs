//! Words: quotes and expansions.

use super::grammar::{Reader, script};
use super::{Read, Unsure, Word, deeper};

impl Reader<'_, '_> {
    /// One word, starting here.
    pub(super) fn word(&mut self) -> Read<Word> {
        let start = self.at;
        let mut word = Word {
            text: String::new(),
            certain: true,
        };
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'\\' => self.escape(&mut word),
                b'\'' => self.single(&mut word)?,
                b'"' => self.double(&mut word)?,
                b'$' => self.dollar(&mut word, false)?,
                b'`' => self.backtick(&mut word, false)?,
                b'*' | b'?' | b'[' | b'{' => {
                    word.certain = false;
                    word.text.push(char::from(byte));
                    self.at += 1;
                }
                _ => {
                    word.certain &= !(byte == b'~' && self.at == start);
                    let from = self.at;
                    self.at += 1;
                    self.skip_while(|byte| !b" \t\n;&|<>()\\'\"$`*?[{".contains(&byte));
                    word.text.push_str(&self.text[from..self.at]);
                }
            }
        }
        if self.at == start {
            Err(Unsure::HERE)
        } else {
            Ok(word)
        }
    }

    /// A text in which only `$`, backticks and `\` mean something, to its end.
    pub(super) fn expansions(&mut self) -> Read<()> {
        let mut ignored = Word {
            text: String::new(),
            certain: true,
        };
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.escape(&mut ignored),
                b'$' => self.dollar(&mut ignored, true)?,
                b'`' => self.backtick(&mut ignored, true)?,
                _ => self.at += 1,
            }
            ignored.text.clear();
        }
        Ok(())
    }

    fn escape(&mut self, word: &mut Word) {
        self.at += 1;
        let Some(next) = self.text[self.at..].chars().next() else {
            word.text.push('\\');
            return;
        };
        self.at += next.len_utf8();
        if next != '\n' {
            word.text.push(next);
        }
    }

    fn single(&mut self, word: &mut Word) -> Read<()> {
        let rest = &self.text[self.at + 1..];
        let end = rest.find('\'').ok_or(Unsure::HERE)?;
        word.text.push_str(&rest[..end]);
        self.at += end + 2;
        Ok(())
    }

    fn double(&mut self, word: &mut Word) -> Read<()> {
        self.at += 1;
        loop {
            match self.peek().ok_or(Unsure::HERE)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'$' => self.dollar(word, true)?,
                b'`' => self.backtick(word, true)?,
                b'\\' if self.next().is_some_and(|byte| b"$`\"\\\n".contains(&byte)) => {
                    self.escape(word);
                }
                _ => {
                    let from = self.at;
                    self.at += 1;
                    self.skip_while(|byte| !b"\"$`\\".contains(&byte));
                    word.text.push_str(&self.text[from..self.at]);
                }
            }
        }
    }

    /// What starts with `$`. Commands in it are found; the word is certain only if it is a plain `$`.
    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Read<()> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'(') => match self.arithmetic(false) {
                Some(end) => self.at = end,
                None => self.substitution()?,
            },
            Some(b'{') => self.parameter(quoted)?,
            Some(b'\'') if !quoted => {
                self.at += 1;
                loop {
                    match self.peek().ok_or(Unsure::HERE)? {
                        b'\'' => break,
                        b'\\' => self.at += 2,
                        _ => self.at += 1,
                    }
                }
                self.at += 1;
            }
            Some(b'"') if !quoted => self.double(&mut Word {
                text: String::new(),
                certain: true,
            })?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            }
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0'..=b'9') => self.at += 1,
            _ => {
                word.text.push('$');
                return Ok(());
            }
        }
        word.certain = false;
        // An escape at the end may have led past it.
        word.text
            .push_str(self.text.get(start..self.at).ok_or(Unsure::HERE)?);
        Ok(())
    }

    /// `(…)`: a list of commands.
    pub(super) fn substitution(&mut self) -> Read<()> {
        let waiting = self.heredocs.len();
        self.at += 1;
        self.nested(Self::list)?;
        self.expect(b')')?;
        if self.heredocs.len() == waiting {
            Ok(())
        } else {
            Err(Unsure::HERE)
        }
    }

    /// `{…}` of a parameter.
    fn parameter(&mut self, quoted: bool) -> Read<()> {
        self.at += 1;
        self.depth = deeper(self.depth)?;
        let mut ignored = Word {
            text: String::new(),
            certain: true,
        };
        loop {
            match self.peek().ok_or(Unsure::HERE)? {
                b'}' => break,
                b'\\' => self.escape(&mut ignored),
                // What a quote means here depends on the shell.
                b'\'' if quoted => return Err(Unsure::HERE),
                b'\'' => self.single(&mut ignored)?,
                b'"' => self.double(&mut ignored)?,
                b'$' => self.dollar(&mut ignored, quoted)?,
                b'`' => self.backtick(&mut ignored, quoted)?,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn backtick(&mut self, word: &mut Word, quoted: bool) -> Read<()> {
        let start = self.at;
        let mut inner = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let next = rest.chars().next().ok_or(Unsure::HERE)?;
            self.at += next.len_utf8();
            match next {
                '`' => break,
                '\\' => match self.peek() {
                    Some(byte @ (b'$' | b'`' | b'\\')) => {
                        inner.push(char::from(byte));
                        self.at += 1;
                    }
                    Some(b'"') if quoted => {
                        inner.push('"');
                        self.at += 1;
                    }
                    _ => inner.push('\\'),
                },
                next => inner.push(next),
            }
        }
        script(&inner, self.runs_as, deeper(self.depth)?, self.found)?;
        word.certain = false;
        word.text.push_str(&self.text[start..self.at]);
        Ok(())
    }

    /// The end of `((…))` that starts here, if it is that and not a list in brackets. Only in a
    /// loop's may there be semicolons.
    pub(super) fn arithmetic(&self, of_loop: bool) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if !bytes[self.at..].starts_with(b"((") {
            return None;
        }
        let mut open = 0_u32;
        for (at, byte) in bytes.iter().enumerate().skip(self.at) {
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\'' | b'"' | b'\\' | b'`' => return None,
                b';' if !of_loop => return None,
                _ => {}
            }
            if open == 1 && at > self.at {
                return (bytes.get(at + 1) == Some(&b')')).then_some(at + 2);
            }
        }
        None
    }
}
