//! What `larder buildkitd-config` writes, read by the engine's dockerd. The files are those that tests of
//! the command hold equal to its output.

use std::env;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = fs::read_dir(&directory).expect("there are some");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect();
    found.sort();
    found
}

const CASES: &str = "../crates/cli/tests/daemon";

/// Whether dockerd takes a file, and what it says.
fn validate(file: &Path) -> (bool, String) {
    let output = Command::new("dockerd")
        .args(["--validate", "--config-file"])
        .arg(file)
        .output()
        .expect("dockerd is in PATH");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

#[test]
fn dockerd_takes_each_file() {
    let files = files(CASES, "json");
    assert!(files.len() >= 3, "there are only {}", files.len());
    for file in files {
        let (taken, said) = validate(&file);
        assert!(taken, "{}: {said}", file.display());
    }
}

#[test]
fn dockerd_refuses_a_broken_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("daemon.json");
    let text = fs::read_to_string(&files(CASES, "json")[0]).unwrap();
    let good: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in [
        ("bulder", json!(true)),
        ("builder", json!({"gc": {"policy": "none"}})),
        ("registry-mirrors", json!("https://mirror.example")),
    ] {
        let mut broken = good.clone();
        broken[key] = value;
        fs::write(&file, broken.to_string()).unwrap();
        let (taken, said) = validate(&file);
        assert!(!taken && !said.is_empty(), "{key}: dockerd took it");
    }
}

/// A dockerd of a test's own, which touches nothing outside its folder.
struct Dockerd {
    child: std::process::Child,
    directory: TempDir,
}

impl Dockerd {
    fn start(config: &Path) -> Dockerd {
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        let at = |name: &str| directory.path().join(name);
        let log = fs::File::create(at("log")).unwrap();
        // It wants a runc to be there, and runs none here.
        let path = format!("{}:{}", at("bin").display(), env::var("PATH").unwrap());
        fs::create_dir(at("bin")).unwrap();
        fs::write(at("bin/runc"), "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(at("bin/runc"), Permissions::from_mode(0o755)).unwrap();
        let child = Command::new("dockerd")
            .env("PATH", path)
            .arg("--config-file")
            .arg(config)
            .arg(format!("--host=unix://{}", at("d.sock").display()))
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd is in PATH");
        Dockerd { child, directory }
    }

    /// What its builder says of itself; what the daemon said, if it ended.
    fn inspect(&mut self) -> Result<String, String> {
        let end = Instant::now() + Duration::from_secs(60);
        let socket = self.directory.path().join("d.sock");
        while Instant::now() < end {
            let output = Command::new("docker")
                .args(["buildx", "inspect", "default"])
                .env("DOCKER_HOST", format!("unix://{}", socket.display()))
                .output()
                .expect("docker is in PATH");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if said.contains("GC Policy") {
                return Ok(said);
            }
            if self.child.try_wait().unwrap().is_some() {
                break;
            }
            sleep(Duration::from_millis(200));
        }
        Err(fs::read_to_string(self.directory.path().join("log")).unwrap_or_default())
    }
}

impl Drop for Dockerd {
    /// Asked to end, it takes its containerd along.
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").arg(id).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        // One that did not get far leaves its folder mounted on itself.
        let data = self.directory.path().join("data");
        let _ = Command::new("umount")
            .arg(data)
            .stderr(Stdio::null())
            .status();
    }
}

#[test]
fn dockerd_has_the_rules_that_are_meant() {
    let file = files(CASES, "json")
        .into_iter()
        .find(|it| it.ends_with("plain.json"));
    let mut daemon = Dockerd::start(&file.unwrap());
    let said = daemon
        .inspect()
        .unwrap_or_else(|log| panic!("no policy:\n{log}"));
    let rules = said.split("GC Policy rule#").skip(1).map(|rule| {
        let of = |key: &str| {
            let line = rule
                .lines()
                .map(str::trim)
                .find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':'));
            value
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let age = of("Keep Duration");
        let hours = age.split('h').next().unwrap_or_default().to_owned();
        (of("All"), of("Filters"), hours)
    });
    let rules: Vec<(String, String, String)> = rules.collect();
    let expected = [
        ("false", "type==source.local", "48"),
        ("false", "type==source.git.checkout", "48"),
        ("false", "type==regular", "336"),
        ("false", "type==exec.cachemount", "2160"),
        ("false", "type==regular", "24"),
        ("false", "type==exec.cachemount", "336"),
        ("false", "", ""),
        ("true", "", ""),
    ];
    let expected =
        expected.map(|(all, what, age)| (all.to_owned(), what.to_owned(), age.to_owned()));
    assert_eq!(rules, expected, "{said}");
}

#[test]
fn each_buildkitd_toml_says_what_goes_when() {
    let mut seen = 0;
    for file in [files(CASES, "toml"), files("../deploy/compose", "toml")].concat() {
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            read => read.unwrap(),
        };
        let config: toml::Table = text.parse().expect("it is TOML");
        let workers = config["worker"].as_table().unwrap();
        let policies: Vec<&toml::Value> = workers
            .values()
            .filter_map(|worker| worker.get("gcpolicy"))
            .collect();
        let [policy] = policies[..] else {
            panic!("{}: {} workers have rules", file.display(), policies.len());
        };
        let policy = policy.as_array().unwrap();
        let types = |rule: &toml::Value| rule.get("filters").map(ToString::to_string);
        assert_eq!(policy.len(), 7, "{}", file.display());
        assert!(types(&policy[0]).unwrap().contains("source.local"));
        for rule in policy {
            let mounts = types(rule).is_some_and(|it| it.contains("cachemount"));
            let alone = rule
                .get("filters")
                .and_then(toml::Value::as_array)
                .is_some_and(|it| it.len() == 1);
            assert!(!mounts || alone, "{}: {rule:?}", file.display());
            assert_eq!(rule["keepBytes"], rule["maxUsedSpace"]);
        }
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} files were read");
}
