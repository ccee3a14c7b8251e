//! Specs that use each other's results, built in one call of `docker buildx bake`.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

use larder_e2e::{Engine, Progress, Project, unique};
use serde_json::Value;

/// What a template of bake would take apart.
const WORD: &str = "costs $5, ${x} $${y} $$${z} %{if}%%{endif} \"q\" \\n";

const LIB: &str = "\
name: e2e/bake.lib
from: e2e/bake.base
args: {WORD: }
steps:
  - run: printf %s \"$WORD\" > /word && cat /base >> /word
";

const APP: &str = "\
stages:
  files:
    from: scratch
    steps:
      - copy: {from: e2e/bake.lib, src: /word, dest: /}
  app:
    from: e2e/bake.base
    steps:
      - copy: {from: files, src: /word, dest: /app/}
      - run: test -s /app/word
    image: {cmd: [cat, /app/word]}
";

/// Writes a bake file for all specs of a project, without anything to say.
fn bake(project: &Project, args: &[&str], variables: &[(&str, &str)]) -> Value {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut larder = Command::new(env!("CARGO"));
    larder.args(["run", "--quiet", "--package", "larder", "--bin", "larder"]);
    larder.arg("--manifest-path").arg(manifest);
    larder.args(["--", "bake", "--all"]).args(args);
    larder.envs(variables.iter().copied());
    let written = larder.current_dir(project.path()).output().unwrap();
    let said = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success(), "{said}");
    let json = String::from_utf8(written.stdout).unwrap();
    project.file("written/bake", &json).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// Bakes what was written, with options; what Docker prints, and what it says.
fn docker(engine: &Engine, project: &Project, options: &[&str]) -> (String, String) {
    let mut docker = engine.docker(&["buildx", "bake", "--file", "-"]);
    docker.args(options).current_dir(project.path());
    let file = File::open(project.path().join("written/bake")).unwrap();
    let done = docker.stdin(Stdio::from(file)).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    (String::from_utf8(done.stdout).unwrap(), said)
}

/// Names of the steps of specs, and whether each was there. Which target a step is said to be of, that
/// several need, is left to chance.
fn steps(progress: &Progress) -> Vec<(&str, bool)> {
    let step = |name: &str| name.contains("] run ") || name.contains("] copy ");
    let steps = progress.vertices.iter().filter(|vertex| step(&vertex.name));
    let mut steps: Vec<(&str, bool)> = steps
        .filter_map(|vertex| Some((vertex.name.split_once(' ')?.1, vertex.cached)))
        .collect();
    steps.sort_unstable();
    steps
}

/// Images that go when this does.
struct Images<'e>(&'e Engine, Vec<String>);

impl Drop for Images<'_> {
    fn drop(&mut self) {
        for image in &self.1 {
            drop(self.0.docker_output(&["image", "rm", "--force", image]));
        }
    }
}

#[test]
fn three_linked_specs_are_one_build() {
    let engine = Engine::from_env().unwrap();
    let project = Project::empty().unwrap();
    let (once, registry) = (unique(), engine.registry());
    let base = format!(
        "name: e2e/bake.base\nfrom: debian:trixie-slim\nsteps:\n  - run: echo {once} > /base\n"
    );
    project.file("base/larder.yaml", base).unwrap();
    project.file("libs/lib/larder.yaml", LIB).unwrap();
    project.file("app/larder.yaml", APP).unwrap();
    let tag = format!("larder-e2e/{{name}}:{once}");
    let word = format!("WORD={WORD}");
    let cache = format!("{registry}/larder-e2e/bake-{once}");
    let args = ["--build-arg", &word, "--tag", &tag, "--load"];
    let variables = [
        ("CACHE_REGISTRY", cache.as_str()),
        ("LARDER_FRONTEND", engine.frontend()),
    ];
    let written = bake(&project, &args, &variables);
    let targets = ["app", "e2e-bake_base", "e2e-bake_lib"];
    let names = ["app", "e2e/bake.base", "e2e/bake.lib"];
    let images = names.map(|name| format!("larder-e2e/{name}:{once}"));
    let images = Images(&engine, images.to_vec());

    let (printed, _) = docker(&engine, &project, &["--print"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        printed["group"]["default"]["targets"],
        serde_json::json!(targets)
    );
    for target in targets {
        for key in ["context", "dockerfile", "contexts", "tags"] {
            assert_eq!(
                printed["target"][target][key],
                written["target"][target][key]
            );
        }
    }

    let (_, said) = docker(&engine, &project, &["--progress=rawjson"]);
    let first = Progress::read(&said);
    let expected = [
        "app 1/2] copy word to /app/ from files",
        "app 2/2] run test -s /app/word",
        "default 1/1] run echo",
        "default 1/1] run printf",
        "files 1/1] copy word to / from e2e/bake.lib",
    ];
    let ran = steps(&first);
    assert_eq!(ran.len(), expected.len(), "{ran:?}");
    for ((name, cached), expected) in ran.iter().zip(expected) {
        assert!(name.starts_with(expected) && !cached, "{ran:?}");
    }
    let app = &images.1[0];
    let shown = engine.docker_output(&["run", "--rm", app]).unwrap();
    assert_eq!(shown, format!("{WORD}{once}\n"));
    let lib = ["run", "--rm", &images.1[2], "cat", "/word"];
    assert_eq!(engine.docker_output(&lib).unwrap(), shown);

    // Each target wrote its layers where its file says.
    for target in targets {
        let to = written["target"][target]["cache-to"][0].as_str().unwrap();
        let reference = to.split(',').find_map(|option| option.strip_prefix("ref="));
        let inspect = [
            "buildx",
            "imagetools",
            "inspect",
            "--raw",
            reference.unwrap(),
        ];
        let index = engine.docker_output(&inspect).unwrap();
        assert!(index.contains("vnd.buildkit.cacheconfig.v0"), "{index}");
    }

    let (_, said) = docker(&engine, &project, &["--progress=rawjson"]);
    let second = Progress::read(&said);
    let names = ran.iter().map(|&(name, _)| (name, true));
    assert_eq!(steps(&second), names.collect::<Vec<_>>(), "{said}");
}
