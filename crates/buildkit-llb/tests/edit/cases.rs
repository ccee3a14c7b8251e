//! What is worth a case of its own.

use buildkit_llb::edit::{Editor, ExecChange, OpId, Seen, SeenChange, SeenInput};
use buildkit_llb::{
    Access, Constraints, Copy, Definition, Digest, Exec, File, Graph, Image, ImageName, Meta,
    Mkdir, Mkfile, Mount, MountKind, Op, Output, Platform, Rm, Sharing, Symlink,
};
use buildkit_proto::pb;

use crate::wire::Wire;

fn here() -> Constraints {
    Constraints::on(Platform::new("linux", "amd64", ""))
}

fn alpine(graph: &mut Graph) -> Output {
    let image = Image::new(&ImageName::parse("alpine").unwrap());
    graph.add(image, &here(), Meta::default()).only()
}

/// A definition of these operations, the last of which is asked for.
fn definition(ops: &[Vec<u8>]) -> pb::Definition {
    let mut def = ops.to_vec();
    def.push(on(&[def.last().unwrap()]).0);
    pb::Definition {
        def,
        ..pb::Definition::default()
    }
}

/// The beginning of an operation that takes these.
fn on(inputs: &[&Vec<u8>]) -> Wire {
    let inputs = inputs.iter().map(|op| Digest::of(op).to_string());
    inputs.fold(Wire::default(), |op, digest| {
        op.message(1, Wire::default().text(1, digest))
    })
}

fn cache() -> ExecChange {
    ExecChange {
        env: vec![("A".into(), "b".into())],
        mounts: vec![Mount::cache("id", "/cache", Sharing::Locked)],
    }
}

fn only_op(editor: &Editor) -> OpId {
    let mut ops = editor.ops();
    let op = ops.next().unwrap();
    assert_eq!(ops.next(), None);
    op
}

#[test]
fn every_action_is_seen() {
    let mut graph = Graph::new();
    let alpine = alpine(&mut graph);
    let mkdir = Mkdir {
        path: "/dir".into(),
        mode: 0o755,
        parents: true,
        owner: None,
        time: None,
    };
    let mkfile = Mkfile {
        path: "/file".into(),
        mode: 0o644,
        data: b"data".into(),
        owner: None,
        time: None,
    };
    let rm = Rm {
        path: "/rm".into(),
        allow_missing: false,
        allow_wildcard: false,
    };
    let link = Symlink {
        to: "/to".into(),
        path: "/link".into(),
        owner: None,
        time: None,
    };
    let copy = Copy {
        allow_wildcard: true,
        ..Copy::new(alpine, "/src*", "/dest")
    };
    let file = File::on(Some(alpine)).mkdir(mkdir).mkfile(mkfile).rm(rm);
    let file = file.symlink(link).copy(copy);
    let file = graph.add(file, &here(), Meta::default());
    let diff = Op::Diff {
        lower: None,
        upper: Some(file.only()),
    };
    let diff = graph.add(diff, &here(), Meta::default());
    let editor = Editor::new(&[graph.definition(diff.only())]).unwrap();
    let ops: Vec<OpId> = editor.ops().collect();
    let image = editor.inputs(ops[1])[0];
    let Seen::File(actions) = editor.see(ops[1]) else {
        panic!("{:?}", editor.see(ops[1]));
    };
    assert_eq!(actions[0].on, SeenInput::Of(image));
    for (number, action) in (0_u32..).zip(&actions[1..]) {
        assert_eq!(action.on, SeenInput::Action(number));
    }
    let outputs: Vec<_> = actions.iter().map(|action| action.output).collect();
    assert_eq!(outputs, [None, None, None, None, Some(0)]);
    let changes: Vec<_> = actions.iter().map(|action| action.change.clone()).collect();
    let expected = [
        SeenChange::Mkdir {
            path: "/dir".into(),
        },
        SeenChange::Mkfile {
            path: "/file".into(),
            data: b"data".into(),
        },
        SeenChange::Rm { path: "/rm".into() },
        SeenChange::Other {
            path: Some("/link".into()),
        },
        SeenChange::Copy {
            from: SeenInput::Of(image),
            src: "/src*".into(),
            dest: "/dest".into(),
            wildcard: true,
        },
    ];
    assert_eq!(changes, expected);
    let upper = editor.heads()[0].map(|_| editor.inputs(ops[2])[0]);
    assert_eq!(editor.see(ops[2]), &Seen::Diff { lower: None, upper });
    let expected = "docker-image://docker.io/library/alpine:latest";
    assert!(
        matches!(editor.see(ops[0]), Seen::Source { identifier, .. } if identifier == expected)
    );
    assert_eq!(editor.name(ops[0]), expected);
    assert_eq!(editor.platform(ops[0]), here().platform);
    assert_eq!(editor.platform(ops[1]), None);
}

#[test]
fn every_mount_is_seen() {
    let mut graph = Graph::new();
    let alpine = alpine(&mut graph);
    let mut exec = Exec::new(Some(alpine), ["run"]);
    exec.env = ["A=b=c", "B=", "C"].map(String::from).into();
    exec.user = "name:group".into();
    exec.network = buildkit_llb::Network::None;
    exec.mounts.push(Mount {
        target: "/bind".into(),
        kind: MountKind::Bind {
            input: Some(alpine),
            selector: "/etc".into(),
            access: Access::ReadOnly,
            content_cache: buildkit_llb::ContentCache::On,
        },
    });
    exec.mounts
        .push(Mount::cache("id", "cache", Sharing::Private).with_input(alpine));
    exec.mounts.push(Mount::secret("token", "/secret"));
    exec.mounts.push(Mount::writable(None, "/out"));
    let exec = graph.add(exec, &here(), Meta::default());
    let editor = Editor::new(&[graph.definition(exec.only())]).unwrap();
    let op = editor.heads()[0].unwrap().op;
    let image = Some(editor.inputs(op)[0]);
    let Seen::Exec(seen) = editor.see(op) else {
        panic!("{:?}", editor.see(op));
    };
    assert_eq!(seen.args, ["run"]);
    let env = [("A", "b=c"), ("B", ""), ("C", "")];
    assert_eq!(
        seen.env,
        env.map(|(name, value)| (name.into(), value.into()))
    );
    assert_eq!((seen.cwd.as_str(), seen.user.as_str()), ("/", "name:group"));
    assert!(seen.offline);
    let mounts = seen.mounts.iter().map(|mount| {
        let cache = mount.cache.as_ref();
        let cache = cache.map(|cache| (cache.id.as_str(), cache.sharing));
        let input = (mount.input, mount.selector.as_str(), mount.output);
        (mount.target.as_str(), input, mount.read_only, cache)
    });
    let expected = [
        ("/", (image, "", Some(0)), false, None),
        ("/bind", (image, "/etc", None), true, None),
        ("/out", (None, "", Some(1)), false, None),
        ("/secret", (None, "", None), false, None),
        (
            "cache",
            (image, "", None),
            false,
            Some(("id", Sharing::Private)),
        ),
    ];
    assert_eq!(mounts.collect::<Vec<_>>(), expected);
}

#[test]
fn what_makes_no_sense_is_left_alone() {
    let base = Wire::default().message(8, "base").0;
    let mount = |input, output| {
        Wire::default()
            .number(1, input)
            .number(4, output)
            .text(3, "/")
    };
    let action = |input| Wire::default().number(1, input).number(3, 0);
    let bodies = [
        (2, Wire::default().message(2, mount(1, 0))),
        (2, Wire::default().message(2, mount(-2, 0))),
        (2, Wire::default().message(2, mount(0, -2))),
        (2, Wire::default().message(2, mount(0, 1 << 40))),
        (4, Wire::default().message(2, action(1))),
        (4, Wire::default().message(2, action(i64::MIN))),
        (6, Wire::default().message(1, Wire::default().number(1, -1))),
        (7, Wire::default().message(1, Wire::default().number(1, 7))),
    ];
    for (number, body) in bodies {
        let op = on(&[&base]).message(number, body).0;
        let theirs = Definition::from_proto(&definition(&[base.clone(), op]));
        let mut editor = Editor::new(std::slice::from_ref(&theirs)).unwrap();
        let op = editor.heads()[0].unwrap().op;
        assert_eq!(editor.see(op), &Seen::Other(editor.inputs(op).to_vec()));
        editor.change(op, cache());
        assert_eq!(editor.finish().definitions, [theirs]);
    }
}

#[test]
fn changes_add_up() {
    let op = Wire::default().message(2, []).0;
    let theirs = Definition::from_proto(&definition(&[op]));
    let change = |parts: &[ExecChange]| {
        let mut editor = Editor::new(std::slice::from_ref(&theirs)).unwrap();
        let op = only_op(&editor);
        for part in parts {
            editor.change(op, part.clone());
        }
        editor.finish().definitions
    };
    let ExecChange { env, mounts } = cache();
    let env = ExecChange {
        env,
        ..ExecChange::default()
    };
    let mounts = ExecChange {
        mounts,
        ..ExecChange::default()
    };
    assert_eq!(change(&[env.clone(), mounts.clone()]), change(&[cache()]));
    assert_eq!(change(&[mounts, env]), change(&[cache()]));
}

#[test]
fn messages_in_parts_are_one_message() {
    let meta = |env: &str| Wire::default().text(2, env).then(&[0x98, 0x06, 1]);
    let part = |env| Wire::default().message(1, meta(env)).text(9, "unknown");
    let op = Wire::default()
        .message(2, part("A=1"))
        .message(2, part("B=2"));
    let theirs = Definition::from_proto(&definition(&[op.0]));
    let mut editor = Editor::new(&[theirs]).unwrap();
    let op = only_op(&editor);
    let change = ExecChange {
        env: vec![("C".into(), "3".into())],
        mounts: Vec::new(),
    };
    editor.change(op, change);
    let changed = editor.finish().definitions.remove(0).into_proto();
    let last = Wire::default()
        .text(2, "B=2")
        .text(2, "C=3")
        .then(&[0x98, 0x06, 1]);
    let last = Wire::default().message(1, last).text(9, "unknown");
    let expected = Wire::default().message(2, part("A=1")).message(2, last).0;
    assert_eq!(changed.def[0], expected);
}

#[test]
fn operations_that_become_the_same_are_one() {
    let exec = |env: &[&str], mounts: &[Mount]| {
        let mut exec = Exec::new(None, ["run"]);
        exec.env.extend(env.iter().map(|&set| set.to_owned()));
        exec.mounts.extend_from_slice(mounts);
        exec
    };
    let mut graph = Graph::new();
    let plain = graph.add(exec(&[], &[]), &here(), Meta::named("plain"));
    let rich = exec(&["A=b"], &cache().mounts);
    let rich = graph.add(rich, &here(), Meta::named("rich"));
    let merge = Op::Merge(vec![plain.only(), rich.only()]);
    let merge = graph.add(merge, &here(), Meta::default());
    let mut editor = Editor::new(&[graph.definition(merge.only())]).unwrap();
    let op = editor.ops().next().unwrap();
    assert_eq!(editor.name(op), "plain");
    editor.change(op, cache());
    let edited = editor.finish();
    let definition = &edited.definitions[0];
    assert_eq!(edited.digests[&graph.digest(plain)], graph.digest(rich));
    let vertices: Vec<_> = definition.vertices().collect();
    assert_eq!(vertices.len(), 2);
    assert_eq!(vertices[0], (graph.digest(rich), "plain".to_owned()));
    assert_eq!(definition.clone().into_proto().metadata.len(), 3);
    Graph::new().import(definition).unwrap();
}

#[test]
fn a_capability_that_was_not_needed_is() {
    let op = Wire::default().message(2, []).0;
    let name = Digest::of(&op).to_string();
    let mut theirs = definition(&[op]);
    let caps = [("exec.mount.cache", false), ("a", true), ("z", false)];
    let said = pb::OpMetadata {
        caps: caps.map(|(cap, needed)| (cap.to_owned(), needed)).into(),
        ..pb::OpMetadata::default()
    };
    theirs.metadata.insert(name, said);
    let mut editor = Editor::new(&[Definition::from_proto(&theirs)]).unwrap();
    let op = only_op(&editor);
    editor.change(op, cache());
    let changed = editor.finish().definitions.remove(0);
    let caps: Vec<String> = changed.required_caps().into_iter().collect();
    assert_eq!(caps, ["a", "exec.mount.cache", "exec.mount.cache.sharing"]);
}

#[test]
fn a_location_in_no_file_stays_but_is_not_seen() {
    let op = Wire::default().message(2, []).0;
    let name = Digest::of(&op).to_string();
    let mut theirs = definition(&[op]);
    let range = |start, end| pb::Range {
        start: Some(pb::Position {
            line: start,
            character: 0,
        }),
        end: Some(pb::Position {
            line: end,
            character: 0,
        }),
    };
    let location = |source_index| pb::Location {
        source_index,
        ranges: vec![
            range(3, 4),
            range(0, 9),
            range(-1, 2),
            range(7, 5),
            pb::Range::default(),
        ],
    };
    let locations = pb::Locations {
        locations: vec![location(-1), location(0), location(1)],
    };
    let source = pb::Source {
        locations: [(name, locations.clone())].into(),
        infos: vec![pb::SourceInfo::default()],
    };
    theirs.source = Some(source);
    let mut editor = Editor::new(&[Definition::from_proto(&theirs)]).unwrap();
    let op = only_op(&editor);
    let seen = editor.locations(op);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].file, seen[0].lines.as_slice()),
        (0, &[3..=4, 7..=7][..])
    );
    editor.change(op, cache());
    let edited = editor.finish();
    let source = edited.definitions[0].clone().into_proto().source.unwrap();
    let name = edited.digests.values().next().unwrap().to_string();
    assert_eq!(source.locations, [(name, locations)].into());
}

#[test]
fn nothing_at_all_is_edited_to_nothing() {
    let editor = Editor::new(&[Definition::scratch(), Definition::scratch()]).unwrap();
    assert_eq!(editor.heads(), [None, None]);
    assert_eq!(editor.ops().count(), 0);
    let edited = editor.finish();
    assert_eq!(
        edited.definitions,
        [Definition::scratch(), Definition::scratch()]
    );
    assert!(Editor::new(&[]).unwrap().finish().definitions.is_empty());
}
