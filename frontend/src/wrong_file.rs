//! Files that are no spec.

use larder_diagnostic::{Diagnostic, SourceFile, Span};
use larder_gateway::Failure;

use crate::report::failure;

/// What instructions of a Dockerfile start with.
const INSTRUCTIONS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// An error, if the first thing that the file says is an instruction of a Dockerfile.
pub(crate) fn refuse_dockerfile(file: &SourceFile) -> Result<(), Failure> {
    let Some(span) = instruction(&file.text) else {
        return Ok(());
    };
    let diagnostic = Diagnostic::error(
        span,
        "this is a Dockerfile; this frontend builds specs in YAML",
    )
    .hint(
        "write a spec (`from: python:3.12-slim` and so on), or remove the `# syntax=` line so \
             that BuildKit builds the Dockerfile itself",
    );
    Err(failure(file, &[diagnostic]))
}

/// Where the first line that is neither blank nor a comment is `FROM …` or the like.
fn instruction(text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start_matches('\u{feff}').trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            start += line.len();
            continue;
        }
        let mut words = trimmed.split_whitespace();
        let word = words.next()?.to_ascii_lowercase();
        let argument = words.next()?;
        if !INSTRUCTIONS.contains(&word.as_str()) || argument.starts_with(':') {
            return None;
        }
        let first = u32::try_from(start).ok()?;
        let last = u32::try_from(start + line.trim_end().len()).ok()?;
        return Some(Span::new(first, last));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles_are_told_from_specs() {
        let text = "# syntax=larder/frontend:1\n\nFROM python:3.12\nRUN x\n";
        let span = instruction(text).unwrap();
        assert_eq!(
            &text[span.start as usize..span.end as usize],
            "FROM python:3.12"
        );
        assert!(instruction("arg A=1\nfrom x").is_some());
        for spec in [
            "",
            "# only a comment",
            "from: python:3.12\n",
            "name: x\nFROM x\n",
            "run : x",
            "from",
            "---\nfrom: x",
        ] {
            assert_eq!(instruction(spec), None, "{spec}");
        }
    }
}
