//! What can be asked.

use std::fmt::Write as _;

use larder_gateway::RawResult;
use serde_json::{Value, json};

use super::Question;
use super::table::table;

/// What can be asked of a spec.
pub(crate) fn answer() -> RawResult {
    let list: Vec<Value> = Question::ALL.into_iter().map(entry).collect();
    let mut rows = vec![["NAME", "VERSION", "DESCRIPTION"]];
    rows.extend(Question::ALL.map(|one| [short(one), one.version(), one.about()]));
    let json = serde_json::to_vec_pretty(&list).unwrap_or_default();
    Question::Describe.answer(json, table(1, &rows))
}

/// The list of another frontend, with the plan in it. One that is not understood stays as it is.
pub(crate) fn joined(mut result: RawResult) -> RawResult {
    let list = result.metadata("result.json");
    let list = list.and_then(|json| serde_json::from_slice::<Vec<Value>>(json).ok());
    if let Some(mut list) = list {
        list.push(entry(Question::Plan));
        let json = serde_json::to_vec_pretty(&list).unwrap_or_default();
        result.set_metadata("result.json", json);
        let text = result.metadata("result.txt").unwrap_or_default();
        let text = with_row(&String::from_utf8_lossy(text));
        result.set_metadata("result.txt", text.into_bytes());
    }
    result
}

fn entry(question: Question) -> Value {
    let named = |name: &&str| json!({ "name": name, "description": "" });
    let target = json!({ "name": "target", "description": "The stage, if it is not the result" });
    let opts = match question {
        Question::Outline | Question::Lint | Question::Plan => vec![target],
        Question::Targets | Question::LayerCache | Question::Schema | Question::Describe => {
            Vec::new()
        }
    };
    let metadata = match question {
        Question::Lint => &["result.json", "result.txt", "result.statuscode"][..],
        _ => &["result.json", "result.txt"],
    };
    json!({
        "name": question.request(),
        "version": question.version(),
        "type": "rpc",
        "description": question.about(),
        "opts": opts,
        "inputs": [],
        "metadata": metadata.iter().map(named).collect::<Vec<Value>>(),
        "refs": [],
    })
}

/// What a client calls it.
fn short(question: Question) -> &'static str {
    question.request().trim_start_matches("frontend.")
}

/// A table with one row more, in columns as wide as they are.
fn with_row(table: &str) -> String {
    let head = table.lines().next().unwrap_or_default();
    let name = head.find("VERSION").unwrap_or(0);
    let version = head.find("DESCRIPTION").unwrap_or(0).saturating_sub(name);
    let mut out = table.to_owned();
    let (name, version) = (name.saturating_sub(1), version.saturating_sub(1));
    let plan = Question::Plan;
    let _ = writeln!(
        out,
        "{:name$} {:version$} {}",
        short(plan),
        plan.version(),
        plan.about()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_columns_of_its_table() {
        let table = "\
NAME                 VERSION DESCRIPTION
outline              1.0.0   List all parameters
subrequests.describe 1.0.0   List available subrequest types
";
        let row = "plan                 1.0.0   Show the caches of every command, and why\n";
        assert_eq!(with_row(table), format!("{table}{row}"));
    }

    #[test]
    fn a_list_that_is_not_understood_stays() {
        let strange = RawResult::answer([("result.json", b"{}".to_vec())]);
        assert_eq!(joined(strange.clone()), strange);
    }
}
