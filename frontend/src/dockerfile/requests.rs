//! What is asked in place of a build.

use larder_gateway::{Bridge, Failure, FrontendRequest, RawResult};
use larder_inject::definition::show;
use serde_json::json;

use super::{Added, Build, lint};
use crate::ask::{Question, finding};

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
        Ok(Question::Plan.answer(json.into_bytes(), text))
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
            let config = self.request.options.get(lint::CONFIG).map(String::as_str);
            let text = self.found.map(|found| found.data.as_slice());
            let findings = lint::findings(&injected, config, text.unwrap_or_default());
            let excerpts = findings.iter().map(|finding| {
                let (file, lines) = finding.location.clone()?;
                self.excerpt(&file, lines)
            });
            finding::add(&mut linted, findings.iter().zip(excerpts));
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
