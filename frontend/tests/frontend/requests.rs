//! What is asked in place of a build, over a Dockerfile.

use buildkit_llb::{Constraints, Exec, Graph, Image, ImageName, Meta, Platform, SourceInfo};
use buildkit_proto::google::{protobuf::Any, rpc};
use buildkit_proto::moby::buildkit::v1::frontend::{self as wire, result};
use larder_gateway::fake::{Call, FakeBridge, Script};
use serde_json::{Value, json};

use crate::support::{CONFIG, ETC, PYTHON, run};

const FILE: &str = "FROM python:3.13-slim\nRUN pip install --no-cache-dir flask\n";

/// What a Dockerfile's own frontend makes of that file.
pub(crate) fn built(file: &str) -> wire::Result {
    let mut graph = Graph::new();
    let here = Constraints::on(Platform::parse("linux/amd64").unwrap());
    let source = graph.source_file(SourceInfo {
        filename: "Dockerfile".to_owned(),
        data: file.as_bytes().to_vec(),
        language: "Dockerfile".to_owned(),
    });
    let image = Image::new(&ImageName::parse("python:3.13-slim").unwrap());
    let base = graph.add(image, &here, Meta::named("[1/2] FROM python"));
    let command = "pip install --no-cache-dir flask";
    let exec = Exec::new(Some(base.only()), ["/bin/sh", "-c", command]);
    let line = u32::try_from(file.lines().count()).unwrap();
    let run = graph.add(exec, &here, Meta::named("[2/2] RUN pip install"));
    graph.locate(run, source, &[line..=line]);
    wire::Result {
        result: Some(result::Result::Ref(wire::Ref {
            id: "theirs".to_owned(),
            def: Some(graph.definition(run.only()).into_proto()),
        })),
        ..wire::Result::default()
    }
}

fn answer(entries: &[(&str, &str)]) -> wire::Result {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    wire::Result {
        metadata: entries.iter().map(owned).collect(),
        result: Some(result::Result::Ref(wire::Ref::default())),
        ..wire::Result::default()
    }
}

fn daemon(file: &str) -> Script {
    Script::new()
        .image(PYTHON, CONFIG, &ETC)
        .local("dockerfile", &[("Dockerfile", file)])
        .frontend("dockerfile.v0", "", built(file))
}

async fn asked(script: Script, request: &str, options: &[(&str, &str)]) -> FakeBridge {
    let fake = FakeBridge::new(script);
    let caps = "moby.buildkit.frontend.subrequests+forward";
    let mut all = vec![
        ("cmdline", "larder/frontend:1"),
        ("requestid", request),
        ("frontend.caps", caps),
    ];
    all.extend(options);
    // Failures are looked at by who asks.
    let _ = run(&fake, &all).await;
    fake
}

fn text(result: &wire::Result, name: &str) -> String {
    String::from_utf8(result.metadata[name].clone()).unwrap()
}

#[tokio::test]
async fn answers_come_back_as_they_came() {
    for request in [
        "frontend.outline",
        "frontend.targets",
        "frontend.convertllb",
        "x.y",
    ] {
        let sent = answer(&[
            ("result.json", "{ }"),
            ("result.txt", "TARGET"),
            ("version", "9"),
        ]);
        let script = daemon(FILE).frontend("dockerfile.v0", request, sent.clone());
        let fake = asked(script, request, &[]).await;
        assert_eq!(fake.returned_outcome(), sent);
        let forwarded = fake.seen().forwarded;
        assert_eq!(forwarded.len(), 1);
        assert_eq!(forwarded[0].options["requestid"], request);
    }
}

#[tokio::test]
async fn a_request_that_is_not_known_there_is_their_error() {
    let sent = rpc::Status {
        code: 12,
        message: "unsupported request frontend.x".to_owned(),
        details: vec![Any {
            type_url: "github.com/moby/buildkit/errdefs.Subrequest+json".to_owned(),
            value: br#"{"name":"frontend.x"}"#.to_vec(),
        }],
    };
    let script = daemon(FILE).failing(Call::Frontend, "dockerfile.v0 frontend.x", sent.clone());
    let fake = asked(script, "frontend.x", &[]).await;
    assert_eq!(fake.returned_error(), sent);
}

#[tokio::test]
async fn a_plan_says_what_each_command_gets() {
    let fake = asked(daemon(FILE), "frontend.plan", &[]).await;
    let plan = fake.returned_outcome();
    let shown = text(&plan, "result.txt");
    assert!(shown.contains("(Dockerfile:2)\n"), "{shown}");
    assert!(shown.contains("--no-cache-dir"), "{shown}");
    let json: Value = serde_json::from_str(&text(&plan, "result.json")).unwrap();
    assert_eq!(json["execs"][0]["location"]["file"], "Dockerfile");
    assert_eq!(text(&plan, "version"), "1.0.0");
    assert_eq!(plan.result, Some(result::Result::Ref(wire::Ref::default())));
    let options = &fake.seen().forwarded[0].options;
    assert!(!options.contains_key("requestid"));

    let off = asked(
        daemon(FILE),
        "frontend.plan",
        &[("build-arg:LARDER_CACHES", "off")],
    )
    .await;
    let shown = text(&off.returned_outcome(), "result.txt");
    assert_eq!(shown, "no caches: `LARDER_CACHES` is `off`\n");
}

#[tokio::test]
async fn the_list_of_requests_has_ours() {
    let sent = answer(&[
        (
            "result.json",
            r#"[{"name":"frontend.outline","version":"1.0.0","refs":null}]"#,
        ),
        (
            "result.txt",
            "NAME    VERSION DESCRIPTION\noutline 1.0.0   List\n",
        ),
    ]);
    let request = "frontend.subrequests.describe";
    let script = daemon(FILE).frontend("dockerfile.v0", request, sent);
    let list = asked(script, request, &[]).await.returned_outcome();
    let json: Value = serde_json::from_str(&text(&list, "result.json")).unwrap();
    assert_eq!(json[0]["refs"], Value::Null);
    assert_eq!(json[1]["name"], "frontend.plan");
    assert_eq!(json[1]["type"], "rpc");
    let table = text(&list, "result.txt");
    assert!(
        table.ends_with("\nplan    1.0.0   Show the caches of every command, and why\n"),
        "{table}"
    );
}

const LINT: &str = "frontend.lint";

fn linted() -> wire::Result {
    let json = json!({
        "warnings": [{"ruleName": "Theirs", "location": {"ranges": []}}],
        "sources": [{"filename": "Dockerfile", "data": "eA==", "unheard": 1}],
    });
    answer(&[
        ("result.json", &json.to_string()),
        ("result.txt", "\nWARNING: Theirs\n"),
        ("result.statuscode", "0"),
        ("version", "1.0.0"),
    ])
}

#[tokio::test]
async fn warnings_of_caches_join_the_others() {
    let script = daemon(FILE).frontend("dockerfile.v0", LINT, linted());
    let fake = asked(script, LINT, &[]).await;
    let answer = fake.returned_outcome();
    let json: Value = serde_json::from_str(&text(&answer, "result.json")).unwrap();
    assert_eq!(json["warnings"][0]["ruleName"], "Theirs");
    assert_eq!(json["warnings"][1]["ruleName"], "LarderCacheDefeated");
    assert_eq!(
        json["warnings"][1]["location"],
        json!({"sourceIndex": 0, "ranges": [{"start": {"line": 2}, "end": {"line": 2}}]})
    );
    assert_eq!(json["warnings"].as_array().unwrap().len(), 2);
    assert_eq!(json["sources"][0]["unheard"], 1);
    assert_eq!(text(&answer, "result.statuscode"), "1");
    let shown = text(&answer, "result.txt");
    assert!(
        shown.starts_with("\nWARNING: Theirs\n\nWARNING: LarderCacheDefeated\n"),
        "{shown}"
    );
    assert!(
        shown.contains("   2 | >>> RUN pip install --no-cache-dir flask\n"),
        "{shown}"
    );
    // The other frontend's warnings are not shown twice.
    let forwarded = fake.seen().forwarded;
    let check = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
    assert!(!forwarded[0].options.contains_key(check));
    assert_eq!(forwarded[1].options[check], "skip=all");
}

#[tokio::test]
async fn warnings_that_are_not_wanted_or_not_known_leave_the_answer_alone() {
    let skipping = format!("# check=skip=LarderCacheDefeated\n{FILE}");
    let check = ("build-arg:BUILDKIT_DOCKERFILE_CHECK", "skip=all");
    let failing = daemon(FILE).frontend("dockerfile.v0", LINT, linted());
    let error = rpc::Status {
        code: 2,
        message: "no such stage".to_owned(),
        details: Vec::new(),
    };
    // The request ends with nothing, so that only the build fails.
    let mut broken = built(FILE);
    broken.result = None;
    for (script, options) in [
        (daemon(&skipping), &[][..]),
        (daemon(FILE), &[check]),
        (daemon(FILE), &[("build-arg:LARDER_CACHES", "off")]),
        (daemon(FILE).frontend("dockerfile.v0", "", broken), &[]),
    ] {
        let script = script.frontend("dockerfile.v0", LINT, linted());
        let fake = asked(script, LINT, options).await;
        assert_eq!(fake.returned_outcome(), linted());
    }
    let fake = asked(
        failing.failing(Call::Frontend, "dockerfile.v0 frontend.lint", error.clone()),
        LINT,
        &[],
    )
    .await;
    assert_eq!(fake.returned_error(), error);
}
