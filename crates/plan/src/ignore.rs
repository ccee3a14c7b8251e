//! `.dockerignore`, and the patterns that it and `copy` use.

/// The patterns of a `.dockerignore`, as a local source takes them: comments and blank lines dropped,
/// paths cleaned, without a leading `/`. A pattern that brings back what others drop starts with `!`.
pub fn parse(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut patterns = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            continue;
        }
        let line = line.trim();
        let (not, path) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest.trim()),
            None => ("", line),
        };
        if path.is_empty() {
            continue;
        }
        patterns.push(format!("{not}{}", clean(path)));
    }
    patterns
}

/// Whether patterns keep a path out of the context. The last one that matches the path, or a directory
/// that it is in, decides.
pub fn is_ignored(patterns: &[String], path: &str) -> bool {
    deciding(patterns, path).is_some_and(|pattern| !pattern.starts_with('!'))
}

/// The pattern that decides about a path.
pub(crate) fn deciding<'a>(patterns: &'a [String], path: &str) -> Option<&'a str> {
    patterns
        .iter()
        .rev()
        .map(String::as_str)
        .find(|pattern| covers(pattern.strip_prefix('!').unwrap_or(pattern), path))
}

/// Whether a pattern matches a path or a directory that it is in.
fn covers(pattern: &str, path: &str) -> bool {
    let ends = path
        .match_indices('/')
        .map(|(end, _)| end)
        .chain([path.len()]);
    ends.into_iter().any(|end| matches(pattern, &path[..end]))
}

/// `a//b/./c/../d/` is `a/b/d`; a leading `/` goes, and so does what would climb above the root.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// Whether a path as a whole matches a pattern: `*` and `?` stay within a segment, `[…]` is a class,
/// `**` stands for any number of directories, a backslash takes the next character as it is.
///
/// Takes time in proportion to the product of both lengths, whatever the pattern.
pub fn matches(pattern: &str, path: &str) -> bool {
    let tokens = tokens(pattern);
    let path: Vec<char> = path.chars().collect();
    let n = path.len();
    // `row[i]`: whether the tokens from here on match what starts at `i`.
    let mut row = vec![false; n + 1];
    row[n] = true;
    for token in tokens.iter().rev() {
        let next = std::mem::replace(&mut row, vec![false; n + 1]);
        let mut after_directory = false;
        for i in (0..=n).rev() {
            let c = path.get(i).copied();
            row[i] = match token {
                Token::Char(wanted) => c == Some(*wanted) && next[i + 1],
                Token::Any => c.is_some_and(|c| c != '/') && next[i + 1],
                Token::Class { not, ranges } => {
                    c.is_some_and(|c| {
                        c != '/' && ranges.iter().any(|&(a, b)| a <= c && c <= b) != *not
                    }) && next[i + 1]
                }
                Token::Star => next[i] || (c.is_some_and(|c| c != '/') && row[i + 1]),
                Token::Everything => next[i] || (c.is_some() && row[i + 1]),
                Token::Directories => {
                    after_directory |= c == Some('/') && next[i + 1];
                    next[i] || after_directory
                }
            };
        }
    }
    row[0]
}

/// A pattern of `exclude` as the daemon takes it: cleaned, without a leading `/`.
pub(crate) fn exclusion(written: &str) -> String {
    match written.strip_prefix('!') {
        Some(rest) => format!("!{}", clean(rest.trim())),
        None => clean(written.trim()),
    }
}

/// Why a daemon would refuse a pattern: what is wrong, and what to do about it.
pub(crate) fn malformed(pattern: &str) -> Option<(&'static str, &'static str)> {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => {
                return Some((
                    "nothing follows its last backslash",
                    "write two backslashes for the character itself",
                ));
            }
            '[' => match class(&mut chars.clone()) {
                Some((_, length)) => {
                    chars.nth(length - 1);
                }
                None => {
                    return Some((
                        "no `]` ends its `[`",
                        "write `\\[` for the character itself",
                    ));
                }
            },
            _ => {}
        }
    }
    None
}

/// Whether a path is a pattern.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '\\'])
}

enum Token {
    Char(char),
    /// `?`.
    Any,
    /// `[a-z]`, `[^a-z]`.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
    /// `*`.
    Star,
    /// `**` at the end.
    Everything,
    /// `**/`: nothing, or something that ends in `/`.
    Directories,
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' if chars.peek() == Some(&'*') => {
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
                if chars.peek() == Some(&'/') {
                    chars.next();
                }
                if chars.peek().is_none() {
                    Token::Everything
                } else {
                    Token::Directories
                }
            }
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => Token::Char(chars.next().unwrap_or('\\')),
            '[' => match class(&mut chars.clone()) {
                Some((token, length)) => {
                    chars.nth(length - 1);
                    token
                }
                None => Token::Char('['),
            },
            _ => Token::Char(c),
        });
    }
    out
}

/// What follows a `[`, and how many characters it takes; `None` if no `]` closes it.
fn class(chars: &mut impl Iterator<Item = char>) -> Option<(Token, usize)> {
    let mut inside = Vec::new();
    let mut length = 0;
    loop {
        let c = chars.next()?;
        length += 1;
        match c {
            ']' if !inside.is_empty() => break,
            '\\' => {
                inside.push(chars.next()?);
                length += 1;
            }
            _ => inside.push(c),
        }
    }
    let not = inside[0] == '^' && inside.len() > 1;
    let mut rest = &inside[usize::from(not)..];
    let mut ranges = Vec::new();
    while let [first, tail @ ..] = rest {
        if let ['-', last, tail @ ..] = tail {
            ranges.push((*first, *last));
            rest = tail;
        } else {
            ranges.push((*first, *first));
            rest = tail;
        }
    }
    Some((Token::Class { not, ranges }, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        let text = "\u{feff}# comment\n\n  /target/ \n!target/keep\r\n./a//b/../c\n! x\n!\n  # no comment\n";
        assert_eq!(
            parse(text),
            ["target", "!target/keep", "a/c", "!x", "# no comment"]
        );
    }

    #[test]
    fn the_last_match_decides() {
        let patterns = parse("*\n!src\n!go.mod\nsrc/secret\n");
        for (path, ignored) in [
            ("README", true),
            ("go.mod", false),
            ("src/main.go", false),
            ("src/secret/key", true),
            ("lib/go.mod", true),
        ] {
            assert_eq!(is_ignored(&patterns, path), ignored, "{path}");
        }
        assert_eq!(deciding(&patterns, "src/secret/key"), Some("src/secret"));
    }

    #[test]
    fn patterns_match_as_docker_has_them() {
        for (pattern, path, expected) in [
            ("*.md", "README.md", true),
            ("*.md", "docs/README.md", false),
            ("**/*.md", "docs/a/README.md", true),
            ("**/*.md", "README.md", true),
            ("docs/**", "docs/a/b", true),
            ("docs/**", "docs", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]x", "[]x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "az", false),
            ("crates/*/Cargo.toml", "crates/x/Cargo.toml", true),
            ("crates/*/Cargo.toml", "crates/x/y/Cargo.toml", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn malformed_patterns_are_told() {
        for good in [
            "",
            "a*",
            "[a-z]",
            "[^a]b",
            "\\[",
            "\\\\",
            "**/*.[ch]",
            "[]a]",
        ] {
            assert_eq!(malformed(good), None, "{good}");
        }
        for bad in ["[", "a[b", "[a-z]/[", "a\\", "[]", "[\\]"] {
            assert!(malformed(bad).is_some(), "{bad}");
        }
        assert_eq!(exclusion("/a//b/"), "a/b");
        assert_eq!(exclusion("!./a"), "!a");
    }

    #[test]
    fn no_pattern_takes_long() {
        let pattern = "**/*a".repeat(50);
        let path = "a/".repeat(500) + "b";
        assert!(!matches(&pattern, &path));
    }
}
