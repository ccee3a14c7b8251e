//! What each step gets, and why.

use larder_diagnostic::SourceFile;
use larder_gateway::RawResult;
use larder_plan::{Plan, json, show};

use super::Question;

/// What `larder plan` would print, for each platform.
pub(crate) fn answer(plans: &[&Plan], file: &SourceFile) -> RawResult {
    let texts: Vec<String> = plans.iter().map(|plan| show(plan, false)).collect();
    let json = json(plans.iter().copied(), file);
    Question::Plan.answer(json.into_bytes(), texts.join("\n"))
}
