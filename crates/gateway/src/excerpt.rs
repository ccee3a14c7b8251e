//! Places in a source file, in the form that a `BuildKit` client prints around an error.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildkit_proto::pb;
use serde::Serialize;

/// Lines of a file that are to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The path as the user gave it.
    pub file: String,
    /// The file's contents.
    pub data: Vec<u8>,
    /// What the file is written in: `YAML`.
    pub language: String,
    /// Lines, counted from 1.
    pub lines: Vec<RangeInclusive<u32>>,
}

/// Files up to this size are sent whole.
const WHOLE: usize = 16 << 10;
/// How many lines around the blamed ones are sent of a larger file; clients show at most 4.
const AROUND: u32 = 8;
/// How much is sent of a line, in a larger file.
const LINE: usize = 1 << 10;
/// How many blamed lines are sent, in a larger file.
const MOST_LINES: u32 = 200;

impl Excerpt {
    /// The file with all that no client shows blanked out. Lines keep their numbers. An error is
    /// sent in a header, once for each excerpt, and headers are not made for megabytes.
    #[must_use]
    pub fn trimmed(&self) -> Excerpt {
        if self.data.len() <= WHOLE {
            return self.clone();
        }
        let shown: Vec<_> = self
            .lines
            .iter()
            .map(|lines| {
                let last = (*lines.end()).min(lines.start().saturating_add(MOST_LINES));
                lines.start().saturating_sub(AROUND)..=last.saturating_add(AROUND)
            })
            .collect();
        let end = shown.iter().map(|lines| *lines.end()).max().unwrap_or(0);
        let mut data = Vec::new();
        for (number, line) in (1..=end).zip(self.data.split(|&byte| byte == b'\n')) {
            if number > 1 {
                data.push(b'\n');
            }
            if shown.iter().any(|lines| lines.contains(&number)) {
                if line.len() > LINE {
                    data.extend_from_slice(&line[..char_boundary(line, LINE)]);
                    data.extend_from_slice("…".as_bytes());
                } else {
                    data.extend_from_slice(line);
                }
            }
        }
        Excerpt {
            data,
            ..self.clone()
        }
    }

    /// The blamed lines and some around them, as a `BuildKit` client prints them; empty if the file
    /// has no such lines.
    pub fn print(&self) -> String {
        const RULE: &str = "--------------------\n";
        let text = String::from_utf8_lossy(&self.data);
        let lines: Vec<&str> = text.split('\n').collect();
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let first = self.lines.iter().map(|lines| *lines.start()).min();
        let last = self.lines.iter().map(|lines| *lines.end()).max();
        let (Some(blamed), Some(last)) = (first, last) else {
            return String::new();
        };
        if blamed < 1 || blamed > count {
            return String::new();
        }
        let (mut first, mut last) = (blamed, last.clamp(blamed, count));
        let wanted = if first == last { 4 } else { 2 };
        let mut around = 0;
        while around < wanted {
            if first > 1 {
                first -= 1;
                around += 1;
            }
            if last < count {
                last += 1;
                around += 1;
            }
            around += 1;
        }
        let mut out = format!("{}:{blamed}\n{RULE}", self.file);
        for (number, line) in (1..=last).zip(lines).skip(first as usize - 1) {
            let is_blamed = self.lines.iter().any(|lines| lines.contains(&number));
            let mark = if is_blamed { ">>>" } else { "   " };
            let _ = writeln!(out, " {number:3} | {mark} {line}");
        }
        out + RULE
    }

    /// The JSON of `errdefs.Source`: `info`, with the file's name and contents, and `ranges`.
    pub fn to_json(&self) -> Vec<u8> {
        let source = Source {
            info: Info {
                filename: &self.file,
                data: STANDARD.encode(&self.data),
                language: &self.language,
            },
            ranges: self
                .lines
                .iter()
                .map(|lines| Range {
                    start: Position {
                        line: *lines.start(),
                    },
                    end: Position { line: *lines.end() },
                })
                .collect(),
        };
        serde_json::to_vec(&source).unwrap_or_default()
    }

    pub(crate) fn info(&self) -> pb::SourceInfo {
        pb::SourceInfo {
            filename: self.file.clone(),
            data: self.data.clone(),
            definition: None,
            language: self.language.clone(),
        }
    }

    pub(crate) fn ranges(&self) -> Vec<pb::Range> {
        let position = |line: u32| {
            Some(pb::Position {
                line: i32::try_from(line).unwrap_or(i32::MAX),
                character: 0,
            })
        };
        self.lines
            .iter()
            .map(|lines| pb::Range {
                start: position(*lines.start()),
                end: position(*lines.end()),
            })
            .collect()
    }
}

fn char_boundary(line: &[u8], mut at: usize) -> usize {
    while at > 0 && line.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
        at -= 1;
    }
    at
}

#[derive(Serialize)]
struct Source<'a> {
    info: Info<'a>,
    ranges: Vec<Range>,
}

#[derive(Serialize)]
struct Info<'a> {
    filename: &'a str,
    data: String,
    language: &'a str,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(data: &str, line: u32) -> Excerpt {
        Excerpt {
            file: "larder.yaml".to_owned(),
            data: data.as_bytes().to_vec(),
            language: "YAML".to_owned(),
            lines: vec![line..=line],
        }
    }

    #[test]
    fn json_is_what_clients_read() {
        let json = String::from_utf8(excerpt("a: b\n", 1).to_json()).unwrap();
        assert_eq!(
            json,
            r#"{"info":{"filename":"larder.yaml","data":"YTogYgo=","language":"YAML"},"ranges":[{"start":{"line":1},"end":{"line":1}}]}"#
        );
    }

    #[test]
    fn lines_are_printed_with_those_around_them() {
        let lines: Vec<String> = (1..=9).map(|n| format!("line {n}")).collect();
        let text = lines.join("\n") + "\n";
        assert_eq!(
            excerpt(&text, 5).print(),
            "\
larder.yaml:5
--------------------
   3 |     line 3
   4 |     line 4
   5 | >>> line 5
   6 |     line 6
   7 |     line 7
--------------------
"
        );
        let two = Excerpt {
            lines: vec![1..=2],
            ..excerpt("FROM x\nRUN y", 1)
        };
        assert_eq!(
            two.print(),
            "\
larder.yaml:1
--------------------
   1 | >>> FROM x
   2 | >>> RUN y
--------------------
"
        );
        assert_eq!(excerpt(&text, 11).print(), "");
        assert_eq!(excerpt(&text, 0).print(), "");
    }

    #[test]
    fn a_large_file_keeps_its_line_numbers() {
        let lines: Vec<String> = (1..=10_000).map(|n| format!("line {n}")).collect();
        let text = lines.join("\n");
        let trimmed = excerpt(&text, 5_000).trimmed();
        assert!(trimmed.data.len() < 6_000, "{}", trimmed.data.len());
        let kept = String::from_utf8(trimmed.data).unwrap();
        let lines: Vec<&str> = kept.split('\n').collect();
        assert_eq!(lines[4_999], "line 5000");
        assert_eq!(lines[4_991], "line 4992");
        assert_eq!(lines[4_990], "");
        assert_eq!(lines.last(), Some(&"line 5008"));
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let text = "é".repeat(20_000);
        let trimmed = excerpt(&text, 1).trimmed();
        let kept = String::from_utf8(trimmed.data).unwrap();
        assert_eq!(kept, format!("{}…", "é".repeat(512)));
    }
}
