//! What images keep for running containers, and caches that start from a directory of the client's.

use std::fs;

use larder_e2e::{Build, Built, Engine, Project, unique};

/// Name, owner, group and mode of paths, a line each; nothing of those that are not there.
fn look(built: &Built<'_>, paths: &str) -> Vec<String> {
    let command = format!("stat -c '%n %u:%g:%a' {paths} 2>/dev/null; true");
    let said = built.run(&["sh", "-c", &command]).unwrap();
    said.lines().map(str::to_owned).collect()
}

/// The variables of an image that name something below `/cache`.
fn variables(built: &Built<'_>) -> Vec<String> {
    let config = built.config().unwrap();
    let env = config["Env"].as_array().unwrap();
    let mut found: Vec<String> = env
        .iter()
        .filter_map(|entry| entry.as_str())
        .filter(|entry| entry.contains("=/cache"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

fn spec(option: &str) -> String {
    format!(
        "
{option}
stages:
  tools:
    from: python:3.13-slim
    user: build
    env: {{ONCE: {}}}
    steps:
      - run: pip download --help >/dev/null; echo made > /home/build/made
  production:
    from: debian:trixie-slim
    steps:
      - copy: {{from: tools, src: /home/build/made, dest: /made}}
target: tools
",
        unique()
    )
}

#[test]
fn an_image_keeps_caches_where_the_spec_says_so() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, &spec("runtime-caches: true")).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    assert_eq!(
        look(&built, "/cache /cache/*"),
        ["/cache 1000:1000:755", "/cache/pip 1000:1000:755"]
    );
    assert_eq!(variables(&built), ["PIP_CACHE_DIR=/cache/pip"]);
    let command = "pip cache dir && touch /cache/pip/x /cache/y && id -u";
    let used = built.run(&["sh", "-c", command]).unwrap();
    assert_eq!(used.lines().collect::<Vec<_>>(), ["/cache/pip", "1000"]);
}

#[test]
fn an_image_keeps_what_is_named_and_its_files() {
    let engine = Engine::from_env().unwrap();
    let option = "runtime-caches: [npm-global, r-library]";
    let project = Project::new(&engine, &spec(option)).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    let paths = "/cache/* /cache/npm-global/bin /etc/R/Renviron.site ~/.Rprofile";
    assert_eq!(
        look(&built, paths),
        [
            "/cache/npm-global 1000:1000:755",
            "/cache/pip 1000:1000:755",
            "/cache/r 1000:1000:755",
            "/cache/npm-global/bin 1000:1000:755",
            "/etc/R/Renviron.site 0:0:644",
            "/home/build/.Rprofile 1000:1000:644",
        ]
    );
    let path = built.run(&["sh", "-c", "echo $PATH"]).unwrap();
    assert!(path.trim().ends_with(":/cache/npm-global/bin"), "{path}");
}

#[test]
fn an_image_keeps_nothing_otherwise() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, &spec("")).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    assert_eq!(look(&built, "/cache /cache/*"), [""; 0]);
    assert_eq!(variables(&built), [""; 0]);

    // A stage that copies from one with caches.
    let project = Project::new(&engine, &spec("runtime-caches: true")).unwrap();
    let production = engine.build(&project).option("--target=production");
    let built = production.image().succeed().unwrap();
    assert_eq!(look(&built, "/cache /cache/* /made"), ["/made 0:0:644"]);
    assert_eq!(variables(&built), [""; 0]);
}

#[test]
fn a_volume_gets_the_owner_of_the_directories() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, &spec("runtime-caches: true")).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    let volume = format!("larder-e2e-{}", unique());
    let mount = format!("{volume}:/cache");
    let options = ["--volume", mount.as_str()];
    let write = ["sh", "-c", "echo kept > /cache/pip/x"];
    let read = [
        "sh",
        "-c",
        "cat /cache/pip/x; stat -c %u:%g /cache /cache/pip",
    ];
    let written = built.run_with(&options, &write);
    let said = written.and_then(|_| built.run_with(&options, &read));
    let remove = ["volume", "rm", "--force", &volume];
    engine.docker_output(&remove).unwrap();
    assert_eq!(
        said.unwrap().lines().collect::<Vec<_>>(),
        ["kept", "1000:1000", "1000:1000"]
    );
}

/// A project, and a directory that becomes the context `larder-cache`.
fn seeded(engine: &Engine) -> (Project, Project) {
    let spec = format!(
        "
from: python:3.13-slim
user: build
env: {{ONCE: {}}}
steps:
  - run: sed 's/^/>/' /larder-cache/note /larder-cache/pip/http/a; touch /larder-cache/x 2>/dev/null || echo '>read-only'
    user: root
  - run: |
      pip download --help >/dev/null
      cd $PIP_CACHE_DIR
      stat -c '>%n %u:%g:%a' . http http/a
      sed 's/^/>/' http/a
      cat made 2>/dev/null || true
      echo '>again' > made
",
        unique()
    );
    let project = Project::new(engine, &spec).unwrap();
    let seed = Project::empty().unwrap();
    seed.file("note", "a note\n").unwrap();
    seed.file("pip/http/a", "a wheel\n").unwrap();
    (project, seed)
}

fn with_seed<'a>(build: Build<'a>, seed: &Project) -> Build<'a> {
    let path = seed.path().display();
    build.option(format!("--build-context=larder-cache={path}"))
}

#[test]
fn a_directory_of_the_clients_is_seen_and_fills_caches() {
    let engine = Engine::from_env().unwrap();
    let (project, seed) = seeded(&engine);
    let namespace = unique();
    let build = || with_seed(engine.build(&project).namespace(&namespace), &seed);
    let first = [
        "a note",
        "a wheel",
        "read-only",
        ". 1000:1000:755",
        "http 1000:1000:755",
        "http/a 1000:1000:644",
        "a wheel",
    ];
    assert_eq!(build().succeed().unwrap().said(), first);

    // The same directory: the same cache, with what the step left in it.
    let again = build().option("--no-cache").succeed().unwrap();
    assert_eq!(again.said()[first.len()..], ["again"]);

    // Another one begins a new cache.
    fs::write(seed.path().join("pip/http/a"), "another wheel\n").unwrap();
    let other = build().succeed().unwrap().said();
    assert_eq!(other[first.len() - 1..], ["another wheel"]);
}

#[test]
fn the_directory_leaves_nothing_in_the_image() {
    let engine = Engine::from_env().unwrap();
    let (project, seed) = seeded(&engine);
    let built = with_seed(engine.build(&project).image(), &seed);
    let built = built.namespace(&unique()).succeed().unwrap();
    assert_eq!(look(&built, "/larder-cache /cache"), [""; 0]);
}
