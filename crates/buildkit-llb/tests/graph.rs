//! Sharing, definitions, source locations, capabilities.

use buildkit_llb::{
    Constraints, Copy, Definition, Exec, ExtraHost, File, Git, Graph, Image, ImageName,
    LinuxResources, Meta, Mkfile, Network, Op, Output, Platform, ProgressGroup, ResolveMode,
    SourceInfo, caps, inspect,
};
use serde_json::{Value, json};

fn on(platform: &str) -> Constraints {
    Constraints::on(Platform::parse(platform).unwrap())
}

fn image(graph: &mut Graph, name: &str) -> Output {
    let image = Image::new(&ImageName::parse(name).unwrap());
    graph
        .add(image, &on("linux/amd64"), Meta::named(name))
        .only()
}

fn run(graph: &mut Graph, base: Output, word: &str) -> Output {
    let exec = Exec::new(Some(base), ["echo", word]);
    graph.add(exec, &on("linux/amd64"), Meta::default()).only()
}

fn mkfile(path: &str) -> File {
    File::on(None).mkfile(Mkfile {
        path: path.into(),
        mode: 0o644,
        data: b"x".to_vec(),
        owner: None,
        time: None,
    })
}

#[test]
fn a_definition_has_what_its_output_needs_inputs_first() {
    let mut graph = Graph::new();
    let a = image(&mut graph, "a");
    let b = image(&mut graph, "b");
    let left = run(&mut graph, a, "left");
    let right = run(&mut graph, a, "right");
    run(&mut graph, b, "unneeded");
    let merged = graph.add(
        Op::Merge(vec![right, left]),
        &on("linux/amd64"),
        Meta::default(),
    );
    let definition = graph.definition(merged.only());
    let names: Vec<String> = definition.vertices().map(|(_, name)| name).collect();
    assert_eq!(names, ["a", "echo right", "echo left", "merge"]);
    let proto = definition.into_proto();
    assert_eq!(proto.def.len(), 5);
    assert_eq!(proto.metadata.len(), 5);
}

#[test]
fn files_are_shared_between_platforms_and_programs_are_not() {
    let mut graph = Graph::new();
    let add = |graph: &mut Graph, op: Op, on: &Constraints| graph.add(op, on, Meta::default());
    let (amd, arm) = (on("linux/amd64"), on("linux/arm64"));
    let file: Op = mkfile("/a").into();
    let one = add(&mut graph, file.clone(), &amd);
    assert_eq!(one, add(&mut graph, file, &arm));
    let exec: Op = Exec::new(Some(one.only()), ["true"]).into();
    assert_ne!(
        add(&mut graph, exec.clone(), &amd),
        add(&mut graph, exec, &arm)
    );
    let elsewhere = Constraints {
        worker: vec!["label.a==b".into()],
        ..amd
    };
    assert_ne!(one, add(&mut graph, mkfile("/a").into(), &elsewhere));
}

#[test]
fn what_is_said_twice_of_an_operation_adds_up() {
    let mut graph = Graph::new();
    let first = graph.add(mkfile("/a"), &on("linux/amd64"), Meta::named("first"));
    let meta = Meta {
        ignore_cache: true,
        export_cache: Some(false),
        progress_group: Some(ProgressGroup {
            id: "g".into(),
            name: "group".into(),
            weak: true,
        }),
        description: [("k".to_owned(), "v".to_owned())].into(),
        ..Meta::named("second")
    };
    assert_eq!(first, graph.add(mkfile("/a"), &on("linux/amd64"), meta));
    let definition = graph.definition(first.only());
    assert_eq!(definition.vertices().next().unwrap().1, "first");
    let needed = definition.required_caps();
    for cap in [
        "file.base",
        "meta.ignorecache",
        "meta.description",
        "meta.exportcache",
    ] {
        assert!(needed.contains(cap), "{cap}");
    }
    let meta = &definition.into_proto().metadata[&graph.digest(first).to_string()];
    assert!(meta.ignore_cache && !meta.export_cache.unwrap().value);
    assert_eq!(meta.description["k"], "v");
    assert_eq!(meta.progress_group.as_ref().unwrap().name, "group");
}

#[test]
fn limits_stay_with_an_operation() {
    let limits = LinuxResources {
        memory: 64 << 20,
        cpuset_cpus: "0-1".into(),
        ..LinuxResources::default()
    };
    let limited = Meta {
        linux_resources: Some(limits),
        ..Meta::named("limited")
    };
    let cap = "exec.meta.linux.resources";
    let shown = json!({ "memory": 67_108_864, "cpuset_cpus": "0-1" });
    let exec = || Exec::new(None, ["true"]);
    let here = on("linux/amd64");
    let mut graph = Graph::new();
    let plain = graph.add(exec(), &here, Meta::named("plain"));
    let digest = graph.digest(plain).to_string();
    let definition = graph.definition(plain.only());
    assert!(!definition.required_caps().contains(cap));

    // Said in addition, it is no part of the digest, and the name that came first stays.
    assert_eq!(plain, graph.add(exec(), &here, limited));
    assert_eq!(plain, graph.add(exec(), &here, Meta::named("again")));
    let definition = graph.definition(plain.only());
    assert!(definition.required_caps().contains(cap));
    let mut elsewhere = Graph::new();
    let bytes = definition.to_bytes();
    let read = Definition::from_bytes(&bytes).unwrap();
    let imported = elsewhere.import(&read).unwrap().unwrap();
    for definition in [definition, read, elsewhere.definition(imported)] {
        let text = inspect::json(&definition).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let vertex = &all["vertices"][0];
        assert_eq!(vertex["digest"], digest);
        assert_eq!(vertex["meta"]["linux_resources"], shown);
        assert_eq!(vertex["meta"]["description"]["llb.customname"], "plain");
    }
    // As the field of BuildKit's `OpMetadata` is on the wire: 7, with fields 1 and 6 in it.
    let field = b"\x3a\x0a\x08\x80\x80\x80\x20\x32\x030-1";
    assert!(bytes.windows(field.len()).any(|window| window == field));
}

#[test]
fn only_what_an_operation_uses_is_required_of_a_daemon() {
    let mut graph = Graph::new();
    let mut image = Image::new(&ImageName::parse("a").unwrap());
    image.resolve = ResolveMode::Pull;
    let base = graph.add(image, &on("linux/amd64"), Meta::default()).only();
    let plain = Exec {
        env: vec!["PATH=/bin".into()],
        ..Exec::new(Some(base), ["true"])
    };
    let plain = graph.add(plain, &on("linux/amd64"), Meta::default()).only();
    let expected = [
        "constraints",
        "exec.meta.base",
        "exec.mount.bind",
        "platform",
        "source.image",
        "source.image.resolvemode",
    ];
    assert_eq!(
        graph.definition(plain).required_caps(),
        expected.map(str::to_owned).into()
    );
    let more = Exec {
        network: Network::None,
        extra_hosts: vec![ExtraHost {
            host: "a".into(),
            ip: "1.2.3.4".into(),
        }],
        cgroup_parent: "x".into(),
        ..Exec::new(Some(plain), ["true"])
    };
    let more = graph.add(more, &on("linux/amd64"), Meta::default()).only();
    let definition = graph.definition(more);
    let needed = definition.required_caps();
    for cap in [
        "exec.meta.network",
        "exec.meta.cgroup.parent",
        "exec.meta.setsdefaultpath",
    ] {
        assert!(needed.contains(cap), "{cap}");
    }
    let git = graph.add(
        Git::new("git@example.com:a"),
        &on("linux/amd64"),
        Meta::default(),
    );
    let definition = graph.definition(git.only());
    assert!(
        definition
            .required_caps()
            .contains("source.git.mountsshsock")
    );
    for cap in needed.union(&definition.required_caps()) {
        assert!(caps::since(cap).is_some(), "{cap}");
    }
}

#[test]
fn locations_are_found_by_digest() {
    let mut graph = Graph::new();
    let info = SourceInfo {
        filename: "larder.yaml".into(),
        data: b"a\nb\nc\n".to_vec(),
        language: "YAML".into(),
    };
    let file = graph.source_file(info.clone());
    assert_eq!(file, graph.source_file(info));
    let vertex = graph.add(mkfile("/a"), &on("linux/amd64"), Meta::default());
    let other = graph.add(mkfile("/b"), &on("linux/amd64"), Meta::default());
    graph.locate(vertex, file, &[2..=3]);
    graph.locate(vertex, file, &[2..=3]);
    graph.locate(other, file, &[1..=1]);
    let source = graph.definition(vertex.only()).into_proto().source.unwrap();
    assert_eq!(source.infos.len(), 1);
    assert_eq!(
        source.locations.len(),
        1,
        "that of an operation that is there"
    );
    let here = &source.locations[&graph.digest(vertex).to_string()].locations;
    assert_eq!(here.len(), 1, "said twice, kept once");
    let range = here[0].ranges[0];
    assert_eq!((range.start.unwrap().line, range.end.unwrap().line), (2, 3));
}

#[test]
fn equal_inputs_are_one_input() {
    let mut graph = Graph::new();
    let a = image(&mut graph, "a");
    let file = File::on(Some(a))
        .copy(Copy::new(a, "/x", "/y"))
        .copy(Copy::new(a, "/x", "/z"));
    let vertex = graph.add(file, &on("linux/amd64"), Meta::default());
    let json = inspect::json(&graph.definition(vertex.only())).unwrap();
    assert_eq!(json.matches("\"secondary_input\": 0").count(), 2);
    assert_eq!(
        json.matches("\"input\": 1").count(),
        1,
        "the second takes the first action's result"
    );
}

#[test]
fn the_empty_filesystem_has_no_operations() {
    let scratch = Definition::scratch();
    assert!(scratch.is_scratch());
    assert_eq!(scratch.head(), Ok(None));
    assert!(scratch.to_bytes().is_empty());
    assert_eq!(Graph::new().import(&scratch), Ok(None));
}

#[test]
fn a_chain_of_many_operations_is_no_trouble() {
    let mut graph = Graph::with_capacity(20_000);
    let mut last = image(&mut graph, "a");
    for number in 0..20_000 {
        last = run(&mut graph, last, &number.to_string());
    }
    let definition = graph.definition(last);
    assert_eq!(definition.vertices().count(), 20_001);
    let mut other = Graph::new();
    let imported = other.import(&definition).unwrap().unwrap();
    assert_eq!(other.digest(imported.vertex), graph.digest(last.vertex));
}
