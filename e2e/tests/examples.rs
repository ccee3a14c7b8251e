//! Every example builds unchanged, runs, and is rebuilt from the cache.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use larder_e2e::{Build, Built, Engine, Project, unique};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("examples")
        .join(name)
}

/// Builds an example, then once more, and hands its image over.
fn check(name: &str, image: impl FnOnce(&Engine, &Built<'_>)) {
    check_with(name, &[], image);
}

/// The same with options of `docker buildx build`.
fn check_with(name: &str, options: &[String], image: impl FnOnce(&Engine, &Built<'_>)) {
    let engine = Engine::from_env().unwrap();
    let project = Project::copied(&example(name)).unwrap();
    let prepared = || options.iter().fold(engine.build(&project), Build::option);
    let built = prepared().image().succeed().unwrap();
    image(&engine, &built);
    let again = prepared().succeed().unwrap();
    assert_eq!(again.ran(), [""; 0], "nothing changed, and yet these ran");
    assert_eq!(
        operations(&again),
        operations(&built),
        "the same spec came to other operations"
    );
}

/// What the daemon was given of a spec: the digest of each operation, and what it is called. Those that
/// stand on files of the context are left out: the client's session is in their digests.
fn operations(built: &Built<'_>) -> BTreeSet<(String, String)> {
    let is_local = |name: &str| name.contains("load build context") || name.starts_with("local://");
    let mut local: BTreeSet<&str> = BTreeSet::new();
    let mut size = usize::MAX;
    while local.len() != size {
        size = local.len();
        let more = built.vertices.iter().filter(|vertex| {
            let mut inputs = vertex.inputs.iter().map(String::as_str);
            is_local(&vertex.name) || inputs.any(|input| local.contains(input))
        });
        let more: Vec<&str> = more.map(|vertex| vertex.digest.as_str()).collect();
        local.extend(more);
    }
    let steps = built.steps().filter(|step| step.name.starts_with('['));
    let steps = steps.filter(|step| !local.contains(step.digest.as_str()));
    let steps: BTreeSet<_> = steps
        .map(|step| (step.digest.clone(), step.name.clone()))
        .collect();
    assert!(!steps.is_empty(), "the daemon tells of no steps");
    steps
}

/// A container of an image, until it is dropped.
struct Served<'a> {
    engine: &'a Engine,
    name: String,
    address: String,
}

impl<'a> Served<'a> {
    fn start(engine: &'a Engine, built: &Built<'_>, port: u16) -> Self {
        let name = format!("larder-e2e-{}", unique());
        let image = built.image().unwrap();
        engine
            .docker_output(&["run", "--detach", "--name", &name, image])
            .unwrap();
        let format = "--format={{.NetworkSettings.IPAddress}}";
        let address = engine.docker_output(&["inspect", format, &name]).unwrap();
        Self {
            engine,
            name,
            address: format!("{}:{port}", address.trim()),
        }
    }

    /// What it answers, head and body, as soon as it answers.
    fn get(&self, path: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match self.ask(path) {
                Ok(answer) if !answer.is_empty() => return answer,
                other if Instant::now() > end => {
                    let logs = self.engine.docker(&["logs", &self.name]).output().unwrap();
                    panic!("{other:?}; {}", String::from_utf8_lossy(&logs.stderr));
                }
                _ => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn ask(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: example\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        drop(self.engine.docker_output(&["rm", "--force", &self.name]));
    }
}

#[test]
fn python() {
    check("python", |engine, built| {
        let served = Served::start(engine, built, 8000);
        let answer = served.get("/harbours/dover");
        assert!(answer.contains("11:04"), "{answer}");
        assert_eq!(built.run(&["id", "-u"]).unwrap(), "1000\n");
    });
}

#[test]
fn node() {
    check("node", |engine, built| {
        let served = Served::start(engine, built, 3000);
        let answer = served.get("/unknown");
        assert!(answer.contains(" 404 "), "{answer}");
        assert_eq!(built.run(&["id", "-un"]).unwrap(), "node\n");
    });
}

#[test]
fn go() {
    check("go", |engine, built| {
        let served = Served::start(engine, built, 8080);
        let answer = served.get("/");
        assert!(answer.contains("\"status\":\"up\""), "{answer}");
    });
}

#[test]
fn rust() {
    check("rust", |_, built| {
        assert_eq!(built.run(&["Crème brûlée!"]).unwrap(), "creme-brulee\n");
    });
}

#[test]
fn shop() {
    check("shop", |engine, built| {
        let served = Served::start(engine, built, 8000);
        let answer = served.get("/articles");
        assert!(answer.contains("tea"), "{answer}");
        // One file comes from the other stage, one library from apt.
        assert!(served.get("/static/shop.css").contains("sans-serif"));
        assert!(served.get("/about").contains("libpq"));
    });
}

#[test]
fn uv() {
    check("uv", |_, built| {
        let said = built.run(&["26.2", "mile", "km"]).unwrap();
        assert_eq!(said, "42.165 km\n");
    });
}

#[test]
fn pnpm() {
    check("pnpm", |_, built| {
        assert_eq!(built.run(&["red"]).unwrap(), "#FF0000 #00FFFF\n");
    });
}

#[test]
fn maven() {
    check("maven", |_, built| {
        let said = built.run(&["hello"]).unwrap();
        assert!(
            said.starts_with("2cf24dba5fb0a30e26e83b2ac5b9e29e"),
            "{said}"
        );
    });
}

#[test]
fn ccache() {
    check("ccache", |engine, built| {
        assert_eq!(built.run(&["8"]).unwrap(), "2\n3\n5\n7\n");
        let project = Project::copied(&example("ccache")).unwrap();
        let main = std::fs::read_to_string(project.path().join("main.cpp")).unwrap();
        let mark = unique();
        project
            .file("main.cpp", main.replace("'\\n'", &format!("\" {mark}\"")))
            .unwrap();
        let spec = std::fs::read_to_string(project.path().join("larder.yaml")).unwrap();
        let shown = spec.replace(
            "- run: make\n",
            "- run: ccache --zero-stats && make && ccache --print-stats | sed 's/^/>/'\n",
        );
        assert_ne!(spec, shown);
        project.file("larder.yaml", shown).unwrap();
        let changed = engine.build(&project).image().succeed().unwrap();
        assert!(changed.run(&["8"]).unwrap().contains(&mark));
        // The file that did not change came from the cache.
        let said = changed.said();
        assert!(
            said.contains(&"direct_cache_hit\t1".to_owned())
                && said.contains(&"cache_miss\t1".to_owned()),
            "{said:?}"
        );
    });
}

#[test]
fn monorepo() {
    check("monorepo", |_, built| {
        assert_eq!(built.run(&[]).unwrap(), "tea: 1350 cents\n");
    });
    check_with("monorepo", &["--target=worker".to_owned()], |_, built| {
        assert_eq!(built.run(&[]).unwrap(), "send 3 of tea\n");
    });
}

#[test]
fn monorepo_as_a_bake() {
    let engine = Engine::from_env().unwrap();
    let project = Project::copied(&example("monorepo")).unwrap();
    let said = engine
        .docker(&["buildx", "bake", "--set=*.output=type=cacheonly"])
        .current_dir(project.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}");
    assert!(
        text.contains("[worker ") && text.contains("[api "),
        "{text}"
    );
}

#[test]
fn secrets() {
    let files = Project::empty().unwrap();
    files.file("signing", "not to be seen").unwrap();
    files.file("channel", "nightly-channel").unwrap();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    files.file("key", key).unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let options = [
        format!("--secret=id=signing-key,src={}", path("signing")),
        format!("--secret=id=channel,src={}", path("channel")),
        format!("--ssh=default={}", path("key")),
    ];
    let engine = Engine::from_env().unwrap();
    let project = Project::copied(&example("secrets")).unwrap();
    let prepared = || options.iter().fold(engine.build(&project), Build::option);
    let built = prepared().files().succeed().unwrap();
    assert_eq!(built.read("notes.txt.sum").unwrap().len(), 65);
    assert_eq!(built.read("channel.txt").unwrap(), "15 letters\n");
    let keys = built.read("keys.txt").unwrap();
    assert!(keys.starts_with("ecdsa-sha2-nistp256 "), "{keys}");
    let again = prepared().succeed().unwrap();
    assert_eq!(again.ran(), [""; 0], "nothing changed, and yet these ran");
    assert_eq!(operations(&again), operations(&built));
    // Without them it says what is missing, once something has to run.
    let said = engine.build(&project).option("--no-cache").fail().unwrap();
    assert!(said.contains("signing-key"), "{said}");
}

#[test]
fn cross() {
    let engine = Engine::from_env().unwrap();
    let project = Project::copied(&example("cross")).unwrap();
    for (platform, machine) in [("linux/arm64", 183), ("linux/amd64", 62)] {
        let prepared = || {
            let build = engine.build(&project);
            build.option(format!("--platform={platform}"))
        };
        let built = prepared().files().succeed().unwrap();
        let program = std::fs::read(built.path("/platform").unwrap()).unwrap();
        assert_eq!(&program[..4], b"\x7fELF");
        assert_eq!(program[18], machine, "of {platform}");
        let again = prepared().succeed().unwrap();
        assert_eq!(again.ran(), [""; 0], "nothing changed, and yet these ran");
        assert_eq!(operations(&again), operations(&built));
    }
}

/// The folders of examples.
fn examples() -> Vec<String> {
    let entries = std::fs::read_dir(example("")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let mut names: Vec<String> = folders
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn each_has_what_a_user_needs() {
    let list = std::fs::read_to_string(example("README.md")).unwrap();
    let names = examples();
    assert!(names.len() >= 12, "{names:?}");
    for name in &names {
        let spec = std::fs::read_to_string(example(name).join("larder.yaml")).unwrap();
        assert_eq!(
            spec.lines().next(),
            Some("# syntax=larder/frontend:1"),
            "{name}"
        );
        assert!(example(name).join(".dockerignore").exists(), "{name}");
        assert!(list.contains(&format!("`{name}`")), "{name} is not listed");
    }
}
