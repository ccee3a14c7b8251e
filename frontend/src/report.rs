//! Diagnostics in the form that a client prints.

use std::fmt::Write as _;
use std::slice::from_ref;

use larder_diagnostic::{Diagnostic, SourceFile, masked, share_hidden, summary};
use larder_gateway::{Bridge, Excerpt, Failure, Options, Warning};
use larder_plan::lints::{CHECK, UNNAMED, Wanted, rule};

use crate::origin::Origin;

/// What specs are written in, as clients are told.
pub(crate) const LANGUAGE: &str = "YAML";

/// Everything that was found in a file so far.
pub(crate) struct Report<'a> {
    origin: &'a Origin,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(origin: &'a Origin) -> Report<'a> {
        Report {
            origin,
            diagnostics: Vec::new(),
        }
    }

    /// The file that it is about.
    pub(crate) fn file(&self) -> &SourceFile {
        &self.origin.file
    }

    /// Adds what is not known yet: two platforms may find the same.
    pub(crate) fn add(&mut self, found: Vec<Diagnostic>) {
        for diagnostic in found {
            if !self.diagnostics.contains(&diagnostic) {
                self.diagnostics.push(diagnostic);
            }
        }
        share_hidden(&mut self.diagnostics, &[]);
    }

    /// Leaves out the warnings that are not wanted, as the client says, or else the head of the file.
    pub(crate) fn settle(&mut self, options: &Options) {
        match self.wanted(options) {
            Ok(wanted) => wanted.apply(&mut self.diagnostics),
            Err(mistake) => self.diagnostics.push(mistake),
        }
    }

    /// All errors at once, in the order of the file.
    pub(crate) fn fail_on_errors(&self) -> Result<(), Failure> {
        let errors = self.errors();
        if errors.is_empty() {
            return Ok(());
        }
        Err(failure(&self.origin.file, &errors))
    }

    /// Shows the warnings.
    pub(crate) async fn send_warnings(&self, bridge: &impl Bridge) -> Result<(), Failure> {
        self.send(bridge, self.warnings()).await
    }

    /// Shows warnings of what the spec is not to blame for, and which are never mistakes; those that
    /// nobody wants are left out.
    pub(crate) async fn send_late(
        &self,
        bridge: &impl Bridge,
        options: &Options,
        mut found: Vec<Diagnostic>,
    ) -> Result<(), Failure> {
        let wanted = self.wanted(options).unwrap_or_default();
        found.retain(|warning| !wanted.skips(&rule(warning.lint.unwrap_or(UNNAMED))));
        self.send(bridge, found).await
    }

    fn wanted(&self, options: &Options) -> Result<Wanted, Diagnostic> {
        let said = options.build_args.get(CHECK).map(String::as_str);
        Wanted::of(said, &self.origin.file)
    }

    /// One that the daemon does not take is no reason to stop.
    async fn send(&self, bridge: &impl Bridge, found: Vec<Diagnostic>) -> Result<(), Failure> {
        for diagnostic in found {
            let warning = Warning {
                vertex: self.origin.vertex.clone(),
                excerpt: excerpt(&self.origin.file, &diagnostic),
                detail: diagnostic.hint.into_iter().collect(),
                short: match diagnostic.lint {
                    Some(lint) => format!("{lint}: {}", diagnostic.message),
                    None => diagnostic.message,
                },
            };
            match bridge.warn(warning).await {
                Err(failure) if failure.is_disconnected() => return Err(failure),
                _ => {}
            }
        }
        Ok(())
    }

    /// The warnings, in the order of the file.
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        self.sorted(false)
    }

    /// The mistakes, in the order of the file.
    pub(crate) fn errors(&self) -> Vec<Diagnostic> {
        self.sorted(true)
    }

    fn sorted(&self, errors: bool) -> Vec<Diagnostic> {
        let of_kind = |diagnostic: &&Diagnostic| diagnostic.is_error() == errors;
        let mut found: Vec<Diagnostic> = self.diagnostics.iter().filter(of_kind).cloned().collect();
        found.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        found
    }
}

/// An error that shows every diagnostic, and the lines of each.
pub(crate) fn failure(file: &SourceFile, diagnostics: &[Diagnostic]) -> Failure {
    let mut message = String::new();
    if diagnostics.len() > 1 {
        let _ = write!(message, "{} in {}", summary(diagnostics), file.name);
    }
    for diagnostic in diagnostics {
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(&file.name);
        if let Some(span) = diagnostic.span {
            let (line, column) = file.position(span.start);
            let _ = write!(message, ":{line}:{column}");
        }
        let _ = write!(message, ": {}", diagnostic.message);
        for (span, text) in &diagnostic.labels {
            let (line, column) = file.position(span.start);
            let _ = write!(message, "\n  {}:{line}:{column}: {text}", file.name);
        }
        if let Some(hint) = &diagnostic.hint {
            let _ = write!(message, "\n  help: {hint}");
        }
    }
    Failure::Mistakes {
        message,
        excerpts: diagnostics
            .iter()
            .filter_map(|diagnostic| excerpt(file, diagnostic))
            .collect(),
    }
}

/// The lines of one.
pub(crate) fn excerpt(file: &SourceFile, diagnostic: &Diagnostic) -> Option<Excerpt> {
    Some(Excerpt {
        file: file.name.clone(),
        data: masked(from_ref(diagnostic), file).text.clone().into_bytes(),
        language: LANGUAGE.to_owned(),
        lines: vec![file.lines(diagnostic.span?)],
    })
}

#[cfg(test)]
mod tests {
    use larder_diagnostic::Span;

    use super::*;

    #[test]
    fn one_error_and_several() {
        let file = SourceFile::new("larder.yaml", "form: x\nsteps: []\n");
        let unknown = Diagnostic::error(Span::new(0, 4), "unknown key `form`").hint("write `from`");
        let twice = Diagnostic::error(None, "no target `web`")
            .label(Span::new(8, 13), "the stages are here");
        let Failure::Mistakes { message, excerpts } = failure(&file, from_ref(&unknown)) else {
            panic!("no mistakes");
        };
        assert_eq!(
            message,
            "larder.yaml:1:1: unknown key `form`\n  help: write `from`"
        );
        assert_eq!(excerpts[0].lines, [1..=1]);
        let Failure::Mistakes { message, excerpts } = failure(&file, &[unknown, twice]) else {
            panic!("no mistakes");
        };
        assert_eq!(
            message,
            "2 errors in larder.yaml\n\
             larder.yaml:1:1: unknown key `form`\n  help: write `from`\n\
             larder.yaml: no target `web`\n  larder.yaml:2:1: the stages are here"
        );
        assert_eq!(excerpts.len(), 1);
    }

    #[test]
    fn credentials_are_in_no_excerpt() {
        for written in [
            "{ref: 'me:hunter2@registry:5000/x', mod: max}",
            "{ref: ['me:hunter2@registry:5000/x'], mod: max}",
            "['ghp_hunter2@r.example/x/y:z']",
            "{ref: ['ghp_hunter2@r:5000/x'",
        ] {
            let text = format!("from: debian\nregistry-cache: {written}\nno: 1\n");
            let file = SourceFile::new("larder.yaml", text.as_str());
            let found = larder_spec::parse(&file).diagnostics;
            let count = found.iter().filter(|one| one.span.is_some()).count();
            assert!(count > 0, "{text}");
            let Failure::Mistakes { message, excerpts } = failure(&file, &found) else {
                panic!("no mistakes");
            };
            assert!(!message.contains("hunter2"), "{message}");
            assert_eq!(excerpts.len(), count);
            for excerpt in excerpts {
                let data = String::from_utf8(excerpt.data).expect("it is text");
                assert!(data.starts_with("from: debian\nregistry-cache: "));
                assert!(!data.contains("hunter2"), "{data}");
                assert_eq!(data.len(), text.len());
            }
        }
    }
}
