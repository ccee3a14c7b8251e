//! Warnings and mistakes.

use larder_diagnostic::{Diagnostic, SourceFile, masked, summary};
use larder_gateway::{Excerpt, Failure, RawResult};
use larder_plan::lints::{UNNAMED, about, rule};
use serde_json::{Map, Value, json};

use super::Question;
use super::finding::{self, Finding};
use super::place::{info, location};
use crate::report::{self, Report};

/// What each of several mistakes is called. One alone is the answer's error.
const MISTAKE: &str = "mistake";

/// Everything that was found. `failure` is why more could not be looked for.
///
/// An answer has room for one error. Of several mistakes that one says how many there are, and each is
/// listed among the warnings, with its place.
pub(crate) fn answer(report: &Report<'_>, failure: Option<&Failure>) -> RawResult {
    let file = &*masked(&report.errors(), report.file());
    let (mut found, errors) = (report.warnings(), report.errors());
    if errors.len() > 1 {
        found.extend(errors.iter().cloned());
        found.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    }
    let findings: Vec<Finding> = found.iter().map(|one| finding(one, file)).collect();
    let excerpts = found.iter().map(|one| report::excerpt(file, one));
    let mut json = Map::new();
    json.insert("warnings".to_owned(), json!([]));
    json.insert("sources".to_owned(), json!([info(file)]));
    let error = build_error(file, &errors, failure);
    json.extend(
        error
            .iter()
            .map(|(json, _)| ("buildError".to_owned(), json.clone())),
    );
    let json = serde_json::to_vec_pretty(&json).unwrap_or_default();
    let mut result = Question::Lint.answer(json, String::new());
    finding::add(&mut result, findings.iter().zip(excerpts));
    let failed = !findings.is_empty() || error.is_some();
    if let Some((_, shown)) = error {
        let text = result.metadata("result.txt").unwrap_or_default();
        let text = format!("{}\n{shown}", String::from_utf8_lossy(text));
        result.set_metadata("result.txt", text.into_bytes());
    }
    result.set_metadata(
        "result.statuscode",
        u8::from(failed).to_string().into_bytes(),
    );
    result
}

fn finding(one: &Diagnostic, file: &SourceFile) -> Finding {
    let name = if one.is_error() {
        MISTAKE
    } else {
        one.lint.unwrap_or(UNNAMED)
    };
    let mut detail = one.message.clone();
    if let Some(hint) = &one.hint {
        detail = format!("{detail}: {hint}");
    }
    for (span, text) in &one.labels {
        let (line, column) = file.position(span.start);
        detail = format!("{detail}\n  {}:{line}:{column}: {text}", file.name);
    }
    Finding {
        rule: rule(name),
        about: about(name),
        detail,
        location: one.span.map(|span| (file.name.clone(), file.lines(span))),
    }
}

/// What keeps the file from being built, as JSON and as text.
fn build_error(
    file: &SourceFile,
    errors: &[Diagnostic],
    failure: Option<&Failure>,
) -> Option<(Value, String)> {
    let place = errors.iter().find(|error| error.span.is_some());
    let message = match (errors, failure) {
        ([], None) => return None,
        ([], Some(failure)) => failure.to_string(),
        ([_], _) => report::failure(file, errors).to_string(),
        _ => format!("{} in {}", summary(errors), file.name),
    };
    let at = place.and_then(|error| Some(location(file, error.span?)));
    let json = json!({ "message": message, "location": at.unwrap_or_else(|| json!({})) });
    let excerpt = place.and_then(|error| report::excerpt(file, error));
    let excerpt = excerpt.as_ref().map(Excerpt::print).unwrap_or_default();
    Some((json, format!("{message}\n{excerpt}")))
}
