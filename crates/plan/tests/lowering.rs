//! What a plan becomes.

mod support;

use std::path::Path;

use larder_diagnostic::SourceFile;
use larder_plan::{Context, Lowered, NoCache, Request, lower};
use serde_json::Value;

fn lowered(text: &str, request: &Request) -> Lowered {
    let source = SourceFile::new("larder.yaml", text);
    let context = Path::new("/nonexistent");
    let plan = support::plan(&source, request, context)
        .unwrap_or_else(|mistakes| panic!("{}", larder_diagnostic::render(&mistakes, &source)));
    lower(&plan, &source).expect("nothing is imported")
}

/// The operations that have a key, such as `exec`.
fn operations(lowered: &Lowered, key: &str) -> Vec<Value> {
    let json = buildkit_llb::inspect::json(&lowered.definition).expect("it is whole");
    let mut json: Value = serde_json::from_str(&json).expect("it is JSON");
    let Value::Array(vertices) = json["vertices"].take() else {
        panic!("no vertices");
    };
    vertices
        .into_iter()
        .filter(|vertex| vertex.get(key).is_some())
        .collect()
}

fn config(lowered: &Lowered) -> Value {
    serde_json::from_slice(&lowered.config).expect("it is JSON")
}

#[test]
fn the_build_user_is_there_before_its_first_step() {
    let text = "from: debian:13\nuser: build\nsteps:\n  - run: pip install x\n";
    let lowered = lowered(text, &support::request());
    let files = operations(&lowered, "file");
    let made = files[0]["file"].to_string();
    assert!(
        made.contains("build:x:1000:1000::/home/build:/bin/sh"),
        "{made}"
    );
    assert!(made.contains("/etc/group"), "{made}");
    let exec = &operations(&lowered, "exec")[0];
    assert_eq!(exec["exec"]["user"], "build");
    let env = exec["exec"]["env"].to_string();
    assert!(env.contains("HOME=/home/build"), "{env}");
    assert!(env.contains("PIP_CACHE_DIR="), "{env}");
    let cache = &exec["exec"]["mounts"][1];
    assert_eq!(cache["selector"], "/cache");
    assert_eq!(cache["target"], "/cache/pip");
    let config = config(&lowered);
    assert_eq!(config["config"]["User"], "build");
    assert_eq!(config["config"]["Healthcheck"]["Test"][0], "NONE");
    assert_eq!(config["created"], Value::Null);
    assert_eq!(config["history"].as_array().map(Vec::len), Some(3));
}

#[test]
fn running_again_keeps_caches() {
    let text = "stages:\n  a:\n    from: debian:13\n    steps: [{run: pip install x}]\n  \
                b:\n    from: a\n    steps: [{run: pip install y}]\n";
    let mut request = support::request();
    request.no_cache = NoCache::Stages {
        names: vec!["b".to_owned()],
        nonce: "7".to_owned(),
    };
    let execs = operations(&lowered(text, &request), "exec");
    let told = |exec: &Value| exec["exec"]["env"].to_string().contains("LARDER_BUILD=7");
    assert_eq!(execs.iter().map(told).collect::<Vec<_>>(), [false, true]);
    assert!(
        execs
            .iter()
            .all(|exec| exec["meta"].get("ignore_cache").is_none())
    );
    request.no_cache = NoCache::All {
        nonce: "8".to_owned(),
    };
    let execs = operations(&lowered(text, &request), "exec");
    assert!(
        execs
            .iter()
            .all(|exec| exec["exec"]["env"].to_string().contains("LARDER_BUILD=8"))
    );
}

#[test]
fn only_paths_that_steps_use_are_sent() {
    let mut request = support::request();
    request.context = Context::Local {
        name: "context".to_owned(),
        session: Some("s".to_owned()),
        exclude: vec!["*.log".to_owned()],
    };
    let some = "from: scratch\nsteps: [{copy: {src: [b, a/], dest: /x/}}]\n";
    let source = operations(&lowered(some, &request), "source")[0]["source"].to_string();
    assert!(source.contains(r#"[\"a\",\"b\"]"#), "{source}");
    assert!(source.contains("*.log"), "{source}");
    let all = "from: scratch\nsteps: [{copy: a}, {copy: .}]\n";
    let source = operations(&lowered(all, &request), "source")[0]["source"].to_string();
    assert!(!source.contains("followpaths"), "{source}");
    let none = "from: debian:13\nsteps: [{run: id}]\n";
    let sources = operations(&lowered(none, &request), "source");
    assert_eq!(sources.len(), 1, "{sources:?}");
}

#[test]
fn a_step_knows_its_lines() {
    let text = "from: debian:13\nsteps:\n  - run: |\n      one\n      two\n  - run: three\n    user: app\n";
    let execs = operations(&lowered(text, &support::request()), "exec");
    let lines = |exec: &Value| exec["locations"][0]["lines"][0].to_string();
    assert_eq!(lines(&execs[1]), "[6,6]");
    let script = lines(&execs[0]);
    assert!(["[3,5]", "[4,5]"].contains(&script.as_str()), "{script}");
    assert_eq!(execs[0]["exec"]["args"][2], "set -e\none\ntwo\n");
    assert_eq!(execs[1]["exec"]["args"][2], "three");
    assert_eq!(execs[1]["exec"]["user"], "app");
}

#[test]
fn nothing_on_scratch_is_nothing() {
    let lowered = lowered("from: scratch\n", &support::request());
    assert!(lowered.definition.is_scratch());
    assert_eq!(lowered.base_config, None);
    assert_eq!(config(&lowered)["architecture"], "amd64");
}

#[test]
fn an_entrypoint_drops_the_arguments_of_the_base() {
    let base = "from: node:22\n";
    let with = |image: &str| {
        let lowered = lowered(&format!("{base}{image}"), &support::request());
        let config = config(&lowered)["config"].clone();
        (config["Entrypoint"].clone(), config["Cmd"].clone())
    };
    let list = |words: &[&str]| Value::from(words.to_vec());
    assert_eq!(with(""), (list(&["docker-entrypoint.sh"]), list(&["node"])));
    assert_eq!(
        with("image: {entrypoint: [x]}\n"),
        (list(&["x"]), Value::Null)
    );
    assert_eq!(
        with("image: {cmd: [y]}\n"),
        (list(&["docker-entrypoint.sh"]), list(&["y"]))
    );
    assert_eq!(
        with("image: {entrypoint: [x], cmd: z 1}\n"),
        (list(&["x"]), list(&["/bin/sh", "-c", "z 1"]))
    );
}
