//! Definitions made by others, changed.

mod added;
mod generate;
mod graph;
mod model;
mod random;
mod wire;

use buildkit_llb::edit::{Editor, ExecChange, OpId, Seen};
use buildkit_llb::{
    Constraints, Definition, Exec, File, Graph, Image, ImageName, Meta, Mkdir, Mount, Output,
    Platform, Sharing, SourceInfo,
};

fn here() -> Constraints {
    Constraints::on(Platform::new("linux", "amd64", ""))
}

fn base(graph: &mut Graph) -> Output {
    let image = Image::new(&ImageName::parse("alpine").unwrap());
    graph.add(image, &here(), Meta::named("alpine")).only()
}

fn owner(graph: &mut Graph) -> Output {
    let mkdir = Mkdir {
        path: "/cache".into(),
        mode: 0o755,
        parents: false,
        owner: None,
        time: None,
    };
    let file = File::on(None).mkdir(mkdir);
    graph.add(file, &here(), Meta::named("owner")).only()
}

/// Two steps in a row, the first of them with these variables and mounts more.
fn steps(env: &[&str], mounts: impl FnOnce(&mut Graph) -> Vec<Mount>) -> Definition {
    let mut graph = Graph::new();
    let file = graph.source_file(SourceInfo {
        filename: "Dockerfile".into(),
        data: b"FROM alpine\nRUN one\nRUN two\n".to_vec(),
        language: "Dockerfile".into(),
    });
    let mut exec = Exec::new(Some(base(&mut graph)), ["one"]);
    exec.env.push("PATH=/bin".into());
    exec.env.extend(env.iter().map(|&set| set.to_owned()));
    exec.mounts.extend(mounts(&mut graph));
    let first = graph.add(exec, &here(), Meta::named("first"));
    graph.locate(first, file, &[2..=2]);
    let second = Exec::new(Some(first.only()), ["two"]);
    let second = graph.add(second, &here(), Meta::named("second"));
    graph.locate(second, file, &[3..=3]);
    graph.definition(second.only())
}

fn exec_named(editor: &Editor, name: &str) -> OpId {
    editor.ops().find(|op| editor.name(*op) == name).unwrap()
}

#[test]
fn what_is_added_is_as_if_it_had_always_been_there() {
    let cache = |target: &str| Mount::cache("id", target, Sharing::Locked);
    let mut editor = Editor::new(&[steps(&[], |_| Vec::new())]).unwrap();
    let first = exec_named(&editor, "first");
    assert!(matches!(editor.see(first), Seen::Exec(exec) if exec.args == ["one"]));
    let owned = owner(editor.graph());
    let change = ExecChange {
        env: vec![("CACHE".into(), "/x=y".into())],
        mounts: vec![
            cache("/1"),
            cache("/2").with_input(owned).select("/cache"),
            Mount::tmpfs("/3"),
            Mount::bind(owned, "/4"),
        ],
    };
    editor.change(first, change);
    let edited = editor.finish();
    let expected = steps(&["CACHE=/x=y"], |graph| {
        let owned = owner(graph);
        vec![
            cache("/1"),
            cache("/2").with_input(owned).select("/cache"),
            Mount::tmpfs("/3"),
            Mount::bind(owned, "/4"),
        ]
    });
    assert_eq!(edited.definitions[0].to_bytes(), expected.to_bytes());
    assert_eq!(edited.digests.len(), 2);
}
