//! The build context `larder-cache`.

use buildkit_llb::{Constraints, Graph, Local, Meta, Source};
use larder_gateway::fake::{FakeBridge, Script};

use crate::support::{CONFIG, PYTHON, daemon, names, operations, run};

const SPEC: &str = "from: python:3.13-slim\nuser: 7:8\nsteps:\n  - run: pip install flask\n";
const FILES: [(&str, &str); 2] = [("pip/http/a", "wheel"), ("npm", "no directory")];
const SEED: &str = "[internal] cache directory of 7:8 from larder-cache/pip";

fn script() -> Script {
    daemon(SPEC, &[])
}

/// What the last solve was of, as names and as JSON.
async fn built(script: Script, options: &[(&str, &str)]) -> (Vec<String>, String) {
    let fake = FakeBridge::new(script);
    run(&fake, options).await.unwrap();
    let seen = fake.seen();
    let last = seen.solved.last().unwrap();
    (names(last), operations(last))
}

#[tokio::test]
async fn a_directory_of_the_clients_seeds_caches() {
    let fake = FakeBridge::new(script().local("larder-cache", &FILES));
    let options = [
        ("context:larder-cache", "local:larder-cache"),
        ("local-sessionid:larder-cache", "theirs"),
    ];
    run(&fake, &options).await.unwrap();
    let seen = fake.seen();
    let last = seen.solved.last().unwrap();
    assert!(names(last).contains(&SEED.to_owned()), "{:?}", names(last));
    let build = operations(last);
    assert!(build.contains("theirs"), "{build}");
    assert!(build.contains("\"target\": \"/larder-cache\""), "{build}");
    // It is looked at by the operation that the build has, so that it is sent once.
    let of_listing = seen
        .solved
        .iter()
        .find(|solved| names(solved) == ["[internal] load larder-cache"])
        .unwrap();
    assert!(
        last.definition
            .clone()
            .into_proto()
            .def
            .contains(&of_listing.definition.clone().into_proto().def[0])
    );
    assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
}

#[tokio::test]
async fn without_it_nothing_changes() {
    let (names, build) = built(script(), &[]).await;
    assert!(!names.contains(&SEED.to_owned()));
    assert!(!build.contains("larder-cache"), "{build}");
    let empty = script().local("larder-cache", &[]);
    let (names, _) = built(empty, &[("context:larder-cache", "local:larder-cache")]).await;
    let plain = "[internal] cache directory of 7:8".to_owned();
    assert!(names.contains(&plain), "{names:?}");
}

#[tokio::test]
async fn it_may_be_an_input_an_image_a_repository_or_an_archive() {
    let input = {
        let mut graph = Graph::new();
        let local = Source::Local(Local::new("elsewhere"));
        let vertex = graph.add(local, &Constraints::default(), Meta::named("elsewhere"));
        graph.definition(vertex.only())
    };
    let repository = "git://example.org/deps.git";
    let tar = "\0".repeat(257) + "ustar" + &"\0".repeat(300);
    let archive = [("context", tar.as_str()), FILES[0]];
    for (address, script) in [
        (
            "input:deps",
            script().local("elsewhere", &FILES).input("deps", input),
        ),
        (
            "docker-image://example.org/deps:1",
            script().image("example.org/deps:1", CONFIG, &FILES),
        ),
        (
            "https://example.org/deps.git",
            script().source(repository, &FILES),
        ),
        (
            "https://example.org/deps.tar",
            script().source("https://example.org/deps.tar", &archive),
        ),
    ] {
        let (names, build) = built(script, &[("context:larder-cache", address)]).await;
        assert!(names.contains(&SEED.to_owned()), "{address}: {build}");
    }
}

#[tokio::test]
async fn one_for_a_platform_comes_first() {
    let files = [("npm/a", "")];
    let script = script().local("all", &files).local("some", &FILES);
    let options = [
        ("context:larder-cache", "local:all"),
        ("context:larder-cache::linux/amd64", "local:some"),
    ];
    let fake = FakeBridge::new(script);
    run(&fake, &options).await.unwrap();
    let seen = fake.seen();
    assert!(names(seen.solved.last().unwrap()).contains(&SEED.to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_it_names_the_option() {
    let file = [("context", "text")];
    for (address, expected) in [
        (
            "oci-layout://x",
            "`x` says no digest, as in `NAME@sha256:…`",
        ),
        ("x", "`x` is no directory, image,"),
        ("input:x", "the client gives no input `x`"),
        ("docker-image://A B", ""),
        (
            "https://example.org/x",
            "`https://example.org/x` is no archive",
        ),
    ] {
        let script = script()
            .image(PYTHON, CONFIG, &[])
            .source("https://example.org/x", &file);
        let fake = FakeBridge::new(script);
        run(&fake, &[("context:larder-cache", address)])
            .await
            .unwrap_err();
        let message = fake.returned_error().message;
        let prefix = format!("option `context:larder-cache`: {expected}");
        assert!(message.starts_with(&prefix), "{message}");
    }
}
