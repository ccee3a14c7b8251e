//! Lines of a text, by offset.

use std::ops::RangeInclusive;

use larder_diagnostic::Span;

/// Where lines start.
pub(super) struct Lines(Vec<u32>);

impl Lines {
    pub(super) fn of(text: &str) -> Lines {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = breaks.filter_map(|(at, _)| u32::try_from(at + 1).ok());
        Lines(starts.collect())
    }

    /// Counted from 1.
    fn line(&self, offset: u32) -> u32 {
        let before = self.0.partition_point(|&start| start <= offset);
        u32::try_from(before).unwrap_or(u32::MAX - 1) + 1
    }

    pub(super) fn of_span(&self, span: Span) -> RangeInclusive<u32> {
        let last = span.end.saturating_sub(1).max(span.start);
        self.line(span.start)..=self.line(last)
    }
}

#[cfg(test)]
mod tests {
    use larder_diagnostic::SourceFile;

    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let file = SourceFile::new("f", "ab\ncd\n\nef");
        let lines = Lines::of(&file.text);
        for start in 0..10 {
            for end in start..10 {
                let span = Span::new(start, end);
                assert_eq!(lines.of_span(span), file.lines(span), "{span:?}");
            }
        }
    }
}
