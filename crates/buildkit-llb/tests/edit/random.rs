//! What holds whatever others write.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::edit::{Edited, Editor, ExecChange, OpId, Port, Seen, SeenInput};
use buildkit_llb::{Definition, Digest, Graph, inspect};

use crate::added::Owners;
use crate::generate::{generate, needed};
use crate::model::{Body, Changes, Exec, Model};

fn read(model: &Model, owners: &Owners) -> Vec<Definition> {
    let all = 0..model.asked.len();
    all.map(|at| Definition::from_bytes(&model.bytes(at, owners)).unwrap())
        .collect()
}

fn edit(mut editor: Editor, model: &Model, changes: &Changes, owners: &Owners) -> Edited {
    let compiled = model.compile(&Changes::new(), owners);
    let ops: BTreeMap<Digest, OpId> = editor.ops().map(|op| (editor.digest(op), op)).collect();
    let outputs = Owners::add(editor.graph());
    for (op, change) in changes {
        editor.change(ops[&compiled.digests[*op]], change.lift(&outputs));
    }
    editor.finish()
}

/// Runs for as many seeds as the variable `LARDER_CASES` says.
pub(crate) fn for_each_seed(check: impl Fn(u64)) {
    let cases = std::env::var("LARDER_CASES").ok();
    let cases = cases.map_or(1000, |cases| cases.parse().expect("a number of cases"));
    for seed in 0..cases {
        let run = std::panic::AssertUnwindSafe(|| check(seed));
        assert!(std::panic::catch_unwind(run).is_ok(), "for seed {seed}");
    }
}

#[test]
fn nothing_changes_but_what_was_added_and_the_digests_that_follow() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, changes) = generate(seed);
        let theirs = read(&model, &owners);
        let edited = edit(Editor::new(&theirs).unwrap(), &model, &changes, &owners);

        let before = model.compile(&Changes::new(), &owners);
        let after = model.compile(&changes, &owners);
        for (at, definition) in edited.definitions.iter().enumerate() {
            let order = &model.asked[at].order;
            let moved = order
                .iter()
                .any(|op| before.digests[*op] != after.digests[*op]);
            let expected = if moved {
                model.parts(at, &changes, &owners).canonical()
            } else {
                theirs[at].to_bytes()
            };
            if definition.to_bytes() != expected {
                let expected = Definition::from_bytes(&expected).unwrap();
                let json = |definition| inspect::json(definition).unwrap();
                assert_eq!(json(definition), json(&expected));
                assert_eq!(definition, &expected);
            }
            let mut graph = Graph::new();
            graph.import(definition).unwrap();
        }
        let there: BTreeSet<usize> = model
            .asked
            .iter()
            .flat_map(|asked| asked.order.clone())
            .collect();
        let digests = there
            .into_iter()
            .map(|op| (before.digests[op], after.digests[op]));
        let moved: BTreeMap<Digest, Digest> = digests.filter(|(was, is)| was != is).collect();
        assert_eq!(edited.digests, moved);
        Editor::new(&edited.definitions).unwrap();
    });
}

#[test]
fn an_edit_that_changes_nothing_gives_back_the_same_bytes() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, _) = generate(seed);
        let theirs = read(&model, &owners);
        let mut editor = Editor::new(&theirs).unwrap();
        for op in editor.ops() {
            editor.change(op, ExecChange::default());
        }
        let edited = edit(editor, &model, &Changes::new(), &owners);
        for (at, definition) in edited.definitions.iter().enumerate() {
            assert_eq!(definition.to_bytes(), model.bytes(at, &owners));
        }
        assert_eq!(edited.digests, BTreeMap::new());
    });
}

#[test]
fn every_operation_is_seen_once_and_as_it_is() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, _) = generate(seed);
        let compiled = model.compile(&Changes::new(), &owners);
        let editor = Editor::new(&read(&model, &owners)).unwrap();
        let by_digest: BTreeMap<Digest, usize> =
            compiled.digests.iter().copied().zip(0..).collect();
        let ops: Vec<OpId> = editor.ops().collect();
        let numbers: Vec<usize> = ops
            .iter()
            .map(|op| by_digest[&editor.digest(*op)])
            .collect();
        let heads: Vec<_> = model.asked.iter().map(|asked| asked.head).collect();
        let all = needed(&model.ops, heads.iter().copied().flatten());
        assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(numbers.len(), all.len());

        let number = |port: &Port| by_digest[&editor.digest(port.op)];
        let plain = |port: &Port| (number(port), i64::from(port.index));
        let seen: Vec<_> = editor
            .heads()
            .iter()
            .map(|head| head.as_ref().map(plain))
            .collect();
        assert_eq!(seen, heads);
        for (op, number) in ops.iter().zip(&numbers) {
            let one = &model.ops[*number];
            let inputs: Vec<_> = editor.inputs(*op).iter().map(plain).collect();
            let expected = one.inputs.iter().map(|(input, index, _)| (*input, *index));
            assert_eq!(inputs, expected.collect::<Vec<_>>());
            assert!(editor.inputs(*op).iter().all(|input| input.op < *op));
            look(&editor, *op, &one.body, &model, *number);
        }
    });
}

fn look(editor: &Editor, op: OpId, body: &Body, model: &Model, number: usize) {
    let inputs = editor.inputs(op);
    match (editor.see(op), body) {
        (Seen::Exec(seen), Body::Exec(exec)) => {
            let env = seen.env.iter().map(|(name, value)| match value.as_str() {
                "" => name.clone(),
                value => format!("{name}={value}"),
            });
            let meta = exec.meta.as_ref();
            let args = meta.map_or(Vec::new(), |meta| meta.args.clone());
            assert_eq!(seen.args, args);
            assert!(env.eq(meta.iter().flat_map(|meta| meta.env.clone())));
            look_at_mounts(seen, exec, inputs);
        }
        (Seen::File(actions), Body::Other(4, _)) => {
            assert_eq!(actions.len(), 1);
            assert!(!matches!(actions[0].on, SeenInput::Action(_)));
        }
        (Seen::File(_), Body::Owner(_)) | (Seen::Source { .. }, Body::Other(3, _)) => {}
        (Seen::Merge(layers), Body::Other(6, _)) => assert_eq!(layers, &inputs[..2]),
        (Seen::Diff { lower, upper }, Body::Other(7, _)) => {
            let sides = lower.iter().chain(upper);
            assert!(sides.into_iter().all(|side| inputs.contains(side)));
        }
        (Seen::Other(ports), Body::Other(5 | 8, _) | Body::None) => assert_eq!(ports, inputs),
        (seen, _) => panic!("{seen:?}"),
    }
    let holders = model.asked.iter().enumerate();
    let holders = holders.filter(|(_, asked)| asked.order.contains(&number));
    let holders: Vec<usize> = holders.map(|(at, _)| at).collect();
    let name = holders.iter().find_map(|at| model.name(*at, number));
    if let Some(name) = name {
        assert_eq!(editor.name(op), name);
    }
    let ignores = holders.iter().any(|at| model.ignores_cache(*at, number));
    assert_eq!(editor.ignores_cache(op), ignores);
    let place = holders.iter().find_map(|at| {
        let (file, line) = model.lines(*at, number)?;
        Some((format!("Dockerfile.{}", model.asked[*at].files[file]), line))
    });
    let seen = editor.locations(op).into_iter().map(|location| {
        let line = i64::from(*location.lines[0].start());
        assert_eq!(i64::from(*location.lines[0].end()), line + 1);
        (editor.files()[location.file].filename.clone(), line)
    });
    assert!(seen.eq(place));
    assert!(editor.files().len() <= 3, "each once");
}

fn look_at_mounts(seen: &buildkit_llb::edit::SeenExec, exec: &Exec, inputs: &[Port]) {
    assert_eq!(seen.mounts.len(), exec.mounts.len());
    for (seen, (input, output, bytes)) in seen.mounts.iter().zip(&exec.mounts) {
        let input = usize::try_from(*input).ok().map(|input| inputs[input]);
        let tmpfs = bytes.windows(2).any(|pair| pair == [6 << 3, 4]);
        if !tmpfs {
            assert_eq!(seen.input, input);
        }
        assert_eq!(seen.output, u32::try_from(*output).ok());
        if let Some(cache) = &seen.cache {
            assert_eq!(cache.id, "theirs");
        }
    }
}

#[test]
fn a_part_has_what_it_needs_as_it_came() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, _) = generate(seed);
        let compiled = model.compile(&Changes::new(), &owners);
        let editor = Editor::new(&read(&model, &owners)).unwrap();
        for op in editor.ops() {
            let part = editor.part(Port { op, index: 1 });
            let digest = editor.digest(op);
            assert_eq!(part.head(), Ok(Some(digest)));
            let number = compiled
                .digests
                .iter()
                .position(|known| *known == digest)
                .unwrap();
            let all = needed(&model.ops, [(number, 1)]);
            let mut ops: BTreeSet<&[u8]> = all.iter().map(|op| &*compiled.bytes[*op]).collect();
            let proto = part.clone().into_proto();
            let (_, there) = proto.def.split_last().unwrap();
            assert_eq!(there.len(), ops.len());
            assert!(there.iter().all(|bytes| ops.remove(bytes.as_slice())));
            assert_eq!(Graph::new().import(&part).unwrap().unwrap().index, 1);
            for (head, definition) in editor.heads().iter().zip(0..) {
                if *head == Some(Port { op, index: 1 }) && definition == 0 {
                    let whole = model.parts(0, &Changes::new(), &owners);
                    assert_eq!(proto.def.last(), whole.def.last());
                }
            }
        }
    });
}
