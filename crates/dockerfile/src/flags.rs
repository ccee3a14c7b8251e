//! The flags of an instruction.

/// What parts flags. BuildKit goes by bytes here, so nothing beyond ASCII does.
const BLANK: [char; 6] = ['\t', '\n', '\u{b}', '\u{c}', '\r', ' '];

/// The flags at the start of an instruction's arguments, without their quotes, and what follows them.
pub(crate) fn flags(mut rest: &str, escape: char) -> (Vec<String>, &str) {
    let mut flags = Vec::new();
    loop {
        rest = rest.trim_start_matches(BLANK);
        if !rest.starts_with("--") {
            return (flags, rest);
        }
        let (word, length) = word(rest, escape);
        rest = &rest[length..];
        if word == "--" {
            return (flags, rest.trim_start_matches(BLANK));
        }
        flags.push(word);
    }
}

/// The first word, without its quotes, and how many bytes it has with them.
fn word(text: &str, escape: char) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if BLANK.contains(&c) => return (word, at),
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ if c == escape => word.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => word.push(c),
        }
    }
    (word, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_end_at_the_first_other_word() {
        let read = |text| {
            let (flags, rest) = flags(text, '\\');
            (flags.join("|"), rest.to_owned())
        };
        assert_eq!(read("ls --all"), (String::new(), "ls --all".into()));
        assert_eq!(
            read("--a=b  --c ls -l"),
            ("--a=b|--c".into(), "ls -l".into())
        );
        assert_eq!(
            read(r#"--mount="type=a b",'x y'=\  ls"#),
            ("--mount=type=a b,x y= ".into(), "ls".into())
        );
        assert_eq!(read("--a -- --b"), ("--a".into(), "--b".into()));
        assert_eq!(read("--a"), ("--a".into(), String::new()));
        assert_eq!(read("--a=\"open"), ("--a=open".into(), String::new()));
        assert_eq!(read(""), (String::new(), String::new()));
    }
}
