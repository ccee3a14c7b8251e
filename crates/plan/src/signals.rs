//! Names of signals.

use crate::suggest;

/// Those of Linux, without `SIG`; the real-time ones are counted from both ends.
const NAMES: [&str; 36] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS",
    "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    "XFSZ",
];

/// A signal as an image config has it: `SIGINT` for `int`, or its number. `None` if there is no such
/// signal.
pub(crate) fn normal(written: &str) -> Option<String> {
    if !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit()) {
        let number: u8 = written.parse().ok()?;
        return (1..=64).contains(&number).then(|| number.to_string());
    }
    let upper = written.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let counted = |prefix: &str, most: u8| {
        let digits = name.strip_prefix(prefix)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        let count: u8 = digits.parse().ok().filter(|_| plain)?;
        (count <= most).then_some(())
    };
    let known =
        NAMES.contains(&name) || counted("RTMIN+", 15).is_some() || counted("RTMAX-", 14).is_some();
    known.then(|| format!("SIG{name}"))
}

/// The signal whose name is most like this.
pub(crate) fn closest(written: &str) -> Option<String> {
    let upper = written.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    suggest::closest(name, NAMES).map(|near| format!("SIG{near}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (written, signal) in [
            ("int", "SIGINT"),
            ("SIGTERM", "SIGTERM"),
            ("SigQuit", "SIGQUIT"),
            ("15", "15"),
            ("64", "64"),
            ("RTMIN+3", "SIGRTMIN+3"),
            ("SIGRTMAX-14", "SIGRTMAX-14"),
            ("rtmin", "SIGRTMIN"),
        ] {
            assert_eq!(normal(written).as_deref(), Some(signal), "{written}");
        }
        for written in [
            "", "0", "65", "300", "-1", "+9", "SIG", "SIGX", "RTMIN+16", "RTMAX-15", "RTMIN+0",
            "RTMIN+01", "RTMIN++1", "9 ",
        ] {
            assert_eq!(normal(written), None, "{written}");
        }
        assert_eq!(closest("SIGTREM").as_deref(), Some("SIGTERM"));
    }
}
