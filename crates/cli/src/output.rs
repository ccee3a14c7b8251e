//! The result to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, ensure};
use buildkit_llb::inspect;
use larder_diagnostic::{Diagnostic, SourceFile, render, summary};
use larder_plan::Lowered;

/// What `compile` writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The definition's bytes.
    Llb,
    /// Its operations and the image config.
    Json,
    /// Its graph.
    Dot,
}

impl Format {
    /// LLB is no text.
    pub(crate) fn refuse_terminal(self) -> Result<()> {
        match self {
            Format::Llb => refuse_terminal("look at it with --format json"),
            Format::Json | Format::Dot => Ok(()),
        }
    }

    /// The bytes of a result.
    pub(crate) fn write(self, lowered: &Lowered) -> Result<Vec<u8>> {
        let definition = &lowered.definition;
        Ok(match self {
            Format::Llb => definition.to_bytes(),
            Format::Json => inspect::json(definition)?.into_bytes(),
            Format::Dot => inspect::dot(definition)?.into_bytes(),
        })
    }
}

/// LLB is no text. Says what else to do.
pub(crate) fn refuse_terminal(instead: &str) -> Result<()> {
    ensure!(
        !io::stdout().is_terminal(),
        "LLB is not written to a terminal; pipe it to `buildctl build --local context=PATH`, send it \
         to a file with `>`, or {instead}"
    );
    Ok(())
}

/// Writes a result. Nobody reading on is no mistake.
pub(crate) fn result(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the result")
        }
        _ => Ok(()),
    }
}

/// Tells the user something; where nobody listens, nothing is lost.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// What was taken for granted.
pub(crate) fn notes(assumptions: &[String]) {
    if assumptions.is_empty() {
        return;
    }
    let mut text = String::from("note: without a daemon, this is assumed:\n");
    for assumption in assumptions {
        text.push_str("  ");
        text.push_str(assumption);
        text.push('\n');
    }
    say(&text);
}

/// Every diagnostic with its excerpt, and how many there are.
pub(crate) fn diagnostics(diagnostics: &[Diagnostic], file: &SourceFile) {
    if !diagnostics.is_empty() {
        say(&format!(
            "{}\n{}: {}\n",
            render(diagnostics, file),
            file.name,
            summary(diagnostics)
        ));
    }
}
