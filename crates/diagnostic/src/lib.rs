//! Places in a source file, and what is wrong there.
//!
//! Knows nothing of YAML, BuildKit or caches.

mod hidden;
mod render;
mod source;

use std::fmt::Write as _;

pub use hidden::{masked, share_hidden};
pub use render::render;
pub use source::SourceFile;

/// A half-open range of byte offsets into a [`SourceFile`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }
}

/// A value and where it stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value that stands at a place.
    pub const fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }
}

/// Whether a build can go on in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The build cannot be planned.
    Error,
    /// The build goes on.
    Warning,
}

/// Something wrong in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the build can go on.
    pub severity: Severity,
    /// The name by which a warning can be silenced: `cache-defeated`.
    pub lint: Option<&'static str>,
    /// What is wrong: one sentence, lower-case, without a full stop.
    pub message: String,
    /// Where; `None` where no place is to blame (`--target` of the command line).
    pub span: Option<Span>,
    /// Other places that matter, each with a word on why.
    pub labels: Vec<(Span, String)>,
    /// What to do about it: lower-case, without a full stop.
    pub hint: Option<String>,
    /// Places that nobody may see, such as passwords: they are masked wherever it is shown.
    pub hidden: Box<[Span]>,
}

impl Diagnostic {
    /// A mistake that stops the build.
    pub fn error(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, span.into(), message.into())
    }

    /// Something to know, while the build goes on.
    pub fn warning(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, span.into(), message.into())
    }

    fn new(severity: Severity, span: Option<Span>, message: String) -> Diagnostic {
        Diagnostic {
            severity,
            lint: None,
            message,
            span,
            labels: Vec::new(),
            hint: None,
            hidden: Box::default(),
        }
    }

    /// Names it.
    #[must_use]
    pub fn lint(mut self, name: &'static str) -> Diagnostic {
        self.lint = Some(name);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// Points at another place that matters.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push((span, text.into()));
        self
    }

    /// Keeps a place out of what is shown.
    #[must_use]
    pub fn hide(mut self, secret: Span) -> Diagnostic {
        let before = std::mem::take(&mut self.hidden).into_iter();
        self.hidden = before.chain([secret]).collect();
        self
    }

    /// Whether it stops the build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// How many of each: `3 errors and a warning`. Empty if there are none.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let mut out = count(errors, "an error", "errors");
    if warnings > 0 {
        if !out.is_empty() {
            out.push_str(" and ");
        }
        out.push_str(&count(warnings, "a warning", "warnings"));
    }
    out
}

fn count(n: usize, one: &str, many: &str) -> String {
    match n {
        0 => String::new(),
        1 => one.to_owned(),
        _ => format!("{n} {many}"),
    }
}

/// A user's text inside a message: between backquotes, on one line, at most 60 characters of it.
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::from("`");
    let mut chars = text.chars();
    for c in chars.by_ref().take(LONGEST) {
        if c.is_control() || is_invisible(c) {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out.push('`');
    out
}

/// Characters that change how the text around them is shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_words() {
        let error = Diagnostic::error(None, "e");
        let warning = Diagnostic::warning(Span::new(0, 1), "w");
        assert_eq!(summary(&[]), "");
        assert_eq!(summary(std::slice::from_ref(&error)), "an error");
        assert_eq!(
            summary(&[error.clone(), warning.clone(), error.clone(), error]),
            "3 errors and a warning"
        );
        assert_eq!(summary(&[warning.clone(), warning]), "2 warnings");
    }

    #[test]
    fn quotes_on_one_short_line() {
        assert_eq!(quote("pip"), "`pip`");
        assert_eq!(quote("a\nb\0\u{202e}"), "`a\\nb\\u{0}\\u{202e}`");
        assert_eq!(quote(&"é".repeat(100)), format!("`{}…`", "é".repeat(60)));
    }
}
