//! The real bridge against a real gRPC server, over sockets and pipes.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use buildkit_llb::{
    Constraints, Definition, Git, Graph, Http, Local, Meta, Platform, ResolveMode, Source,
};
use buildkit_proto::google::{protobuf::Any, rpc};
use buildkit_proto::moby::buildkit::v1::frontend as wire;
use larder_gateway::fake::{Call, FakeBridge, Returned, Script, serve};
use larder_gateway::{
    Bridge, CacheImport, Excerpt, Failure, FrontendRequest, Image, ImageRequest, Outcome, Place,
    SolveRequest, StdioBridge, Warning, cap,
};
use tokio::net::UnixStream;

/// A connection as a container gets it with a socket for both directions.
async fn over_socket(fake: &FakeBridge) -> StdioBridge {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    tokio::spawn(serve(fake.clone(), UnixStream::from_std(theirs).unwrap()));
    let input = OwnedFd::from(ours.try_clone().unwrap());
    StdioBridge::over(input, OwnedFd::from(ours)).await.unwrap()
}

/// A connection as a container gets it with two pipes.
async fn over_pipes(fake: &FakeBridge) -> StdioBridge {
    let (for_us, to_us) = io::pipe().unwrap();
    let (from_us, by_us) = io::pipe().unwrap();
    let (near, far) = UnixStream::pair().unwrap();
    tokio::spawn(serve(fake.clone(), far));
    let (mut down, mut up) = near.into_split();
    tokio::spawn(async move {
        let mut to_us = tokio::net::unix::pipe::Sender::from_owned_fd(to_us.into()).unwrap();
        tokio::io::copy(&mut down, &mut to_us).await
    });
    tokio::spawn(async move {
        let mut from_us = tokio::net::unix::pipe::Receiver::from_owned_fd(from_us.into()).unwrap();
        tokio::io::copy(&mut from_us, &mut up).await
    });
    StdioBridge::over(for_us.into(), by_us.into())
        .await
        .unwrap()
}

fn amd64() -> Platform {
    Platform::parse("linux/amd64").unwrap()
}

fn local(name: &str) -> Definition {
    of_source(Source::Local(Local::new(name)))
}

fn of_source(source: Source) -> Definition {
    let mut graph = Graph::new();
    let vertex = graph.add(source, &Constraints::on(amd64()), Meta::default());
    graph.definition(vertex.only())
}

fn solve(definition: Definition) -> SolveRequest {
    SolveRequest {
        definition,
        ..SolveRequest::default()
    }
}

fn status(message: &str, detail: Vec<u8>) -> rpc::Status {
    rpc::Status {
        code: 2,
        message: message.to_owned(),
        details: vec![Any {
            type_url: "github.com/moby/buildkit/errdefs.Source+json".to_owned(),
            value: detail,
        }],
    }
}

async fn every_call(fake: &FakeBridge, bridge: &StdioBridge) {
    let caps = bridge.ping().await.unwrap();
    assert!(caps.has(cap::WARNINGS) && caps.has_llb("mergeop") && !caps.has_llb("none"));

    let request = ImageRequest {
        reference: "docker.io/library/alpine:latest".to_owned(),
        platform: amd64(),
        mode: ResolveMode::Pull,
        log_name: "[internal] load metadata".to_owned(),
        layout: None,
    };
    let image = bridge.resolve_image(&request).await.unwrap();
    assert_eq!(image.config, b"{}");
    assert_eq!(image.reference, request.reference);
    assert_eq!(fake.seen().resolved, [request]);

    let imports = vec![CacheImport {
        kind: "registry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), "r/x".to_owned())]),
    }];
    let sent = SolveRequest {
        cache_imports: imports,
        evaluate: true,
        ..solve(local("context"))
    };
    let result = bridge.solve(sent.clone()).await.unwrap();
    assert_eq!(result.definition.as_ref(), Some(&sent.definition));
    assert_eq!(fake.seen().solved, [sent]);

    assert_eq!(bridge.read_file(&result, "a.txt", 3).await.unwrap(), b"one");
    assert_eq!(
        bridge.read_file(&result, "a.txt", 9).await.unwrap(),
        b"one two"
    );
    let missing = bridge.read_file(&result, "b.txt", 9).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    assert_eq!(
        bridge.read_file_if_any(&result, "b.txt", 9).await.unwrap(),
        None
    );
    assert_eq!(bridge.stat_file(&result, "a.txt").await.unwrap().size, 7);
    let entries = bridge.read_dir(&result, "/", None).await.unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(names, ["a.txt", "d"]);
    assert!(entries[1].is_dir() && !entries[0].is_dir());
    assert_eq!(
        bridge.read_dir(&result, "d", Some("*.md")).await.unwrap()[0].path,
        "c.md"
    );

    let git = Source::Git(Git::new("https://example.org/a.git"));
    let time = bridge.source_time(&of_source(git), "").await;
    assert_eq!(time.unwrap(), Some(1_704_067_200));
    let web = Source::Http(Http::new("https://example.org/a.tar"));
    let time = bridge.source_time(&of_source(web), "").await;
    assert_eq!(time.unwrap(), Some(7));
    let time = bridge.source_time(&local("context"), "").await;
    assert_eq!(time.unwrap(), None);

    assert_eq!(bridge.inputs().await.unwrap()["in"], local("in"));

    let warning = Warning {
        vertex: "sha256:00".to_owned(),
        short: "careful".to_owned(),
        detail: vec!["why".to_owned()],
        excerpt: Some(Excerpt {
            file: "larder.yaml".to_owned(),
            data: b"a: b".to_vec(),
            language: "YAML".to_owned(),
            lines: vec![1..=1],
        }),
    };
    bridge.warn(warning.clone()).await.unwrap();
    assert_eq!(fake.seen().warnings, [warning]);

    let outcome = Outcome::Single(Box::new(Image {
        platform: amd64(),
        reference: result,
        config: b"{}".to_vec(),
        base_config: None,
        annotations: Vec::new(),
        epoch: None,
    }));
    bridge.return_outcome(outcome.clone()).await.unwrap();
    assert_eq!(
        fake.returned_outcome().metadata["containerimage.config"],
        b"{}"
    );
    let again = bridge.return_outcome(outcome).await.unwrap_err();
    assert!(matches!(again, Failure::Daemon(_)), "{again}");
}

fn script() -> Script {
    Script::new()
        .image("docker.io/library/alpine:latest", "{}", &[])
        .local(
            "context",
            &[("a.txt", "one two"), ("d/c.md", ""), ("d/c.rs", "")],
        )
        .input("in", local("in"))
        .time("git://example.org/a.git", 1_704_067_200)
        .time("https://example.org/a.tar", 7)
}

#[tokio::test]
async fn every_call_over_a_socket() {
    let fake = FakeBridge::new(script());
    let bridge = over_socket(&fake).await;
    every_call(&fake, &bridge).await;
}

#[tokio::test]
async fn every_call_over_pipes() {
    let fake = FakeBridge::new(script());
    let bridge = over_pipes(&fake).await;
    every_call(&fake, &bridge).await;
}

#[tokio::test]
async fn what_another_frontend_builds_goes_back_as_it_came() {
    let reference = |id: &str| wire::Ref {
        id: id.to_owned(),
        def: Some(local(id).into_proto()),
    };
    let attestation = wire::Attestation {
        kind: 1,
        metadata: [("reason".to_owned(), vec![0xff])].into(),
        r#ref: Some(reference("sbom")),
        path: "/sbom.json".to_owned(),
        in_toto_subjects: vec![wire::InTotoSubject {
            kind: 1,
            digest: vec!["sha256:00".to_owned()],
            name: "subject".to_owned(),
        }],
        ..wire::Attestation::default()
    };
    let list = wire::Attestations {
        attestation: vec![wire::Attestation::default(), attestation],
    };
    let refs = wire::RefMap {
        refs: [
            ("linux/amd64".to_owned(), reference("one")),
            ("linux/arm64".to_owned(), wire::Ref::default()),
        ]
        .into(),
    };
    let built = wire::Result {
        metadata: [("containerimage.config".to_owned(), vec![0xff, 0])].into(),
        attestations: [("linux/amd64".to_owned(), list)].into(),
        result: Some(wire::result::Result::Refs(refs)),
    };
    let sent = status("no such frontend", b"{}".to_vec());
    let fake = FakeBridge::new(
        script()
            .frontend("dockerfile.v0", "", built.clone())
            .failing(Call::Frontend, "gateway.v0", sent.clone()),
    );
    let bridge = over_socket(&fake).await;
    let asked = FrontendRequest {
        frontend: "dockerfile.v0".to_owned(),
        options: BTreeMap::from([("build-arg:A".to_owned(), "x=y".to_owned())]),
        inputs: BTreeMap::from([("base".to_owned(), local("base"))]),
        cache_imports: vec![CacheImport {
            kind: "registry".to_owned(),
            attrs: BTreeMap::from([("ref".to_owned(), "r/x".to_owned())]),
        }],
    };
    let result = bridge.solve_frontend(asked.clone()).await.unwrap();
    let definitions = result.definitions().unwrap();
    let one = &definitions[&Place::Platform("linux/amd64".to_owned())];
    assert_eq!(one.as_ref(), Some(&local("one")));
    bridge.return_outcome(Outcome::Raw(result)).await.unwrap();
    assert_eq!(fake.returned_outcome(), built);

    let other = FrontendRequest {
        frontend: "gateway.v0".to_owned(),
        ..asked.clone()
    };
    let failure = bridge.solve_frontend(other.clone()).await.unwrap_err();
    assert_eq!(failure.to_status(), sent);
    assert_eq!(fake.seen().forwarded, [asked, other]);
}

#[tokio::test]
async fn an_old_daemon_resolves_images_the_old_way() {
    let fake = FakeBridge::new(script().without(cap::SOURCE_META.id));
    let bridge = over_socket(&fake).await;
    let request = ImageRequest {
        reference: "docker.io/library/alpine:latest".to_owned(),
        platform: amd64(),
        mode: ResolveMode::Default,
        log_name: String::new(),
        layout: None,
    };
    let image = bridge.resolve_image(&request).await.unwrap();
    assert_eq!(image.reference, request.reference);
    assert_eq!(fake.seen().resolved, [request]);
}

#[tokio::test]
async fn a_large_file_comes_in_pieces() {
    let text = "0123456789abcdef".repeat((20 << 20) / 16);
    let fake = FakeBridge::new(Script::new().local("context", &[("big", &text)]));
    let bridge = over_pipes(&fake).await;
    let result = bridge.solve(solve(local("context"))).await.unwrap();
    let read = bridge.read_file(&result, "big", u64::MAX).await.unwrap();
    assert!(read == text.as_bytes());
    assert_eq!(fake.seen().read.len(), 3);
    let part = bridge.read_file(&result, "big", 9 << 20).await.unwrap();
    assert_eq!(part.len(), 9 << 20);
}

#[tokio::test]
async fn a_large_definition_goes_through() {
    let fake = FakeBridge::new(script());
    let bridge = over_socket(&fake).await;
    let mut definition = local("context").into_proto();
    let mut source = definition.source.take().unwrap_or_default();
    source.infos.push(buildkit_proto::pb::SourceInfo {
        data: vec![b'x'; 12 << 20],
        ..Default::default()
    });
    definition.source = Some(source);
    let definition = Definition::from_proto(&definition);
    assert!(bridge.solve(solve(definition)).await.is_ok());
}

#[tokio::test]
async fn error_details_come_back_byte_for_byte() {
    // As base64 in a header, this is over sixteen times what HTTP/2 clients take by default.
    let sent = status("exit code: 3", vec![b'x'; 200 << 10]);
    let fake = FakeBridge::new(script().failing(Call::Solve, "local://context", sent.clone()));
    let bridge = over_socket(&fake).await;
    let failure = bridge.solve(solve(local("context"))).await.unwrap_err();
    assert_eq!(failure.to_string(), "exit code: 3");
    bridge.return_failure(&failure).await.unwrap();
    assert_eq!(fake.seen().returned, Some(Returned::Error(sent)));
}

#[tokio::test]
async fn the_end_of_the_connection_ends_every_call() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let input = OwnedFd::from(ours.try_clone().unwrap());
    let bridge = StdioBridge::over(input, ours.into()).await.unwrap();
    let close = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(theirs);
    };
    let (failure, ()) = tokio::join!(bridge.solve(solve(local("context"))), close);
    assert!(
        failure.as_ref().unwrap_err().is_disconnected(),
        "{failure:?}"
    );
    let failure = bridge.return_failure(&failure.unwrap_err()).await;
    assert!(failure.unwrap_err().is_disconnected());
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_ends_every_call() {
    let (for_us, to_us) = io::pipe().unwrap();
    let (from_us, by_us) = io::pipe().unwrap();
    drop((to_us, from_us));
    let failure = match StdioBridge::over(for_us.into(), by_us.into()).await {
        Err(_) => return,
        Ok(bridge) => bridge.ping().await.unwrap_err(),
    };
    assert!(failure.is_disconnected(), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_says_nothing_is_given_up() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let input = OwnedFd::from(ours.try_clone().unwrap());
    let bridge = StdioBridge::over(input, ours.into()).await.unwrap();
    let failure = bridge.ping().await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the daemon cannot be reached: it does not answer"
    );
    drop(theirs);
}

#[tokio::test]
async fn a_file_is_no_connection() {
    let null = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let error = StdioBridge::over(null(), null()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("standard input is neither"),
        "{error}"
    );
}
