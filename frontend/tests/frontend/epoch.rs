//! `SOURCE_DATE_EPOCH`, and annotations.

use larder_gateway::fake::{Call, FakeBridge, Script};

use crate::support::{daemon, operations, run};

const SPEC: &str = "from: python:3.13-slim\nargs: {SOURCE_DATE_EPOCH: }\nsteps:\n  - run: make\n";
const EPOCH: &str = "build-arg:SOURCE_DATE_EPOCH";

/// What the result says of a key, and what the step sees.
async fn built(script: Script, options: &[(&str, &str)], key: &str) -> (Option<String>, bool) {
    let fake = FakeBridge::new(script);
    run(&fake, options).await.unwrap();
    let result = fake.returned_outcome();
    let value = result.metadata.get(key).cloned();
    let seen = fake.seen();
    let build = operations(seen.solved.last().unwrap());
    let told = build.contains("SOURCE_DATE_EPOCH=1704067200");
    (value.map(|value| String::from_utf8(value).unwrap()), told)
}

#[tokio::test]
async fn a_number_is_the_time() {
    let options = [(EPOCH, "1704067200")];
    let (epoch, told) = built(daemon(SPEC, &[]), &options, "source.date.epoch").await;
    assert_eq!((epoch.as_deref(), told), (Some("1704067200"), true));
    let (config, _) = built(daemon(SPEC, &[]), &options, "containerimage.config").await;
    assert!(
        config
            .unwrap()
            .contains("\"created\":\"2024-01-01T00:00:00Z\"")
    );
    let many = [
        options[0],
        ("platform", "linux/amd64"),
        ("multi-platform", "1"),
    ];
    let (epoch, _) = built(daemon(SPEC, &[]), &many, "source.date.epoch/linux/amd64").await;
    assert_eq!(epoch.as_deref(), Some("1704067200"));
    let (epoch, told) = built(daemon(SPEC, &[]), &[], "source.date.epoch").await;
    assert_eq!((epoch, told), (None, false));
}

#[tokio::test]
async fn a_repository_has_the_time_of_its_commit() {
    let script = Script::new()
        .image(
            crate::support::PYTHON,
            crate::support::CONFIG,
            &crate::support::ETC,
        )
        .source("git://example.org/a.git", &[("larder.yaml", SPEC)])
        .time("git://example.org/a.git", 1_704_067_200);
    let options = [(EPOCH, "context"), ("context", "https://example.org/a.git")];
    let (epoch, told) = built(script.clone(), &options, "source.date.epoch").await;
    assert_eq!((epoch.as_deref(), told), (Some("1704067200"), true));
    // What the daemon says of the repository is an error, as it would be for the context itself.
    let broken = larder_gateway::Failure::mistake("gone").to_status();
    let fake = FakeBridge::new(script.failing(Call::Resolve, "git://", broken));
    run(&fake, &options).await.unwrap_err();
    assert_eq!(fake.returned_error().message, "gone");
}

#[tokio::test]
async fn a_named_repository_has_the_time_of_its_own_commit() {
    let script = daemon(SPEC, &[])
        .source("git://example.org/b.git", &[("x", "")])
        .time("git://example.org/b.git", 1_704_067_200);
    for name in ["other", "other::linux/amd64"] {
        let context = format!("context:{name}");
        let options = [
            (EPOCH, "other"),
            (context.as_str(), "https://example.org/b.git"),
        ];
        let (epoch, told) = built(script.clone(), &options, "source.date.epoch").await;
        assert_eq!(
            (epoch.as_deref(), told),
            (Some("1704067200"), true),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_directory_of_the_clients_has_no_time() {
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[(EPOCH, "context")]).await.unwrap();
    let seen = fake.seen();
    let said: Vec<&str> = seen.warnings.iter().map(|it| it.short.as_str()).collect();
    assert_eq!(
        said,
        ["unknown-epoch: `SOURCE_DATE_EPOCH`: nobody can tell when the build context was made"]
    );
    assert!(seen.timed.is_empty());
    let metadata = fake.returned_outcome().metadata;
    assert!(!metadata.contains_key("source.date.epoch"));
    let build = operations(seen.solved.last().unwrap());
    assert!(build.contains("SOURCE_DATE_EPOCH=\""), "{build}");
}

#[tokio::test]
async fn annotations_are_told_to_the_daemon() {
    let spec = "from: python:3.13-slim\nimage:\n  annotations:\n    title: one\n    \"index:title\": all\n";
    let fake = FakeBridge::new(daemon(spec, &[]));
    run(
        &fake,
        &[("platform", "linux/amd64"), ("multi-platform", "1")],
    )
    .await
    .unwrap();
    let metadata = fake.returned_outcome().metadata;
    assert_eq!(metadata["annotation-manifest[linux/amd64].title"], b"one");
    assert_eq!(metadata["annotation-index.title"], b"all");
    assert!(fake.seen().warnings.is_empty());

    // Daemons do not export a single image that says something of an index.
    let fake = FakeBridge::new(daemon(spec, &[]));
    run(&fake, &[]).await.unwrap();
    let metadata = fake.returned_outcome().metadata;
    assert_eq!(metadata["annotation-manifest.title"], b"one");
    assert!(!metadata.contains_key("annotation-index.title"));
    let seen = fake.seen();
    let said: Vec<&str> = seen.warnings.iter().map(|it| it.short.as_str()).collect();
    assert_eq!(
        said,
        ["annotation-without-index: the annotation `title` is left out: the result has no index"]
    );
}
