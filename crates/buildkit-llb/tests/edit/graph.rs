//! Definitions that a graph made: what is added is as if it had always been there.

use std::collections::BTreeMap;

use buildkit_llb::edit::{Editor, OpId, Seen};
use buildkit_llb::{
    Constraints, Copy, Definition, Digest, Exec, File, Graph, Image, ImageName, Meta, Mount, Op,
    Output, Platform, Sharing, SourceInfo,
};

use crate::added::{Added, Change, Kind, Owners};
use crate::random::for_each_seed;
use crate::wire::Random;

/// A build whose steps are the same for the same seed, but for what is added to some of them.
struct Build {
    graph: Graph,
    outputs: Vec<Output>,
    changes: BTreeMap<Digest, Change>,
}

fn build(seed: u64, with_changes: bool) -> Build {
    let mut random = Random::new(seed);
    let mut build = Build {
        graph: Graph::new(),
        outputs: Vec::new(),
        changes: BTreeMap::new(),
    };
    let file = build.graph.source_file(SourceInfo {
        filename: "Dockerfile".into(),
        ..SourceInfo::default()
    });
    let owners = with_changes.then(|| Owners::add(&mut build.graph));
    for number in 0..2 + random.below(8) {
        let change = Change::random(&mut random);
        let op = step(number, &mut build, &mut random);
        let platform = ["amd64", "arm64"][random.below(2)];
        let on = Constraints::on(Platform::new("linux", platform, ""));
        let meta = Meta {
            ignore_cache: random.once_in(4),
            ..Meta::named(format!("step {number}"))
        };
        let changed = random.once_in(2);
        let vertex = match op {
            Op::Exec(mut exec) if changed => {
                if let Some(owners) = &owners {
                    let env = change
                        .env
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"));
                    exec.env.extend(env);
                    exec.mounts.extend(change.lift(owners).mounts);
                }
                let vertex = build.graph.add(exec, &on, meta);
                build.changes.insert(build.graph.digest(vertex), change);
                vertex
            }
            op => build.graph.add(op, &on, meta),
        };
        if random.once_in(2) {
            let line = u32::try_from(number).unwrap() + 1;
            build.graph.locate(vertex, file, &[line..=line]);
        }
        build.outputs.push(vertex.only());
    }
    build
}

fn step(number: usize, build: &mut Build, random: &mut Random) -> Op {
    let earlier = build.outputs.len();
    if earlier == 0 || random.once_in(6) {
        let name = ImageName::parse(["alpine", "debian"][random.below(2)]).unwrap();
        return Image::new(&name).into();
    }
    let first = build.outputs[random.below(earlier)];
    let second = build.outputs[random.below(earlier)];
    match random.below(8) {
        0 => Op::Merge(vec![first, second]),
        1 => {
            let copy = Copy::new(second, format!("/{number}"), "/");
            File::on(Some(first)).copy(copy).into()
        }
        // What mounts that are added may take as well.
        2 => {
            let owner = Owners::add(&mut Graph::new()).len() - 1;
            build.outputs.push(Owners::add(&mut build.graph)[owner]);
            step(number, build, random)
        }
        _ => {
            let mut exec = Exec::new(Some(first), ["run".to_owned(), number.to_string()]);
            while random.once_in(2) {
                exec.env.push(["PATH=/bin", "A=b"][random.below(2)].into());
            }
            while exec.mounts.len() < 4 && random.once_in(2) {
                let target = format!("/{}", exec.mounts.len());
                exec.mounts.push(match random.below(4) {
                    0 => Mount::bind(second, target),
                    1 => Mount::writable(Some(second), target),
                    2 => Mount::cache("theirs", target, Sharing::Shared).with_input(second),
                    _ => Mount::cache("theirs", target, Sharing::Locked),
                });
            }
            exec.into()
        }
    }
}

/// Changes a build, which must come to what it is with the changes from the start.
fn check(seed: u64) {
    let plain = build(seed, false);
    let expected = build(seed, true);
    let mut random = Random::new(!seed);
    let asked = (0..=random.below(3)).map(|_| random.below(plain.outputs.len()));
    let asked: Vec<usize> = asked.collect();
    let theirs: Vec<Definition> = asked
        .iter()
        .map(|at| plain.graph.definition(plain.outputs[*at]))
        .collect();
    let mut editor = Editor::new(&theirs).unwrap();
    let owners = Owners::add(editor.graph());
    let execs: Vec<OpId> = editor
        .ops()
        .filter(|op| matches!(editor.see(*op), Seen::Exec(_)))
        .collect();
    for op in execs {
        if let Some(change) = plain.changes.get(&editor.digest(op)) {
            editor.change(op, change.lift(&owners));
        }
    }
    let edited = editor.finish();
    for (at, definition) in asked.iter().zip(&edited.definitions) {
        let expected = expected.graph.definition(expected.outputs[*at]);
        assert_eq!(definition.to_bytes(), expected.to_bytes());
    }
}

#[test]
fn what_is_added_is_as_if_it_had_always_been_there() {
    for_each_seed(check);
}

#[test]
fn every_kind_of_mount_is_as_if_it_had_always_been_there() {
    let kinds = [
        Kind::Cache(Sharing::Locked),
        Kind::Bind(buildkit_llb::Access::ReadOnly),
        Kind::Bind(buildkit_llb::Access::Writable),
        Kind::Tmpfs(None),
        Kind::Tmpfs(Some(9)),
        Kind::Secret,
    ];
    for kind in kinds {
        for owner in [None, Some(0), Some(2)] {
            let added = Added {
                target: "/~".into(),
                kind,
                owner,
                selector: "",
            };
            let step = |added: Option<&Added>| {
                let mut graph = Graph::new();
                let mut exec = Exec::new(None, ["run"]);
                if let Some(added) = added {
                    let owners = Owners::add(&mut graph);
                    exec.mounts.push(added.lift(&owners));
                }
                let vertex = graph.add(exec, &Constraints::default(), Meta::named("run"));
                graph.definition(vertex.only())
            };
            let mut editor = Editor::new(&[step(None)]).unwrap();
            let owners = Owners::add(editor.graph());
            let change = Change {
                env: Vec::new(),
                mounts: vec![added.clone()],
            };
            let op = editor.ops().next().unwrap();
            editor.change(op, change.lift(&owners));
            assert_eq!(editor.finish().definitions, [step(Some(&added))]);
        }
    }
}
