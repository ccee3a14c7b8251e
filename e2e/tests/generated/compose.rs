//! The Compose file that `larder compose` writes, brought up by Docker Compose.

use larder_e2e::{Engine, Project, unique};

use crate::larder;

const SPEC: &str = "
name: NAME
runtime-caches: true
from: python:3.13-slim
user: build
steps:
  - run: pip download --help >/dev/null
image:
  cmd: [sh, -c, 'trap \"exit 0\" TERM; while :; do sleep 1; done']
";

/// A project that is taken down again, with its volume and image.
struct Up<'a> {
    engine: &'a Engine,
    file: String,
}

impl Up<'_> {
    fn compose(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut args = vec!["compose", "--file", self.file.as_str()];
        args.extend(words);
        self.engine.docker_output(&args)
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        drop(self.compose(&["down", "--volumes", "--rmi=local", "--timeout=2"]));
    }
}

#[test]
fn a_volume_survives_its_container() {
    let engine = Engine::from_env().unwrap();
    if let Err(error) = engine.docker_output(&["compose", "version"]) {
        panic!(
            "this test needs Docker Compose, which `cargo xtask engine up` unpacks from Debian's package \
             docker-compose; on another engine, install that plugin of the docker command: {error}"
        );
    }
    let name = format!("larder-e2e-{}", unique());
    let project = Project::new(&engine, &SPEC.replace("NAME", &name)).unwrap();
    let cache = format!("{}/{name}:layers", engine.registry());
    let text = larder(&project, &["compose"], &[("CACHE_REGISTRY", &cache)]);
    let file = project.file("compose.yaml", text).unwrap();
    let up = Up {
        engine: &engine,
        file: file.to_str().unwrap().to_owned(),
    };
    let start = |more: &[&str]| {
        let words = [&["up", "--detach", "--timeout=2"], more].concat();
        up.compose(&words).unwrap();
        up.compose(&["ps", "--quiet"]).unwrap()
    };
    let run = |command: &str| {
        let words = ["exec", "-T", name.as_str(), "sh", "-c", command];
        up.compose(&words).unwrap()
    };

    let first = start(&["--build"]);
    assert_eq!(first.lines().count(), 1, "{first}");
    run("pip cache dir >/cache/pip/kept");
    // The layers went where the file says.
    let exported = engine.docker_output(&["buildx", "imagetools", "inspect", "--raw", &cache]);
    assert!(exported.unwrap().contains("buildkit.cacheconfig"));

    let second = start(&["--force-recreate"]);
    assert_ne!(first, second);
    assert_eq!(
        run("cat /cache/pip/kept; stat -c %u:%g /cache /cache/pip /cache/pip/kept"),
        "/cache/pip\n1000:1000\n1000:1000\n1000:1000\n"
    );
}
