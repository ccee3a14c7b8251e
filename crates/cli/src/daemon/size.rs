//! How much of a disk: bytes, or a share of the disk that the daemon's data is on.

use std::fmt;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The units that are understood, in small letters. `GB` is 1000 MB here, as on the box of a disk.
const UNITS: [(&str, u64); 12] = [
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("mib", MIB),
    ("gib", GIB),
    ("tib", GIB << 10),
    ("pib", GIB << 20),
    ("mi", MIB),
    ("gi", GIB),
    ("ti", GIB << 10),
    ("pi", GIB << 20),
];

/// A part of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Bytes(u64),
    /// Of the disk that the daemon's data is on, which the daemon measures when it starts.
    Percent(u64),
}

impl Size {
    /// Reads `100GB`, `1.5TiB` or `80%`.
    pub(super) fn parse(text: &str) -> Result<Size, String> {
        const HOW: &str = "write a number with MB, GB, TB, MiB, GiB, TiB or %, such as 100GB";
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim_start().to_ascii_lowercase();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| {
            let some = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            some.then(|| part.parse::<u64>().ok()).flatten()
        };
        let Some((units, parts)) = digits(whole).zip(digits(fraction)) else {
            return Err(format!("it is no size; {HOW}"));
        };
        if unit == "%" {
            return match (units, parts) {
                (0..=100, 0) => Ok(Size::Percent(units)),
                _ => Err("a percentage is a whole number up to 100".to_owned()),
            };
        }
        if unit.is_empty() && units == 0 && parts == 0 {
            return Ok(Size::Bytes(0));
        }
        let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let what = if unit.is_empty() {
                "it has no unit".to_owned()
            } else {
                format!("`{unit}` is no unit")
            };
            return Err(format!("{what}; {HOW}"));
        };
        // Digits so small that they say less than a byte are too many to mean anything.
        let scale = u32::try_from(fraction.len())
            .ok()
            .and_then(|length| 10u64.checked_pow(length));
        let bytes = scale.and_then(|scale| {
            let fraction = u128::from(*unit) * u128::from(parts) / u128::from(scale);
            u64::try_from(u128::from(*unit) * u128::from(units) + fraction).ok()
        });
        match bytes {
            Some(bytes) if i64::try_from(bytes).is_ok() => Ok(Size::Bytes(bytes)),
            _ => Err("no disk is that large".to_owned()),
        }
    }

    /// So many hundredths of it, and never nothing of something.
    pub(super) fn part(self, hundredths: u64) -> Size {
        match self {
            Size::Bytes(bytes) => {
                let part = u128::from(bytes) * u128::from(hundredths) / 100;
                Size::Bytes(u64::try_from(part).unwrap_or(u64::MAX))
            }
            Size::Percent(percent) => Size::Percent((percent * hundredths / 100).max(1)),
        }
    }

    pub(super) fn is_percent(self) -> bool {
        matches!(self, Size::Percent(_))
    }

    pub(super) fn is_zero(self) -> bool {
        matches!(self, Size::Bytes(0) | Size::Percent(0))
    }
}

/// As BuildKit and dockerd read it. They take `GB` for `GiB`, so that only the latter is written.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Bytes(bytes) if bytes % GIB == 0 => write!(f, "{}GiB", bytes / GIB),
            Size::Bytes(bytes) => write!(f, "{}MiB", bytes / MIB),
            Size::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_read() {
        for (text, size, shown) in [
            ("100GB", Size::Bytes(100_000_000_000), "95367MiB"),
            ("100GiB", Size::Bytes(100 << 30), "100GiB"),
            ("100gi", Size::Bytes(100 << 30), "100GiB"),
            ("1.5TiB", Size::Bytes(3 << 39), "1536GiB"),
            ("2 TB", Size::Bytes(2_000_000_000_000), "1907348MiB"),
            ("0.5GiB", Size::Bytes(1 << 29), "512MiB"),
            ("80%", Size::Percent(80), "80%"),
            ("0", Size::Bytes(0), "0GiB"),
        ] {
            let read = Size::parse(text).expect(text);
            assert_eq!((read, read.to_string().as_str()), (size, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for (text, reason) in [
            ("", "it is no size"),
            ("GB", "it is no size"),
            ("-5GB", "it is no size"),
            ("1e3GB", "`e3gb` is no unit"),
            ("1.2.3GB", "it is no size"),
            (".5GB", "it is no size"),
            ("5.GB", "it is no size"),
            ("100", "it has no unit"),
            ("100G", "`g` is no unit"),
            ("100kB", "`kb` is no unit"),
            ("٣GB", "it is no size"),
            ("101%", "whole number up to 100"),
            ("12.5%", "whole number up to 100"),
            ("9999999999999999999GB", "no disk is that large"),
            ("99999999999999999999GB", "it is no size"),
            ("9300PB", "no disk is that large"),
            ("1.0000000000000000000000GB", "no disk is that large"),
        ] {
            let said = Size::parse(text).expect_err(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
