//! What is asked in place of a build.

use std::fmt::Write as _;

use larder_gateway::{Bridge, Failure, FrontendRequest, RawResult};
use larder_inject::definition::show;
use serde_json::{Value, json};

use super::{Added, Build, lint};
use crate::{PLAN, PLAN_VERSION};

/// The request for the list of requests.
pub(super) const DESCRIBE: &str = "frontend.subrequests.describe";
const ABOUT_PLAN: &str = "Show the caches of every command, and why";

impl<B: Bridge> Build<'_, B> {
    /// Each command with its caches, and why it has them.
    pub(super) async fn plan(&self) -> Result<RawResult, Failure> {
        let result = self.ask(&self.build_quietly()).await?;
        let (text, json) = match self.add_caches(&result).await? {
            Added::Injected(_, injected) => (show::text(&injected), show::json(&injected)),
            Added::Impossible(why) => without(&why),
            Added::Nothing if self.wish.is_none() => without("`LARDER_CACHES` is `off`"),
            Added::Nothing => without("the result is empty"),
        };
        Ok(RawResult::answer([
            ("result.txt", text.into_bytes()),
            ("result.json", json.into_bytes()),
            ("version", PLAN_VERSION.as_bytes().to_vec()),
        ]))
    }

    /// The other frontend's warnings, and what defeats caches. A file that does not build has the
    /// former only.
    pub(super) async fn lint(&self) -> Result<RawResult, Failure> {
        let mut linted = self.ask(&self.request).await?;
        let built = match self.ask(&self.build_quietly()).await {
            Err(failure) if failure.is_disconnected() => return Err(failure),
            Err(_) => return Ok(linted),
            Ok(built) => built,
        };
        if let Added::Injected(_, injected) = self.add_caches(&built).await? {
            let mut findings = lint::findings(&injected);
            let config = self.request.options.get(lint::CONFIG).map(String::as_str);
            let text = self.found.map(|found| found.data.as_slice());
            let skipped = lint::Skipped::read(config, text.unwrap_or_default());
            findings.retain(|finding| !skipped.contains(&finding.rule));
            let excerpts = findings.iter().map(|finding| {
                let (file, lines) = finding.location.clone()?;
                self.excerpt(&file, lines)
            });
            lint::add(&mut linted, findings.iter().zip(excerpts));
        }
        Ok(linted)
    }

    /// The request for the image, for its operations: warnings have been shown, or will be.
    fn build_quietly(&self) -> FrontendRequest {
        let mut request = self.request.clone();
        request.options.remove("requestid");
        let config = (lint::CONFIG.to_owned(), "skip=all".to_owned());
        request.options.extend([config]);
        request
    }
}

fn without(why: &str) -> (String, String) {
    let json = json!({ "execs": [], "without": why });
    (format!("no caches: {why}\n"), format!("{json:#}"))
}

/// The other frontend's list, with ours in it. A list that is not understood stays as it is.
pub(super) fn described(mut result: RawResult) -> RawResult {
    let list = result.metadata("result.json");
    let list = list.and_then(|json| serde_json::from_slice::<Vec<Value>>(json).ok());
    if let Some(mut list) = list {
        list.push(json!({
            "name": PLAN,
            "version": PLAN_VERSION,
            "type": "rpc",
            "description": ABOUT_PLAN,
            "opts": [],
            "inputs": [],
            "metadata": [
                { "name": "result.json", "description": "" },
                { "name": "result.txt", "description": "" },
            ],
            "refs": [],
        }));
        let json = serde_json::to_vec_pretty(&list).unwrap_or_default();
        result.set_metadata("result.json", json);
        let text = result.metadata("result.txt").unwrap_or_default();
        let text = with_row(&String::from_utf8_lossy(text));
        result.set_metadata("result.txt", text.into_bytes());
    }
    result
}

/// A table with one row more, in columns as wide as they are.
fn with_row(table: &str) -> String {
    let head = table.lines().next().unwrap_or_default();
    let name = head.find("VERSION").unwrap_or(0);
    let version = head.find("DESCRIPTION").unwrap_or(0).saturating_sub(name);
    let mut out = table.to_owned();
    let (name, version) = (name.saturating_sub(1), version.saturating_sub(1));
    let _ = writeln!(
        out,
        "{:name$} {PLAN_VERSION:version$} {ABOUT_PLAN}",
        PLAN.trim_start_matches("frontend.")
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
        assert_eq!(described(strange.clone()), strange);
    }
}
