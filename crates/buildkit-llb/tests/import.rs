//! Definitions made by others.

use std::collections::BTreeMap;

use buildkit_llb::{
    Constraints, Definition, Digest, Exec, Graph, ImportError, Meta, SourceInfo, inspect,
};
use buildkit_proto::pb;
use prost::Message as _;

fn op_on(inputs: &[(&str, i64)]) -> pb::Op {
    let inputs = inputs.iter().map(|(digest, index)| pb::Input {
        digest: (*digest).to_owned(),
        index: *index,
    });
    pb::Op {
        inputs: inputs.collect(),
        ..pb::Op::default()
    }
}

/// An operation of a kind that this crate does not know (field 8), with an unknown field more.
fn unknown_op() -> Vec<u8> {
    let mut bytes = pb::Op {
        platform: Some(pb::Platform::default()),
        ..pb::Op::default()
    }
    .encode_to_vec();
    bytes.extend([8 << 3 | 2, 2, b'h', b'i', 0xf8, 0x7f, 1]);
    bytes
}

fn definition(ops: &[Vec<u8>]) -> Definition {
    Definition::from_proto(&pb::Definition {
        def: ops.to_vec(),
        ..pb::Definition::default()
    })
}

fn head(of: &[u8]) -> Vec<u8> {
    op_on(&[(&Digest::of(of).to_string(), 0)]).encode_to_vec()
}

#[test]
fn what_is_not_known_stays_as_it_is() {
    let foreign = unknown_op();
    let mut proto = pb::Definition {
        def: vec![foreign.clone(), head(&foreign)],
        ..pb::Definition::default()
    };
    let name = Digest::of(&foreign).to_string();
    let meta = pb::OpMetadata {
        description: [("llb.customname".to_owned(), "theirs".to_owned())].into(),
        ..pb::OpMetadata::default()
    };
    proto.metadata.insert(name.clone(), meta);
    let location = pb::Location {
        source_index: 0,
        ranges: Vec::new(),
    };
    let locations = pb::Locations {
        locations: vec![location],
    };
    proto.source = Some(pb::Source {
        locations: BTreeMap::from([(name.clone(), locations)]),
        infos: vec![pb::SourceInfo {
            filename: "Dockerfile".into(),
            ..pb::SourceInfo::default()
        }],
    });
    let theirs = Definition::from_bytes(&proto.encode_to_vec()).unwrap();

    let mut graph = Graph::new();
    graph.source_file(SourceInfo {
        filename: "larder.yaml".into(),
        ..SourceInfo::default()
    });
    let input = graph.import(&theirs).unwrap().unwrap();
    assert_eq!(graph.digest(input.vertex), Digest::of(&foreign));
    let exec = Exec::new(Some(input), ["true"]);
    let ours = graph.add(exec, &Constraints::default(), Meta::default());
    let definition = graph.definition(ours.only());
    assert_eq!(definition.vertices().next().unwrap().1, "theirs");
    assert!(inspect::json(&definition).unwrap().contains("Dockerfile"));
    let proto = definition.into_proto();
    assert_eq!(proto.def[0], foreign);
    let source = proto.source.unwrap();
    assert_eq!(
        source.locations[&name].locations[0].source_index, 1,
        "counted among our files"
    );
}

#[test]
fn what_is_said_in_unknown_fields_stays() {
    let op = unknown_op();
    let name = Digest::of(&op).to_string();
    // Field 7 of the metadata, as a newer daemon has it.
    let meta = [7 << 3 | 2, 2, b'h', b'i'];
    let entry = [&[1 << 3 | 2, 71], name.as_bytes(), &[2 << 3 | 2, 4], &meta].concat();
    let length = u8::try_from(entry.len()).unwrap();
    let mut theirs = definition(&[op.clone(), head(&op)]).to_bytes();
    theirs.extend([2 << 3 | 2, length].iter().chain(&entry));
    let theirs = Definition::from_bytes(&theirs).unwrap();
    let mut graph = Graph::new();
    let output = graph.import(&theirs).unwrap().unwrap();
    let ours = graph.definition(output).to_bytes();
    assert!(ours.windows(entry.len()).any(|part| part == entry));
}

#[test]
fn operations_may_stand_in_any_order() {
    let low = unknown_op();
    let high = op_on(&[
        (&Digest::of(&low).to_string(), 3),
        (&Digest::of(&low).to_string(), 0),
    ]);
    let high = high.encode_to_vec();
    let theirs = definition(&[high.clone(), low.clone(), head(&high)]);
    let mut graph = Graph::new();
    let output = graph.import(&theirs).unwrap().unwrap();
    assert_eq!(
        graph.definition(output).into_proto().def,
        [low, high.clone(), head(&high)]
    );
}

#[test]
fn what_is_broken_is_an_error() {
    let op = unknown_op();
    let name = Digest::of(&op).to_string();
    let no_head = op_on(&[]).encode_to_vec();
    let two_heads = op_on(&[(&name, 0), (&name, 1)]).encode_to_vec();
    let negative = op_on(&[(&name, -1)]).encode_to_vec();
    let huge = op_on(&[(&name, i64::MAX)]).encode_to_vec();
    let unnamed = op_on(&[("", 0)]).encode_to_vec();
    let broken = vec![0x0a, 0xff];
    let cases = [
        (vec![op.clone(), no_head.clone()], "the last entry"),
        (vec![op.clone(), op.clone()], "the last entry"),
        (vec![op.clone(), two_heads], "the last entry"),
        (vec![op.clone(), negative.clone()], "no output -1"),
        (vec![op.clone(), huge], "no output 9223372036854775807"),
        (vec![op.clone(), unnamed], "`` is not a digest"),
        (vec![head(&op)], "lacks the operation sha256:"),
        (vec![no_head, head(&op)], "lacks the operation sha256:"),
        (
            vec![broken.clone(), head(&broken)],
            "is not an LLB operation",
        ),
        (
            vec![op.clone(), negative.clone(), head(&negative)],
            "no output -1",
        ),
        (vec![broken], "is not an LLB operation"),
    ];
    for (ops, expected) in cases {
        let theirs = definition(&ops);
        let error = Graph::new()
            .import(&theirs)
            .expect_err(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Definition::from_bytes(b"FROM alpine").unwrap_err();
    assert!(matches!(error, ImportError::NotADefinition(_)));
}

#[test]
fn a_location_in_no_file_is_an_error() {
    let op = unknown_op();
    for source_index in [-1, 0, i32::MAX] {
        let location = pb::Location {
            source_index,
            ranges: Vec::new(),
        };
        let locations = pb::Locations {
            locations: vec![location],
        };
        let theirs = Definition::from_proto(&pb::Definition {
            def: vec![op.clone(), head(&op)],
            source: Some(pb::Source {
                locations: [(Digest::of(&op).to_string(), locations)].into(),
                infos: Vec::new(),
            }),
            ..pb::Definition::default()
        });
        let error = Graph::new().import(&theirs).unwrap_err();
        assert_eq!(error, ImportError::InvalidLocation(source_index));
        assert!(inspect::json(&theirs).unwrap().contains("\"?\""));
    }
}
