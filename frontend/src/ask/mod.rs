//! What is asked in place of a build: `docker buildx build --call=NAME` sends the request
//! `frontend.NAME`, and `--check` is `--call=lint`. The answer is in the metadata of a result without
//! any filesystem.

pub(crate) mod describe;
pub(crate) mod finding;
pub(crate) mod layercache;
pub(crate) mod lint;
pub(crate) mod outline;
mod place;
pub(crate) mod plan;
pub(crate) mod schema;
mod table;
pub(crate) mod targets;

use larder_gateway::RawResult;

/// A question that a client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The parameters of a target.
    Outline,
    /// What can be built.
    Targets,
    /// Warnings and mistakes.
    Lint,
    /// What each step gets, and why.
    Plan,
    /// Where layers come from and go to, and what of it answers.
    LayerCache,
    /// The JSON schema of specs.
    Schema,
    /// What can be asked.
    Describe,
}

impl Question {
    /// Every one, in the order in which they are listed.
    pub(crate) const ALL: [Question; 7] = [
        Question::Outline,
        Question::Targets,
        Question::Lint,
        Question::Plan,
        Question::LayerCache,
        Question::Schema,
        Question::Describe,
    ];

    /// The question that a request is.
    pub(crate) fn of(request: &str) -> Option<Question> {
        let mut all = Question::ALL.into_iter();
        all.find(|question| question.request() == request)
    }

    /// The request's name.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Question::Outline => "frontend.outline",
            Question::Targets => "frontend.targets",
            Question::Lint => "frontend.lint",
            Question::Plan => "frontend.plan",
            Question::LayerCache => "frontend.layercache",
            Question::Schema => "frontend.schema",
            Question::Describe => "frontend.subrequests.describe",
        }
    }

    /// The version of the answer's structure.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Question::Outline
            | Question::Targets
            | Question::Lint
            | Question::Plan
            | Question::LayerCache
            | Question::Schema
            | Question::Describe => "1.0.0",
        }
    }

    /// What is answered.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Question::Outline => "List what a build of the target takes from the client",
            Question::Targets => "List what can be built",
            Question::Lint => "List all warnings and mistakes",
            Question::Plan => "Show the caches of every command, and why",
            Question::LayerCache => {
                "List where layers are kept for other machines, and what answers"
            }
            Question::Schema => "Print the JSON schema of build specs",
            Question::Describe => "List what can be asked",
        }
    }

    /// An answer, as JSON and as text.
    pub(crate) fn answer(self, json: Vec<u8>, text: String) -> RawResult {
        RawResult::answer([
            // What buildctl writes into its metadata file.
            (self.request(), json.clone()),
            ("result.json", json),
            ("result.txt", text.into_bytes()),
            ("version", self.version().as_bytes().to_vec()),
        ])
    }
}
