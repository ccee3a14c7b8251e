//! What a program sees and may do, named contexts, and stages for other platforms, as LLB.

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::path::Path;

use buildkit_llb::{Platform, Source};
use larder_diagnostic::{SourceFile, render};
use larder_plan::{Context, ImageConfig, NamedContext, Plan, Request, contexts_used, lower, show};
use serde_json::Value;

fn planned(text: &str, request: &Request) -> (Plan, SourceFile) {
    let source = SourceFile::new("larder.yaml", text);
    let plan = support::plan(&source, request, Path::new("/nowhere"));
    let plan = plan.unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, &source)));
    (plan, source)
}

/// The operations of a build, as JSON.
fn operations(text: &str, request: &Request) -> Vec<Value> {
    let (plan, source) = planned(text, request);
    let lowered = lower(&plan, &source).expect("nothing is imported");
    let json = buildkit_llb::inspect::json(&lowered.definition).expect("it is whole");
    let mut json: Value = serde_json::from_str(&json).expect("it is JSON");
    match json["vertices"].take() {
        Value::Array(vertices) => vertices,
        other => panic!("{other}"),
    }
}

fn of_kind<'o>(operations: &'o [Value], kind: &str) -> Vec<&'o Value> {
    let has = |op: &&Value| op.get(kind).is_some();
    operations.iter().filter(has).collect()
}

/// The mount of the first exec at a target.
fn mount<'o>(operations: &'o [Value], target: &str) -> &'o Value {
    let exec = of_kind(operations, "exec")[0];
    let mounts = exec["exec"]["mounts"].as_array().expect("it has mounts");
    mounts
        .iter()
        .find(|mount| mount["target"] == target)
        .unwrap_or_else(|| panic!("nothing is at {target}: {exec:#}"))
}

fn local(name: &str) -> NamedContext {
    NamedContext::Files(Context::Local {
        name: name.to_owned(),
        session: None,
        exclude: Vec::new(),
    })
}

fn with_contexts(contexts: &[(&str, NamedContext)]) -> Request {
    let contexts = contexts.iter();
    Request {
        contexts: contexts
            .map(|(key, context)| ((*key).to_owned(), context.clone()))
            .collect(),
        ..support::request()
    }
}

#[test]
fn secrets_and_agents_belong_to_who_runs_the_step() {
    let text = "from: debian:13\nuser: app\nworkdir: /w\nsteps:\n  - run: make\n    secrets:\n      \
                - {id: a/token}\n      - {id: k, env: KEY, required: false}\n    ssh: true\n";
    let operations = operations(text, &support::request());
    let secret = mount(&operations, "/run/secrets/token").to_string();
    for part in ["\"a/token\"", "1001", "1002", "256"] {
        assert!(secret.contains(part), "{part}: {secret}");
    }
    let agent = mount(&operations, "/run/buildkit/ssh_agent.0").to_string();
    for part in ["\"default\"", "1001", "1002", "384"] {
        assert!(agent.contains(part), "{part}: {agent}");
    }
    let exec = of_kind(&operations, "exec")[0].to_string();
    assert!(
        exec.contains("SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"),
        "{exec}"
    );
    assert!(exec.contains("\"KEY\""), "{exec}");
    assert!(exec.contains("exec.secretenv"), "{exec}");
}

#[test]
fn nothing_is_mounted_where_a_step_mounts_something() {
    let text = "from: debian:13\nsteps:\n  - run: pip install x\n    mounts: [{type: tmpfs, target: /cache/pip}]\n";
    let operations = operations(text, &support::request());
    let mounted = mount(&operations, "/cache/pip").to_string();
    assert!(mounted.to_lowercase().contains("tmpfs"), "{mounted}");
}

#[test]
fn mounts_of_the_context_send_what_they_show() {
    let text = "from: debian:13\nworkdir: /w\nsteps:\n  - run: make\n    mounts: [{target: src, source: a/b}]\n";
    let operations = operations(text, &support::request());
    assert_eq!(mount(&operations, "/w/src")["selector"], "/a/b");
    let source = of_kind(&operations, "source");
    let context = source.iter().map(ToString::to_string);
    let context: Vec<String> = context
        .filter(|text| text.contains("local://context"))
        .collect();
    assert!(context[0].contains(r#"[\"a/b\"]"#), "{context:?}");
}

#[test]
fn an_own_cache_starts_from_a_directory_and_belongs_to_the_step() {
    let text = "stages:\n  models:\n    from: debian:13\n    steps: [{run: get}]\n  \
                last:\n    from: debian:13\n    user: app\n    steps:\n      - run: make\n        \
                caches: [{id: m, target: /m, from: models, source: /var/m}]\n";
    let operations = operations(text, &support::request());
    let copies: Vec<String> = of_kind(&operations, "file")
        .iter()
        .map(ToString::to_string)
        .filter(|file| file.contains("/var/m"))
        .collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    for part in ["1001", "1002", "from models:/var/m"] {
        assert!(copies[0].contains(part), "{part}: {}", copies[0]);
    }
}

#[test]
fn a_named_context_comes_before_stages_and_images() {
    let text = "stages:\n  data: {from: 'node:22'}\n  last:\n    from: debian:13\n    steps:\n      \
                - copy: {from: data, src: a, dest: /a}\n      - run: make\n        \
                mounts: [{target: /b, from: data, source: b}]\n";
    let request = with_contexts(&[
        ("data", local("theirs")),
        (
            "debian:13",
            NamedContext::Image("example.org/mine".to_owned()),
        ),
        ("unused", local("unused")),
    ]);
    let (plan, _) = planned(text, &request);
    let keys: Vec<&String> = plan.contexts.keys().collect();
    assert_eq!(keys, ["data"]);
    let operations = operations(text, &request);
    let sources: Vec<String> = of_kind(&operations, "source")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(sources.len(), 2, "{sources:?}");
    let all = sources.concat();
    assert!(all.contains("local://theirs"), "{all}");
    assert!(all.contains(r#"[\"a\",\"b\"]"#), "{all}");
    assert!(
        all.contains("docker-image://example.org/mine:latest@"),
        "{all}"
    );
    assert_eq!(mount(&operations, "/b")["selector"], "/b");
    assert!(show(&plan, true).contains("/b of data at /b"));
}

#[test]
fn a_stage_stands_on_a_context_with_its_config() {
    let config = r#"{"config":{"Env":["PATH=/bin","IMAGE=1"],"User":"app","WorkingDir":"/w"}}"#;
    let built = NamedContext::Built {
        files: Context::Source {
            source: Box::new(Source::OciLayout(buildkit_llb::OciLayout::new(
                "base@sha256:0",
            ))),
            archive: false,
            subdir: String::new(),
        },
        config: Box::new(ImageConfig::from_json(config.as_bytes()).expect("it is JSON")),
    };
    let request = with_contexts(&[("base::linux/amd64", built), ("base", local("other"))]);
    let operations = operations("from: base\nsteps: [{run: make}]\n", &request);
    let exec = of_kind(&operations, "exec")[0].to_string();
    for part in ["IMAGE=1", "HOME=/home/app", "\"/w\""] {
        assert!(exec.contains(part), "{part}: {exec}");
    }
    let source = of_kind(&operations, "source")[0];
    assert!(source.to_string().contains("oci-layout://base@sha256:0"));
    assert_eq!(source["platform"], "linux/amd64");
}

#[test]
fn contexts_are_looked_for_on_the_platforms_that_use_them() {
    let text = "stages:\n  aside: {from: broken}\n  \
                tools: {from: {image: base, platform: linux/arm64}}\n  \
                last:\n    from: base:latest\n    steps: [{copy: {from: tools, src: x, dest: /}}]\n";
    let source = SourceFile::new("larder.yaml", text);
    let spec = larder_spec::parse(&source).spec.expect("it is a spec");
    let keys = ["base", "broken", "base::linux/arm64"].map(str::to_owned);
    let used = contexts_used(&spec, &support::request(), &keys);
    let used: Vec<String> = used
        .iter()
        .map(|(key, platform)| format!("{key} {platform}"))
        .collect();
    assert_eq!(used, ["base linux/amd64", "base::linux/arm64 linux/arm64"]);
}

#[test]
fn steps_run_on_the_platform_of_their_stage() {
    let text = "stages:\n  tools:\n    from: {image: golang, platform: '${BUILDPLATFORM}'}\n    \
                steps: [{run: go build a}]\n  build:\n    from: tools\n    steps: [{run: go build b}]\n  \
                last:\n    from: debian:13\n    steps:\n      - copy: {from: build, src: /x, dest: /}\n      \
                - copy: {from: golang, src: /y, dest: /}\n      - run: go build c\n";
    let request = Request {
        platform: Platform::new("linux", "arm64", ""),
        ..support::request()
    };
    let (plan, source) = planned(text, &request);
    let shown = show(&plan, true);
    assert!(shown.contains("golang:latest@"), "{shown}");
    assert!(shown.contains(" for linux/amd64\n"), "{shown}");
    let lowered = lower(&plan, &source).expect("nothing is imported");
    let config: Value = serde_json::from_slice(&lowered.config).expect("it is JSON");
    assert_eq!(config["architecture"], "arm64");
    let operations = operations(text, &request);
    let platforms: Vec<&Value> = of_kind(&operations, "exec")
        .iter()
        .map(|exec| &exec["platform"])
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/amd64", "linux/arm64"]);
    let mut images: Vec<String> = of_kind(&operations, "source")
        .iter()
        .map(|source| source["platform"].to_string())
        .collect();
    images.sort();
    // The same image is pulled for both: one to build with, one to copy from.
    assert_eq!(
        images,
        ["\"linux/amd64\"", "\"linux/arm64\"", "\"linux/arm64\""]
    );
    let ids: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("go-build") && line.trim_start().starts_with("id "))
        .collect();
    assert_eq!(ids.len(), 3, "{shown}");
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}
