//! Everything that can go wrong, in the form that the client prints.

use std::fmt;

use buildkit_proto::google::{protobuf::Any, rpc};
use prost::Message as _;
use serde_json::json;

use crate::Excerpt;

/// Why a build cannot go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Nobody is at the other end any more: the build was cancelled, or the daemon ended.
    Disconnected(String),
    /// The daemon refused, or a build inside it failed. Returned as it came.
    Daemon(Box<rpc::Status>),
    /// The author of the build can mend it.
    Mistakes {
        /// What is wrong, for people.
        message: String,
        /// Where, in the order in which they are to be shown.
        excerpts: Vec<Excerpt>,
    },
    /// The daemon is too old.
    Unsupported {
        /// What it lacks.
        cap: String,
        /// What it therefore cannot do.
        what: Option<String>,
        /// The first `BuildKit` release that has it.
        since: Option<String>,
        /// Why it was switched off, where it was.
        disabled: Option<String>,
    },
    /// An option of the client has a value that makes no sense.
    Option {
        /// Its name: `add-hosts`.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The client asked for something other than a build (`--call`).
    Subrequest {
        /// The request's name.
        name: String,
    },
    /// The client demands something that this frontend does not have.
    FrontendCap {
        /// Its name.
        name: String,
    },
}

/// The most excerpts that are sent of one failure.
const MOST_EXCERPTS: usize = 20;

const UNKNOWN: i32 = 2;
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const UNIMPLEMENTED: i32 = 12;
const UNAVAILABLE: i32 = 14;

impl Failure {
    /// A mistake that no line of a file is to blame for.
    pub fn mistake(message: impl Into<String>) -> Failure {
        Failure::Mistakes {
            message: message.into(),
            excerpts: Vec::new(),
        }
    }

    /// A malformed option.
    pub fn option(name: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure::Option {
            name: name.into(),
            message: message.into(),
        }
    }

    /// Whether a file, an image or a source does not exist.
    pub fn is_not_found(&self) -> bool {
        let Failure::Daemon(status) = self else {
            return false;
        };
        status.code == NOT_FOUND
            || status.message.ends_with("no such file or directory")
            || status.message.ends_with("not a directory")
            || status.message.ends_with(": not found")
    }

    /// Whether there is nobody to tell.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Failure::Disconnected(_))
    }

    /// What is returned to the daemon.
    pub fn to_status(&self) -> rpc::Status {
        let (code, details) = match self {
            Failure::Daemon(status) => return (**status).clone(),
            Failure::Disconnected(_) => (UNAVAILABLE, Vec::new()),
            Failure::Option { .. } => (INVALID_ARGUMENT, Vec::new()),
            Failure::Unsupported { .. } => (UNIMPLEMENTED, Vec::new()),
            // Each hop turns details into wrapped errors, the last outermost, and back: what the
            // client shows first has to come last.
            Failure::Mistakes { excerpts, .. } => (
                UNKNOWN,
                excerpts
                    .iter()
                    .take(MOST_EXCERPTS)
                    .rev()
                    .map(|excerpt| detail("Source", excerpt.trimmed().to_json()))
                    .collect(),
            ),
            Failure::Subrequest { name } => (UNIMPLEMENTED, vec![named("Subrequest", name)]),
            Failure::FrontendCap { name } => (UNIMPLEMENTED, vec![named("FrontendCap", name)]),
        };
        rpc::Status {
            code,
            message: self.to_string(),
            details,
        }
    }
}

fn detail(name: &str, value: Vec<u8>) -> Any {
    Any {
        type_url: format!("github.com/moby/buildkit/errdefs.{name}+json"),
        value,
    }
}

fn named(kind: &str, name: &str) -> Any {
    detail(kind, json!({ "name": name }).to_string().into_bytes())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Disconnected(why) => write!(f, "the daemon cannot be reached: {why}"),
            Failure::Daemon(status) => f.write_str(&status.message),
            Failure::Mistakes { message, .. } => f.write_str(message),
            Failure::Unsupported {
                cap,
                what,
                since,
                disabled,
            } => {
                match what {
                    Some(what) => write!(f, "the daemon cannot {what} (capability `{cap}`)")?,
                    None => write!(f, "the daemon lacks the capability `{cap}`")?,
                }
                match (disabled, since) {
                    (Some(why), _) if why.is_empty() => f.write_str(": it is switched off there"),
                    (Some(why), _) => write!(f, ": it is switched off there: {why}"),
                    (None, Some(since)) => write!(f, ": update it to BuildKit {since} or later"),
                    (None, None) => f.write_str(": update it to a later BuildKit"),
                }
            }
            Failure::Option { name, message } => write!(f, "option `{name}`: {message}"),
            Failure::Subrequest { name } => write!(
                f,
                "this frontend does not support the request `{name}` for this file"
            ),
            Failure::FrontendCap { name } => {
                write!(f, "this frontend does not support `{name}`")
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Failure {
        // A status that the daemon sent has no source; one that the connection made has.
        if let Some(source) = std::error::Error::source(&status) {
            let mut why = source.to_string();
            let mut cause = source.source();
            while let Some(inner) = cause {
                let inner_text = inner.to_string();
                if !why.contains(&inner_text) {
                    why.push_str(": ");
                    why.push_str(&inner_text);
                }
                cause = inner.source();
            }
            return Failure::Disconnected(why);
        }
        let sent = (!status.details().is_empty())
            .then(|| rpc::Status::decode(status.details()).ok())
            .flatten();
        Failure::Daemon(Box::new(sent.unwrap_or_else(|| rpc::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: Vec::new(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(line: u32) -> Excerpt {
        Excerpt {
            file: "larder.yaml".to_owned(),
            data: b"a\nb\nc\n".to_vec(),
            language: "YAML".to_owned(),
            lines: vec![line..=line],
        }
    }

    #[test]
    fn excerpts_go_in_reverse_since_clients_print_them_so() {
        let status = Failure::Mistakes {
            message: "2 errors".to_owned(),
            excerpts: vec![excerpt(1), excerpt(3)],
        }
        .to_status();
        assert_eq!((status.code, status.message.as_str()), (2, "2 errors"));
        let lines: Vec<_> = status
            .details
            .iter()
            .map(|detail| {
                assert_eq!(
                    detail.type_url,
                    "github.com/moby/buildkit/errdefs.Source+json"
                );
                let value: serde_json::Value = serde_json::from_slice(&detail.value).unwrap();
                value["ranges"][0]["start"]["line"].as_u64().unwrap()
            })
            .collect();
        assert_eq!(lines, [3, 1]);
    }

    #[test]
    fn a_thousand_mistakes_in_a_large_file_stay_small() {
        let data = "x: y\n".repeat(200_000).into_bytes();
        let excerpts = (1..=1_000)
            .map(|line| Excerpt {
                data: data.clone(),
                ..excerpt(line * 200)
            })
            .collect();
        let status = Failure::Mistakes {
            message: String::new(),
            excerpts,
        }
        .to_status();
        assert_eq!(status.details.len(), 20);
        assert!(status.encoded_len() < 200_000, "{}", status.encoded_len());
    }

    #[test]
    fn a_status_of_the_daemon_goes_back_as_it_came() {
        let sent = rpc::Status {
            code: 2,
            message: "process did not complete".to_owned(),
            details: vec![Any {
                type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
                value: br#"{"digest":"sha256:00"}"#.to_vec(),
            }],
        };
        let status = tonic::Status::with_details(
            tonic::Code::Unknown,
            "process did not complete",
            sent.encode_to_vec().into(),
        );
        assert_eq!(Failure::from(status).to_status(), sent);
    }

    #[test]
    fn typed_errors_name_what_is_missing() {
        let status = Failure::Subrequest {
            name: "frontend.outline".to_owned(),
        }
        .to_status();
        assert_eq!(status.code, 12);
        assert_eq!(
            status.details[0].type_url,
            "github.com/moby/buildkit/errdefs.Subrequest+json"
        );
        assert_eq!(status.details[0].value, br#"{"name":"frontend.outline"}"#);
    }

    #[test]
    fn not_found_in_every_spelling() {
        let daemon =
            |code, message: &str| Failure::from(tonic::Status::new(code, message)).is_not_found();
        assert!(daemon(tonic::Code::NotFound, "x"));
        assert!(daemon(
            tonic::Code::Unknown,
            "open /tmp/x/larder.yaml: no such file or directory"
        ));
        assert!(daemon(
            tonic::Code::Unknown,
            "docker.io/library/nope:latest: not found"
        ));
        assert!(!daemon(tonic::Code::Unknown, "failed"));
    }
}
