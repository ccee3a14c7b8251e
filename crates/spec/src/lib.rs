//! The build spec: YAML text to a checked [`Spec`](model::Spec).
//!
//! Text becomes a tree of places and values, with limits on depth and size; the tree becomes the
//! model, and every mistake on the way is kept. Names of stages, args, caches and users are looked
//! up later.
//!
//! Knows nothing of BuildKit, caches or files.

mod comments;
mod decode;
pub mod language;
pub mod model;
pub mod reference;
mod report;
mod schema;
pub mod secrets;
mod suggest;
pub mod template;
mod tree;
mod yaml;
mod yaml_error;

use larder_diagnostic::{Diagnostic, SourceFile, Span};

use crate::decode::Decoder;
use crate::report::Report;
use crate::tree::span;

pub use report::MAX_DIAGNOSTICS;
pub use schema::{SCHEMA_PATH, schema};
pub use tree::{MAX_DEPTH, MAX_NODES};
pub use yaml::to_json;

/// The size of the largest spec that is read, in bytes.
pub const MAX_BYTES: usize = SourceFile::MAX_BYTES;

/// What a file says, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What could be read, even if there are mistakes, so that later checks can find more.
    pub spec: Option<model::Spec>,
    /// In the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a spec. Never fails: what is wrong is in the diagnostics.
pub fn parse(file: &SourceFile) -> Parsed {
    let mut report = Report::default();
    let spec = read(&file.text, &mut report);
    Parsed {
        spec,
        diagnostics: report.finish(),
    }
}

fn read(text: &str, report: &mut Report) -> Option<model::Spec> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the spec has {} bytes, and at most {MAX_BYTES} are read",
            text.len()
        );
        report.push(Diagnostic::error(None, message).hint("is this the right file?"));
        return None;
    }
    if let Some(nul) = text.find('\0') {
        report.push(
            Diagnostic::error(span(nul, nul + 1), "a NUL byte, so this is not a text file")
                .hint("is this the right file?"),
        );
        return None;
    }
    if let Some(place) = dockerfile(text) {
        report.push(Diagnostic::error(place, "a Dockerfile, not a spec").hint(decode::BEGINNING));
        return None;
    }
    let Some(root) = tree::read(text, report).filter(|root| !root.is_null()) else {
        decode::conceal_words(text, report);
        if report.is_empty() {
            report.push(Diagnostic::error(span(0, 0), "the spec is empty").hint(decode::BEGINNING));
        }
        return None;
    };
    let mut decoder = Decoder {
        source: text,
        report,
    };
    decode::spec(&mut decoder, &root)
}

/// The first instruction of what is a Dockerfile.
fn dockerfile(text: &str) -> Option<Span> {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let (word, rest) = line.split_once(' ')?;
    let instruction = word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("arg");
    let start = line.as_ptr().addr() - text.as_ptr().addr();
    (instruction && !rest.trim_start().starts_with(':')).then(|| span(start, start + line.len()))
}
