//! The bytes of an operation, held against the rules by which `BuildKit` writes them.

use buildkit_llb::{
    Access, Account, Constraints, Copy, CopyMode, Exec, File, Graph, Http, Image, ImageName, Local,
    Meta, Mkdir, Mount, MountKind, Op, Output, Owner, Platform, Sharing,
};

/// A field of a message: its number and, if it has any, its bytes.
type Field = (u64, Vec<u8>);

/// Walks over a message by the wire format alone.
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = bytes.split_first().expect("a varint");
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return value;
            }
        }
        panic!("a varint with more than 64 bits");
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let content = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                content.to_vec()
            }
            other => panic!("wire type {other} has no place in LLB"),
        };
        fields.push((key >> 3, content));
    }
    fields
}

fn numbers(fields: &[Field]) -> Vec<u64> {
    fields.iter().map(|(number, _)| *number).collect()
}

fn field(fields: &[Field], number: u64) -> Vec<u8> {
    let found = fields.iter().find(|field| field.0 == number);
    found
        .unwrap_or_else(|| panic!("no field {number}"))
        .1
        .clone()
}

fn signed(bytes: &[u8]) -> i64 {
    i64::from_le_bytes(bytes.try_into().expect("a number"))
}

fn here() -> Constraints {
    Constraints::on(Platform::new("linux", "amd64", ""))
}

fn alpine(graph: &mut Graph) -> Output {
    let image = Image::new(&ImageName::parse("alpine").unwrap());
    graph.add(image, &here(), Meta::default()).only()
}

/// The bytes of the operation that is the output of a graph.
fn bytes_of(graph: &Graph, output: Output) -> Vec<u8> {
    let mut operations = graph.definition(output).into_proto().def;
    operations.pop();
    operations.pop().expect("an operation")
}

fn add(op: impl Into<Op>) -> Vec<u8> {
    let mut graph = Graph::new();
    let vertex = graph.add(op, &here(), Meta::default());
    bytes_of(&graph, vertex.only())
}

#[test]
fn what_an_operation_does_is_the_last_field() {
    let mut graph = Graph::new();
    let base = alpine(&mut graph);
    let ops: [(Op, &[u64]); 5] = [
        (Exec::new(Some(base), ["true"]).into(), &[1, 10, 11, 2]),
        (
            Image::new(&ImageName::parse("a").unwrap()).into(),
            &[10, 11, 3],
        ),
        (
            File::on(Some(base))
                .copy(Copy::new(base, "/a", "/b"))
                .into(),
            &[1, 11, 4],
        ),
        (Op::Merge(vec![base, base]), &[1, 1, 11, 6]),
        (
            Op::Diff {
                lower: Some(base),
                upper: None,
            },
            &[1, 11, 7],
        ),
    ];
    for (op, expected) in ops {
        let vertex = graph.add(op, &here(), Meta::default());
        let bytes = bytes_of(&graph, vertex.only());
        assert_eq!(numbers(&fields(&bytes)), expected);
        assert_eq!(buildkit_llb::Digest::of(&bytes), graph.digest(vertex));
    }
}

#[test]
fn attributes_are_sorted_and_never_empty() {
    let local = Local {
        session: "s".into(),
        follow: vec!["a".into()],
        exclude: vec!["b".into(), "c\"d".into()],
        ..Local::new("context")
    };
    let source = field(&fields(&add(local)), 3);
    let entries = fields(&source);
    assert_eq!(numbers(&entries), [1, 2, 2, 2]);
    assert_eq!(entries[0].1, b"local://context");
    let mut attrs = Vec::new();
    for (_, entry) in &entries[1..] {
        let entry = fields(entry);
        assert_eq!(numbers(&entry), [1, 2], "a key and a value");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        attrs.push((text(&entry[0].1), text(&entry[1].1)));
    }
    let expected = [
        ("local.excludepatterns", r#"["b","c\"d"]"#),
        ("local.followpaths", r#"["a"]"#),
        ("local.session", "s"),
    ];
    assert_eq!(
        attrs,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    let source = field(
        &fields(&add(Http {
            filename: String::new(),
            ..Http::new("https://a/b")
        })),
        3,
    );
    assert_eq!(numbers(&fields(&source)), [1], "no attributes at all");
}

#[test]
fn an_empty_filesystem_is_never_the_first_input() {
    let mut exec = Exec::new(None, ["true"]);
    exec.mounts
        .push(Mount::cache("id", "/cache", Sharing::Locked));
    exec.mounts.push(Mount::tmpfs("/tmp"));
    exec.mounts
        .push(Mount::secret("token", "/run/secrets/token"));
    exec.mounts.push(Mount::ssh("default", "/agent"));
    let exec = field(&fields(&add(exec)), 2);
    let mounts: Vec<Vec<Field>> = fields(&exec)
        .into_iter()
        .filter(|(number, _)| *number == 2)
        .map(|(_, mount)| fields(&mount))
        .collect();
    let targets: Vec<Vec<u8>> = mounts.iter().map(|mount| field(mount, 3)).collect();
    assert_eq!(
        targets,
        ["/", "/agent", "/cache", "/run/secrets/token", "/tmp"].map(Vec::from)
    );
    for mount in &mounts {
        assert_eq!(signed(&field(mount, 1)), -1, "the input");
    }
    assert!(
        !numbers(&mounts[0]).contains(&4),
        "the root is output 0, the default"
    );
    for mount in &mounts[1..] {
        assert_eq!(signed(&field(mount, 4)), -1, "no output");
    }
}

#[test]
fn an_owner_by_number_is_there_even_for_root() {
    let root = Some(Account::Id(0));
    let owner = Owner {
        user: root.clone(),
        group: root,
    };
    let mkdir = Mkdir {
        path: "/a".into(),
        mode: 0o755,
        parents: false,
        owner: Some(owner),
        time: None,
    };
    let file = field(&fields(&add(File::on(None).mkdir(mkdir))), 4);
    let action = fields(&field(&fields(&file), 2));
    assert_eq!(numbers(&action), [1, 2, 6], "output 0 is the default");
    let mkdir = fields(&field(&action, 6));
    let user = field(&fields(&field(&mkdir, 4)), 1);
    assert_eq!(fields(&user), [(2, 0_u64.to_le_bytes().to_vec())]);
    assert_eq!(signed(&field(&mkdir, 5)), -1, "no time");
}

#[test]
fn a_mode_that_is_kept_is_not_mode_0() {
    let copy = |mode| {
        let file = File::on(None).copy(Copy {
            mode,
            ..Copy::new(None, "/a", "/b")
        });
        let file = field(&fields(&add(file)), 4);
        fields(&field(&fields(&field(&fields(&file), 2)), 4))
    };
    assert_eq!(signed(&field(&copy(None), 4)), -1);
    assert_eq!(signed(&field(&copy(Some(CopyMode::Bits(0o640))), 4)), 0o640);
    let symbolic = copy(Some(CopyMode::Symbolic("u=rX".into())));
    assert!(!numbers(&symbolic).contains(&4));
    assert_eq!(field(&symbolic, 15), b"u=rX");
}

#[test]
fn the_head_has_one_input_and_nothing_else() {
    let mut graph = Graph::new();
    let base = alpine(&mut graph);
    let mut exec = Exec::new(Some(base), ["true"]);
    exec.mounts.push(Mount::writable(None, "/out"));
    let discarded = MountKind::Bind {
        input: Some(base),
        selector: String::new(),
        access: Access::Discarded,
        content_cache: buildkit_llb::ContentCache::Default,
    };
    exec.mounts.push(Mount {
        target: "/a".into(),
        kind: discarded,
    });
    assert_eq!(exec.output("/"), Some(0));
    assert_eq!(exec.output("/a"), None);
    assert_eq!(exec.output("/out"), Some(1));
    assert_eq!(exec.output("/nowhere"), None);
    let out = exec.output("/out").unwrap();
    let vertex = graph.add(exec, &here(), Meta::default());
    let definition = graph.definition(vertex.output(out));
    let head = fields(definition.clone().into_proto().def.last().unwrap());
    assert_eq!(numbers(&head), [1]);
    let input = fields(&head[0].1);
    assert_eq!(input[0].1, graph.digest(vertex).to_string().into_bytes());
    assert_eq!(signed(&field(&input, 2)), 1);
    assert_eq!(definition.head(), Ok(Some(graph.digest(vertex))));
}
