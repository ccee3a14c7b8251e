//! The page of everything that is said of a spec, from what the tests expect.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};

use super::{Pages, files};

const PAGE: &str = "docs/diagnostics.md";

const INTRODUCTION: &str = "\
# What is said of a spec

Every mistake and every warning that the tests know, each with a line that has it (what is marked in
a message is in brackets here: 【 】) and what to do about it. Names and values differ, and stand for
others of their kind; where a text is said in several places with different advice, all of it is here.
Where the last column is empty, the text itself says what is expected.

Written by `cargo xtask docs` from `crates/spec/tests/mistakes`, `crates/plan/tests/mistakes` and
`crates/plan/tests/lints`. The warnings that have a name can be silenced: see [the warnings](lints.md).
";

const SECTIONS: [(&str, &[&str], &str); 3] = [
    (
        "Mistakes in the text",
        &["crates/spec/tests/mistakes"],
        "error",
    ),
    (
        "Mistakes in what it asks for",
        &["crates/plan/tests/mistakes"],
        "error",
    ),
    (
        "Warnings",
        &[
            "crates/spec/tests/mistakes",
            "crates/plan/tests/mistakes",
            "crates/plan/tests/lints",
        ],
        "warning",
    ),
];

/// One that was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    severity: String,
    /// Of a warning that has one.
    lint: Option<String>,
    message: String,
    /// The line, with what it is about between brackets.
    line: Option<String>,
    hint: Option<String>,
}

/// What the page has of those that are the same but for names.
struct Row {
    lint: Option<String>,
    message: String,
    line: Option<String>,
    /// Each once, but for names, in the order in which they come.
    hints: Vec<String>,
}

pub(super) fn pages(root: &Path) -> Result<Pages> {
    let mut out = INTRODUCTION.to_owned();
    for (title, folders, severity) in SECTIONS {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for folder in folders {
            for (path, text) in files(root, folder, "txt")? {
                let told = read(&text);
                ensure!(!told.is_empty(), "{path} tells nothing");
                for one in told.into_iter().filter(|one| one.severity == severity) {
                    add(&mut rows, one);
                }
            }
        }
        let _ = write!(
            out,
            "\n## {title}\n\n| text | such as | what to do |\n|---|---|---|\n"
        );
        for row in rows.values() {
            out += &show(row);
        }
    }
    Ok(Pages::from([(PAGE.to_owned(), out)]))
}

fn add(rows: &mut BTreeMap<String, Row>, told: Told) {
    let key = format!(
        "{}{}",
        told.lint.as_deref().unwrap_or_default(),
        shape(&told.message)
    );
    let row = rows.entry(key).or_insert_with(|| Row {
        lint: told.lint,
        message: told.message,
        line: None,
        hints: Vec::new(),
    });
    if row.line.is_none() {
        row.line = told.line;
    }
    let hint = told.hint.filter(|hint| {
        let same = |one: &String| shape(one) == shape(hint);
        !row.hints.iter().any(same)
    });
    row.hints.extend(hint);
}

fn show(row: &Row) -> String {
    let name = row.lint.as_ref().map(|lint| format!("`{lint}`: "));
    let hints: Vec<String> = row.hints.iter().map(|hint| cell(hint)).collect();
    let line = row.line.as_deref().map(code).unwrap_or_default();
    format!(
        "| {}{} | {} | {} |\n",
        name.unwrap_or_default(),
        cell(&row.message),
        cell(&line),
        hints.join("<br>")
    )
}

/// Everything that a test expects to be told, in order.
fn read(text: &str) -> Vec<Told> {
    let mut found: Vec<Told> = Vec::new();
    let mut source = None;
    for line in text.lines() {
        if let Some(told) = heading(line) {
            found.push(told);
            source = None;
            continue;
        }
        let Some(last) = found.last_mut() else {
            continue;
        };
        if let Some((_, hint)) = line
            .split_once("= help: ")
            .filter(|(before, _)| before.trim().is_empty())
        {
            last.hint = Some(hint.to_owned());
        }
        let Some((number, rest)) = line.split_once('|') else {
            continue;
        };
        if number.trim().is_empty() {
            if let Some(source) = source.filter(|_| last.line.is_none()) {
                last.line = marked(source, rest);
            }
        } else if number.trim().bytes().all(|b| b.is_ascii_digit()) {
            source = Some(rest);
        }
    }
    found
}

/// `error: MESSAGE`, `warning[NAME]: MESSAGE`.
fn heading(line: &str) -> Option<Told> {
    let (kind, message) = line.split_once(": ")?;
    let (severity, name) = match kind.split_once('[') {
        Some((severity, name)) => (severity, Some(name.strip_suffix(']')?.to_owned())),
        None => (kind, None),
    };
    matches!(severity, "error" | "warning").then(|| Told {
        severity: severity.to_owned(),
        lint: name,
        message: message.to_owned(),
        ..Told::default()
    })
}

/// A line of the source with brackets where the line below it has carets.
fn marked(source: &str, marks: &str) -> Option<String> {
    let start = marks.find('^')?;
    let length = marks[start..].chars().take_while(|c| *c == '^').count();
    let start = marks[..start].chars().count();
    // What is wide takes two columns, and a line with such is shown without brackets.
    if !source.is_ascii() || source.chars().count() < start + length {
        return Some(source.trim().to_owned());
    }
    let (before, rest) = source.split_at(start);
    let (at, after) = rest.split_at(length);
    let line = format!("{before}【{at}】{after}");
    Some(line.trim().to_owned())
}

/// A text without what differs from spec to spec: what is in backquotes, lists of that, and numbers.
fn shape(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push('…');
        } else {
            out.extend(
                part.chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c }),
            );
        }
    }
    for (long, short) in [("…, …", "…"), ("… or …", "…"), ("00", "0")] {
        while out.contains(long) {
            out = out.replace(long, short);
        }
    }
    out
}

fn code(line: &str) -> String {
    if line.contains('`') {
        format!("`` {line} ``")
    } else {
        format!("`{line}`")
    }
}

/// Text of a table; inside code, `<` is itself.
fn cell(text: &str) -> String {
    let escaped = text.replace('|', "\\|");
    let mut out = String::new();
    for (at, part) in escaped.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        out.push_str(&if at % 2 == 1 {
            part.to_owned()
        } else {
            part.replace('<', "&lt;")
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = "\
error: unknown key `stepps` in a stage
 --> larder.yaml:4:5
  |
4 |     stepps: []
  |     ^^^^^^
  |
  = help: did you mean `steps`?

warning[two]: 3 `a`
 --> x.yaml:12:3
   |
 9 |   first
   |   ----- here
12 |   sec|nd
   |   ^^^^^^ a label

error: 30 more mistakes are not shown

3 errors
";

    #[test]
    fn what_is_told_is_read() {
        let told = read(GOLDEN);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[0].message, "unknown key `stepps` in a stage");
        assert_eq!(told[0].line.as_deref(), Some("【stepps】: []"));
        assert_eq!(told[0].hint.as_deref(), Some("did you mean `steps`?"));
        assert_eq!(told[1].lint.as_deref(), Some("two"));
        assert_eq!(told[1].severity, "warning");
        assert_eq!(told[1].line.as_deref(), Some("【sec|nd】"));
        assert_eq!((&told[2].line, &told[2].hint), (&None, &None));
    }

    #[test]
    fn what_differs_only_in_names_is_one() {
        assert_eq!(
            shape("`install` takes one of `pip`, `npm` or `go`, not `x`"),
            shape("`sharing` takes one of `locked`, not `12`")
        );
        assert_eq!(shape("1000 of `a`"), shape("7 of `b`"));
        assert_ne!(shape("no `a`"), shape("an `a`"));
    }

    #[test]
    fn rows_have_all_the_advice_once() {
        let mut rows = BTreeMap::new();
        for hint in ["did you mean `a`?", "did you mean `b`?", "<x> `<y>`|z"] {
            add(
                &mut rows,
                Told {
                    message: format!("no {}", if hint.contains('x') { "`q`" } else { "`p`" }),
                    line: Some("k: `v`".to_owned()),
                    hint: Some(hint.to_owned()),
                    ..Told::default()
                },
            );
        }
        let shown: Vec<String> = rows.values().map(show).collect();
        assert_eq!(
            shown,
            ["| no `p` | `` k: `v` `` | did you mean `a`?<br>&lt;x> `<y>`\\|z |\n"]
        );
    }
}
