//! Definitions that nobody should have made, and large ones.

use buildkit_llb::edit::{Editor, ExecChange, Seen};
use buildkit_llb::{
    Constraints, Definition, Digest, Exec, Graph, ImportError, Meta, Mount, Output, Sharing,
    inspect,
};

use crate::added::{Change, Owners};
use crate::generate::generate;
use crate::model::Changes;
use crate::random::for_each_seed;
use crate::wire::{Random, Wire};

/// A definition of these entries.
fn definition(entries: &[&[u8]]) -> Definition {
    Definition::from_bytes(&Wire::default().messages(1, entries).0).unwrap()
}

fn taking(digest: &str, index: i64) -> Vec<u8> {
    let input = Wire::default().text(1, digest).number(2, index);
    Wire::default().message(1, input).0
}

fn head(op: &[u8]) -> Vec<u8> {
    taking(&Digest::of(op).to_string(), 0)
}

#[test]
fn what_is_broken_is_an_error() {
    let op = Wire::default().message(8, "op").0;
    let name = Digest::of(&op).to_string();
    let exec = |input: &[u8]| [input, &Wire::default().message(2, []).0].concat();
    let above = exec(&taking(&name, 0));
    let negative = exec(&taking(&name, -1));
    let huge = exec(&taking(&name, 1 << 32));
    let unnamed = exec(&taking("latest", 0));
    let other = exec(&taking(&Digest::of(b"other").to_string(), 0));
    let two = [head(&op), head(&op)].concat();
    let garbage = vec![0x0a, 0xff];
    let cases: [(&[&[u8]], &str); 12] = [
        (&[&op], "the last entry"),
        (&[&op, &two], "the last entry"),
        (&[&op, &above], "the last entry"),
        (&[&head(&op)], "lacks the operation"),
        (&[&above, &head(&above)], "lacks the operation"),
        (&[&op, &other, &head(&other)], "lacks the operation"),
        (&[&op, &other, &head(&op)], "lacks the operation"),
        (&[&op, &negative, &head(&negative)], "no output -1"),
        (&[&op, &huge, &head(&huge)], "no output 4294967296"),
        (&[&op, &unnamed, &head(&unnamed)], "is not a digest"),
        (&[&garbage, &op, &head(&op)], "is not an LLB operation"),
        (&[&op, &garbage], "is not an LLB operation"),
    ];
    for (entries, expected) in cases {
        let error = Editor::new(&[definition(entries)]).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let whole = definition(&[&op, &above, &head(&above)]);
    Editor::new(std::slice::from_ref(&whole)).unwrap();
    let lacking = definition(&[&above, &head(&above)]);
    let error = Editor::new(&[whole, lacking]).expect_err("it is in another definition");
    assert_eq!(error, ImportError::MissingInput(Digest::of(&op)));
}

/// What comes of adding to all that runs a program can be added to again.
fn edit(definition: &Definition, change: &Change) -> Option<Definition> {
    let mut editor = Editor::new(std::slice::from_ref(definition)).ok()?;
    let owners = Owners::add(editor.graph());
    for op in editor.ops() {
        editor.name(op);
        editor.locations(op);
        editor.change(op, change.lift(&owners));
    }
    let digests = editor
        .ops()
        .filter(|op| matches!(editor.see(*op), Seen::Exec(_)));
    let execs = digests.count();
    let mut edited = editor.finish();
    assert!(edited.digests.len() >= execs.min(1) || change.is_empty());
    edited.definitions.pop()
}

#[test]
fn no_bytes_make_it_panic() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, _) = generate(seed);
        let mut random = Random::new(!seed);
        let change = Change::random(&mut random);
        let mut bytes = model.bytes(0, &owners);
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            match (bytes.is_empty(), random.below(3)) {
                (true, _) => {}
                (_, 0) => bytes.truncate(at),
                (_, 1) => drop(bytes.remove(at)),
                _ => bytes[at] = random.next().to_le_bytes()[0],
            }
        }
        if let Ok(theirs) = Definition::from_bytes(&bytes) {
            assert_eq!(theirs.to_bytes(), bytes);
            if let Some(changed) = edit(&theirs, &change) {
                edit(&changed, &change).expect("it was read before");
            }
        }
    });
}

#[test]
fn broken_operations_whose_digests_fit_are_left_alone_or_edited() {
    let owners = Owners::new();
    for_each_seed(|seed| {
        let (model, _) = generate(seed);
        let mut random = Random::new(!seed);
        let change = Change::random(&mut random);
        let mut ops = model.compile(&Changes::new(), &owners).bytes;
        ops.truncate(1 + random.below(ops.len()));
        let last = ops.last_mut().unwrap();
        for _ in 0..=random.below(3) {
            let at = random.below(last.len());
            last[at] = random.next().to_le_bytes()[0];
        }
        let asked = head(last);
        ops.push(asked);
        let entries: Vec<&[u8]> = ops.iter().map(Vec::as_slice).collect();
        if let Some(changed) = edit(&definition(&entries), &change) {
            edit(&changed, &change).expect("it was read before");
            inspect::json(&changed).unwrap();
        }
    });
}

/// A debug build is slow.
const fn size(whole: usize) -> usize {
    if cfg!(debug_assertions) {
        whole / 8
    } else {
        whole
    }
}

#[test]
fn a_chain_of_many_operations_is_no_trouble() {
    let count = size(100_000);
    let mut graph = Graph::new();
    let mut last: Option<Output> = None;
    for number in 0..count {
        let exec = Exec::new(last, ["run".to_owned(), number.to_string()]);
        let vertex = graph.add(exec, &Constraints::default(), Meta::default());
        last = Some(vertex.only());
    }
    let theirs = graph.definition(last.unwrap());
    let mut editor = Editor::new(&[theirs.clone(), theirs]).unwrap();
    let owner = Owners::add(editor.graph())[2];
    for op in editor.ops().step_by(1000) {
        let cache = Mount::cache("id", "/cache", Sharing::Locked).with_input(owner);
        let change = ExecChange {
            env: Vec::new(),
            mounts: vec![cache],
        };
        editor.change(op, change);
    }
    let edited = editor.finish();
    assert_eq!(edited.digests.len(), count);
    assert_eq!(edited.definitions[0].vertices().count(), count + 2);
    assert_eq!(edited.definitions[0], edited.definitions[1]);
}

#[test]
fn as_much_as_fits_into_a_message_is_no_trouble() {
    let size = size(16 << 20);
    let mut random = Random::new(1);
    let noise: Vec<u8> = (0..size).map(|_| random.next().to_le_bytes()[0]).collect();
    for bytes in [noise, vec![0; size], vec![0xff; size], vec![0x0b; size]] {
        let error = Definition::from_bytes(&bytes).expect_err("nobody made that");
        assert!(matches!(error, ImportError::NotADefinition(_)));
    }
    // An operation with as many variables as there is room for, and one with as long a one.
    let many = Wire(Wire::default().message(2, "A=").0.repeat(size / 4));
    let long = Wire::default().message(2, vec![b'A'; size]);
    for meta in [many, long] {
        let op = Wire::default().message(2, Wire::default().message(1, meta));
        let theirs = definition(&[&op.0, &head(&op.0)]);
        let change = Change {
            env: vec![("B".into(), "c".into())],
            mounts: Vec::new(),
        };
        let changed = edit(&theirs, &change).expect("it is a definition");
        assert_eq!(changed.to_bytes().len(), theirs.to_bytes().len() + 5);
    }
}
