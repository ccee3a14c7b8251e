//! Where in which file an operation comes from.

use std::ops::RangeInclusive;

use buildkit_proto::pb;

/// A file that operations come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceInfo {
    /// Its name, as error messages show it.
    pub filename: String,
    /// Its contents, from which error messages quote.
    pub data: Vec<u8>,
    /// Its language, as linguist names it, such as `YAML`.
    pub language: String,
}

/// A file that a [`Graph`](crate::Graph) knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(pub(crate) u32);

impl SourceInfo {
    pub(crate) fn lower(self) -> pb::SourceInfo {
        pb::SourceInfo {
            filename: self.filename,
            data: self.data,
            definition: None,
            language: self.language,
        }
    }

    pub(crate) fn lift(info: pb::SourceInfo) -> Self {
        Self {
            filename: info.filename,
            data: info.data,
            language: info.language,
        }
    }
}

/// Whole lines, as BuildKit has them.
pub(crate) fn lines(lines: &RangeInclusive<u32>) -> pb::Range {
    let at = |line: u32| {
        Some(pb::Position {
            line: i32::try_from(line).unwrap_or(i32::MAX),
            character: 0,
        })
    };
    pb::Range {
        start: at(*lines.start()),
        end: at(*lines.end()),
    }
}

/// Whole lines from 1; nothing for a range without any.
pub(crate) fn lift_lines(range: &pb::Range) -> Option<RangeInclusive<u32>> {
    let line = |position: Option<pb::Position>| {
        let line = u32::try_from(position?.line).ok();
        line.filter(|line| *line > 0)
    };
    let start = line(range.start)?;
    Some(start..=line(range.end).unwrap_or(start).max(start))
}
