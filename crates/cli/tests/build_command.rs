//! `larder build` with clients that only write down what they are told.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
#[path = "build_command/told.rs"]
mod told;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use common::{context, larder, texts};
use tempfile::TempDir;

const SPEC: &str = "# syntax=larder/frontend:1\nfrom: debian:13-slim\n";

/// Answers as Docker and its plugin do; builds as `bin/end` says.
const DOCKER: &str = r#"#!/bin/sh
here=${0%/*}
printf '%s\n' "docker $*" >> "$here/log"
case "$*" in
  "buildx version") [ ! -e "$here/no-buildx" ] ;;
  "buildx inspect --bootstrap"*) /bin/cat "$here/boot" >&2; echo "Name: far" ;;
  "buildx inspect"*) /bin/cat "$here/inspect" ;;
  *--print=layercache,format=json*)
    [ "$BUILDX_EXPERIMENTAL" = 1 ] && [ -e "$here/answer" ] || exit 1
    while [ $# -gt 0 ]; do
      [ "$1" = --metadata-file ] && file=$2
      shift
    done
    /bin/cat "$here/answer" > "$file" ;;
  *) . "$here/end" ;;
esac
"#;

const BUILDCTL: &str = r#"#!/bin/sh
here=${0%/*}
printf '%s\n' "buildctl $*" >> "$here/log"
case "$*" in
  *requestid=frontend.layercache*) /bin/cat "$here/answer" ;;
  *) . "$here/end" ;;
esac
"#;

/// A project with programs beside it.
struct Scene(TempDir);

impl Scene {
    fn new(programs: &[(&str, &str)]) -> Scene {
        let scene = Scene(context(&[
            ("app/larder.yaml", SPEC),
            ("bin/end", "exit 0\n"),
            ("bin/log", ""),
            ("bin/boot", ""),
            ("bin/inspect", "Name: far\nDriver: docker-container\n"),
        ]));
        for (name, script) in programs {
            scene.file(&format!("bin/{name}"), script);
            let path = scene.0.path().join("bin").join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
        }
        scene
    }

    fn file(&self, path: &str, text: &str) {
        fs::write(self.0.path().join(path), text).expect("written");
    }

    /// `larder build app` with these arguments, and only these programs.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = larder(self.0.path());
        command.env("PATH", self.0.path().join("bin"));
        command.args(["build", "app"]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        texts(&self.command(args).output().expect("it starts"))
    }

    /// With a registry for every build.
    fn cached(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = self.command(args);
        command.env("CACHE_REGISTRY", "r.test/cache:x");
        texts(&command.output().expect("it starts"))
    }

    /// What fails before anything is built.
    fn mistake(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(args);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(!self.log().contains("buildx build"), "{}", self.log());
        stderr
    }

    fn log(&self) -> String {
        fs::read_to_string(self.0.path().join("bin/log")).expect("it is there")
    }

    /// The last command.
    fn last(&self) -> String {
        let log = self.log();
        log.lines().last().unwrap_or_default().to_owned()
    }
}

#[test]
fn a_dry_run_builds_nothing() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let args = [
        "--dry-run",
        "-t",
        "shop:1",
        "--load",
        "--",
        "--add-host",
        "a b",
    ];
    let (code, stdout, stderr) = scene.cached(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let start = "\
docker buildx build \\
  --build-arg CACHE_REGISTRY=r.test/cache:x \\
  --tag shop:1 \\
  --load \\
  --cache-to type=registry,";
    let end = " \\\n  --add-host 'a b' \\\n  --file app/larder.yaml \\\n  app\n";
    assert!(
        stdout.starts_with(start) && stdout.ends_with(end),
        "{stdout}"
    );
    assert_eq!(scene.log(), "docker buildx version\n");
}

#[test]
fn streams_and_exit_codes_are_those_of_the_client() {
    let scene = Scene::new(&[("docker", DOCKER), ("buildctl", BUILDCTL)]);
    scene.file(
        "bin/end",
        "read word\necho \"got $word\"\necho progress >&2\nexit 37\n",
    );
    for client in ["buildx", "buildctl"] {
        let mut command = scene.command(&["--client", client]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(b"this\n").expect("it reads");
        let told = texts(&child.wait_with_output().expect("it ends"));
        let expected = (37, "got this\n".to_owned(), "progress\n".to_owned());
        assert_eq!(told, expected, "{client}");
    }
    scene.file("bin/end", "kill -TERM $$\n");
    let status = scene.command(&[]).status().expect("it starts");
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn the_client_that_is_there() {
    let both = Scene::new(&[("docker", DOCKER), ("buildctl", BUILDCTL)]);
    let last = |scene: &Scene, args: &[&str], variables: &[(&str, &str)]| {
        let mut command = scene.command(args);
        command.envs(variables.iter().copied());
        let (code, _, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!((code, stderr.as_str()), (0, ""));
        scene.last()
    };
    let buildx = "docker buildx build --file app/larder.yaml app";
    let buildctl = "buildctl build --frontend gateway.v0 --opt source=larder/frontend:1 --local context=app \
                    --local dockerfile=app --opt filename=larder.yaml";
    let host = [("BUILDKIT_HOST", "tcp://buildkit.test:1234")];
    assert_eq!(last(&both, &[], &[]), buildx);
    assert_eq!(last(&both, &[], &host), buildctl);
    assert_eq!(last(&both, &["--client", "buildctl"], &[]), buildctl);
    assert_eq!(last(&both, &["--client=buildx"], &host), buildx);
    let far = "docker buildx build --builder far --file app/larder.yaml app";
    assert_eq!(last(&both, &["--builder", "far"], &host), far);
    both.file("bin/no-buildx", "");
    assert_eq!(last(&both, &[], &[]), buildctl);
    let only = Scene::new(&[("buildctl", BUILDCTL)]);
    assert_eq!(last(&only, &[], &[]), buildctl);
}

#[test]
fn who_reads_the_spec() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let told = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = scene.command(&[args, &["--dry-run"]].concat());
        command.envs(variables.iter().copied());
        let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!(code, 0, "{stderr}");
        let lines = stdout.lines().filter(|line| line.contains("SYNTAX"));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let variable = [("LARDER_FRONTEND", "r.test/a:1")];
    assert_eq!(told(&[], &[]), "");
    assert_eq!(
        told(&[], &variable),
        "--build-arg BUILDKIT_SYNTAX=r.test/a:1 \\"
    );
    assert_eq!(
        told(&["--frontend", "b"], &variable),
        "--build-arg BUILDKIT_SYNTAX=b \\"
    );
    assert_eq!(
        told(&["--build-arg", "BUILDKIT_SYNTAX=c"], &variable),
        "--build-arg BUILDKIT_SYNTAX=c \\"
    );
    let twice = [
        "--build-arg=BUILDKIT_SYNTAX=c",
        "--build-arg=BUILDKIT_SYNTAX=d",
    ];
    let args = [&twice[..], &["--client=buildctl", "--dry-run"]].concat();
    let (_, stdout, stderr) = scene.run(&args);
    assert!(stdout.contains("--opt source=d "), "{stdout}{stderr}");
    scene.file("app/larder.yaml", "from: debian:13-slim\n");
    assert_eq!(
        told(&[], &[]),
        "--build-arg BUILDKIT_SYNTAX=larder/frontend:1 \\"
    );
}

const DEAF: &str = r#"{"imports": [], "exports": [{"type": "registry", "reference": "r.test/cache:x",
    "answers": false, "reason": "no answer within 5 s"}]}"#;

#[test]
fn a_registry_that_does_not_answer_gets_nothing() {
    let scene = Scene::new(&[("docker", DOCKER), ("buildctl", BUILDCTL)]);
    let warning =
        "warning: the layer cache `r.test/cache:x` is not written: no answer within 5 s\n";
    scene.file("bin/answer", &format!("{{\"result.json\": {DEAF}}}"));
    assert_eq!(
        scene.cached(&["-t", "a"]),
        (0, String::new(), warning.to_owned())
    );
    assert_eq!(
        scene.last(),
        "docker buildx build --build-arg CACHE_REGISTRY=r.test/cache:x --tag a --file app/larder.yaml app"
    );
    scene.file("bin/answer", DEAF);
    let client = ["--client", "buildctl"];
    assert_eq!(
        scene.cached(&client),
        (0, String::new(), warning.to_owned())
    );
    assert!(!scene.last().contains("--export-cache"), "{}", scene.last());

    let good = DEAF.replace("false", "true");
    scene.file("bin/answer", &format!("{{\"result.json\": {good}}}"));
    assert_eq!(scene.cached(&[]), (0, String::new(), String::new()));
    assert!(
        scene.last().contains(" --cache-to type=registry,"),
        "{}",
        scene.last()
    );
}

#[test]
fn a_frontend_that_knows_no_such_question_writes_all_the_same() {
    let scene = Scene::new(&[("docker", DOCKER), ("buildctl", BUILDCTL)]);
    for (client, option) in [("buildx", "--cache-to"), ("buildctl", "--export-cache")] {
        let (code, _, stderr) = scene.cached(&["--client", client]);
        assert_eq!((code, stderr.as_str()), (0, ""));
        let last = scene.last();
        assert!(
            last.contains(&format!(" {option} type=registry,ignore-error=true,")),
            "{last}"
        );
    }
}

#[test]
fn nothing_is_asked_where_nothing_is_written() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let (code, _, stderr) = scene.cached(&["--cache-read-only"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let build = "docker buildx build --build-arg CACHE_REGISTRY";
    let log = format!("docker buildx version\n{build}=r.test/cache:x --file app/larder.yaml app\n");
    assert_eq!(scene.log(), log);
    let (code, _, stderr) = scene.cached(&["--no-layer-cache"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(scene.last(), format!("{build}= --file app/larder.yaml app"));
}

#[test]
fn a_builder_that_cannot_write_layers() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    scene.file("bin/inspect", "Driver: docker\nLabels:\n org.x: y\n");
    let why = "Docker's own builder can only write `type=inline`, as it is without the containerd image store; \
               make another with `docker buildx create --use`, name one with --builder, or turn that store on\n";
    let (code, _, stderr) = scene.cached(&[]);
    assert_eq!(code, 0);
    assert_eq!(
        stderr,
        format!("warning: the layer cache `r.test/cache:x` is not written: {why}")
    );
    assert!(!scene.log().contains("--cache-to"), "{}", scene.log());
    assert!(!scene.log().contains("--print"), "{}", scene.log());

    scene.file("bin/log", "");
    let error = scene.mistake(&["--cache-to", "r.test/own"]);
    assert_eq!(error, format!("error: --cache-to type=registry: {why}"));
    let (code, _, stderr) = scene.run(&["--cache-to", "type=inline"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn mistakes_are_told() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    for (args, expected) in [
        (
            &["--push"][..],
            "error: --push: the image has no name; give it one with --tag REGISTRY/NAME:TAG\n",
        ),
        (
            &["--no-layer-cache", "--build-arg=CACHE_REGISTRY=x"],
            "error: --no-layer-cache and --build-arg CACHE_REGISTRY contradict each other; leave one out\n",
        ),
        (
            &["--frontend=a", "--build-arg=BUILDKIT_SYNTAX=b"],
            "error: --frontend and --build-arg BUILDKIT_SYNTAX name the same; leave one out\n",
        ),
        (
            &["--client=buildctl", "--builder=far"],
            "error: buildctl knows no --builder; name its daemon with the variable BUILDKIT_HOST\n",
        ),
        (
            &["--file=-"],
            "error: --file -: the spec is a file; write it to one first\n",
        ),
        (
            &["--client=buildctl"],
            "error: cannot run `buildctl`; install it, or name another client with --client: No such file or \
             directory (os error 2)\n",
        ),
    ] {
        assert_eq!(scene.mistake(args), expected, "{args:?}");
    }
    for args in [
        &["--no-cache", "--no-cache-filter=a"][..],
        &["--cache-read-only", "--cache-to=a"],
        &["--platform=plan9/"],
        &["--build-arg==a"],
        &["--build-context=a"],
    ] {
        let (code, stdout, stderr) = scene.run(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?} {stderr}");
    }
    assert_eq!(scene.log().replace("docker buildx version\n", ""), "");
}

#[test]
fn there_is_something_to_build_and_to_build_with() {
    let scene = Scene::new(&[]);
    assert_eq!(
        scene.mistake(&[]),
        "error: there is no client to build with; install Docker with its plugin buildx, or BuildKit's \
         buildctl, and name its daemon with the variable BUILDKIT_HOST\n"
    );
    let scene = Scene::new(&[("docker", DOCKER)]);
    scene.file("bin/no-buildx", "");
    assert_eq!(
        scene.mistake(&[]),
        "error: Docker is here without its plugin buildx, and there is no buildctl; install one of them (the \
         package is docker-buildx-plugin or docker-buildx)\n"
    );
    let scene = Scene::new(&[("docker", DOCKER)]);
    let case = |path: &str| {
        let mut command = larder(scene.0.path());
        command.env("PATH", scene.0.path().join("bin"));
        let (code, _, stderr) = texts(&command.args(["build", path]).output().expect("it starts"));
        assert_eq!(code, 1);
        stderr
    };
    assert!(case("bin").starts_with("error: bin: there is no larder.yaml in it; "));
    assert_eq!(
        case("https://example.org/a.git"),
        "error: https://example.org/a.git: PATH is a directory or a file here; build another context with \
         `docker buildx build --build-arg BUILDKIT_SYNTAX=larder/frontend:1 https://example.org/a.git`\n"
    );
}

#[test]
fn mistakes_of_the_layer_cache_are_told_before_anything_runs() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let spec =
        "from: debian:13-slim\nregistry-cache: {ref: r.test/x, mode: most}\nsteps: [{rum: x}]\n";
    scene.file("app/larder.yaml", spec);
    let error = scene.mistake(&[]);
    assert!(error.contains("larder.yaml:2"), "{error}");
    // That of the step is left to the frontend.
    assert!(!error.contains("larder.yaml:3"), "{error}");
    scene.file(
        "app/larder.yaml",
        &spec.replace("registry-cache", "# registry-cache"),
    );
    assert_eq!(scene.run(&[]).0, 0);
    let last = scene.last();
    assert!(last.ends_with("--file app/larder.yaml app"), "{last}");
}
