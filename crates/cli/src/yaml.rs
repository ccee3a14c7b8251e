//! Block YAML, as people write it: mappings, lists, scripts and comments.

use std::fmt::Write as _;

/// A document that grows by lines. A depth is two columns.
#[derive(Default)]
pub(crate) struct Yaml(String);

impl Yaml {
    /// The document.
    pub(crate) fn finish(self) -> String {
        self.0
    }

    /// A key whose value is on the lines that follow.
    pub(crate) fn key(&mut self, depth: usize, key: &str) {
        self.line(depth, &[&quoted(key), ":"]);
    }

    /// A key and a text.
    pub(crate) fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &[&quoted(key), ": ", &quoted(value)]);
    }

    /// A key, and a value that is YAML already.
    pub(crate) fn raw(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &[&quoted(key), ": ", value]);
    }

    /// An element of a list that is a text.
    pub(crate) fn element(&mut self, depth: usize, value: &str) {
        self.line(depth, &["- ", &quoted(value)]);
    }

    /// An element of a list that is a mapping, or YAML already: its first line.
    pub(crate) fn first(&mut self, depth: usize, line: &str) {
        self.line(depth, &["- ", line]);
    }

    /// A key and the lines of a text, each kept as it is.
    pub(crate) fn lines(&mut self, depth: usize, key: &str, lines: &[String]) {
        self.line(depth, &[&quoted(key), ": |"]);
        self.indented(depth + 1, lines);
    }

    /// An element of a list that is a text of several lines.
    pub(crate) fn element_of_lines(&mut self, depth: usize, lines: &[String]) {
        self.line(depth, &["- |"]);
        self.indented(depth + 1, lines);
    }

    /// A remark.
    pub(crate) fn comment(&mut self, depth: usize, text: &str) {
        self.line(depth, &["# ", text]);
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.0.push('\n');
    }

    fn indented(&mut self, depth: usize, lines: &[String]) {
        for line in lines {
            self.line(depth, &[line]);
        }
    }

    fn line(&mut self, depth: usize, parts: &[&str]) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.extend(parts.iter().copied());
        self.0.push('\n');
    }
}

/// Plain where every reader of YAML takes it for text, and in quotes elsewhere.
pub(crate) fn quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    let first = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let dotted = text == "." || text.starts_with("./") || text.starts_with("../");
    if (text.starts_with(first) || dotted)
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !word
    {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
