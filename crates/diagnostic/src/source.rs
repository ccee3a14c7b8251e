use std::ops::{Range, RangeInclusive};

use crate::Span;

/// A text that a user wrote, and the name under which they know it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// The size of the largest file that is read, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// A text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        SourceFile {
            name: name.into(),
            text: text.into(),
        }
    }

    /// A file's bytes under a name. The error names the file and says what is wrong: more than
    /// [`SourceFile::MAX_BYTES`], or not UTF-8 (with the line).
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<SourceFile, String> {
        let name = name.into();
        if bytes.len() > SourceFile::MAX_BYTES {
            return Err(format!(
                "{name}: the file has {} bytes, and at most {} are read",
                bytes.len(),
                SourceFile::MAX_BYTES
            ));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(SourceFile { name, text }),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let line = count_lines(&error.as_bytes()[..good]);
                Err(format!(
                    "{name}:{line}: the file is not text: byte {good} is not UTF-8"
                ))
            }
        }
    }

    /// The line of a byte, counted from 1. An offset past the end is on the last line.
    pub fn line_of(&self, offset: u32) -> u32 {
        let end = self.text.len().min(offset as usize);
        count_lines(&self.text.as_bytes()[..end])
    }

    /// The lines on which a span stands, counted from 1.
    pub fn lines(&self, span: Span) -> RangeInclusive<u32> {
        let first = self.line_of(span.start);
        // A span that ends with a line break does not reach the next line.
        let last = self.line_of(span.end.saturating_sub(1).max(span.start));
        first..=last
    }

    /// The line and the column (in characters) of a byte, both counted from 1.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let offset = self.boundary(offset as usize);
        let start = self.line_range(offset).start;
        let column = self.text[start..offset].chars().count();
        (
            count_lines(&self.text.as_bytes()[..start]),
            u32::try_from(column).unwrap_or(u32::MAX - 1) + 1,
        )
    }

    /// The nearest character boundary at or before a byte.
    pub(crate) fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// The line that holds a character boundary, without its line break.
    pub(crate) fn line_range(&self, offset: usize) -> Range<usize> {
        let start = self.text[..offset].rfind('\n').map_or(0, |i| i + 1);
        let end = self.text[offset..]
            .find('\n')
            .map_or(self.text.len(), |i| offset + i);
        let line = &self.text[start..end];
        start..start + line.strip_suffix('\r').unwrap_or(line).len()
    }
}

/// The number of the line that follows some text, counted from 1.
fn count_lines(before: &[u8]) -> u32 {
    let lines = before.split(|&b| b == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let file = SourceFile::new("f", "ab\ncd\n\nef");
        assert_eq!(file.line_of(0), 1);
        assert_eq!(file.line_of(2), 1);
        assert_eq!(file.line_of(3), 2);
        assert_eq!(file.line_of(99), 4);
        assert_eq!(file.lines(Span::new(0, 3)), 1..=1);
        assert_eq!(file.lines(Span::new(0, 4)), 1..=2);
        assert_eq!(file.lines(Span::new(3, 3)), 2..=2);
        assert_eq!(file.position(8), (4, 2));
    }

    #[test]
    fn columns_count_characters() {
        let file = SourceFile::new("f", "é: ü");
        assert_eq!(file.position(4), (1, 4));
        // Inside `ü`.
        assert_eq!(file.position(5), (1, 4));
    }

    #[test]
    fn bytes_are_checked_for_size_before_text() {
        let file = SourceFile::from_bytes("f", b"name: a".to_vec()).expect("it is small text");
        assert_eq!(file.text, "name: a");
        let large = vec![0xff; SourceFile::MAX_BYTES + 1];
        assert_eq!(
            SourceFile::from_bytes("f", large).expect_err("it is too large"),
            "f: the file has 1048577 bytes, and at most 1048576 are read"
        );
        assert_eq!(
            SourceFile::from_bytes("f", b"a\n\xff".to_vec()).expect_err("it is not UTF-8"),
            "f:2: the file is not text: byte 2 is not UTF-8"
        );
    }
}
