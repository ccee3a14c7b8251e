//! Every example builds unchanged, runs, and is rebuilt from the cache.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use larder_e2e::{Built, Engine, Project, unique};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("examples")
        .join(name)
}

/// Builds an example, then once more, and hands its image over.
fn check(name: &str, image: impl FnOnce(&Engine, &Built<'_>)) {
    let engine = Engine::from_env().unwrap();
    let project = Project::copied(&example(name)).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    image(&engine, &built);
    let again = engine.build(&project).succeed().unwrap();
    assert_eq!(again.ran(), [""; 0], "nothing changed, and yet these ran");
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
fn each_has_what_a_user_needs() {
    for name in ["go", "node", "python", "rust", "shop"] {
        let spec = std::fs::read_to_string(example(name).join("larder.yaml")).unwrap();
        assert_eq!(
            spec.lines().next(),
            Some("# syntax=larder/frontend:1"),
            "{name}"
        );
        assert!(example(name).join(".dockerignore").exists(), "{name}");
    }
}
