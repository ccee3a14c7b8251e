//! Where the instructions of a Dockerfile are.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::flags::flags;
use crate::heredoc::heredocs;

/// A Dockerfile, as far as it matters to one who puts mounts in.
#[derive(Clone, Debug)]
pub struct Dockerfile<'a> {
    /// All of it.
    pub text: &'a str,
    /// What continues a line: a backslash, or a backtick.
    pub escape: char,
    /// In the order in which they stand there.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// `RUN`, in upper case; empty if a line holds nothing but a continuation.
    pub keyword: String,
    /// Its lines, from 1, those of its heredocs included.
    pub lines: RangeInclusive<u32>,
    /// Where its first line starts, in bytes.
    pub start: usize,
    /// Where the comments right above it start; `start` if there are none.
    pub comments: usize,
    /// Where its keyword ends, in bytes.
    pub keyword_end: usize,
    /// `--mount=…` and the like, without quotes, in order.
    pub flags: Vec<String>,
    /// What follows its flags, in one line, without heredocs.
    pub arguments: String,
}

/// Why a file is no Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong: lower-case, without a full stop.
    pub reason: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Unread {}

impl<'a> Dockerfile<'a> {
    /// Reads a file. Linear in its size.
    pub fn read(text: &'a str) -> Result<Dockerfile<'a>, Unread> {
        let mut scan = Scan {
            lines: Lines::of(text),
            directives: Directives::default(),
            escape: '\\',
            comments: None,
        };
        let mut instructions = Vec::new();
        while let Some(line) = scan.lines.next() {
            instructions.extend(scan.line(line)?);
        }
        Ok(Dockerfile {
            text,
            escape: scan.escape,
            instructions,
        })
    }

    /// The line break that the file has, after its first line.
    pub fn line_break(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// A line without its line break.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// From 1.
    number: u32,
    /// Where it starts.
    start: usize,
    text: &'a str,
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        let start = text.len() - text.trim_start_matches('\u{feff}').len();
        Lines {
            text,
            // One byte-order mark is taken away, as BuildKit does.
            at: start.min('\u{feff}'.len_utf8()),
            number: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = &self.text[self.at..];
        let line = rest.split_inclusive('\n').next()?;
        let start = self.at;
        self.at += line.len();
        self.number = self.number.saturating_add(1);
        Some(Line {
            number: self.number,
            start,
            text: line.trim_end_matches(['\r', '\n']),
        })
    }
}

struct Scan<'a> {
    lines: Lines<'a>,
    directives: Directives,
    escape: char,
    /// Where the comments right above start.
    comments: Option<usize>,
}

impl Scan<'_> {
    /// The instruction that a line begins, with all of its lines.
    fn line(&mut self, line: Line) -> Result<Option<Instruction>, Unread> {
        let content = line.text.trim_start();
        let unread = |reason| Unread {
            line: line.number,
            reason,
        };
        let directive = self.directives.read(content).map_err(unread)?;
        if let Some((name, value)) = &directive
            && name == "escape"
        {
            self.escape = match value.as_str() {
                "\\" => '\\',
                "`" => '`',
                _ => return Err(unread(format!("`{value}` is no escape"))),
            };
        }
        if content.starts_with('#') {
            if directive.is_none() {
                self.comments.get_or_insert(line.start);
            }
            return Ok(None);
        }
        let comments = self.comments.take().unwrap_or(line.start);
        if content.is_empty() {
            return Ok(None);
        }
        let (logical, end) = self.logical(line);
        let mut instruction = logical.instruction(self.escape);
        instruction.lines = line.number..=end;
        instruction.start = line.start;
        instruction.comments = comments;
        self.skip_heredocs(&mut instruction, &logical.text)?;
        Ok(Some(instruction))
    }

    /// The line and those that continue it, and the number of the last.
    fn logical(&mut self, first: Line) -> (Logical, u32) {
        let content = first.text.trim_start();
        let mut logical = Logical::default();
        let start = first.start + first.text.len() - content.len();
        let mut open = logical.push(content, start, self.escape);
        let mut end = first.number;
        while open && let Some(line) = self.lines.next() {
            end = line.number;
            let content = line.text.trim_start();
            if !content.is_empty() && !content.starts_with('#') {
                open = logical.push(line.text, line.start, self.escape);
            }
        }
        (logical, end)
    }

    fn skip_heredocs(&mut self, instruction: &mut Instruction, text: &str) -> Result<(), Unread> {
        if !takes_heredocs(&instruction.keyword, &instruction.arguments, self.escape) {
            return Ok(());
        }
        for heredoc in heredocs(text) {
            let end = self.lines.find(|line| heredoc.ends_with(line.text));
            let Some(end) = end else {
                return Err(Unread {
                    line: *instruction.lines.start(),
                    reason: "a heredoc has no end".to_owned(),
                });
            };
            instruction.lines = *instruction.lines.start()..=end.number;
        }
        Ok(())
    }
}

/// Several lines as one.
#[derive(Default)]
struct Logical {
    text: String,
    /// Where parts of the text start, here and in the file.
    parts: Vec<(usize, usize)>,
}

impl Logical {
    /// Adds a line, and says whether it is to be continued.
    fn push(&mut self, line: &str, start: usize, escape: char) -> bool {
        let continued = continued(line, escape);
        self.parts.push((self.text.len(), start));
        self.text.push_str(continued.unwrap_or(line));
        continued.is_some()
    }

    /// Where in the file the byte before this one is, plus one.
    fn place_after(&self, at: usize) -> usize {
        let after = self.parts.partition_point(|(here, _)| *here < at);
        let part = after.checked_sub(1).and_then(|index| self.parts.get(index));
        part.map_or(0, |(here, there)| there + (at - here))
    }

    fn instruction(&self, escape: char) -> Instruction {
        let text = self.text.trim_start();
        let before = self.text.len() - text.len();
        let (keyword, rest) = split_keyword(text);
        let (flags, arguments) = flags(rest, escape);
        Instruction {
            keyword: keyword.to_ascii_uppercase(),
            lines: 0..=0,
            start: 0,
            comments: 0,
            keyword_end: self.place_after(before + keyword.len()),
            flags,
            arguments: arguments.trim_end().to_owned(),
        }
    }
}

/// A line without what continues it, if it is to be continued.
fn continued(line: &str, escape: char) -> Option<&str> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

fn split_keyword(text: &str) -> (&str, &str) {
    text.trim_end()
        .split_once(['\t', '\u{b}', '\u{c}', '\r', ' '])
        .unwrap_or((text.trim_end(), ""))
}

fn takes_heredocs(keyword: &str, arguments: &str, escape: char) -> bool {
    match keyword {
        "ADD" | "COPY" | "RUN" => {
            !(arguments.starts_with('[') && serde_json::from_str::<Vec<Value>>(arguments).is_ok())
        }
        "ONBUILD" => {
            let (keyword, rest) = split_keyword(arguments);
            let (_, arguments) = flags(rest, escape);
            let keyword = keyword.to_ascii_uppercase();
            keyword != "ONBUILD" && takes_heredocs(&keyword, arguments.trim_end(), escape)
        }
        _ => false,
    }
}

/// `# syntax=…` and the like, which stand before everything else.
#[derive(Default)]
struct Directives {
    done: bool,
    seen: Vec<String>,
}

impl Directives {
    /// The name and the value of a directive. Whatever is none ends them.
    fn read(&mut self, line: &str) -> Result<Option<(String, String)>, String> {
        if self.done {
            return Ok(None);
        }
        let Some((name, value)) = directive(line) else {
            self.done = true;
            return Ok(None);
        };
        if self.seen.contains(&name) {
            return Err(format!("`{name}` stands there twice"));
        }
        self.seen.push(name.clone());
        Ok(Some((name, value)))
    }
}

fn directive(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let blank = ['\t', '\n', '\u{c}', '\r', ' '];
    let name = name.trim_end_matches(blank).to_ascii_lowercase();
    let value = value.trim_matches(blank);
    let known = ["syntax", "escape", "check"].contains(&name.as_str());
    (known && !value.is_empty()).then(|| (name, value.to_owned()))
}
