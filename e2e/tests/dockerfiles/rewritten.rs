//! A Dockerfile into which `larder dockerfile rewrite` wrote its caches: it needs no Larder any more, and
//! has the caches that builds through Larder filled.

use std::{path::Path, process::Command};

use larder_e2e::{
    Build, Engine, Project,
    same::{Image, Images, Leftovers, compare},
    unique,
};

use crate::scene::packages;

const DOCKERFILE: &str = "\
FROM PYTHON AS python
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt

FROM NODE AS node
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci

FROM DEBIAN AS debian
RUN apt-get update && apt-get install -y --no-install-recommends tree

FROM scratch AS all
COPY --from=python /app/requirements.txt /
COPY --from=node /app/package.json /
COPY --from=debian /usr/bin/tree /
";

/// The stages of which the images are compared.
const STAGES: [&str; 3] = ["python", "node", "debian"];

/// What the command of this workspace prints.
fn rewrite(engine: &Engine, project: &Project, file: &str) -> String {
    let mut larder = Command::new(env!("CARGO"));
    larder.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    larder.args([
        "run",
        "--quiet",
        "--package",
        "larder-cli",
        "--bin",
        "larder",
    ]);
    larder.args([
        "--",
        "dockerfile",
        "rewrite",
        "--frontend",
        engine.frontend(),
    ]);
    larder.arg("--context").arg(project.path());
    larder.arg(project.path().join(file));
    let said = larder.output().unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn it_has_the_caches_that_larder_filled_and_gives_the_same_images() {
    let engine = Engine::from_env().unwrap();
    let images = Images::new(engine.registry());
    let [python, node, debian] =
        ["python:3.13-slim", "node:20-slim", "debian:trixie-slim"].map(|from| engine.base(from));
    let (python, node, debian) = (python.unwrap(), node.unwrap(), debian.unwrap());
    let named = DOCKERFILE
        .replace("PYTHON", python.name())
        .replace("NODE", node.name())
        .replace("DEBIAN", debian.name());
    let project = Project::empty().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for fixture in ["pip", "npm"] {
        project.lay(&fixtures.join(fixture).join("first")).unwrap();
    }
    project.file("Dockerfile", &named).unwrap();
    let proxy = engine.proxy().unwrap();
    let namespace = unique();
    let build = |file: &str| -> Build<'_> {
        let build = engine.build(&project).file(file);
        build.namespace(&namespace).through(&proxy)
    };

    let filled = build("Dockerfile")
        .arg("BUILDKIT_SYNTAX", engine.frontend())
        .arg("LARDER_CACHE_IDS", "dockerfile")
        .succeed()
        .unwrap();
    let fetched = packages(&proxy.take(), &filled.logs).unwrap();
    for package in [".whl", ".tgz", "/tree_"] {
        let found = fetched.iter().any(|path| path.contains(package));
        assert!(found, "{package} is not among {fetched:?}");
    }

    let text = rewrite(&engine, &project, "Dockerfile");
    assert_eq!(text.matches("FROM ").count(), 5, "{text}");
    for target in ["/root/.cache/pip", "/root/.npm", "/var/cache/apt"] {
        assert!(text.contains(&format!("target={target}")), "{text}");
    }
    assert!(!text.contains("syntax="), "{text}");
    project.file("Dockerfile.cached", &text).unwrap();
    assert_eq!(rewrite(&engine, &project, "Dockerfile.cached"), text);

    let image = |file: &str, stage: &str| -> Image {
        let build = build(file).option(format!("--target={stage}"));
        let pushed = build.pushed(images.repository()).succeed().unwrap();
        let pulled = images.pull(pushed.digest().unwrap());
        pulled.unwrap().pop_first().unwrap().1
    };
    let cached = STAGES.map(|stage| image("Dockerfile.cached", stage));
    let fetched = packages(&proxy.take(), "").unwrap();
    assert_eq!(fetched, [""; 0]);
    for (stage, cached) in STAGES.iter().zip(&cached) {
        let plain = image("Dockerfile", stage);
        let found = compare(&plain, cached, &Leftovers::default());
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, [""; 0], "{stage}");
    }
}
