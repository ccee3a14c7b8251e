//! Patterns in manifests that stand for directories: `packages/*`, `{apps,libs}/**`, `!old`.

use super::relative;
use crate::ignore::{is_pattern, matches};

/// `**` stands for so many directories at most.
const DEPTH: usize = 3;
/// Braces stand for so many patterns at most.
const MOST: usize = 256;

/// So many count in a list, braces taken apart.
const MOST_RULES: usize = 1000;

/// A list of them.
#[derive(Debug, Default)]
pub(super) struct Globs {
    /// What to look for, in the order of the list.
    patterns: Vec<String>,
    /// In order: whether what matches is one of them, and what it has to match.
    rules: Vec<(bool, String)>,
}

impl Globs {
    /// Patterns as a manifest in a directory writes them; those that lead out of the context are
    /// left out, and named by the second.
    pub(super) fn of<'l>(
        directory: &str,
        list: impl IntoIterator<Item = &'l str>,
    ) -> (Globs, Vec<&'l str>) {
        let mut globs = Globs::default();
        let mut outside = Vec::new();
        let directory = literally(directory);
        for written in list {
            let (picks, rest) = match written.strip_prefix('!') {
                Some(rest) => (false, rest),
                None => (true, written),
            };
            for one in braces(rest.trim()) {
                let Some(path) = relative(&directory, &one) else {
                    outside.push(written);
                    continue;
                };
                if picks {
                    for pattern in depths(&path) {
                        if globs.patterns.len() < MOST && !globs.patterns.contains(&pattern) {
                            globs.patterns.push(pattern);
                        }
                    }
                }
                if globs.rules.len() < MOST_RULES {
                    globs.rules.push((picks, path));
                }
            }
        }
        (globs, outside)
    }

    /// Patterns in which `*` stays within a segment.
    pub(super) fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a directory is one of them: the last rule that matches it decides. What packages have
    /// in `node_modules` is none.
    pub(super) fn picks(&self, path: &str) -> bool {
        let mut rules = self.rules.iter().rev();
        !path.split('/').any(|part| part == "node_modules")
            && rules
                .find(|(_, pattern)| {
                    pattern == path
                        || matches(pattern, path)
                        // `libs/**` is `libs` as well.
                        || pattern.strip_suffix("/**").is_some_and(|above| matches(above, path))
                })
                .is_some_and(|(picks, _)| *picks)
    }
}

/// A path as a pattern that stands for that path alone.
pub(super) fn literally(path: &str) -> String {
    if !is_pattern(path) {
        return path.to_owned();
    }
    let mut out = String::with_capacity(path.len() + 8);
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The first `**` as so many directories, from none on; other ones as one directory each.
fn depths(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let Some(at) = parts.iter().position(|part| *part == "**") else {
        return vec![pattern.to_owned()];
    };
    let (before, after) = parts.split_at(at);
    let after: Vec<&str> = (after.iter().skip(1))
        .map(|part| if *part == "**" { "*" } else { *part })
        .collect();
    (0..=DEPTH)
        .map(|depth| {
            let middle = std::iter::repeat_n("*", depth);
            let all = before.iter().copied().chain(middle);
            all.chain(after.iter().copied())
                .collect::<Vec<_>>()
                .join("/")
        })
        .collect()
}

/// `{a,b}/c` is `a/c` and `b/c`.
fn braces(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut next = vec![pattern.to_owned()];
    while let Some(pattern) = next.pop() {
        let inner = pattern.find('}').and_then(|end| {
            let start = pattern[..end].rfind('{')?;
            pattern[start..end].contains(',').then_some((start, end))
        });
        match inner {
            Some((start, end)) if done.len() + next.len() < MOST && pattern.len() < 4096 => {
                let choices = pattern[start + 1..end].split(',').rev();
                let (head, tail) = (&pattern[..start], &pattern[end + 1..]);
                next.extend(choices.map(|choice| format!("{head}{choice}{tail}")));
            }
            _ if done.contains(&pattern) => {}
            _ => done.push(pattern),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_several() {
        assert_eq!(braces("a/{b,c}/d"), ["a/b/d", "a/c/d"]);
        assert_eq!(braces("{a,b{c,d}}"), ["a", "bc", "bd"]);
        assert_eq!(braces("{a}"), ["{a}"]);
        assert_eq!(braces("}{"), ["}{"]);
        assert!(braces(&"{a,b}".repeat(500)).len() <= 2 * MOST);
    }

    #[test]
    fn the_last_rule_decides() {
        let (globs, outside) = Globs::of("web", ["./apps/*/", "libs/**", "!**/test", "../x", "/y"]);
        assert_eq!(
            globs.patterns(),
            [
                "web/apps/*",
                "web/libs",
                "web/libs/*",
                "web/libs/*/*",
                "web/libs/*/*/*",
                "x"
            ]
        );
        assert_eq!(outside, ["/y"]);
        for (path, picked) in [
            ("web/apps/a", true),
            ("web/apps/test", false),
            ("web/libs", true),
            ("web/libs/a/b", true),
            ("web/libs/a/node_modules/b", false),
            ("x", true),
            ("y", false),
        ] {
            assert_eq!(globs.picks(path), picked, "{path}");
        }
        let (_, outside) = Globs::of("", ["../x"]);
        assert_eq!(outside, ["../x"]);
    }

    #[test]
    fn a_path_may_look_like_a_pattern() {
        assert_eq!(literally("a/[b]"), "a/\\[b]");
        assert!(matches(&literally("a*"), "a*"));
        assert!(!matches(&literally("a*"), "ab"));
    }
}
