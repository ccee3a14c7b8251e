//! The list of mistakes, kept to a length that somebody may read.

use std::collections::BTreeSet;

use larder_diagnostic::{Diagnostic, Span, share_hidden};

/// How many diagnostics are kept; a last one says how many more there were.
pub const MAX_DIAGNOSTICS: usize = 100;

/// Collects diagnostics.
#[derive(Default)]
pub(crate) struct Report {
    kept: Vec<Diagnostic>,
    dropped: usize,
    hidden: BTreeSet<Span>,
}

impl Report {
    /// Adds one. What an alias repeats is said once.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.drop_one();
        } else if !self.kept.contains(&diagnostic) {
            self.kept.push(diagnostic);
        }
    }

    /// Keeps a place out of every excerpt.
    pub(crate) fn hide(&mut self, secret: Span) {
        self.hidden.insert(secret);
    }

    /// The places that are kept out.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = Span> {
        self.hidden.iter().copied()
    }

    /// Whether a place is kept out.
    pub(crate) fn hides(&self, place: Span) -> bool {
        self.hidden.contains(&place)
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether what is added now is only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= MAX_DIAGNOSTICS
    }

    /// Counts one that is not kept.
    pub(crate) fn drop_one(&mut self) {
        self.dropped += 1;
    }

    /// In the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|d| d.span.map_or(0, |s| s.start));
        if self.dropped > 0 {
            let message = match self.dropped {
                1 => "one more mistake is not shown".to_owned(),
                more => format!("{more} more mistakes are not shown"),
            };
            self.kept.push(Diagnostic::error(None, message));
        }
        let hidden: Vec<Span> = self.hidden.into_iter().collect();
        share_hidden(&mut self.kept, &hidden);
        self.kept
    }
}
