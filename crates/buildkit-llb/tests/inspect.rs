//! What people read.

use buildkit_llb::{
    Constraints, Copy, Definition, Exec, File, Graph, Image, ImageName, Meta, Mount, Platform,
    Sharing, SourceInfo, inspect,
};

fn example() -> Definition {
    let mut graph = Graph::new();
    let on = Constraints::on(Platform::new("linux", "arm64", ""));
    let image = Image::new(&ImageName::parse("alpine:3").unwrap());
    let base = graph.add(image, &on, Meta::default()).only();
    let copy = File::on(Some(base)).copy(Copy::new(base, "/a", "/b/"));
    let copied = graph.add(copy, &on, Meta::named("say \"hello\"")).only();
    let mut exec = Exec::new(Some(copied), ["true"]);
    exec.mounts
        .push(Mount::cache("id", "/cache", Sharing::Locked));
    exec.mounts.push(Mount::bind(base, "/base"));
    exec.mounts.push(Mount::secret("token", "/token"));
    let vertex = graph.add(exec, &on, Meta::default());
    let info = SourceInfo {
        filename: "larder.yaml".into(),
        ..SourceInfo::default()
    };
    let file = graph.source_file(info);
    graph.locate(vertex, file, &[7..=8]);
    graph.definition(vertex.only())
}

#[test]
fn json_says_what_an_operation_does() {
    let definition = example();
    let json = inspect::json(&definition).unwrap();
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    let digests: Vec<String> = definition.vertices().map(|(d, _)| d.to_string()).collect();
    assert_eq!(
        all["head"],
        serde_json::json!({ "digest": digests[2], "output": 0 })
    );
    let vertices = all["vertices"].as_array().unwrap();
    assert_eq!(
        vertices[0]["source"]["identifier"],
        "docker-image://docker.io/library/alpine:3"
    );
    assert_eq!(vertices[0]["platform"], "linux/arm64");
    assert_eq!(
        vertices[1]["file"],
        serde_json::json!([{
            "copy": { "source": "/a", "path": "/b/" },
            "input": 0,
            "secondary_input": 0,
            "output": 0,
        }])
    );
    assert_eq!(
        vertices[1]["meta"]["description"]["llb.customname"],
        "say \"hello\""
    );
    assert_eq!(
        vertices[2]["exec"]["mounts"],
        serde_json::json!([
            { "target": "/", "type": "bind", "input": 0, "output": 0 },
            { "target": "/base", "type": "bind", "input": 1, "read_only": true },
            { "target": "/cache", "type": "cache", "id": "id", "sharing": "locked" },
            {
                "target": "/token", "type": "secret", "id": "token",
                "uid": 0, "gid": 0, "mode": "0400",
            },
        ])
    );
    assert_eq!(
        vertices[2]["inputs"],
        serde_json::json!([
            { "digest": digests[1], "output": 0 },
            { "digest": digests[0], "output": 0 },
        ])
    );
    assert_eq!(
        vertices[2]["locations"],
        serde_json::json!([{ "file": "larder.yaml", "lines": [[7, 8]] }])
    );
}

#[test]
fn dot_draws_it() {
    let expected = "digraph {
  rankdir=LR
  node [shape=box]
  v0 [label=\"docker-image://docker.io/library/alpine:3\"]
  v1 [label=\"say \\\"hello\\\"\"]
  v2 [label=\"true\"]
  v0 -> v1 [label=\"0\"]
  v1 -> v2 [label=\"/\"]
  v0 -> v2 [label=\"/base\"]
  result [shape=ellipse]
  v2 -> result [label=\"0\"]
}
";
    assert_eq!(inspect::dot(&example()).unwrap(), expected);
}

#[test]
fn nothing_is_shown_as_nothing() {
    let json = inspect::json(&Definition::scratch()).unwrap();
    assert_eq!(json, "{\n  \"head\": null,\n  \"vertices\": []\n}\n");
}
