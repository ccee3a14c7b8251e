//! What a registry's answer means for a cache of layers, in plain words.

use buildkit_llb::ImageName;
use larder_gateway::Failure;

use super::probe::{PATIENCE, Said};

/// What there is under a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Something, or nobody can say.
    There,
    /// The registry has nothing of this name.
    Empty,
    /// The registry does not let the client read it.
    Forbidden,
    /// Nobody is there, and in the daemon's words why.
    Down(String),
    /// Somebody is there and says nothing.
    Silent,
    /// What answers is not the daemon's idea of TLS.
    Untrusted(String),
    /// The registry itself is in trouble, and its words.
    Failing(String),
}

/// An image is there, or what is there is none: a cache is not.
const THERE: [&str; 4] = [
    "children may not be fetched",
    "no match for platform",
    "due to policy",
    "source policy",
];
const SILENT: [&str; 3] = ["timeout", "timed out", "deadline exceeded"];
const DOWN: [&str; 6] = [
    "connection refused",
    "no such host",
    "no route to host",
    "network is unreachable",
    "connection reset by peer",
    "server misbehaving",
];
const UNTRUSTED: [&str; 4] = [
    "x509:",
    "tls:",
    "http response to https client",
    "certificate",
];
const FORBIDDEN: [&str; 7] = [
    "401 unauthorized",
    "403 forbidden",
    "unauthorized",
    "denied",
    "insufficient_scope",
    "failed to authorize",
    "no basic auth credentials",
];
const STATUS: &str = "unexpected status";

impl Answer {
    /// What was said of a reference. With `insecure` the daemon asks otherwise than it imports: without
    /// TLS, or with any certificate.
    pub(crate) fn of(said: &Said, name: &ImageName, insecure: bool) -> Answer {
        let failure = match said {
            Said::Nothing => return Answer::Silent,
            Said::Found => return Answer::There,
            Said::Failed(failure) => failure,
        };
        match read(failure, name) {
            Answer::Untrusted(_) | Answer::Failing(_) if insecure => Answer::There,
            // The port is another one without TLS.
            Answer::Down(_) if insecure && !name.registry().contains(':') => Answer::There,
            answer => answer,
        }
    }

    /// Why nothing can be imported.
    pub(crate) fn against_import(&self) -> Option<String> {
        match self {
            Answer::There => None,
            Answer::Empty => Some("there is nothing of that name yet".to_owned()),
            Answer::Forbidden => Some("the registry does not let this client read it".to_owned()),
            _ => self.against_export(),
        }
    }

    /// Why nothing can be exported, as far as reading tells.
    pub(crate) fn against_export(&self) -> Option<String> {
        match self {
            Answer::There | Answer::Empty | Answer::Forbidden => None,
            Answer::Down(why) => Some(format!("the registry cannot be reached ({why})")),
            Answer::Silent => {
                let seconds = PATIENCE.as_secs();
                Some(format!(
                    "the registry did not answer within {seconds} seconds"
                ))
            }
            Answer::Untrusted(why) => {
                Some(format!("the daemon does not trust the registry ({why})"))
            }
            Answer::Failing(why) => Some(format!("the registry fails ({why})")),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self, name: &ImageName) -> String {
        let registry = name.registry();
        match self {
            Answer::There | Answer::Empty => {
                "the first build that exports its layers there makes it".to_owned()
            }
            Answer::Forbidden => format!(
                "log in (`docker login {registry}`) as somebody who may read `{}`",
                name.repository()
            ),
            Answer::Untrusted(_) => format!(
                "write `insecure: true` if {registry} has no TLS, or a certificate of its own; or \
                 configure the daemon that builds"
            ),
            Answer::Down(_) | Answer::Silent | Answer::Failing(_) => {
                format!(
                    "see whether {registry} works, and whether the daemon that builds can reach it"
                )
            }
        }
    }
}

/// By the daemon's words: nothing else tells these apart.
fn read(failure: &Failure, name: &ImageName) -> Answer {
    let text = match failure {
        Failure::Daemon(status) => status.message.as_str(),
        _ => return Answer::There,
    };
    if text.ends_with(&format!("{name}: not found")) {
        return Answer::Empty;
    }
    let lower = without_name(text, name);
    let any = |of: &[&'static str]| of.iter().copied().find(|part| lower.contains(part));
    if any(&THERE).is_some() {
        Answer::There
    } else if any(&SILENT).is_some() {
        Answer::Silent
    } else if let Some(why) = any(&DOWN) {
        Answer::Down(why.to_owned())
    } else if any(&UNTRUSTED).is_some() {
        Answer::Untrusted(last_part(text, &["tls: ", "x509: ", "http: "]))
    } else if any(&FORBIDDEN).is_some() {
        Answer::Forbidden
    } else if lower.contains(STATUS) {
        Answer::Failing(last_part(text, &[STATUS]))
    } else {
        Answer::There
    }
}

/// A message in lower case, without the words that hold the name, or an address: `timeout` may be part of
/// one.
fn without_name(text: &str, name: &ImageName) -> String {
    let repository = name.repository().to_ascii_lowercase();
    let repository = repository.strip_prefix("library/").unwrap_or(&repository);
    let registry = name.registry().to_ascii_lowercase();
    let host = registry.split(':').next().unwrap_or_default();
    let (tagged, scoped) = (format!("{repository}:"), format!(":{repository}:"));
    let mut before = "";
    let lower = text.to_ascii_lowercase();
    let kept = lower.split_whitespace().filter(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let quoted = word.starts_with(['"', '\'', '`']);
        let held = word.contains("://")
            || bare.contains('/') && (bare.contains(repository) || bare.contains(host))
            || bare.starts_with(&tagged)
            || bare.contains(&scoped)
            || quoted && bare == repository
            || host.contains('.') && bare.contains(host)
            || bare.starts_with(&registry) && registry.contains(':')
            || matches!(before, "lookup" | "not") && bare == host
            || before == "lookup" && bare.contains('.');
        before = word;
        !held
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// What a message says at last, from one of these words on.
fn last_part(text: &str, from: &[&str]) -> String {
    let start = from.iter().filter_map(|word| text.rfind(word)).min();
    let part = &text[start.unwrap_or(0)..];
    // An address in it has been named already, and may be long.
    match part.split_once("request to ") {
        Some((_, rest)) => rest
            .split_once(": ")
            .map_or(part, |(_, status)| status)
            .to_owned(),
        None => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use buildkit_proto::google::rpc::Status;

    use super::*;

    fn answer(message: &str, insecure: bool) -> Answer {
        let name = ImageName::parse("registry:5000/shop:main").unwrap();
        of(&name, message, insecure)
    }

    fn of(name: &ImageName, message: &str, insecure: bool) -> Answer {
        let status = Status {
            code: 2,
            message: message.to_owned(),
            details: Vec::new(),
        };
        let said = Said::Failed(Failure::Daemon(Box::new(status)));
        Answer::of(&said, name, insecure)
    }

    #[test]
    fn what_daemons_say() {
        let why = |text: &str| text.to_owned();
        for (message, expected) in [
            (
                "encountered unknown type application/vnd.buildkit.cacheconfig.v0; children may not be fetched",
                Answer::There,
            ),
            (
                "no match for platform in manifest sha256:1: not found",
                Answer::There,
            ),
            ("content digest sha256:1: not found", Answer::There),
            ("something new", Answer::There),
            ("registry:5000/shop:main: not found", Answer::Empty),
            (
                "failed to do request: Head \"https://registry:5000/v2/shop/manifests/main\": dial tcp 10.0.0.1:5000: connect: connection refused",
                Answer::Down(why("connection refused")),
            ),
            (
                "failed to authorize: failed to fetch anonymous token: Get \"https://auth\": dial tcp: lookup auth on 10.0.0.1:53: no such host",
                Answer::Down(why("no such host")),
            ),
            (
                "failed to do request: Head \"https://registry:5000/v2/\": net/http: TLS handshake timeout",
                Answer::Silent,
            ),
            (
                "failed to do request: Head \"https://registry:5000/v2/\": http: server gave HTTP response to HTTPS client",
                Answer::Untrusted(why("http: server gave HTTP response to HTTPS client")),
            ),
            (
                "failed to do request: Head \"https://registry:5000/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Answer::Untrusted(why(
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                )),
            ),
            (
                "unexpected status from HEAD request to https://registry:5000/v2/shop/manifests/main: 403 Forbidden",
                Answer::Forbidden,
            ),
            (
                "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                Answer::Forbidden,
            ),
            (
                "unexpected status from HEAD request to https://registry:5000/v2/shop/manifests/main: 503 Service Unavailable",
                Answer::Failing(why("503 Service Unavailable")),
            ),
        ] {
            assert_eq!(answer(message, false), expected, "{message}");
        }
    }

    #[test]
    fn the_name_says_nothing() {
        for text in [
            "registry:5000/certificate-service/cache:main",
            "registry:5000/timeout-service:main",
            "registry:5000/tls:main",
            "registry:5000/x509:main",
            "registry:5000/denied:main",
            "registry:5000/team/unauthorized:insufficient_scope",
            "registry:5000/shop:timeout",
            "timeout.test/shop:main",
            "timeout:5000/denied:certificate",
            "certificate.denied.test/shop",
            "denied/timeout:certificate",
            "timeout:certificate",
            "denied",
        ] {
            let name = ImageName::parse(text).unwrap();
            let (registry, repository) = (name.registry(), name.repository());
            let host = registry.split(':').next().unwrap();
            let (familiar, tag) = (name.familiar(), name.tag().unwrap());
            let url = format!("https://{registry}/v2/{repository}/manifests/{tag}");
            let scope = repository.replace('/', "%2F");
            let token = format!(
                "https://timeout.denied.test/token?scope=repository%3A{scope}%3Apull&service=x"
            );
            let head = format!("{name}: failed to do request: Head \"{url}\"");
            let down = |why: &str| Answer::Down(why.to_owned());
            let tls = "tls: failed to verify certificate: x509: certificate is valid for a.test";
            for (message, expected) in [
                (format!("{name}: not found"), Answer::Empty),
                (
                    format!("failed to resolve {name}: {name}: not found"),
                    Answer::Empty,
                ),
                (format!("\"{url}\": something new"), Answer::There),
                (format!("{name}: something new"), Answer::There),
                (
                    format!("{registry}/{repository}: something new"),
                    Answer::There,
                ),
                (format!("`{familiar}`: something new"), Answer::There),
                (format!("name '{repository}' is unknown"), Answer::There),
                (
                    format!("repository:{repository}:pull is new"),
                    Answer::There,
                ),
                (
                    format!("{name}: children may not be fetched"),
                    Answer::There,
                ),
                (
                    format!("{head}: dial tcp: lookup {host} on 10.0.0.1:53: no such host"),
                    down("no such host"),
                ),
                (
                    format!("{head}: dial tcp 10.0.0.1:1: connect: connection refused"),
                    down("connection refused"),
                ),
                (
                    format!("{head}: dial tcp 10.0.0.1:1: i/o timeout"),
                    Answer::Silent,
                ),
                (
                    format!("{head}: {tls}, not {host}"),
                    Answer::Untrusted(format!("{tls}, not {host}")),
                ),
                (
                    format!(
                        "{name}: unexpected status from HEAD request to {url}: 401 Unauthorized"
                    ),
                    Answer::Forbidden,
                ),
                (
                    format!("{name}: pull access denied, repository does not exist"),
                    Answer::Forbidden,
                ),
                (
                    format!("{name}: unexpected status from GET request to {token}: 500 Oops"),
                    Answer::Failing("500 Oops".to_owned()),
                ),
            ] {
                assert_eq!(of(&name, &message, false), expected, "{message}");
            }
        }
    }

    #[test]
    fn an_import_without_tls_is_judged_by_what_the_import_will_meet() {
        let no_tls = "Head \"https://x\": http: server gave HTTP response to HTTPS client";
        assert_eq!(answer(no_tls, true), Answer::There);
        assert_eq!(answer("i/o timeout", true), Answer::Silent);
        let refused = "dial tcp 10.0.0.1:443: connect: connection refused";
        assert!(matches!(answer(refused, true), Answer::Down(_)));
        let by_name = ImageName::parse("registry.test/shop").unwrap();
        assert_eq!(of(&by_name, refused, true), Answer::There);
        assert!(matches!(of(&by_name, refused, false), Answer::Down(_)));
    }

    #[test]
    fn what_cannot_be_read_may_be_written() {
        for answer in [Answer::Empty, Answer::Forbidden] {
            assert!(answer.against_import().is_some() && answer.against_export().is_none());
        }
        for answer in [Answer::Silent, Answer::Down(String::new())] {
            assert!(answer.against_import().is_some() && answer.against_export().is_some());
        }
        assert_eq!(Answer::There.against_import(), None);
    }
}
