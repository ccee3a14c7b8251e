//! Where layers are looked for, and what becomes of a build where a registry fails.

use std::time::Duration;

use buildkit_proto::google::rpc::Status;
use larder_gateway::fake::{Call, FakeBridge, Script};
use larder_gateway::{CacheImport, cap};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::requests::built;
use crate::support::{CONFIG, ETC, PYTHON, daemon, run};

const SPEC: &str = "name: shop\nfrom: python:3.13-slim\nsteps:\n  - run: make\n";
const CACHE: &str = "registry.test:5000/cache:shop";
const GIVEN: (&str, &str) = ("build-arg:CACHE_REGISTRY", CACHE);
const LINT: &str = "layer-cache-unavailable: ";
const BOUND: Duration = Duration::from_secs(10);

fn status(message: &str) -> Status {
    Status {
        code: 2,
        message: message.to_owned(),
        details: Vec::new(),
    }
}

fn no_image() -> Status {
    let kind = "application/vnd.buildkit.cacheconfig.v0";
    status(&format!(
        "encountered unknown type {kind}; children may not be fetched"
    ))
}

/// A daemon for which there is a cache at some places.
fn with_caches(spec: &str, at: &[&str]) -> Script {
    let script = daemon(spec, &[]);
    at.iter().fold(script, |script, place| {
        script.failing(Call::Resolve, place, no_image())
    })
}

/// What the last solve imports, as references.
fn imported(fake: &FakeBridge) -> Vec<String> {
    let solved = fake.seen().solved;
    references(&solved.last().unwrap().cache_imports)
}

fn references(imports: &[CacheImport]) -> Vec<String> {
    let show = |import: &CacheImport| match import.attrs.get("ref") {
        Some(reference) => reference.clone(),
        None => import.kind.clone(),
    };
    imports.iter().map(show).collect()
}

/// The warnings about layers.
fn warnings(fake: &FakeBridge) -> Vec<String> {
    let warnings = fake.seen().warnings;
    let shorts = warnings.iter().filter_map(|it| it.short.strip_prefix(LINT));
    shorts.map(str::to_owned).collect()
}

/// The references of what was asked for, but for the images of the spec.
fn asked(fake: &FakeBridge) -> Vec<String> {
    let mut asked: Vec<String> = (fake.seen().resolved.into_iter())
        .map(|request| request.reference)
        .filter(|reference| reference != PYTHON)
        .collect();
    asked.sort();
    asked
}

#[tokio::test]
async fn layers_of_a_server_come_after_those_of_the_client() {
    let imports = r#"[{"Type":"gha","Attrs":{"token":"t"}},{"Type":"registry","Attrs":{"ref":"registry.test:5000/mine"}}]"#;
    let fake = FakeBridge::new(with_caches(SPEC, &["registry.test:5000/"]));
    run(&fake, &[("cache-imports", imports), GIVEN])
        .await
        .unwrap();
    assert_eq!(imported(&fake), ["gha", "registry.test:5000/mine", CACHE]);
    assert_eq!(asked(&fake), [CACHE, "registry.test:5000/mine:latest"]);
    assert_eq!(warnings(&fake), [""; 0]);
    let seen = fake.seen();
    let only_builds = seen.solved.iter().rev().skip(1);
    assert!(
        only_builds
            .into_iter()
            .all(|it| it.cache_imports.is_empty())
    );
    let probe = seen
        .resolved
        .iter()
        .find(|it| it.reference == CACHE)
        .unwrap();
    assert_eq!(
        probe.log_name,
        format!("[internal] look for layers in {CACHE} (an error stops nothing)")
    );
}

#[tokio::test]
async fn what_the_client_names_too_is_imported_and_asked_for_once() {
    let fake = FakeBridge::new(with_caches(SPEC, &["registry.test"]));
    run(&fake, &[("cache-from", CACHE), GIVEN]).await.unwrap();
    assert_eq!(imported(&fake), [CACHE]);
    assert_eq!(asked(&fake), [CACHE]);
}

#[tokio::test]
async fn nobody_is_asked_where_nothing_is_imported() {
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[]).await.unwrap();
    assert_eq!(asked(&fake), [""; 0]);
    let gha = r#"[{"Type":"gha","Attrs":{}}]"#;
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    run(&fake, &[("cache-imports", gha)]).await.unwrap();
    assert_eq!(asked(&fake), [""; 0]);
    assert_eq!(imported(&fake), ["gha"]);
    for question in ["frontend.plan", "frontend.lint", "frontend.outline"] {
        let fake = FakeBridge::new(daemon(SPEC, &[]).silent(CACHE));
        run(&fake, &[("requestid", question), GIVEN]).await.unwrap();
        assert_eq!(asked(&fake), [""; 0], "{question}");
    }
}

#[tokio::test]
async fn a_registry_that_fails_costs_a_warning() {
    let refused = "dial tcp 10.0.0.1:5000: connect: connection refused";
    let no_tls = "http: server gave HTTP response to HTTPS client";
    for (said, why, hint) in [
        (
            format!("{CACHE}: not found"),
            "there is nothing of that name yet",
            "the first build that exports its layers there makes it",
        ),
        (
            format!("failed to do request: {refused}"),
            "the registry cannot be reached (connection refused)",
            "see whether registry.test:5000 works, and whether the daemon that builds can reach it",
        ),
        (
            "unexpected status from HEAD request to https://x/y: 401 Unauthorized".to_owned(),
            "the registry does not let this client read it",
            "log in (`docker login registry.test:5000`) as somebody who may read `cache`",
        ),
        (
            format!("Head \"https://x/y\": {no_tls}"),
            "the daemon does not trust the registry (http: server gave HTTP response to HTTPS client)",
            "write `insecure: true` if registry.test:5000 has no TLS, or a certificate of its own; \
             or configure the daemon that builds",
        ),
    ] {
        let script = daemon(SPEC, &[]).failing(Call::Resolve, CACHE, status(&said));
        let fake = FakeBridge::new(script.clone());
        run(&fake, &[GIVEN]).await.unwrap();
        fake.returned_outcome();
        assert_eq!(imported(&fake), [""; 0], "{said}");
        let warning = format!("no layers are imported from `{CACHE}`: {why}");
        assert_eq!(warnings(&fake), [warning.as_str()]);
        let seen = fake.seen().warnings;
        let of_layers = seen.iter().find(|it| it.short.starts_with(LINT)).unwrap();
        assert_eq!(of_layers.detail, [hint]);

        // What the client names is imported all the same.
        let fake = FakeBridge::new(script);
        run(&fake, &[("cache-from", CACHE)]).await.unwrap();
        assert_eq!(imported(&fake), [CACHE], "{said}");
        assert_eq!(warnings(&fake), [warning.as_str()]);
    }
}

#[tokio::test(start_paused = true)]
async fn registries_that_never_answer_cost_a_bounded_wait_together() {
    let start = Instant::now();
    let script = with_caches(SPEC, &["registry.test:5000/good"]).silent("silent");
    let fake = FakeBridge::new(script);
    let mine = "registry.test:5000/good,silent.test/a:1,silent.test/b:1";
    let other = ("build-arg:CACHE_REGISTRY", "silent.test/c:1");
    run(&fake, &[("cache-from", mine), other]).await.unwrap();
    fake.returned_outcome();
    assert_eq!(imported(&fake), ["registry.test:5000/good"]);
    let why = "the registry did not answer within 10 seconds";
    let expected = ["a", "b", "c"]
        .map(|name| format!("no layers are imported from `silent.test/{name}:1`: {why}"));
    assert_eq!(warnings(&fake), expected);
    assert_eq!(start.elapsed(), BOUND);
}

#[tokio::test(start_paused = true)]
async fn a_registry_whose_layers_are_long_in_coming_answers() {
    let start = Instant::now();
    let nothing = "@sha256:0000";
    let script = daemon(SPEC, &[]).silent(":shop");
    let not_found = status("registry.test:5000/cache@sha256:0: not found");
    let fake = FakeBridge::new(script.answering(nothing).failing(
        Call::Resolve,
        nothing,
        not_found,
    ));
    run(&fake, &[GIVEN]).await.unwrap();
    assert_eq!(imported(&fake), [CACHE]);
    assert_eq!(warnings(&fake), [""; 0]);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn platforms_share_the_answer() {
    let fake = FakeBridge::new(daemon(SPEC, &[]).silent(CACHE));
    let start = Instant::now();
    run(&fake, &[("platform", "linux/amd64,linux/arm64"), GIVEN])
        .await
        .unwrap();
    assert_eq!(start.elapsed(), BOUND);
    assert_eq!(warnings(&fake).len(), 1);

    let fake = FakeBridge::new(with_caches(SPEC, &[CACHE]));
    run(&fake, &[("platform", "linux/amd64,linux/arm64"), GIVEN])
        .await
        .unwrap();
    assert_eq!(asked(&fake), [CACHE]);
    let seen = fake.seen().solved;
    for solved in seen.iter().rev().take(2) {
        assert_eq!(references(&solved.cache_imports), [CACHE]);
    }
}

#[tokio::test]
async fn it_is_never_a_mistake_and_can_be_skipped() {
    let script = |spec: &str| {
        daemon(
            &spec.replace("name:", "args: {CACHE_REGISTRY: }\nname:"),
            &[],
        )
    };
    let strict = format!("# check=error=true\n{SPEC}");
    let fake = FakeBridge::new(script(&strict));
    run(&fake, &[GIVEN]).await.unwrap();
    assert_eq!(warnings(&fake).len(), 1);
    let skipped = format!("# check=skip=LarderLayerCacheUnavailable\n{SPEC}");
    let fake = FakeBridge::new(script(&skipped));
    run(&fake, &[GIVEN]).await.unwrap();
    assert_eq!(warnings(&fake), [""; 0]);
    let fake = FakeBridge::new(script(SPEC).without(cap::WARNINGS.id));
    run(&fake, &[GIVEN]).await.unwrap();
    fake.returned_outcome();
}

#[tokio::test]
async fn a_client_can_ask_what_answers() {
    let of = async |script: Script| -> (Value, String) {
        let fake = FakeBridge::new(script);
        let question = ("requestid", "frontend.layercache");
        run(&fake, &[question, GIVEN]).await.unwrap();
        assert_eq!(asked(&fake), [CACHE]);
        let answer = fake.returned_outcome().metadata;
        let text = |name: &str| String::from_utf8(answer[name].clone()).unwrap();
        (
            serde_json::from_str(&text("result.json")).unwrap(),
            text("result.txt"),
        )
    };
    let (json, shown) = of(with_caches(SPEC, &[CACHE])).await;
    assert_eq!(
        json["imports"],
        json!([{
            "type": "registry",
            "options": {"ref": CACHE},
            "option": format!("type=registry,ref={CACHE}"),
            "reference": CACHE,
            "answers": true,
            "reason": "",
        }])
    );
    assert_eq!(json["exports"][0]["options"]["mode"], "max");
    assert!(shown.starts_with("WAY    PLACE "), "{shown}");
    assert!(
        shown.lines().skip(1).all(|line| line.ends_with(" answers")),
        "{shown}"
    );

    let (json, _) = of(daemon(SPEC, &[])).await;
    assert_eq!(json["imports"][0]["answers"], false);
    assert_eq!(
        json["imports"][0]["reason"],
        "there is nothing of that name yet"
    );
    assert_eq!(json["exports"][0]["answers"], true);

    let refused = status("dial tcp: connect: connection refused");
    let (json, _) = of(daemon(SPEC, &[]).failing(Call::Resolve, CACHE, refused)).await;
    let why = "the registry cannot be reached (connection refused)";
    for direction in ["imports", "exports"] {
        assert_eq!(json[direction][0]["answers"], false);
        assert_eq!(json[direction][0]["reason"], why);
    }
}

const DOCKERFILE: &str = "FROM python:3.13-slim\nRUN pip install flask\n";

fn of_dockerfile() -> Script {
    Script::new()
        .image(PYTHON, CONFIG, &ETC)
        .local("dockerfile", &[("Dockerfile", DOCKERFILE)])
        .frontend("dockerfile.v0", "", built(DOCKERFILE))
}

#[tokio::test]
async fn a_dockerfile_gets_layers_of_a_server_as_well() {
    let script = of_dockerfile().failing(Call::Resolve, "cache", no_image());
    let fake = FakeBridge::new(script);
    let project = ("build-arg:LARDER_PROJECT", "shop");
    let server = ("build-arg:CACHE_REGISTRY", "registry.test:5000/cache");
    let mine = ("cache-from", "registry.test:5000/mine");
    let syntax = ("cmdline", "larder/frontend:1");
    run(&fake, &[syntax, mine, server, project]).await.unwrap();
    assert_eq!(asked(&fake), [CACHE]);
    let forwarded = &fake.seen().forwarded[0];
    let imports = references(&forwarded.cache_imports);
    assert_eq!(imports, ["registry.test:5000/mine", CACHE]);
    assert_eq!(
        forwarded.options["cache-imports"],
        format!(
            r#"[{{"Attrs":{{"ref":"registry.test:5000/mine"}},"Type":"registry"}},{{"Attrs":{{"ref":"{CACHE}"}},"Type":"registry"}}]"#
        )
    );
}

#[tokio::test]
async fn in_front_of_a_dockerfile_any_name_of_a_project_is_a_tag() {
    let script = of_dockerfile().failing(Call::Resolve, "cache", no_image());
    let fake = FakeBridge::new(script);
    let project = ("build-arg:LARDER_PROJECT", "acme/web");
    let server = ("build-arg:CACHE_REGISTRY", "registry.test:5000/cache");
    let syntax = ("cmdline", "larder/frontend:1");
    run(&fake, &[syntax, server, project]).await.unwrap();
    let cache = "registry.test:5000/cache:acme-web";
    assert_eq!(asked(&fake), [cache]);
    assert_eq!(references(&fake.seen().forwarded[0].cache_imports), [cache]);
}

#[tokio::test(start_paused = true)]
async fn in_front_of_a_dockerfile_a_registry_a_registry_costs_no_more_than_a_warning() {
    let syntax = ("cmdline", "larder/frontend:1");
    for (script, given, expected) in [
        (
            of_dockerfile().silent(CACHE),
            CACHE,
            format!(
                "no layers are imported from `{CACHE}`: the registry did not answer within 10 seconds"
            ),
        ),
        (
            of_dockerfile(),
            "somebody:password@registry.test/cache",
            "no layers are imported: `CACHE_REGISTRY` is not a reference".to_owned(),
        ),
    ] {
        let fake = FakeBridge::new(script);
        run(&fake, &[syntax, ("build-arg:CACHE_REGISTRY", given)])
            .await
            .unwrap();
        fake.returned_outcome();
        assert_eq!(warnings(&fake), [expected.as_str()]);
        let forwarded = &fake.seen().forwarded[0];
        assert!(!forwarded.options.contains_key("cache-imports"));
        assert_eq!(imported(&fake), [""; 0]);
    }
}
