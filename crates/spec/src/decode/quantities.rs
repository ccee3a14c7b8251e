//! Values that count: yes or no, numbers, times, sizes.

use larder_diagnostic::quote;

use super::{Decoder, Slot};

/// What a word for yes or no means, of whichever YAML.
pub(crate) fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The units of a time, in nanoseconds, those that others begin with after these.
const TIMES: [(&str, u64); 6] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// A time in nanoseconds. `None` if the text is none, or too long for a signed number.
fn nanoseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let (unit, length) = TIMES.iter().find(|(unit, _)| tail.starts_with(unit))?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = &tail[unit.len()..];
    }
    (!text.is_empty() && i64::try_from(sum).is_ok()).then_some(sum)
}

/// Whether a text is a time.
pub(crate) fn is_time(text: &str) -> bool {
    nanoseconds(text).is_some()
}

/// A number of bytes. `None` if the text is none, or too many for a signed number.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    let sum = number.parse::<u64>().ok()?.checked_mul(factor)?;
    i64::try_from(sum).is_ok().then_some(sum)
}

impl<'src> Decoder<'_, 'src> {
    /// `true` or `false`.
    pub(super) fn bool(&mut self, slot: Slot<'_, 'src>) -> Option<bool> {
        const EXPECTED: &str = "`true` or `false`";
        let text = self.text(slot, EXPECTED)?;
        match text {
            "true" => return Some(true),
            "false" => return Some(false),
            _ => {}
        }
        let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
        let hint = match truth(text) {
            Some(meant) => format!("write `{meant}`"),
            None => "write one of the two".to_owned(),
        };
        self.error(slot.span(), message, hint);
        None
    }

    /// A whole number of at least 1.
    pub(super) fn count(&mut self, slot: Slot<'_, 'src>) -> Option<u32> {
        const EXPECTED: &str = "a number such as `3`";
        let text = self.text(slot, EXPECTED)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<u32>() {
            Ok(number) if digits && number > 0 && i32::try_from(number).is_ok() => Some(number),
            _ => {
                let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
                let hint = "write a whole number from 1 on, or leave it out";
                self.error(slot.span(), message, hint);
                None
            }
        }
    }

    /// A time of at least a millisecond, the shortest that a daemon takes, in nanoseconds.
    pub(super) fn duration(&mut self, slot: Slot<'_, 'src>) -> Option<u64> {
        const EXPECTED: &str = "a time such as `30s`";
        let text = self.text(slot, EXPECTED)?;
        match nanoseconds(text) {
            Some(time) if time >= 1_000_000 => Some(time),
            Some(_) => {
                let message = format!("{} is shorter than a millisecond", slot.subject());
                let hint = "write a longer time, or leave it out for the default";
                self.error(slot.span(), message, hint);
                None
            }
            None => {
                let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
                let hint = if text.bytes().all(|b| b.is_ascii_digit()) && text.len() < 10 {
                    format!("write the unit, as in `{text}s` for seconds")
                } else {
                    "write whole numbers with `h`, `m`, `s` or `ms`, as in `1m30s`".to_owned()
                };
                self.error(slot.span(), message, hint);
                None
            }
        }
    }

    /// A number of bytes of at least 1.
    pub(super) fn size(&mut self, slot: Slot<'_, 'src>) -> Option<u64> {
        const EXPECTED: &str = "a size such as `512m`";
        let text = self.text(slot, EXPECTED)?;
        if let Some(size) = bytes(text).filter(|size| *size > 0) {
            return Some(size);
        }
        let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
        let hint = "write a whole number of bytes, or with `k`, `m` or `g` for powers of 1024";
        self.error(slot.span(), message, hint);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(nanoseconds("30s"), Some(30_000_000_000));
        assert_eq!(nanoseconds("1m30s"), Some(90_000_000_000));
        assert_eq!(nanoseconds("500ms"), Some(500_000_000));
        assert_eq!(nanoseconds("1h2m3s4ms5us6ns"), Some(3_723_004_005_006));
        for bad in [
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "30 s",
            "1d",
            "2562048h",
            "99999999999999999999s",
        ] {
            assert_eq!(nanoseconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(bytes("64"), Some(64));
        assert_eq!(bytes("512m"), Some(512 << 20));
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        for bad in ["", "m", "1.5g", "-1", "1 g", "1p", "99999999999g"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
