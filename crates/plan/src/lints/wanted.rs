//! Which warnings a file or a client wants: `# check=skip=Rule,Rule;error=true`, as a Dockerfile has it.

use std::collections::BTreeSet;

use larder_diagnostic::{Diagnostic, SourceFile, Span, quote};

use super::{CHECK, UNNAMED, rule};

/// Which warnings are wanted, and what comes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    skip_all: bool,
    skipped: BTreeSet<String>,
    /// Whether a build with warnings fails.
    pub error: bool,
}

impl Wanted {
    /// What a client says, or else the comment in the head of a file. The error is about the latter.
    pub fn of(option: Option<&str>, file: &SourceFile) -> Result<Wanted, Diagnostic> {
        let (place, said, span) = match (option, directive(&file.text)) {
            (Some(said), _) => (format!("the build arg `{CHECK}`"), said.to_owned(), None),
            (None, Some((said, span))) => ("`# check=`".to_owned(), said, Some(span)),
            (None, None) => return Ok(Wanted::default()),
        };
        Wanted::parse(&said).map_err(|part| {
            let message = format!("{} means nothing in {place}", quote(&part));
            Diagnostic::error(span, message)
                .hint("write `skip=` and names of rules, or `all`, and `error=true` after a `;`")
        })
    }

    /// The error is the part that means nothing.

    fn parse(said: &str) -> Result<Wanted, String> {
        let mut wanted = Wanted::default();
        for part in said.split(';').map(str::trim) {
            if part.is_empty() {
                continue;
            }
            let unknown = || part.to_owned();
            let (key, value) = part.split_once('=').ok_or_else(unknown)?;
            match (key.trim(), value.trim()) {
                ("skip", "all") => wanted.skip_all = true,
                ("skip", rules) => wanted
                    .skipped
                    .extend(rules.split(',').map(|rule| rule.trim().to_owned())),
                // None of ours is an experiment.
                ("experimental", _) => {}
                ("error", "1" | "t" | "T" | "true" | "TRUE" | "True") => wanted.error = true,
                ("error", "0" | "f" | "F" | "false" | "FALSE" | "False") => wanted.error = false,
                _ => return Err(unknown()),
            }
        }
        Ok(wanted)
    }

    /// Whether a rule's warnings are left out.
    pub fn skips(&self, rule: &str) -> bool {
        self.skip_all || self.skipped.contains(rule)
    }

    /// Leaves out the warnings of rules that are not wanted, and adds a mistake if there are others and a
    /// build with warnings fails.
    pub fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        let rule_of = |warning: &Diagnostic| rule(warning.lint.unwrap_or(UNNAMED));
        diagnostics.retain(|found| found.is_error() || !self.skips(&rule_of(found)));
        let warnings = diagnostics.iter().filter(|found| !found.is_error());
        let rules: BTreeSet<String> = warnings.map(rule_of).collect();
        if self.error && !rules.is_empty() {
            let rules: Vec<String> = rules.into_iter().collect();
            let message = format!(
                "no warnings are allowed here, and there are {}",
                rules.join(", ")
            );
            let hint = "mend what they say, or take `error=true` out of `# check=`";
            diagnostics.push(Diagnostic::error(None, message).hint(hint));
        }
    }
}

/// The value of `# check=` in the comments at the start of a file, up to a reason after a blank.
fn directive(text: &str) -> Option<(String, Span)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start_matches('\u{feff}').strip_prefix('#')?;
        let value = match comment.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("check") => value,
            _ => {
                start += line.len();
                continue;
            }
        };
        let mut said = String::new();
        for word in value.split_whitespace() {
            said.push_str(word);
            if !word.ends_with([',', ';']) {
                break;
            }
        }
        let end = start + line.trim_end().len();
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        return Some((said, Span::new(offset(start), offset(end))));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Wanted {
        Wanted::of(None, &SourceFile::new("larder.yaml", text)).unwrap()
    }

    #[test]
    fn the_head_of_a_file_says_what_is_skipped() {
        let wanted =
            of("# syntax=x\n# Check = error=true;skip=A, LarderUnknownLint why not\nfrom: x\n");
        assert!(wanted.error);
        assert!(wanted.skips("A") && wanted.skips("LarderUnknownLint"));
        assert!(!wanted.skips("LarderCacheDefeated") && !wanted.skips("why"));
        assert!(of("\u{feff}# check=skip=all\n").skips("B"));
        assert_eq!(
            of("# check=skip=A because;skip=all\n"),
            of("# check=skip=A\n")
        );
        for text in [
            "from: x\n# check=skip=all\n",
            "\n# check=skip=all\n",
            "# a\n#b=c",
        ] {
            assert_eq!(of(text), Wanted::default(), "{text}");
        }
    }

    #[test]
    fn the_client_has_the_last_word() {
        let file = SourceFile::new("larder.yaml", "# check=skip=all;error=true\n");
        assert_eq!(Wanted::of(Some(""), &file), Ok(Wanted::default()));
        let wanted = Wanted::of(Some(" skip=A,B ; error=0;experimental=all"), &file).unwrap();
        assert!(wanted.skips("B") && !wanted.skips("C") && !wanted.error);
    }

    #[test]
    fn what_makes_no_sense_is_a_mistake() {
        for wrong in ["skip", "skp=A", "error=maybe", "skip=A;x"] {
            let file = SourceFile::new("larder.yaml", format!("# a\n# check={wrong}\n"));
            let mistake = Wanted::of(None, &file).unwrap_err();
            assert_eq!(file.lines(mistake.span.unwrap()), 2..=2);
            assert!(mistake.message.ends_with(" means nothing in `# check=`"));
            let given = Wanted::of(Some(wrong), &SourceFile::new("larder.yaml", ""));
            assert_eq!(given.unwrap_err().span, None);
        }
    }

    #[test]
    fn mistakes_stay() {
        let mut found = vec![
            Diagnostic::error(None, "wrong"),
            Diagnostic::warning(None, "odd").lint("cache-defeated"),
            Diagnostic::warning(None, "odd").lint("cache-emptied"),
        ];
        of("# check=skip=LarderCacheDefeated").apply(&mut found);
        assert_eq!(found.len(), 2);
        of("# check=skip=all;error=true").apply(&mut found);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn warnings_can_be_mistakes() {
        let mut found = vec![
            Diagnostic::warning(None, "odd").lint("cache-emptied"),
            Diagnostic::warning(None, "odd").lint("cache-defeated"),
        ];
        of("# check=skip=LarderCacheEmptied;error=true").apply(&mut found);
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[1].message,
            "no warnings are allowed here, and there are LarderCacheDefeated"
        );
        assert!(found[1].is_error());
    }
}
