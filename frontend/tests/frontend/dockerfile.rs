//! Dockerfiles: what the frontend that builds them is asked, and what becomes of its result.

use std::collections::BTreeMap;

use buildkit_llb::{
    Constraints, Definition, Exec, Graph, Image, ImageName, Local, Meta, Platform, Source, inspect,
};
use buildkit_proto::google::{protobuf::Any, rpc};
use buildkit_proto::moby::buildkit::v1::frontend::{self as wire, result};
use buildkit_proto::pb;
use larder_gateway::fake::{Call, FakeBridge, Script};
use larder_gateway::{FrontendRequest, cap};

use crate::requests::built;
use crate::support::{CONFIG, ETC, PYTHON, names, operations, run};

const FILE: &str = "# syntax=larder/frontend:1\nFROM python:3.13-slim\nRUN pip install flask\n";

/// What a Dockerfile's own frontend makes of one command.
fn definition(platform: &str, command: &str) -> pb::Definition {
    definition_as("", platform, command)
}

fn definition_as(user: &str, platform: &str, command: &str) -> pb::Definition {
    let mut graph = Graph::new();
    let here = Constraints::on(Platform::parse(platform).unwrap());
    let image = Image::new(&ImageName::parse("python:3.13-slim").unwrap());
    let base = graph.add(image, &here, Meta::named("[1/2] FROM python"));
    let mut exec = Exec::new(Some(base.only()), ["/bin/sh", "-c", command]);
    user.clone_into(&mut exec.user);
    exec.env
        .push("PATH=/usr/local/bin:/usr/bin:/bin".to_owned());
    let run = graph.add(exec, &here, Meta::named(format!("[2/2] RUN {command}")));
    graph.definition(run.only()).into_proto()
}

fn reference(id: &str, definition: pb::Definition) -> wire::Ref {
    wire::Ref {
        id: id.to_owned(),
        def: Some(definition),
    }
}

fn whole(command: &str) -> wire::Result {
    let metadata = [
        ("containerimage.config", &b"{\"strange\":\xff}"[..]),
        ("refs.platforms", b"{}"),
        ("frontend.unknown", b""),
    ];
    wire::Result {
        metadata: metadata
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .into(),
        result: Some(result::Result::Ref(reference(
            "theirs",
            definition("linux/amd64", command),
        ))),
        ..wire::Result::default()
    }
}

fn daemon(file: &str) -> Script {
    Script::new()
        .image(PYTHON, CONFIG, &ETC)
        .local("dockerfile", &[("Dockerfile", file)])
}

fn building(command: &str) -> Script {
    daemon(FILE).frontend("dockerfile.v0", "", whole(command))
}

const SYNTAX: (&str, &str) = ("cmdline", "larder/frontend:1");

/// The reference that was returned for a whole result.
fn returned(fake: &FakeBridge) -> wire::Ref {
    match fake.returned_outcome().result {
        Some(result::Result::Ref(reference)) => reference,
        other => panic!("no reference was returned, but {other:?}"),
    }
}

/// Whether a cache of Larder's is mounted somewhere in it.
fn has_cache(reference: &wire::Ref) -> bool {
    let definition = Definition::from_proto(reference.def.as_ref().unwrap());
    inspect::json(&definition).unwrap().contains("larder/")
}

fn status(message: &str) -> rpc::Status {
    rpc::Status {
        code: 2,
        message: message.to_owned(),
        details: vec![Any {
            type_url: "github.com/moby/buildkit/errdefs.Source+json".to_owned(),
            value: br#"{"info":{"filename":"Dockerfile"},"ranges":[]}"#.to_vec(),
        }],
    }
}

#[tokio::test]
async fn caches_are_all_that_changes() {
    let fake = FakeBridge::new(building("pip install flask"));
    let import = ("cache-from", "registry/x");
    run(&fake, &[SYNTAX, import]).await.unwrap();
    let ours = returned(&fake);
    assert!(has_cache(&ours), "{ours:?}");
    let mut expected = whole("pip install flask");
    expected.result = Some(result::Result::Ref(ours));
    assert_eq!(fake.returned_outcome(), expected);

    let seen = fake.seen();
    let last = seen.solved.last().unwrap();
    assert_eq!(last.cache_imports[0].attrs["ref"], "registry/x");
    assert!(!last.evaluate);
    assert_eq!(
        names(&seen.solved[0]),
        ["[internal] load build definition from Dockerfile"]
    );
    assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
    let file = operations(&seen.solved[0]);
    let asked = "[\\\"Dockerfile\\\",\\\"Dockerfile.dockerignore\\\",\\\"dockerfile\\\"]";
    assert!(file.contains(asked), "{file}");
}

#[tokio::test]
async fn mounts_sit_where_a_build_arg_says_and_are_the_same_caches() {
    let ids = ("build-arg:LARDER_CACHE_IDS", "dockerfile");
    let default = ("build-arg:LARDER_CACHE_LAYOUT", "default");
    for (options, moved) in [(&[SYNTAX, ids][..], true), (&[SYNTAX, ids, default], false)] {
        let fake = FakeBridge::new(building("pip install flask"));
        run(&fake, options).await.unwrap();
        let definition = Definition::from_proto(&returned(&fake).def.unwrap());
        let shown = inspect::json(&definition).unwrap();
        assert!(shown.contains("\"//root/.cache/pip\""), "{shown}");
        assert_eq!(shown.contains("PIP_CACHE_DIR="), moved, "{shown}");
        assert_eq!(shown.contains("\"/root/.cache/pip\""), !moved, "{shown}");
    }
}

#[tokio::test]
async fn what_gets_no_cache_is_returned_as_it_came() {
    for (command, option) in [
        ("make", ("target", "x")),
        ("pip install flask", ("build-arg:LARDER_CACHES", "off")),
    ] {
        let fake = FakeBridge::new(building(command));
        run(&fake, &[SYNTAX, option]).await.unwrap();
        assert_eq!(fake.returned_outcome(), whole(command));
        assert!(fake.seen().warnings.is_empty());
    }
}

#[tokio::test]
async fn options_and_inputs_go_on_as_they_came() {
    let mut graph = Graph::new();
    let local = Source::Local(Local::new("other"));
    let vertex = graph.add(local, &Constraints::default(), Meta::default());
    let input = graph.definition(vertex.only());
    let script = building("make").input("base", input.clone());
    let fake = FakeBridge::new(script.clone());
    let options = [
        ("source", "larder/frontend:1"),
        ("filename", "Dockerfile"),
        ("build-arg:VERSION", "1"),
        ("build-arg:LARDER_PROJECT", "shop"),
        ("build-arg:LARDER_CACHES", "auto"),
        ("build-arg:LARDER_CACHE_IDS", "dockerfile"),
        ("context:base", "input:base"),
        ("no-cache", ""),
        ("attest:sbom", "generator=x"),
        ("frontend.caps", "moby.buildkit.frontend.unheard"),
        // No platform to us, but to BuildKit.
        ("platform", "linux"),
        ("cache-imports", r#"[{"Type":"local","Attrs":{"src":"c"}}]"#),
    ];
    run(&fake, &options).await.unwrap();
    let forwarded = fake.seen().forwarded;
    let mut expected: BTreeMap<String, String> = options
        .iter()
        .filter(|(key, _)| !key.contains("LARDER") && *key != "source")
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    // The `# syntax=` line is not to be followed again.
    expected.insert("cmdline".to_owned(), "larder/frontend:1".to_owned());
    let [asked] = forwarded.as_slice() else {
        panic!("{forwarded:?}");
    };
    assert_eq!(
        *asked,
        FrontendRequest {
            frontend: "dockerfile.v0".to_owned(),
            options: expected,
            inputs: BTreeMap::from([("base".to_owned(), input)]),
            cache_imports: asked.cache_imports.clone(),
        }
    );
    assert_eq!(asked.cache_imports[0].kind, "local");

    let old = FakeBridge::new(script.without(cap::INPUTS.id));
    run(&old, &[SYNTAX]).await.unwrap();
    assert!(old.seen().forwarded[0].inputs.is_empty());
    assert_eq!(old.seen().forwarded[0].options["cmdline"], SYNTAX.1);
}

#[tokio::test]
async fn another_frontend_builds_whatever_the_file_is() {
    for file in [FILE, "from: python:3.13-slim\n"] {
        let script = daemon(file).frontend("gateway.v0", "", whole("pip install flask"));
        let fake = FakeBridge::new(script);
        let frontend = ("build-arg:LARDER_FRONTEND", "docker/dockerfile:1.7");
        run(&fake, &[SYNTAX, frontend, ("source", "larder/frontend:1")])
            .await
            .unwrap();
        let options = &fake.seen().forwarded[0].options;
        assert_eq!(options["source"], "docker/dockerfile:1.7");
        assert_eq!(options["cmdline"], "docker/dockerfile:1.7");
        assert_eq!(options.len(), 2);
        assert!(has_cache(&returned(&fake)));
    }
}

fn several() -> wire::Result {
    let attestation = |id, command| wire::Attestation {
        kind: 1,
        path: "/sbom.json".to_owned(),
        in_toto_predicate_type: "https://spdx.dev/Document".to_owned(),
        metadata: [("reason".to_owned(), b"sbom".to_vec())].into(),
        r#ref: Some(reference(id, definition("linux/amd64", command))),
        ..wire::Attestation::default()
    };
    let list = wire::Attestations {
        attestation: vec![
            attestation("scan", "make sbom"),
            attestation("scan-2", "pip install scanner"),
        ],
    };
    let refs = [
        ("linux/amd64", "one", "pip install flask"),
        ("linux/arm64", "two", "make"),
    ]
    .map(|(platform, id, command)| {
        let reference = reference(id, definition(platform, command));
        (platform.to_owned(), reference)
    });
    let mut refs = wire::RefMap { refs: refs.into() };
    refs.refs
        .insert("linux/riscv64".to_owned(), wire::Ref::default());
    wire::Result {
        metadata: [("refs.platforms".to_owned(), b"map".to_vec())].into(),
        attestations: [("linux/amd64".to_owned(), list)].into(),
        result: Some(result::Result::Refs(refs)),
    }
}

fn refs(result: &mut wire::Result) -> &mut wire::RefMap {
    match &mut result.result {
        Some(result::Result::Refs(refs)) => refs,
        other => panic!("no references, but {other:?}"),
    }
}

#[tokio::test]
async fn only_references_with_caches_are_replaced() {
    let fake = FakeBridge::new(daemon(FILE).frontend("dockerfile.v0", "", several()));
    run(&fake, &[SYNTAX]).await.unwrap();
    let mut came = several();
    let mut returned = fake.returned_outcome();
    let one = refs(&mut came)
        .refs
        .insert("linux/amd64".to_owned(), wire::Ref::default());
    let ours = refs(&mut returned)
        .refs
        .insert("linux/amd64".to_owned(), wire::Ref::default());
    let (one, ours) = (one.unwrap(), ours.unwrap());
    assert!(has_cache(&ours) && ours.id != one.id, "{ours:?}");
    let scan = |result: &mut wire::Result| {
        let list = result.attestations.get_mut("linux/amd64").unwrap();
        list.attestation[1].r#ref.take().unwrap()
    };
    let (theirs, ours) = (scan(&mut came), scan(&mut returned));
    assert!(has_cache(&ours) && ours.id != theirs.id, "{ours:?}");
    assert_eq!(returned, came);
}

#[tokio::test]
async fn errors_are_returned_as_they_came() {
    let sent = status("dockerfile parse error on line 3: unknown instruction: FORM");
    for file in [FILE, "", "FORM python\n", "#", "\u{feff}from x"] {
        let script = daemon(file).failing(Call::Frontend, "dockerfile.v0", sent.clone());
        let fake = FakeBridge::new(script);
        run(&fake, &[SYNTAX]).await.unwrap_err();
        assert_eq!(fake.returned_error(), sent, "{file}");
    }
    // A file that cannot be read at all.
    for options in [
        &[SYNTAX, ("filename", "none/Dockerfile")][..],
        &[SYNTAX, ("context", "https://example.org/x.git?unheard=1")],
        &[SYNTAX, ("context", "https://example.org/none.tar.gz")],
    ] {
        let script = building("make").failing(Call::Frontend, "dockerfile.v0", sent.clone());
        let fake = FakeBridge::new(script);
        run(&fake, options).await.unwrap_err();
        assert_eq!(fake.returned_error(), sent, "{options:?}");
    }
    let script = building("pip install flask").failing(Call::Solve, "ExecOp", sent.clone());
    let fake = FakeBridge::new(script);
    run(&fake, &[SYNTAX]).await.unwrap_err();
    assert_eq!(fake.returned_error(), sent);
}

#[tokio::test]
async fn a_name_in_lower_case_and_a_name_that_says_spec() {
    let result = whole("make");
    for (name, options) in [
        ("dockerfile", &[SYNTAX][..]),
        ("Dockerfile", &[]),
        ("a/dockerfile", &[SYNTAX, ("filename", "a/Dockerfile")]),
        ("larder.yaml", &[]),
    ] {
        let script = Script::new().local("dockerfile", &[(name, FILE)]).frontend(
            "dockerfile.v0",
            "",
            result.clone(),
        );
        let fake = FakeBridge::new(script.without(cap::INPUTS.id));
        run(
            &fake,
            &[options, &[("build-arg:LARDER_CACHES", "off")]].concat(),
        )
        .await
        .unwrap();
        assert_eq!(fake.returned_outcome(), result, "{name}");
    }
}

#[tokio::test]
async fn where_caches_are_impossible_the_build_goes_on_and_says_so() {
    let garbage = wire::Result {
        result: Some(result::Result::Ref(reference(
            "theirs",
            pb::Definition {
                def: vec![vec![0xff; 40]],
                ..pb::Definition::default()
            },
        ))),
        ..wire::Result::default()
    };
    let old = wire::Result {
        result: Some(result::Result::RefDeprecated("theirs".to_owned())),
        ..wire::Result::default()
    };
    let silent = wire::Result {
        result: Some(result::Result::Ref(wire::Ref {
            id: "theirs".to_owned(),
            def: None,
        })),
        ..wire::Result::default()
    };
    for (lacking, result, why) in [
        ("none", garbage, ""),
        (cap::REF_ARRAY.id, old, "BuildKit v0.7.0 or later"),
        ("none", silent, "the daemon does not say"),
        (
            "exec.mount.cache",
            whole("pip install flask"),
            "`exec.mount.cache`: update it to BuildKit v0.3.0 or later",
        ),
    ] {
        let script = daemon(FILE)
            .frontend("dockerfile.v0", "", result.clone())
            .without(lacking);
        let fake = FakeBridge::new(script.clone());
        run(&fake, &[SYNTAX]).await.unwrap();
        assert_eq!(fake.returned_outcome(), result);
        let [warning] = fake.seen().warnings.try_into().unwrap();
        let start = "this build gets no caches from Larder: ";
        assert!(warning.short.starts_with(start), "{}", warning.short);
        assert!(warning.short.contains(why), "{}", warning.short);
        assert!(warning.vertex.starts_with("sha256:"));

        for script in [
            script.clone().without(cap::WARNINGS.id),
            script.failing(Call::Warn, "", status("no")),
        ] {
            let fake = FakeBridge::new(script);
            run(&fake, &[SYNTAX]).await.unwrap();
            assert_eq!(fake.returned_outcome(), result);
        }
    }
}

#[tokio::test]
async fn an_empty_result_is_nothing_to_warn_of() {
    let empty = wire::Result {
        result: Some(result::Result::Ref(wire::Ref::default())),
        ..wire::Result::default()
    };
    let fake =
        FakeBridge::new(daemon("FROM scratch\n").frontend("dockerfile.v0", "", empty.clone()));
    run(&fake, &[SYNTAX]).await.unwrap();
    assert_eq!(fake.returned_outcome(), empty);
    assert!(fake.seen().warnings.is_empty());
}

#[tokio::test]
async fn build_args_of_ours_are_checked() {
    for (name, value, expected) in [
        ("LARDER_CACHES", "no", "`no` is neither `auto` nor `off`"),
        (
            "LARDER_CACHE_IDS",
            "x",
            "`x` is neither `larder` nor `dockerfile`",
        ),
        (
            "LARDER_CACHE_LAYOUT",
            "home",
            "`home` is neither `private` nor `default`",
        ),
    ] {
        let fake = FakeBridge::new(building("make"));
        let name = format!("build-arg:{name}");
        run(&fake, &[SYNTAX, (&name, value)]).await.unwrap_err();
        assert_eq!(
            fake.returned_error().message,
            format!("option `{name}`: {expected}")
        );
    }
}

#[tokio::test]
async fn users_are_looked_up_in_the_image_and_builds_go_on_without() {
    let result = wire::Result {
        result: Some(result::Result::Ref(reference(
            "theirs",
            definition_as("build", "linux/amd64", "pip install flask"),
        ))),
        ..wire::Result::default()
    };
    let passwd = [
        ("etc/passwd", "build:x:1234:1235::/home/build:/bin/sh\n"),
        ("etc/group", "build:x:1235:\n"),
    ];
    let script = Script::new()
        .image(PYTHON, CONFIG, &passwd)
        .local("dockerfile", &[("Dockerfile", FILE)])
        .frontend("dockerfile.v0", "", result);
    let fake = FakeBridge::new(script.clone());
    run(&fake, &[SYNTAX]).await.unwrap();
    let build = operations(fake.seen().solved.last().unwrap());
    assert!(build.contains("owner:1234.1235"), "{build}");
    let read = fake.seen().read;
    assert!(read.contains(&"/etc/passwd".to_owned()), "{read:?}");

    for script in [
        script
            .clone()
            .failing(Call::Read, "/etc/passwd", status("EIO")),
        script.failing(Call::Solve, "docker-image", status("no network")),
    ] {
        let fake = FakeBridge::new(script);
        // The image cannot be pulled, or can: the build itself shows it.
        let _ = run(&fake, &[SYNTAX]).await;
        let build = operations(fake.seen().solved.last().unwrap());
        assert!(build.contains("pip install flask"), "{build}");
        assert!(!build.contains("1234"), "{build}");
    }
}

#[tokio::test]
async fn wrong_comments_are_warned_of_where_they_stand() {
    let file = "FROM python:3.13-slim\n# larder: caches=pipi\nRUN pip install flask\n";
    for (options, excerpt) in [
        (&[SYNTAX][..], true),
        (&[SYNTAX, ("build-arg:LARDER_FRONTEND", "x")], false),
    ] {
        let script = daemon(file)
            .frontend("dockerfile.v0", "", built(file))
            .frontend("gateway.v0", "", built(file));
        let fake = FakeBridge::new(script);
        run(&fake, options).await.unwrap();
        let [warning] = fake.seen().warnings.try_into().unwrap();
        assert!(warning.vertex.starts_with("sha256:"));
        assert!(warning.short.contains("`pipi`"), "{}", warning.short);
        assert!(!warning.detail.is_empty());
        assert_eq!(warning.short.starts_with("Dockerfile:2: "), !excerpt);
        let lines = warning.excerpt.map(|excerpt| excerpt.lines);
        assert_eq!(lines, excerpt.then(|| vec![2..=2]));
    }
}
