//! What is asked of a spec in place of a build: the answers are those about a Dockerfile of the same build,
//! in the form in which the client prints them.

use std::fs;

use larder_e2e::{Engine, Project};
use serde_json::Value;

const SPEC: &str = "\
name: asked
args:
  WHAT: {default: thing, description: is what is echoed}
stages:
  first:
    description: has the packages
    from: debian:trixie-slim
  last:
    description: is the result
    from: first
    steps:
      - run: echo $WHAT
        secrets: [token]
        ssh: true
      - run: pip install --no-cache-dir flask
        secrets: [{id: other, required: false}]
  aside:
    from: first
target: last
";

/// The stages that the result needs come last: a Dockerfile has no other way to say so.
const DOCKERFILE: &str = "\
# A comment.
# WHAT is what is echoed
ARG WHAT=thing
# first has the packages
FROM debian:trixie-slim AS first
FROM first AS aside
# last is the result
FROM first AS last
# WHAT is what is echoed
ARG WHAT
RUN --mount=type=secret,id=token,required=true --mount=type=ssh,required=true echo $WHAT
RUN --mount=type=secret,id=other pip install --no-cache-dir flask
";

/// A project with both.
fn project(engine: &Engine) -> Project {
    let project = Project::new(engine, SPEC).unwrap();
    project.file("Dockerfile", DOCKERFILE).unwrap();
    project
}

/// What is printed; whether the client takes warnings for a failure is not looked at.
fn asked(engine: &Engine, project: &Project, file: &str, question: &str, more: &[&str]) -> String {
    let mut docker = engine.question(question).unwrap();
    docker.args(more).arg("--file");
    docker.arg(project.path().join(file)).arg(project.path());
    let said = docker.output().unwrap();
    let stdout = String::from_utf8(said.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    let answered = said.status.success() || !stderr.contains("failed to solve");
    assert!(answered, "{stderr}");
    stdout
}

/// The answer's JSON. Older clients print text, whatever they are told.
fn answered(engine: &Engine, project: &Project, question: &str, more: &[&str]) -> Value {
    let folder = Project::empty().unwrap();
    let metadata = folder.path().join("answer.json");
    let option = format!("--metadata-file={}", metadata.display());
    let more = [&[option.as_str()], more].concat();
    asked(engine, project, "larder.yaml", question, &more);
    let told: Value = serde_json::from_str(&fs::read_to_string(metadata).unwrap()).unwrap();
    match &told["result.json"] {
        Value::String(json) => serde_json::from_str(json).unwrap(),
        json => json.clone(),
    }
}

#[test]
fn the_outline() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    for more in [&[][..], &["--build-arg=WHAT=else"]] {
        let [spec, dockerfile] = ["larder.yaml", "Dockerfile"]
            .map(|file| asked(&engine, &project, file, "outline", more));
        assert!(dockerfile.contains("token"), "{dockerfile}");
        assert_eq!(spec, dockerfile);
    }
    let first = asked(
        &engine,
        &project,
        "larder.yaml",
        "outline",
        &["--target=first"],
    );
    let head = "TARGET:      first\nDESCRIPTION: has the packages\n";
    assert!(first.starts_with(head), "{first}");
    let json = answered(&engine, &project, "outline", &[]);
    let id = json["cache"][0]["ID"].as_str().unwrap();
    assert!(id.contains("pip"), "{json}");
}

#[test]
fn the_targets() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    let [spec, dockerfile] =
        ["larder.yaml", "Dockerfile"].map(|file| asked(&engine, &project, file, "targets", &[]));
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(dockerfile.contains("last (default)"), "{dockerfile}");
    assert_eq!(sorted(&spec), sorted(&dockerfile));
}

#[test]
fn the_warnings_and_mistakes() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    let shown = asked(&engine, &project, "larder.yaml", "lint", &[]);
    let warning =
        "WARNING: LarderCacheDefeated\nwith `--no-cache-dir` the cache `pip` is of no use";
    assert!(shown.contains(warning), "{shown}");
    assert!(shown.contains(">>>       - run: pip install --no-cache-dir flask"));
    let skipped = ["--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=all"];
    let quiet = answered(&engine, &project, "lint", &skipped);
    assert_eq!(quiet["warnings"], serde_json::json!([]));

    project
        .spec(
            &engine,
            &SPEC.replace("name: asked", "colour: red\nmore: x"),
        )
        .unwrap();
    let wrong = answered(&engine, &project, "lint", &[]);
    let message = wrong["buildError"]["message"].as_str().unwrap();
    assert_eq!(message, "2 errors in larder.yaml");
}

#[test]
fn the_plan() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    let shown = asked(&engine, &project, "larder.yaml", "plan", &[]);
    assert!(shown.starts_with("asked for linux/"), "{shown}");
    assert!(shown.contains("cache pip at /cache/pip"), "{shown}");
    let json = answered(&engine, &project, "plan", &[]);
    assert_eq!(json["plans"][0]["stages"][1]["name"], "last");
}

#[test]
fn the_schema() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    let schema = answered(&engine, &project, "schema", &[]);
    assert!(schema["properties"]["stages"].is_object(), "{schema}");
}

#[test]
fn what_can_be_asked() {
    let engine = Engine::from_env().unwrap();
    let project = project(&engine);
    let list = asked(
        &engine,
        &project,
        "larder.yaml",
        "subrequests.describe",
        &[],
    );
    for question in [
        "outline",
        "targets",
        "lint",
        "plan",
        "layercache",
        "schema",
        "subrequests.describe",
    ] {
        let start = format!("\n{question} ");
        assert!(list.contains(&start), "{list}");
    }
}
