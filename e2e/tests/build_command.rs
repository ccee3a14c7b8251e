//! `larder build` with the engine's own client.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use larder_e2e::{Engine, Project, unique};

/// `larder build` of a project.
fn larder(project: &Project) -> Command {
    let mut larder = Command::new(env!("CARGO"));
    larder.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    larder.args([
        "run",
        "--quiet",
        "--package",
        "larder",
        "--bin",
        "larder",
        "--",
        "build",
    ]);
    larder.arg(project.path()).arg("--progress=plain");
    // A spec's own first line is to do.
    for name in ["LARDER_FRONTEND", "CACHE_REGISTRY", "CACHE_MODE"] {
        larder.env_remove(name);
    }
    larder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeed(larder: &mut Command) -> String {
    let output = larder.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

const SPEC: &str = "\
name: build-command
args:
  GREETING: none
from: debian:trixie-slim
steps:
  - run: echo \"$GREETING $(cat /run/secrets/token)\" > /greeting
    secrets: [token]
image:
  cmd: [cat, /greeting]
";

#[test]
fn an_image_with_a_secret_is_put_into_docker() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, SPEC).unwrap();
    let name = format!("larder-e2e/build-command:{}", unique());
    let mut larder = larder(&project);
    larder.args(["--load", "--tag", &name, "--build-arg", "GREETING"]);
    larder.args(["--secret", "id=token,env=TOKEN", "--label", "a=b c"]);
    larder.env("GREETING", "hello").env("TOKEN", "world");
    succeed(&mut larder);
    let printed = engine.docker_output(&["run", "--rm", &name]);
    let label = "{{.Config.Labels.a}}";
    let label = engine.docker_output(&["image", "inspect", "--format", label, &name]);
    engine
        .docker_output(&["image", "rm", "--force", &name])
        .unwrap();
    assert_eq!(printed.unwrap(), "hello world\n");
    assert_eq!(label.unwrap(), "b c\n");
}

#[test]
fn a_build_that_fails_fails_as_with_docker() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "from: debian:trixie-slim\nsteps:\n  - run: exit 3 # {}\n",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    let output = larder(&project).output().unwrap();
    let mut docker = engine.docker(&["buildx", "build", "--progress=plain", "--file"]);
    docker.arg(project.path().join("larder.yaml"));
    let docker = docker.arg(project.path()).output().unwrap();
    assert_eq!(output.status.code(), docker.status.code());
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("exit code: 3"), "{}", said(&output));
}

#[test]
fn layers_are_written_to_a_registry_and_found_there() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "from: debian:trixie-slim\nsteps:\n  - run: echo {} > /a\n",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    let reference = format!("{}/build-command/cache:{}", engine.registry(), unique());
    let manifest =
        || engine.docker_output(&["buildx", "imagetools", "inspect", "--raw", &reference]);
    let build = |more: &[&str]| {
        let mut larder = larder(&project);
        larder.env("CACHE_REGISTRY", &reference);
        succeed(larder.arg("--output=type=cacheonly").args(more))
    };

    build(&["--cache-read-only"]);
    build(&["--no-layer-cache"]);
    manifest().unwrap_err();
    let said = build(&[]);
    assert!(said.contains("exporting cache to registry"), "{said}");
    assert!(manifest().unwrap().contains("cacheconfig"));
    let said = build(&["--cache-read-only", "--no-cache"]);
    assert!(!said.contains("exporting cache to registry"), "{said}");
    assert!(
        said.contains(&format!("importing cache manifest from {reference}")),
        "{said}"
    );
}

/// BuildKit itself would wait for it without end.
#[test]
fn a_registry_that_never_answers_costs_a_warning_and_a_wait() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, "from: debian:trixie-slim\n").unwrap();
    // Connections are taken, and nobody reads from them.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("{}/shop/cache:main", deaf.local_addr().unwrap());
    let mut larder = larder(&project);
    larder.env("CACHE_REGISTRY", &reference);
    larder.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = larder.arg("--output=type=cacheonly").spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(90);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(100));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let warning = format!("warning: the layer cache `{reference}` is not written: ");
    assert_eq!(
        said(&output).matches(&warning).count(),
        1,
        "{}",
        said(&output)
    );
    assert!(
        !said(&output).contains("exporting cache"),
        "{}",
        said(&output)
    );
}
