//! What progress calls things.

/// Longest name that is shown, in characters.
const LONGEST: usize = 80;

/// A text on one line, shortened where it is long: blank space is one space, and of a script the first
/// line stands for all.
pub(crate) fn line(text: &str) -> String {
    let printable = text.len() <= LONGEST && text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if printable && !text.contains("  ") && text.trim().len() == text.len() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(4 * LONGEST));
    let mut length = 0;
    let mut words = text.split_whitespace();
    for word in words.by_ref() {
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length == LONGEST {
                out.push('…');
                return out;
            }
            out.push(if c.is_control() { '\u{fffd}' } else { c });
            length += 1;
        }
    }
    out
}

/// Paths below a root, for people: the first few.
pub(crate) fn paths(paths: &[String]) -> String {
    const MOST: usize = 4;
    let shown = |path: &String| if path.is_empty() { "." } else { path }.to_owned();
    let mut out = paths
        .iter()
        .take(MOST)
        .map(shown)
        .collect::<Vec<_>>()
        .join(" ");
    if paths.len() > MOST {
        out.push_str(" …");
    }
    out
}

/// The words of a command, for people.
pub(crate) fn words(words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@%+,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            out.push_str(word);
        } else {
            out.push('\'');
            out.push_str(&word.replace('\'', "'\\''"));
            out.push('\'');
        }
        if out.len() > 8 * LONGEST {
            break;
        }
    }
    line(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_one_line() {
        assert_eq!(line("  make\n\tall  "), "make all");
        assert_eq!(line(&"é".repeat(100)), format!("{}…", "é".repeat(80)));
        assert_eq!(line("a\u{7}b"), "a\u{fffd}b");
        let list = ["sh", "-c", "it's", ""].map(str::to_owned);
        assert_eq!(words(&list), "sh -c 'it'\\''s' ''");
    }
}
