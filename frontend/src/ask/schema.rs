//! The JSON schema of specs.

use larder_gateway::RawResult;

use super::Question;

/// The schema, which is the text as well.
pub(crate) fn answer() -> RawResult {
    let json = serde_json::to_string_pretty(&larder_spec::schema()).unwrap_or_default();
    let text = format!("{json}\n");
    Question::Schema.answer(json.into_bytes(), text)
}
