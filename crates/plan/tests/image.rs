//! What a spec says of the image, in the config.

use std::collections::BTreeMap;

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, SourceFile, Span, Spanned};
use larder_plan::{Facts, ImageConfig, ImageFact, ImageId, Plan, Planned, Request, plan};
use larder_spec::model::{Annotation, AnnotationLevel, Command, Healthcheck, Image, Spec};
use larder_spec::template::Template;
use serde_json::{Value, json};

const TWO: &str = "stages:\n  base: {from: debian:13}\n  app: {from: base}\n";

fn parse(text: &str) -> Spec {
    let parsed = larder_spec::parse(&SourceFile::new("larder.yaml", text));
    assert_eq!(parsed.diagnostics, []);
    parsed.spec.expect("it is a spec")
}

fn request() -> Request {
    Request::new(Platform::new("linux", "amd64", ""), "test")
}

fn answer(spec: &Spec, request: &Request) -> Planned {
    let config = r#"{"config":{"Cmd":["bash"],"StopSignal":"SIGQUIT","Volumes":{"/old":{}},
        "Healthcheck":{"Test":["CMD","old"],"Interval":5},"OnBuild":["RUN old"]},
        "history":[{"created":"2020-01-01T00:00:00Z","created_by":"base"}]}"#;
    let image = ImageFact {
        config: ImageConfig::from_json(config.as_bytes()).expect("it is JSON"),
        ..ImageFact::default()
    };
    let mut facts = Facts::default();
    facts
        .images
        .insert(ImageId::new("docker.io/library/debian:13"), image);
    plan(spec, request, &facts)
}

#[test]
fn a_stage_for_another_platform_is_an_image_for_it_unless_the_client_says() {
    let spec = parse("from: {image: scratch, platform: linux/arm64}\n");
    let mut request = request();
    for (any, architecture) in [(true, "arm64"), (false, "amd64")] {
        request.any_platform = any;
        let config = planned(&spec, &request).config;
        assert_eq!(config.architecture.as_deref(), Some(architecture));
    }
}

#[test]
fn ports_cannot_be_more_than_fit() {
    let range = "1-65535, ".repeat(100);
    let spec = parse(&format!("from: scratch\nimage: {{expose: [{range}]}}\n"));
    match answer(&spec, &request()) {
        Planned::Mistakes(mistakes) => assert_eq!(mistakes.len(), 1, "{mistakes:?}"),
        other => panic!("{other:?}"),
    }
}

fn planned(spec: &Spec, request: &Request) -> Plan {
    match answer(spec, request) {
        Planned::Plan(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn mistakes(spec: &Spec, request: &Request) -> Vec<(String, Option<String>)> {
    match answer(spec, request) {
        Planned::Mistakes(found) => (found.into_iter())
            .filter(Diagnostic::is_error)
            .map(|mistake| (mistake.message, mistake.hint))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn config(plan: &Plan) -> Value {
    let config: Value = serde_json::from_slice(&plan.config.to_json()).expect("it is JSON");
    config["config"].clone()
}

fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

fn text(text: &str) -> Template {
    Template::parse(text, Span::default(), None).expect("it is good")
}

fn shell(text: &str) -> Command {
    Command::Shell(here(text.to_owned()))
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn exec(list: &[&str]) -> Command {
    Command::Exec(words(list).into_iter().map(here).collect())
}

fn check(test: Option<Command>) -> Healthcheck {
    Healthcheck {
        test,
        interval: Some(30_000_000_000),
        timeout: None,
        start_period: Some(1_000_000),
        start_interval: None,
        retries: Some(3),
    }
}

#[test]
fn what_a_stage_says_is_what_its_image_and_later_stages_have() {
    let mut spec = parse(&format!("args: {{DIR: /data}}\n{TWO}"));
    spec.stages[0].image = Image {
        healthcheck: Some(check(Some(exec(&["curl", "localhost"])))),
        volumes: vec![text("${DIR}/a/../b"), text("/new")],
        stop_signal: Some(here(text("int"))),
        on_build: vec![here("copy . /app".to_owned())],
        ..Image::default()
    };
    let of_app = config(&planned(&spec, &request()));
    assert_eq!(
        of_app["Healthcheck"],
        json!({"Test": ["CMD", "curl", "localhost"], "Interval": 30_000_000_000_u64,
            "StartPeriod": 1_000_000, "Retries": 3})
    );
    assert_eq!(
        of_app["Volumes"],
        json!({"/data/b": {}, "/new": {}, "/old": {}})
    );
    assert_eq!(of_app["StopSignal"], "SIGINT");
    // For builds from the image alone.
    assert_eq!(of_app["OnBuild"], Value::Null);
    spec.target = Some(here("base".to_owned()));
    let of_base = config(&planned(&spec, &request()));
    assert_eq!(of_base["OnBuild"], json!(["copy . /app"]));
}

#[test]
fn what_nobody_says_is_the_bases() {
    let of_app = config(&planned(&parse(TWO), &request()));
    assert_eq!(
        of_app["Healthcheck"],
        json!({"Test": ["CMD", "old"], "Interval": 5})
    );
    assert_eq!(of_app["StopSignal"], "SIGQUIT");
    assert_eq!(of_app["Cmd"], json!(["bash"]));
    assert_eq!(of_app["Shell"], Value::Null);
}

#[test]
fn a_check_is_turned_off_or_a_line_for_the_shell() {
    let mut spec = parse(TWO);
    for (test, expected) in [
        (None, json!({"Test": ["NONE"]})),
        (Some(exec(&[])), json!({"Test": ["NONE"]})),
        (
            Some(shell("curl $URL")),
            json!({"Test": ["CMD-SHELL", "curl $URL"], "Interval": 30_000_000_000_u64,
                "StartPeriod": 1_000_000, "Retries": 3}),
        ),
    ] {
        spec.stages[1].image.healthcheck = Some(check(test));
        assert_eq!(config(&planned(&spec, &request()))["Healthcheck"], expected);
    }
}

#[test]
fn lines_are_for_the_shell_of_the_image_or_of_the_stage() {
    let mut spec = parse(TWO);
    let of = |spec: &Spec| {
        let config = config(&planned(spec, &request()));
        (
            config["Shell"].clone(),
            config["Entrypoint"].clone(),
            config["Cmd"].clone(),
        )
    };
    spec.stages[1].image.entrypoint = Some(shell("run it"));
    // The base's `bash` was for the base's program.
    let plain = json!(["/bin/sh", "-c", "run it"]);
    assert_eq!(of(&spec), (Value::Null, plain, Value::Null));
    spec.stages[1].image.cmd = Some(exec(&["a"]));
    spec.stages[1].shell = Some(here(words(&["/bin/ash", "-ec"])));
    assert_eq!(
        of(&spec),
        (
            json!(["/bin/ash", "-ec"]),
            json!(["/bin/ash", "-ec", "run it"]),
            json!(["a"])
        )
    );
    spec.stages[1].image.shell = Some(here(words(&["/bin/zsh", "-c"])));
    assert_eq!(
        of(&spec),
        (
            json!(["/bin/zsh", "-c"]),
            json!(["/bin/zsh", "-c", "run it"]),
            json!(["a"])
        )
    );
}

#[test]
fn annotations_add_to_those_of_the_stages_below() {
    let annotation = |level, name: &str, value: &str| Annotation {
        level,
        name: here(name.to_owned()),
        value: text(value),
    };
    let mut spec = parse(&format!("args: {{V: '1'}}\n{TWO}"));
    spec.stages[0].image.annotations = vec![
        annotation(AnnotationLevel::Manifest, "a", "below"),
        annotation(AnnotationLevel::Index, "a", "index"),
    ];
    spec.stages[1].image.annotations = vec![
        annotation(AnnotationLevel::Manifest, "b", "${V}"),
        annotation(AnnotationLevel::Manifest, "a", "above"),
    ];
    let own = |level, name: &str, value: &str| (level, name.to_owned(), value.to_owned());
    assert_eq!(
        planned(&spec, &request()).annotations,
        [
            own(AnnotationLevel::Manifest, "a", "above"),
            own(AnnotationLevel::Manifest, "b", "1"),
            own(AnnotationLevel::Index, "a", "index"),
        ]
    );
}

fn with_epoch(value: &str) -> Request {
    let mut request = request();
    request
        .build_args
        .insert("SOURCE_DATE_EPOCH".to_owned(), value.to_owned());
    request
}

#[test]
fn an_epoch_is_the_time_of_the_image_and_of_its_own_history() {
    let steps = "from: debian:13\nworkdir: /a\nsteps: [{run: make}]\n";
    let plan = planned(&parse(steps), &with_epoch("1704067200"));
    assert_eq!(plan.epoch(), Some(1_704_067_200));
    let config: Value = serde_json::from_slice(&plan.config.to_json()).expect("it is JSON");
    assert_eq!(config["created"], "2024-01-01T00:00:00Z");
    let times: Vec<&str> = (config["history"].as_array().into_iter().flatten())
        .map(|entry| entry["created"].as_str().unwrap_or_default())
        .collect();
    let own = "2024-01-01T00:00:00Z";
    assert_eq!(times, ["2020-01-01T00:00:00Z", own, own]);
    // Nothing sees it that did not declare it.
    assert_eq!(plan.args, []);
    let none = planned(&parse(steps), &with_epoch(""));
    assert_eq!(
        (none.epoch(), none.config.extra.get("created")),
        (None, None)
    );
}

#[test]
fn an_epoch_of_the_spec_gives_way_to_that_of_the_client() {
    let spec = parse("args: {SOURCE_DATE_EPOCH: '0'}\nfrom: debian:13\n");
    assert_eq!(planned(&spec, &request()).epoch(), Some(0));
    assert_eq!(planned(&spec, &with_epoch("-5")).epoch(), Some(-5));
    let mut found_out = with_epoch("context");
    found_out.epoch = Some(7);
    assert_eq!(planned(&spec, &found_out).epoch(), Some(7));
}

#[test]
fn an_epoch_that_nobody_can_tell() {
    let spec = parse(TWO);
    let plan = planned(&spec, &with_epoch("context"));
    assert_eq!(plan.assumed, ["SOURCE_DATE_EPOCH: the context has no time"]);
    let plan = planned(&spec, &with_epoch("base"));
    let warnings: Vec<&str> = (plan.warnings.iter())
        .map(|warning| warning.message.as_str())
        .filter(|message| message.contains("EPOCH"))
        .collect();
    assert_eq!(
        warnings,
        ["`SOURCE_DATE_EPOCH` is the stage `base`, which has no time"]
    );
    for (value, message) in [
        ("today", "`SOURCE_DATE_EPOCH` is `today`, which is no time"),
        (
            "999999999999999",
            "`SOURCE_DATE_EPOCH` is 999999999999999: no calendar has that",
        ),
    ] {
        assert_eq!(mistakes(&spec, &with_epoch(value))[0].0, message);
    }
}

#[test]
fn args_of_the_platform_are_there_without_being_declared() {
    let spec = parse(
        "stages:\n  a:\n    from: debian:13\n    env:\n      \
         ALL: ${TARGETPLATFORM} ${TARGETOS} ${TARGETARCH} ${TARGETVARIANT} ${BUILDPLATFORM} ${BUILDARCH} ${TARGETSTAGE}\n",
    );
    let mut request = request();
    request.platform = Platform::new("linux", "arm", "v7");
    request.build_platform = Platform::new("linux", "amd64", "");
    let all = |request: &Request| config(&planned(&spec, request))["Env"][1].clone();
    assert_eq!(
        all(&request),
        "ALL=linux/arm/v7 linux arm v7 linux/amd64 amd64 a"
    );
    request.build_args = BTreeMap::from([("TARGETARCH".to_owned(), "mine".to_owned())]);
    assert_eq!(
        all(&request),
        "ALL=linux/arm/v7 linux mine v7 linux/amd64 amd64 a"
    );
}
