//! Places in a spec, as answers have them.

use larder_diagnostic::{SourceFile, Span};
use larder_gateway::Excerpt;
use serde_json::{Value, json};

/// A place, as `BuildKit` writes it: lines, counted from 1.
pub(super) fn location(file: &SourceFile, span: Span) -> Value {
    let lines = file.lines(span);
    json!({ "ranges": [{ "start": { "line": lines.start() }, "end": { "line": lines.end() } }] })
}

/// A file, as answers carry it: `filename`, `data` in base64, `language`.
pub(super) fn info(file: &SourceFile) -> Value {
    let whole = Excerpt {
        file: file.name.clone(),
        data: file.text.clone().into_bytes(),
        language: crate::report::LANGUAGE.to_owned(),
        lines: Vec::new(),
    };
    let read = serde_json::from_slice::<Value>(&whole.to_json());
    let mut whole = read.unwrap_or_default();
    whole["info"].take()
}

/// The contents of the file alone, in base64.
pub(super) fn sources(file: &SourceFile) -> Value {
    json!([info(file)["data"]])
}
