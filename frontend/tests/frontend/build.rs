//! Whole builds: what is asked of the daemon, and what is returned to it.

use buildkit_llb::{Constraints, Graph, Local, Meta, Source, inspect};
use larder_gateway::cap;
use larder_gateway::fake::{Call, FakeBridge};

use crate::support::{CONFIG, ETC, PYTHON, daemon, excerpts, names, operations, run};

const SPEC: &str = "\
# syntax=larder/frontend:1
name: shop
from: python:3.13-slim
workdir: /app
steps:
  - install: pip
  - copy: .
image:
  cmd: [python, app.py]
";

const CONTEXT: [(&str, &str); 2] = [("requirements.txt", "flask\n"), ("app.py", "")];

#[tokio::test]
async fn a_spec_becomes_an_image() {
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    run(&fake, &[]).await.unwrap();
    let result = fake.returned_outcome();
    let config = String::from_utf8(result.metadata["containerimage.config"].clone()).unwrap();
    assert!(
        config.contains("app.py") && config.contains("PYTHON_VERSION"),
        "{config}"
    );
    assert!(result.metadata.contains_key("containerimage.base.config"));
    let platforms = String::from_utf8(result.metadata["refs.platforms"].clone()).unwrap();
    assert!(platforms.contains(r#""ID":"linux/amd64""#), "{platforms}");

    let seen = fake.seen();
    assert_eq!(
        seen.resolved[0].log_name,
        format!("[internal] load metadata for {PYTHON}")
    );
    let loads: Vec<String> = seen.solved.iter().filter_map(|s| names(s).pop()).collect();
    assert_eq!(
        loads[..4],
        [
            "[internal] load build definition from larder.yaml",
            "[internal] load .dockerignore",
            "[internal] load pyproject.toml and 1 more",
            "[internal] load users of python:3.13-slim",
        ],
    );
    let build = operations(seen.solved.last().unwrap());
    for part in [
        "pip",
        "larder/",
        "requirements.txt",
        "docker-image://docker.io",
    ] {
        assert!(build.contains(part), "{part} in {build}");
    }
}

#[tokio::test]
async fn five_mistakes_are_five_excerpts() {
    let spec = "\
name: shop
from: python:3.13-slim
colour: red
workdir: ${MISSING}/x
steps:
  - install: pipp
  - run: make
    caches: [pipi]
  - run: x
    user: a:b:c
";
    let fake = FakeBridge::new(daemon(spec, &[]));
    let failure = run(&fake, &[]).await.unwrap_err();
    assert!(!failure.is_disconnected());
    let status = fake.returned_error();
    assert!(
        status.message.starts_with("5 errors in larder.yaml\n"),
        "{}",
        status.message
    );
    let lines = [3, 4, 6, 8, 10].map(|line| ("larder.yaml".to_owned(), line));
    assert_eq!(excerpts(&status), lines, "{}", status.message);
}

#[tokio::test]
async fn a_missing_image_points_at_its_line() {
    let spec = "args: {TAG: '9.99'}\nfrom: python:${TAG}\nsteps:\n  - run: x\n    colour: red\n";
    let fake = FakeBridge::new(daemon(spec, &[]));
    run(&fake, &[]).await.unwrap_err();
    let status = fake.returned_error();
    assert_eq!(
        status.message,
        "2 errors in larder.yaml\n\
         larder.yaml:2:7: the image `python:9.99` cannot be used: docker.io/library/python:9.99: not found\n  \
         help: check its name and tag; for a private one, log in first (`docker login`)\n\
         larder.yaml:5:5: unknown key `colour`"
            .to_owned()
            + status.message.split("unknown key `colour`").nth(1).unwrap()
    );
    assert_eq!(excerpts(&status).len(), 2);
}

#[tokio::test]
async fn a_failing_solve_is_returned_as_it_came() {
    let sent = buildkit_proto::google::rpc::Status {
        code: 2,
        message: "no space left".to_owned(),
        details: vec![buildkit_proto::google::protobuf::Any {
            type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
            value: b"{}".to_vec(),
        }],
    };
    for call in ["local://dockerfile", "ExecOp"] {
        let script = daemon(SPEC, &CONTEXT).failing(Call::Solve, call, sent.clone());
        let fake = FakeBridge::new(script);
        run(&fake, &[]).await.unwrap_err();
        assert_eq!(fake.returned_error(), sent, "{call}");
    }
}

#[tokio::test]
async fn a_missing_capability_names_the_release() {
    for (id, release) in [
        (cap::REF_ARRAY.id, "v0.7.0"),
        ("exec.mount.cache", "v0.3.0"),
        ("file.base", "v0.5.0"),
    ] {
        let fake = FakeBridge::new(daemon(SPEC, &CONTEXT).without(id));
        assert!(run(&fake, &[]).await.is_err(), "{id}");
        let message = fake.returned_error().message;
        assert!(message.contains(&format!("`{id}`")), "{message}");
        assert!(
            message.contains(&format!("BuildKit {release} or later")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_old_daemon_shows_no_warnings_and_resolves_the_old_way() {
    let script = daemon(SPEC, &CONTEXT)
        .without(cap::WARNINGS.id)
        .without(cap::SOURCE_META.id)
        .without(cap::INPUTS.id);
    let fake = FakeBridge::new(script);
    run(&fake, &[("memory", "1")]).await.unwrap();
    assert!(fake.seen().warnings.is_empty());
}

#[tokio::test]
async fn limits_reach_every_program_of_a_daemon_that_knows_them() {
    let options = [("memory", "1000000"), ("cpusetcpus", "0-1")];
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT).with("exec.meta.linux.resources"));
    run(&fake, &options).await.unwrap();
    let seen = fake.seen();
    assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
    let definition = &seen.solved.last().unwrap().definition;
    let text = inspect::json(definition).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let vertices = all["vertices"].as_array().unwrap();
    let limits = serde_json::json!({ "memory": 1_000_000, "cpuset_cpus": "0-1" });
    let mut programs = 0;
    for vertex in vertices {
        let limited = vertex["meta"].get("linux_resources");
        assert_eq!(limited, vertex.get("exec").map(|_| &limits));
        programs += usize::from(limited.is_some());
    }
    assert!(programs > 0);

    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    let failure = run(&fake, &[("memory", "1g")]).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "option `memory`: `1g` is not a number of bytes, at least 1"
    );
}

#[tokio::test]
async fn warnings_stand_at_the_operation_that_loads_the_file() {
    let spec = SPEC.replace("  - copy: .", "  - run: pip install --no-cache-dir flask");
    let fake = FakeBridge::new(daemon(&spec, &CONTEXT));
    run(&fake, &[("memory", "1000000")]).await.unwrap();
    let seen = fake.seen();
    let head = seen.solved[0]
        .definition
        .head()
        .unwrap()
        .unwrap()
        .to_string();
    assert!(seen.warnings.iter().all(|warning| warning.vertex == head));
    let shorts: Vec<&str> = seen.warnings.iter().map(|w| w.short.as_str()).collect();
    assert_eq!(
        shorts[..1],
        [
            "option-without-effect: limits of memory and processors have no effect: the daemon knows none for steps"
        ]
    );
    let lint = &seen.warnings[1];
    assert_eq!(
        lint.short,
        "cache-defeated: with `--no-cache-dir` the cache `pip` is of no use"
    );
    assert_eq!(
        lint.detail,
        ["leave out `--no-cache-dir`: the cache is a mount and does not get into the image"]
    );
    let excerpt = lint.excerpt.as_ref().unwrap();
    assert_eq!(
        (excerpt.file.as_str(), excerpt.lines[0].clone()),
        ("larder.yaml", 7..=7)
    );
    fake.returned_outcome();
}

#[tokio::test]
async fn a_comment_silences_a_warning() {
    let steps = "  - run: pip install --no-cache-dir flask # larder: ignore=cache-defeated";
    let spec = SPEC.replace("  - copy: .", steps);
    let fake = FakeBridge::new(daemon(&spec, &CONTEXT));
    run(&fake, &[]).await.unwrap();
    assert!(fake.seen().warnings.is_empty());
}

#[tokio::test]
async fn several_platforms_are_a_list() {
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    run(&fake, &[("platform", "linux/amd64,linux/arm64")])
        .await
        .unwrap();
    let result = fake.returned_outcome();
    for platform in ["linux/amd64", "linux/arm64"] {
        assert!(
            result
                .metadata
                .contains_key(&format!("containerimage.config/{platform}"))
        );
    }
    let resolved: Vec<String> = fake
        .seen()
        .resolved
        .iter()
        .map(|image| image.platform.to_string())
        .collect();
    assert_eq!(resolved, ["linux/amd64", "linux/arm64"]);

    // Manifests are the same for both.
    let loads = |name: &str| {
        let of_name = |n: &String| n.starts_with(name);
        fake.seen()
            .solved
            .iter()
            .flat_map(names)
            .filter(of_name)
            .count()
    };
    assert_eq!(loads("[internal] load build definition"), 1);

    let one = FakeBridge::new(daemon(SPEC, &CONTEXT));
    run(&one, &[("multi-platform", "true")]).await.unwrap();
    assert!(
        one.returned_outcome()
            .metadata
            .contains_key("containerimage.config/linux/amd64")
    );
}

#[tokio::test]
async fn no_cache_makes_steps_differ_and_keeps_caches() {
    let builds = async |options: &[(&str, &str)]| {
        let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
        run(&fake, options).await.unwrap();
        operations(fake.seen().solved.last().unwrap())
    };
    let plain = builds(&[]).await;
    assert_eq!(plain, builds(&[]).await);
    let first = builds(&[("no-cache", "")]).await;
    let second = builds(&[("no-cache", "")]).await;
    assert!(first != plain && first != second);
    assert!(!first.contains("ignore"), "{first}");
    assert_eq!(plain, builds(&[("no-cache", "other")]).await);
}

#[tokio::test]
async fn cache_imports_go_with_the_build() {
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    run(&fake, &[("cache-from", "registry/x")]).await.unwrap();
    let solved = fake.seen().solved;
    assert_eq!(
        solved.last().unwrap().cache_imports[0].attrs["ref"],
        "registry/x"
    );
    assert!(solved[0].cache_imports.is_empty());
}

#[tokio::test]
async fn files_come_from_the_sessions_that_serve_them() {
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    run(&fake, &[("local-sessionid:context", "other")])
        .await
        .unwrap();
    let seen = fake.seen();
    let file = operations(&seen.solved[0]);
    assert!(
        file.contains("\"session\"") && !file.contains("other"),
        "{file}"
    );
    for part in ["larder.yaml", "larder.yaml.dockerignore", "none"] {
        assert!(file.contains(part), "{file}");
    }
    assert!(operations(seen.solved.last().unwrap()).contains("other"));
}

#[tokio::test]
async fn dockerignore_beside_the_file_wins() {
    let spec = SPEC.replace("  - install: pip\n", "");
    for (beside, excluded) in [("", "from-context"), ("beside", "beside")] {
        let mut files = vec![("larder.yaml", spec.as_str())];
        if !beside.is_empty() {
            files.push(("larder.yaml.dockerignore", beside));
        }
        let script = daemon(
            &spec,
            &[(".dockerignore", "from-context\n"), ("app.py", "")],
        )
        .local("dockerfile", &files);
        let fake = FakeBridge::new(script);
        run(&fake, &[]).await.unwrap();
        let build = operations(fake.seen().solved.last().unwrap());
        assert!(build.contains(excluded), "{excluded} in {build}");
    }
}

#[tokio::test]
async fn a_dockerignore_that_cannot_be_read_is_an_error() {
    let large = "x\n".repeat(1 << 20);
    let fake = FakeBridge::new(daemon(SPEC, &[(".dockerignore", &large)]));
    run(&fake, &[]).await.unwrap_err();
    let message = fake.returned_error().message;
    assert!(
        message.starts_with(".dockerignore: the file has more than"),
        "{message}"
    );
}

const REPOSITORY: &str = "git://example.org/shop.git#main";

fn repository(files: &[(&str, &str)]) -> FakeBridge {
    FakeBridge::new(
        larder_gateway::fake::Script::new()
            .image(PYTHON, CONFIG, &ETC)
            .source(REPOSITORY, files),
    )
}

#[tokio::test]
async fn a_git_context_has_the_file_and_the_manifests() {
    let fake = repository(&[
        ("larder.yaml", SPEC),
        ("api/requirements.txt", "flask\n"),
        ("api/app.py", ""),
    ]);
    let address = "https://example.org/shop.git#main";
    run(&fake, &[("context", address), ("contextsubdir", "api")])
        .await
        .unwrap();
    let seen = fake.seen();
    assert!(
        seen.read.contains(&"/api/requirements.txt".to_owned()),
        "{:?}",
        seen.read
    );
    assert_eq!(
        names(&seen.solved[0]),
        [format!("[internal] load git source {address}")]
    );
    assert!(operations(seen.solved.last().unwrap()).contains(REPOSITORY));
}

#[tokio::test]
async fn a_file_of_the_clients_for_a_git_context() {
    let fake = FakeBridge::new(
        daemon("not this", &[])
            .local("other", &[("larder.yaml", SPEC)])
            .source(REPOSITORY, &CONTEXT),
    );
    let address = "https://example.org/shop.git#main";
    run(&fake, &[("context", address), ("dockerfilekey", "other")])
        .await
        .unwrap();
    fake.returned_outcome();
}

#[tokio::test]
async fn a_file_from_the_web_is_the_spec_or_an_archive() {
    let spec = SPEC.replace("  - install: pip\n  - copy: .\n", "  - run: x\n");
    let url = "https://example.org/spec";
    let fake = FakeBridge::new(daemon("", &[]).source(url, &[("context", &spec)]));
    run(&fake, &[("context", url)]).await.unwrap();
    fake.returned_outcome();

    // This fake does not unpack: archives hold their files already.
    let mut tar = "\0".repeat(257) + "ustar";
    tar.push_str(&"\0".repeat(300));
    let files = [
        ("context", tar.as_str()),
        ("larder.yaml", &spec),
        ("app.py", ""),
    ];
    let fake = FakeBridge::new(daemon("", &[]).source(url, &files));
    run(&fake, &[("context", url)]).await.unwrap();
    let solved = fake.seen().solved;
    assert_eq!(
        names(&solved[1]),
        [
            "[internal] load build context",
            "[internal] unpack build context"
        ]
    );
}

#[tokio::test]
async fn inputs_stand_in_for_directories() {
    let definition = |name: &str| {
        let mut graph = Graph::new();
        let local = Source::Local(Local::new(name));
        let vertex = graph.add(local, &Constraints::default(), Meta::named(name));
        graph.definition(vertex.only())
    };
    let script = daemon("wrong", &[])
        .local("given-file", &[("larder.yaml", SPEC)])
        .local("given-context", &CONTEXT)
        .input("dockerfile", definition("given-file"))
        .input("context", definition("given-context"));
    let fake = FakeBridge::new(script);
    let inputs = ("frontend.caps", "moby.buildkit.frontend.inputs");
    run(&fake, &[inputs]).await.unwrap();
    assert!(operations(fake.seen().solved.last().unwrap()).contains("given-context"));
}

#[tokio::test]
async fn what_is_refused() {
    let large = "x".repeat((1 << 20) + 1);
    for (spec, options, expected) in [
        (
            SPEC,
            &[("filename", "x.yaml")][..],
            "there is no file `x.yaml` in the directory that the client gave",
        ),
        (
            SPEC,
            &[("requestid", "frontend.convertllb")][..],
            "this frontend does not support the request `frontend.convertllb` for this file",
        ),
        (
            SPEC,
            &[("frontend.caps", "a.b.c")][..],
            "this frontend does not support `a.b.c`",
        ),
        (SPEC, &[("platform", "x")][..], "option `platform`: "),
        (
            large.as_str(),
            &[][..],
            "larder.yaml: the file has more than 1048576 bytes",
        ),
        ("\u{0}", &[][..], "larder.yaml"),
        ("", &[][..], "larder.yaml"),
    ] {
        let fake = FakeBridge::new(daemon(spec, &CONTEXT));
        run(&fake, options).await.unwrap_err();
        let message = fake.returned_error().message;
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test]
async fn a_plan_is_shown_in_place_of_a_build() {
    let fake = FakeBridge::new(daemon(SPEC, &CONTEXT));
    let options = [
        ("requestid", "frontend.plan"),
        (
            "frontend.caps",
            "moby.buildkit.frontend.subrequests+forward",
        ),
    ];
    run(&fake, &options).await.unwrap();
    let answer = fake.returned_outcome();
    let text = String::from_utf8(answer.metadata["result.txt"].clone()).unwrap();
    assert!(text.starts_with("shop for linux/amd64\n"), "{text}");
    assert!(text.contains("cache pip at /cache/pip"), "{text}");
    assert_eq!(answer.metadata["version"], b"1.0.0");
    let ran = |solved| operations(solved).contains("ExecOp");
    assert!(!fake.seen().solved.iter().any(ran));
}
