//! Builds against a fake daemon.

use std::collections::BTreeMap;

use buildkit_llb::inspect;
use buildkit_proto::google::{protobuf::Any, rpc::Status};
use larder_gateway::fake::{FakeBridge, Script};
use larder_gateway::{Failure, SolveRequest};

/// An image with a user and a distribution.
pub(crate) const PYTHON: &str = "docker.io/library/python:3.13-slim";
pub(crate) const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin","PYTHON_VERSION=3.13.1"],"Cmd":["python3"]},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}"#;
pub(crate) const ETC: [(&str, &str); 3] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/group", "root:x:0:\n"),
    ("etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n"),
];

/// A daemon with that image, a spec under its usual name, and a context.
pub(crate) fn daemon(spec: &str, context: &[(&str, &str)]) -> Script {
    Script::new()
        .image(PYTHON, CONFIG, &ETC)
        .local("dockerfile", &[("larder.yaml", spec)])
        .local("context", context)
}

/// Runs the frontend with the client's options.
pub(crate) async fn run(fake: &FakeBridge, options: &[(&str, &str)]) -> Result<(), Failure> {
    larder_frontend::run(fake, variables(options)).await
}

/// The environment that a daemon gives to the frontend.
pub(crate) fn variables(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = options
        .iter()
        .enumerate()
        .map(|(n, (key, value))| {
            (
                format!("BUILDKIT_FRONTEND_OPT_{n}"),
                format!("{key}={value}"),
            )
        })
        .collect();
    let workers = r#"[{"id":"w","platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
    variables.insert("BUILDKIT_WORKERS".to_owned(), workers.to_owned());
    variables.insert("BUILDKIT_SESSION_ID".to_owned(), "session".to_owned());
    variables
}

/// The names that progress shows for what was solved, one line an operation.
pub(crate) fn names(solved: &SolveRequest) -> Vec<String> {
    let vertices = solved.definition.vertices();
    vertices.map(|(_, name)| name).collect()
}

/// The operations of what was solved, as JSON.
pub(crate) fn operations(solved: &SolveRequest) -> String {
    inspect::json(&solved.definition).unwrap()
}

/// The source excerpts of an error, in the order in which a client prints them: file and line.
pub(crate) fn excerpts(status: &Status) -> Vec<(String, u64)> {
    let of_source = |detail: &&Any| detail.type_url.ends_with("errdefs.Source+json");
    let place = |detail: &Any| {
        let json: serde_json::Value = serde_json::from_slice(&detail.value).unwrap();
        (
            json["info"]["filename"].as_str().unwrap().to_owned(),
            json["ranges"][0]["start"]["line"].as_u64().unwrap(),
        )
    };
    status
        .details
        .iter()
        .rev()
        .filter(of_source)
        .map(place)
        .collect()
}
