//! Places in a source file, and what is wrong there.
//!
//! Knows nothing of YAML, BuildKit or caches.

/// A text that a user wrote, and the name under which they know it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A half-open range of byte offsets into a [`SourceFile`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// A value and where it stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
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
    /// What is wrong: one sentence, lower-case, without a full stop.
    pub message: String,
    /// Where; `None` where no place is to blame (`--target` of the command line).
    pub span: Option<Span>,
    /// Other places that matter, each with a word on why.
    pub labels: Vec<(Span, String)>,
    /// What to do about it: lower-case, without a full stop.
    pub hint: Option<String>,
}
