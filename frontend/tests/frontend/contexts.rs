//! Build contexts that the client gives a name, and builds across platforms.

use buildkit_llb::{Constraints, Graph, Local, Meta, Source};
use larder_gateway::fake::{FakeBridge, Script, Seen};
use larder_gateway::{Layout, SolveRequest};

use crate::support::{CONFIG, ETC, PYTHON, daemon, names, operations, run};

const ALPINE: &str = r#"{"architecture":"arm64","os":"linux","config":{"Env":["PATH=/bin","FROM_CONTEXT=1"],"User":"app"}}"#;
const USERS: [(&str, &str); 2] = [
    (
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\napp:x:7:8::/home/app:/bin/sh\n",
    ),
    ("etc/group", "root:x:0:\n"),
];
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What the daemon saw of a build that went well.
async fn seen(script: Script, options: &[(&str, &str)]) -> Seen {
    let fake = FakeBridge::new(script);
    let result = run(&fake, options).await;
    assert!(result.is_ok(), "{}", fake.returned_error().message);
    fake.seen()
}

/// What a build that went well was solved from.
async fn built(script: Script, options: &[(&str, &str)]) -> SolveRequest {
    let mut solved = seen(script, options).await.solved;
    solved.pop().unwrap()
}

#[tokio::test]
async fn an_image_stands_in_for_another() {
    let script = daemon("from: python:3.13-slim\nsteps: [{run: id}]\n", &[]).image(
        "example.org/mine:1",
        ALPINE,
        &USERS,
    );
    let options = [(
        "context:python:3.13-slim",
        "docker-image://example.org/mine:1",
    )];
    let built = built(script, &options).await;
    let shown = operations(&built);
    assert!(
        shown.contains("docker-image://example.org/mine:1@"),
        "{shown}"
    );
    assert!(!shown.contains("library/python"), "{shown}");
    assert!(shown.contains("FROM_CONTEXT=1"), "{shown}");
}

#[tokio::test]
async fn one_that_is_missing_is_blamed_on_the_spec() {
    let script = daemon("from: base\nsteps: [{run: id}]\n", &[]);
    let fake = FakeBridge::new(script);
    let options = [("context:base", "docker-image://example.org/none:1")];
    run(&fake, &options).await.unwrap_err();
    let message = fake.returned_error().message;
    assert!(
        message.contains("the image `base` cannot be used"),
        "{message}"
    );
    assert!(message.contains("larder.yaml:1"), "{message}");
}

#[tokio::test]
async fn a_directory_is_copied_from_without_what_it_ignores() {
    let spec = "from: python:3.13-slim\nsteps:\n  - copy: {from: data, src: a, dest: /a}\n  \
                - copy: {from: data, src: b/c, dest: /b}\n";
    let script = daemon(spec, &[]).local("their-data", &[("a", ""), (".dockerignore", "*.log\n")]);
    let options = [
        ("context:data", "local:their-data"),
        ("local-sessionid:their-data", "theirs"),
    ];
    let built = built(script, &options).await;
    let shown = operations(&built);
    assert!(names(&built).contains(&"[internal] load context data".to_owned()));
    for part in [
        "local://their-data",
        "theirs",
        r#"[\"*.log\"]"#,
        r#"[\"a\",\"b/c\"]"#,
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn files_may_be_what_a_stage_stands_on() {
    let spec = "from: root\nuser: app\nsteps: [{run: id}]\n";
    let script = daemon(spec, &[]).local("root", &USERS);
    let built = built(script, &[("context:root", "local:root")]).await;
    let shown = operations(&built);
    assert!(shown.contains("\"user\": \"app\""), "{shown}");
    assert!(shown.contains("HOME=/home/app"), "{shown}");
}

#[tokio::test]
async fn an_input_may_be_an_image() {
    let input = {
        let mut graph = Graph::new();
        let local = Source::Local(Local::new("elsewhere"));
        let vertex = graph.add(local, &Constraints::default(), Meta::named("elsewhere"));
        graph.definition(vertex.only())
    };
    let script = || {
        daemon("from: base\nsteps: [{run: id}]\n", &[])
            .local("elsewhere", &USERS)
            .input("base::linux/amd64", input.clone())
    };
    let config = r#"{"containerimage.config":"eyJjb25maWciOnsiRW52IjpbIlBBVEg9L2JpbiIsIklOUFVUPTEiXSwiVXNlciI6ImFwcCJ9fQ=="}"#;
    let context = ("context:base::linux/amd64", "input:base::linux/amd64");
    let options = [context, ("input-metadata:base::linux/amd64", config)];
    let shown = operations(&built(script(), &options).await);
    for part in ["INPUT=1", "HOME=/home/app", "elsewhere"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = operations(&built(script(), &[context]).await);
    assert!(!shown.contains("INPUT=1"), "{shown}");
}

#[tokio::test]
async fn an_image_may_be_in_a_layout_of_the_clients() {
    let reference = format!("docker.io/library/base@{DIGEST}");
    let script = daemon("from: base\nsteps: [{run: id}]\n", &[])
        .image(&reference, ALPINE, &[])
        .source(&format!("oci-layout://{reference}"), &USERS);
    let address = format!("oci-layout://some/store:latest@{DIGEST}");
    let seen = seen(script, &[("context:base", &address)]).await;
    let layout = Layout {
        session: "session".to_owned(),
        store: "some/store".to_owned(),
    };
    assert_eq!(seen.resolved.last().unwrap().layout, Some(layout));
    let shown = operations(seen.solved.last().unwrap());
    for part in [
        reference.as_str(),
        "some/store",
        "FROM_CONTEXT=1",
        "HOME=/home/app",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn a_repository_and_an_archive_are_their_files() {
    let spec = "from: python:3.13-slim\nsteps: [{copy: {from: src, src: ., dest: /src}}]\n";
    let tar = "\0".repeat(257) + "ustar" + &"\0".repeat(300);
    for (address, source, files, unpacked) in [
        (
            "https://example.org/x.git",
            "git://example.org/x.git",
            [("a", "")],
            false,
        ),
        (
            "https://example.org/x.tar",
            "https://example.org/x.tar",
            [("context", tar.as_str())],
            true,
        ),
        (
            "https://example.org/x.txt",
            "https://example.org/x.txt",
            [("context", "text")],
            false,
        ),
    ] {
        let script = daemon(spec, &[]).source(source, &files);
        let built = built(script, &[("context:src", address)]).await;
        assert!(operations(&built).contains(source), "{address}");
        let unpack = names(&built).contains(&"[internal] unpack context src".to_owned());
        assert_eq!(unpack, unpacked, "{address}");
    }
}

#[tokio::test]
async fn one_that_nothing_uses_is_not_looked_at() {
    let spec = "stages:\n  other: {from: broken}\n  last: {from: 'python:3.13-slim'}\n";
    let options = [
        ("context:broken", "what?"),
        ("context:unused", "input:none"),
    ];
    let seen = seen(daemon(spec, &[]), &options).await;
    assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
}

#[tokio::test]
async fn what_is_wrong_with_one_names_the_option() {
    for (address, expected) in [
        ("what?", "`what?` is no directory, image,"),
        ("input:x", "the client gives no input `x`"),
        ("oci-layout://x", "`x` says no digest"),
    ] {
        let fake = FakeBridge::new(daemon("from: base\n", &[]));
        run(&fake, &[("context:base", address)]).await.unwrap_err();
        let message = fake.returned_error().message;
        let prefix = format!("option `context:base`: {expected}");
        assert!(message.starts_with(&prefix), "{message}");
    }
}

#[tokio::test]
async fn a_stage_may_run_on_the_platform_that_builds() {
    let spec = "stages:\n  build:\n    from: {image: 'python:3.13-slim', platform: '${BUILDPLATFORM}'}\n    \
                user: app\n    steps: [{run: 'make ${TARGETARCH:-}'}]\n  \
                last:\n    from: example.org/small:1\n    steps: [{copy: {from: build, src: x, dest: /x}}]\n";
    let script = daemon(spec, &[])
        .image(PYTHON, CONFIG, &[ETC[0], ETC[1], USERS[0]])
        .image("example.org/small:1", ALPINE, &USERS);
    let seen = seen(script, &[("platform", "linux/arm64")]).await;
    let resolved: Vec<String> = seen
        .resolved
        .iter()
        .map(|image| format!("{} {}", image.reference, image.platform))
        .collect();
    assert_eq!(
        resolved,
        [
            "docker.io/library/python:3.13-slim linux/amd64",
            "example.org/small:1 linux/arm64"
        ]
    );
    let shown = operations(seen.solved.last().unwrap());
    let platforms = |name: &str| shown.matches(name).count();
    assert!(
        platforms("linux/amd64") > 0 && platforms("linux/arm64") > 0,
        "{shown}"
    );
}
