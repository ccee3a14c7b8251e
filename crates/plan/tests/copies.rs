//! What `copy`, `add` and `file` become: every spec in `lowering` against the operations beside it
//! (`UPDATE_GOLDEN=1` writes them anew), and what must hold of them.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use larder_diagnostic::{SourceFile, render};
use larder_plan::{Able, Lowered, Plan, Request, lower};
use serde_json::Value;

fn planned(text: &str, request: &Request) -> (Plan, SourceFile) {
    let source = SourceFile::new("larder.yaml", text);
    let plan = support::plan(&source, request, Path::new("/nowhere"))
        .unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, &source)));
    (plan, source)
}

fn lowered(text: &str, request: &Request) -> Lowered {
    let (plan, source) = planned(text, request);
    lower(&plan, &source).expect("nothing is imported")
}

fn vertices(lowered: &Lowered) -> Vec<Value> {
    let json = buildkit_llb::inspect::json(&lowered.definition).expect("it is whole");
    let mut json: Value = serde_json::from_str(&json).expect("it is JSON");
    let Value::Array(vertices) = json["vertices"].take() else {
        panic!("no vertices");
    };
    vertices
}

/// What progress calls an operation.
fn name(vertex: &Value) -> &str {
    let name = vertex["meta"]["description"]["llb.customname"].as_str();
    name.expect("every operation has a name")
}

/// The name and the digest of every operation.
fn digests(lowered: &Lowered) -> Vec<(String, String)> {
    let vertices = vertices(lowered);
    let pair = |vertex: &Value| (name(vertex).to_owned(), vertex["digest"].to_string());
    vertices.iter().map(pair).collect()
}

/// Each operation by name, with the names of its inputs, and each of its actions on a line.
fn tree(lowered: &Lowered) -> String {
    let vertices = vertices(lowered);
    let name_of = |digest: &Value| {
        let found = vertices.iter().find(|vertex| vertex["digest"] == *digest);
        name(found.expect("inputs are in the definition"))
    };
    let list = |vertex: &Value, key: &str| vertex[key].as_array().cloned().unwrap_or_default();
    let mut out = String::new();
    for vertex in &vertices {
        let _ = writeln!(out, "{}", name(vertex));
        for input in list(vertex, "inputs") {
            let _ = writeln!(out, "  on {}", name_of(&input["digest"]));
        }
        if let Some(source) = vertex.get("source") {
            let _ = writeln!(out, "  {source}");
        }
        for action in list(vertex, "file") {
            let _ = writeln!(out, "  {action}");
        }
        if let Some(merge) = vertex.get("merge") {
            let _ = writeln!(out, "  merge {merge}");
        }
    }
    out
}

#[test]
fn operations_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lowering");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for name in ["add", "copy", "file", "link"] {
        let spec = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).expect("a spec");
        let actual = tree(&lowered(&spec, &support::request()));
        let golden = folder.join(format!("{name}.tree"));
        if update {
            std::fs::write(&golden, &actual).expect("it can be written");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(expected, actual, "{name}");
    }
}

const LINKED: &str = "user: build\nworkdir: /app\nsteps:\n  \
                      - copy: {src: tool, dest: /app/bin/, link: true}\n";

#[test]
fn a_linked_copy_does_not_depend_on_the_base() {
    let copy_on = |base: &str, link: &str, request: &Request| {
        let text = format!("from: {base}\n{LINKED}").replace("true", link);
        let digests = digests(&lowered(&text, request));
        let copy = digests
            .into_iter()
            .find(|(name, _)| name.ends_with("copy tool to /app/bin/"));
        copy.expect("it is there").1
    };
    let (plain, with_cache) = (support::request(), support::request_with_cache());
    let linked = copy_on("debian:13", "true", &plain);
    assert_eq!(linked, copy_on("node:22", "true", &plain));
    assert_eq!(linked, copy_on("node:22", "true", &with_cache));
    let ordinary = copy_on("debian:13", "false", &plain);
    assert_ne!(ordinary, copy_on("node:22", "false", &plain));
}

#[test]
fn without_merges_a_linked_copy_is_an_ordinary_one() {
    let mut request = support::request();
    request.able = Able {
        merge: false,
        ..Able::ALL
    };
    let linked = format!("from: debian:13\n{LINKED}");
    let plain = linked.replace("true", "false");
    let operations = |text: &str| {
        let lowered = lowered(text, &request);
        assert!(!lowered.definition.required_caps().contains("mergeop"));
        digests(&lowered)
    };
    assert_eq!(operations(&linked), operations(&plain));
    assert_ne!(
        digests(&lowered(&linked, &support::request())),
        operations(&plain)
    );
}

#[test]
fn paths_need_not_be_there_where_the_daemon_cannot_look() {
    let text = "from: scratch\nsteps: [{copy: {src: a/b, dest: /x, parents: true}}]\n";
    let mut request = support::request();
    assert!(tree(&lowered(text, &request)).contains(r#""required":["/a/b"]"#));
    request.able.required_paths = false;
    let lowered = lowered(text, &request);
    assert!(!tree(&lowered).contains("required"));
    let caps = lowered.definition.required_caps();
    assert!(!caps.contains(buildkit_llb::caps::FILE_COPY_REQUIRED));
}

#[test]
fn what_is_made_has_the_time_that_the_client_asks_for() {
    let text = "from: debian:13\nuser: build\nworkdir: /app\nsteps:\n  \
                - run: pip install x\n  - file: {dest: a/b, content: x}\n  - copy: c\n  \
                - copy: {src: d, dest: /d/e, chmod: '0644'}\n";
    let mut request = support::request();
    let plain = tree(&lowered(text, &request));
    assert!(!plain.contains("\"time\""), "{plain}");
    request.epoch = Some(5);
    let timed = tree(&lowered(text, &request));
    let at = r#""time":5000000000"#;
    for made in ["mkdir", "mkfile"] {
        for line in timed
            .lines()
            .filter(|line| line.contains(&format!("\"{made}\"")))
        {
            // What a cache begins with is no part of the image.
            assert!(line.contains(at) || line.contains("/cache"), "{line}");
        }
    }
    // Files of the context keep their own times.
    for (source, expected) in [("\"source\":\"/b\"", true), ("\"source\":\"/c\"", false)] {
        let line = timed.lines().find(|line| line.contains(source));
        let line = line.unwrap_or_else(|| panic!("{timed}"));
        assert_eq!(line.contains(at), expected, "{line}");
    }
}

#[test]
fn paths_of_added_files_are_sent() {
    let text = "from: debian:13\nsteps:\n  - add: a.tar\n  - add: https://example.org/b\n  \
                - copy: {src: c/./d/*.js, dest: /x, parents: true}\n  \
                - file: {dest: /e, content: x}\n";
    let (plan, _) = planned(text, &support::request());
    let expected = ["a.tar", "c/d/*.js"].map(str::to_owned).to_vec();
    assert_eq!(plan.context_paths, Some(expected));
    let (plan, _) = planned(
        "from: debian:13\nsteps: [{copy: {src: ., dest: /x, parents: true}}]\n",
        &support::request(),
    );
    assert_eq!(plan.context_paths, None);
    let (plan, _) = planned(
        "from: debian:13\nsteps: [{file: {dest: /e, content: x}}]\n",
        &support::request(),
    );
    assert_eq!(plan.context_paths, Some(Vec::new()));
}

#[test]
fn secrets_of_an_address_are_in_no_name() {
    let text = "from: scratch\nsteps:\n  - add: https://me:hidden@example.org/b?token=hidden\n  \
                - add: https://hidden@example.org/x.git\n";
    let (plan, source) = planned(text, &support::request());
    let shown = larder_plan::show(&plan, true);
    assert!(!shown.contains("hidden"), "{shown}");
    let lowered = lower(&plan, &source).expect("nothing is imported");
    for (name, _) in digests(&lowered) {
        assert!(!name.contains("hidden"), "{name}");
    }
    let config = String::from_utf8(lowered.config).expect("it is text");
    assert!(!config.contains("hidden"), "{config}");
}

/// BuildKit makes directories and files without these bits.
#[test]
fn sticky_and_setuid_bits_are_kept() {
    let request = support::request();
    let names = |text: &str| -> Vec<String> {
        let digests = digests(&lowered(text, &request));
        digests.into_iter().map(|(name, _)| name).collect()
    };
    let linked = |names: &[String]| names.iter().any(|name| name.contains("laid over"));
    let to_tmp = names("from: debian:13\nsteps:\n  - copy: {src: a, dest: /tmp/, link: true}\n");
    assert!(!linked(&to_tmp), "{to_tmp:?}");
    let to_srv = names("from: debian:13\nsteps:\n  - copy: {src: a, dest: /srv/, link: true}\n");
    assert!(linked(&to_srv), "{to_srv:?}");

    let file = "from: debian:13\nsteps:\n  - file: {dest: /x, content: y, chmod: 4755}\n";
    let vertices = vertices(&lowered(file, &request));
    let made: Vec<String> = vertices.iter().map(ToString::to_string).collect();
    let copied = |vertex: &String| vertex.contains("\"copy\"") && vertex.contains("\"4755\"");
    assert!(made.iter().any(copied), "{made:#?}");
}
