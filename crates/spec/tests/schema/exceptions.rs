//! What the decoder finds and a schema of this kind cannot know.

use std::collections::BTreeSet;

use larder_diagnostic::Diagnostic;

/// A part of the message, and why the schema does not object.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "cannot name an image or a stage",
        "white space may be part of `${…}`",
    ),
    ("takes an absolute path", "it may begin with `${…}`"),
    ("is not a user", "it may be made of `${…}`"),
    ("is not a platform", "it may be made of `${…}`"),
    ("is not a commit", "what it must be depends on `src`"),
    (
        "cannot be a branch, tag or commit",
        "it may be made of `${…}`",
    ),
    ("is not a port", "a pattern does not count"),
    (
        "an instruction of more than one line",
        "a pattern for it would tell nobody what is wrong",
    ),
    (
        "is not an instruction of a Dockerfile",
        "their list is not the spec's language",
    ),
    (
        "takes octal permissions",
        "a pattern does not see a number's digits",
    ),
    (
        "several things are copied to one name",
        "`src` and `dest` are wrong together",
    ),
    (
        "`${` without a `}`",
        "a pattern for templates would tell nobody what is wrong",
    ),
    ("an arg is written with braces", "so would one for dollars"),
    ("names no place", "one of several keys is needed"),
    (
        "a layer cache in a registry without `ref`",
        "it may stand beside `import` and `export`",
    ),
    ("an element of `run` is empty", FIRST),
    ("an element of `test` is empty", FIRST),
    ("an element of `cmd` is empty", FIRST),
    ("an element of `entrypoint` is empty", FIRST),
];

const FIRST: &str = "the first word must not be, others may";

/// Those that were needed.
#[derive(Default)]
pub(crate) struct Met(BTreeSet<&'static str>);

impl Met {
    /// Whether a mistake is one of the exceptions.
    pub(crate) fn covers(&mut self, mistake: &Diagnostic) -> bool {
        let of = |(part, _): &&(&'static str, &str)| mistake.message.contains(*part);
        let found = EXCEPTIONS.iter().find(of);
        self.0.extend(found.map(|(part, _)| *part));
        found.is_some()
    }

    /// Fails if one of the exceptions is of no use.
    pub(crate) fn all_met(&self) {
        let unmet: Vec<_> = EXCEPTIONS
            .iter()
            .filter(|(part, _)| !self.0.contains(part))
            .collect();
        assert!(
            unmet.is_empty(),
            "nothing was wrong in these ways: {unmet:?}"
        );
    }
}
