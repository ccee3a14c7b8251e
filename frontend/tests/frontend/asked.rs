//! What is asked in place of a build, over a spec.

use buildkit_proto::moby::buildkit::v1::frontend::{self as wire, result};
use larder_gateway::fake::{FakeBridge, Script};
use serde_json::{Value, json};

use crate::support::{daemon, run};

const SPEC: &str = "\
# syntax=larder/frontend:1
name: shop
args:
  WHAT: thing
stages:
  base:
    from: python:3.13-slim
    steps:
      - run: pip install --no-cache-dir flask
  app:
    from: base
    steps:
      - run: echo ${WHAT:-none}
  check:
    from: base
    steps:
      - run: apt-get update && apt-get install -y git && apt-get clean
target: app
";

async fn asked(script: Script, request: &str, options: &[(&str, &str)]) -> FakeBridge {
    let fake = FakeBridge::new(script);
    let caps = "moby.buildkit.frontend.subrequests+forward";
    let mut all = vec![("requestid", request), ("frontend.caps", caps)];
    all.extend(options);
    // Failures are looked at by who asks.
    let _ = run(&fake, &all).await;
    fake
}

/// The answer's JSON and text. It has no filesystem.
async fn answered(spec: &str, request: &str, options: &[(&str, &str)]) -> (Value, String) {
    let answer = asked(daemon(spec, &[]), request, options)
        .await
        .returned_outcome();
    assert_eq!(
        answer.result,
        Some(result::Result::Ref(wire::Ref::default()))
    );
    assert_eq!(text(&answer, "version"), "1.0.0");
    let json = serde_json::from_str(&text(&answer, "result.json")).unwrap();
    (json, text(&answer, "result.txt"))
}

fn text(result: &wire::Result, name: &str) -> String {
    String::from_utf8(result.metadata[name].clone()).unwrap()
}

#[tokio::test]
async fn what_can_be_asked() {
    let (json, shown) = answered(SPEC, "frontend.subrequests.describe", &[]).await;
    let names: Vec<&Value> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    for (name, line) in names.iter().zip(shown.lines().skip(1)) {
        let name = name.as_str().unwrap().strip_prefix("frontend.").unwrap();
        assert!(line.starts_with(&format!("{name} ")), "{shown}");
        // Each of them is answered.
        answered(SPEC, &format!("frontend.{name}"), &[]).await;
    }
    assert_eq!(names.len() + 1, shown.lines().count());
    assert!(names.contains(&&json!("frontend.lint")), "{json}");
    assert_eq!(json[0]["opts"][0]["name"], "target");
    assert_eq!(json[0]["type"], "rpc");
}

#[tokio::test]
async fn another_question_is_not_known() {
    let fake = asked(daemon(SPEC, &[]), "frontend.convertllb", &[]).await;
    let status = fake.returned_error();
    assert!(
        status.details[0]
            .type_url
            .ends_with("errdefs.Subrequest+json")
    );
    assert_eq!(
        status.details[0].value,
        br#"{"name":"frontend.convertllb"}"#
    );
}

#[tokio::test]
async fn the_targets_of_a_spec() {
    let (json, shown) = answered(SPEC, "frontend.targets", &[]).await;
    assert_eq!(
        shown,
        "TARGET        DESCRIPTION\nbase          \napp (default) \ncheck         \n"
    );
    assert_eq!(json["targets"][0]["base"], "python:3.13-slim");
    assert_eq!(json["targets"][1]["default"], true);
    assert_eq!(
        json["targets"][2]["location"]["ranges"][0]["start"]["line"],
        14
    );
}

#[tokio::test]
async fn the_parameters_of_a_target() {
    let arg = ("build-arg:WHAT", "else");
    let (json, shown) = answered(SPEC, "frontend.outline", &[arg, ("target", "base")]).await;
    assert_eq!(json["name"], "base");
    assert_eq!(json["args"][0]["name"], "WHAT");
    assert_eq!(json["args"][0]["value"], "else");
    assert_eq!(json["args"][0]["location"]["ranges"][0]["start"]["line"], 4);
    let id = json["cache"][0]["ID"].as_str().unwrap();
    assert!(id.contains("larder/shared/pip"), "{json}");
    let args = "TARGET: base\n\nBUILD ARG   VALUE   DESCRIPTION\nWHAT        else    \n\n";
    assert!(shown.starts_with(args), "{shown}");
}

#[tokio::test]
async fn the_plan_of_every_platform() {
    let platforms = ("platform", "linux/amd64,linux/arm64");
    let (json, shown) = answered(SPEC, "frontend.plan", &[platforms]).await;
    let plans = json["plans"].as_array().unwrap();
    let names: Vec<&Value> = plans.iter().map(|plan| &plan["platform"]).collect();
    assert_eq!(names, ["linux/amd64", "linux/arm64"]);
    let run = &plans[0]["stages"][0]["steps"][0];
    assert_eq!(run["mounts"][0]["cache"], "pip");
    assert_eq!(run["location"]["file"], "larder.yaml");
    assert!(shown.contains("shop for linux/amd64\n"), "{shown}");
    assert!(shown.contains("shop for linux/arm64\n"), "{shown}");
}

const LINT: &str = "frontend.lint";

/// The answer to a check: JSON, text and status.
async fn checked(spec: &str, options: &[(&str, &str)]) -> (Value, String, String) {
    let answer = asked(daemon(spec, &[]), LINT, options)
        .await
        .returned_outcome();
    let json = serde_json::from_str(&text(&answer, "result.json")).unwrap();
    let (shown, status) = (
        text(&answer, "result.txt"),
        text(&answer, "result.statuscode"),
    );
    (json, shown, status)
}

fn rules(json: &Value) -> Vec<(String, Option<u64>)> {
    let warnings = json["warnings"].as_array().unwrap().iter();
    let of = |warning: &Value| {
        (
            warning["ruleName"].as_str().unwrap().to_owned(),
            warning["location"]["ranges"][0]["start"]["line"].as_u64(),
        )
    };
    warnings.map(of).collect()
}

fn rule(name: &str, line: u64) -> (String, Option<u64>) {
    (name.to_owned(), Some(line))
}

#[tokio::test]
async fn a_check_shows_the_warnings_of_every_stage_once() {
    let platforms = ("platform", "linux/amd64,linux/arm64");
    for options in [&[][..], &[platforms]] {
        let (json, shown, status) = checked(SPEC, options).await;
        let defeated = rule("LarderCacheDefeated", 9);
        assert_eq!(rules(&json), [defeated, rule("LarderCacheEmptied", 17)]);
        assert_eq!(status, "1");
        assert_eq!(json["sources"][0]["filename"], "larder.yaml");
        assert_eq!(json["warnings"][0]["location"]["sourceIndex"], 0);
        assert!(json["warnings"][0]["description"].is_string());
        assert!(json.get("buildError").is_none());
        let start =
            "\nWARNING: LarderCacheDefeated\nwith `--no-cache-dir` the cache `pip` is of no use: ";
        assert!(shown.starts_with(start), "{shown}");
        let line = "   9 | >>>       - run: pip install --no-cache-dir flask\n";
        assert!(shown.contains(line), "{shown}");
    }
    // Only what the client names, if it does.
    let (json, _, _) = checked(SPEC, &[("target", "base")]).await;
    assert_eq!(rules(&json), [rule("LarderCacheDefeated", 9)]);
}

#[tokio::test]
async fn a_check_leaves_out_what_is_not_wanted() {
    let check = |value| [("build-arg:BUILDKIT_DOCKERFILE_CHECK", value)];
    let skipping = SPEC.replace(
        "\nname:",
        "\n# check=skip=LarderCacheDefeated;error=true\nname:",
    );
    let (json, _, _) = checked(&skipping, &[]).await;
    assert_eq!(rules(&json), [rule("LarderCacheEmptied", 18)]);
    assert_eq!(
        json["buildError"]["message"],
        "larder.yaml: no warnings are allowed here, and there are LarderCacheEmptied\n  \
         help: mend what they say, or take `error=true` out of `# check=`"
    );
    let (json, shown, status) = checked(&skipping, &check("skip=all")).await;
    assert_eq!(
        (json["warnings"].clone(), shown.as_str(), status.as_str()),
        (json!([]), "", "0")
    );
    let (json, _, _) = checked(SPEC, &check("skp=all")).await;
    assert_eq!(
        json["buildError"]["message"],
        "larder.yaml: `skp=all` means nothing in the build arg `BUILDKIT_DOCKERFILE_CHECK`\n  \
         help: write `skip=` and names of rules, or `all`, and `error=true` after a `;`"
    );
}

#[tokio::test]
async fn a_check_shows_mistakes() {
    let one =
        "from: python:3.13-slim\nsteps:\n  - run: pip install --no-cache-dir x\n    user: a:b:c\n";
    let (json, shown, status) = checked(one, &[]).await;
    assert_eq!(status, "1");
    let error = &json["buildError"];
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("larder.yaml:4:11: "), "{message}");
    assert_eq!(
        error["location"],
        json!({"ranges": [{"start": {"line": 4}, "end": {"line": 4}}]})
    );
    assert!(shown.contains(message), "{shown}");
    assert!(shown.contains("   4 | >>>     user: a:b:c\n"), "{shown}");

    let two = "name: shop\nfrom: python:3.13-slim\ncolour: red\nworkdir: ${MISSING}/x\n";
    let (json, shown, _) = checked(two, &[]).await;
    assert_eq!(json["buildError"]["message"], "2 errors in larder.yaml");
    let mistake = |line| rule("LarderMistake", line);
    assert_eq!(rules(&json), [mistake(3), mistake(4)]);
    assert!(shown.contains("WARNING: LarderMistake\nunknown key `colour`"));
    assert!(
        shown.contains("\n2 errors in larder.yaml\nlarder.yaml:3\n"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_question_about_a_spec_with_mistakes_is_answered_with_all_of_them() {
    let two = "name: shop\nfrom: python:3.13-slim\ncolour: red\nworkdir: ${MISSING}/x\n";
    let platforms = ("platform", "linux/amd64,linux/arm64");
    for request in ["frontend.outline", "frontend.plan"] {
        let fake = asked(daemon(two, &[]), request, &[platforms]).await;
        let status = fake.returned_error();
        assert!(
            status.message.starts_with("2 errors in larder.yaml\n"),
            "{}",
            status.message
        );
    }
}

#[tokio::test]
async fn a_build_shows_each_warning_once_and_fails_if_that_is_wanted() {
    let platforms = ("platform", "linux/amd64,linux/arm64");
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[platforms]).await.unwrap();
    let seen = fake.seen();
    let shorts: Vec<&str> = seen.warnings.iter().map(|it| it.short.as_str()).collect();
    assert_eq!(
        shorts,
        ["cache-defeated: with `--no-cache-dir` the cache `pip` is of no use"]
    );
    let excerpt = seen.warnings[0].excerpt.as_ref().unwrap();
    assert_eq!(excerpt.lines, [9..=9]);

    let check = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[(check, "skip=all")]).await.unwrap();
    assert!(fake.seen().warnings.is_empty());

    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[(check, "error=true")]).await.unwrap_err();
    let message = fake.returned_error().message;
    assert!(message.contains("LarderCacheDefeated"), "{message}");
    assert_eq!(fake.seen().warnings.len(), 1);
}
