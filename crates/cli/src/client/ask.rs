//! What is asked of a builder before a build.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use larder_plan::layers::CacheEntry;
use serde::Deserialize;
use serde_json::Value;

use super::{Client, Wish, buildctl, buildx};
use crate::output;

/// What Docker says of itself takes a second or two.
const LIMIT: Duration = Duration::from_secs(30);
/// The frontend waits ten seconds for a registry, and may have to be pulled first.
const LONG_LIMIT: Duration = Duration::from_secs(120);
/// Nobody wonders about what takes less.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at whether a client has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What a builder of buildx can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    /// Any layer cache, or nobody knows.
    Able,
    /// Any, and it may have to be started.
    Booting,
    /// Some kinds: Docker's own with the containerd image store.
    Stored,
    /// Only what is a part of the image.
    InlineOnly,
}

/// Which registries answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// These do or do not.
    Known(Vec<Answered>),
    /// Nobody says so: the frontend knows no such question.
    Failed,
    /// Nobody said so in time.
    Late,
}

/// What is said of one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Answered {
    /// As clients take it.
    #[serde(default)]
    option: Option<String>,
    /// In the registry.
    #[serde(default)]
    reference: Option<String>,
    /// Whether it answers.
    #[serde(default = "yes")]
    pub(crate) answers: bool,
    /// Why it does not.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Deserialize)]
struct AllAnswered {
    #[serde(default)]
    exports: Vec<Answered>,
}

fn yes() -> bool {
    true
}

impl Answered {
    /// Whether this is said of a place for layers.
    pub(crate) fn is_of(&self, entry: &CacheEntry) -> bool {
        match &self.option {
            Some(option) if *option == entry.option() => true,
            _ => self.reference.is_some() && self.reference.as_deref() == entry.reference(),
        }
    }
}

impl Builder {
    /// Whether it can write a kind of layer cache.
    pub(crate) fn writes(self, kind: &str) -> bool {
        match self {
            Builder::Able | Builder::Booting => true,
            Builder::Stored => ["registry", "local", "inline", "gha"].contains(&kind),
            Builder::InlineOnly => kind == "inline",
        }
    }
}

/// What a builder can write. The client looks at the same label.
pub(crate) fn builder(name: Option<&str>) -> Builder {
    let mut inspect = Command::new("docker");
    inspect.args(["buildx", "inspect"]).args(name);
    let Some(inspected) = bounded(inspect, LIMIT).said() else {
        return Builder::Able;
    };
    if let Some(builder) = inspected_as(&inspected) {
        return builder;
    }
    let mut info = Command::new("docker");
    info.args(["info", "--format", "{{json .DriverStatus}}"]);
    match bounded(info, LIMIT).said() {
        Some(text) if text.contains("io.containerd.snapshotter") => Builder::Stored,
        Some(_) => Builder::InlineOnly,
        None => Builder::Able,
    }
}

/// What `docker buildx inspect` says; `None` if older versions do not say it.
fn inspected_as(inspected: &str) -> Option<Builder> {
    let lines = || inspected.lines().map(str::trim);
    let driver = lines().find_map(|line| line.strip_prefix("Driver:"))?;
    if driver.trim() != "docker" {
        return Some(Builder::Booting);
    }
    lines().find(|line| *line == "Labels:")?;
    let label = "org.mobyproject.buildkit.worker.snapshotter:";
    Some(if lines().any(|line| line.starts_with(label)) {
        Builder::Stored
    } else {
        Builder::InlineOnly
    })
}

/// Starts a builder, for as long as that takes. The build says what goes wrong.
pub(crate) fn start(name: Option<&str>) {
    let mut inspect = Command::new("docker");
    inspect
        .args(["buildx", "inspect", "--bootstrap"])
        .args(name);
    let _ = inspect.stdin(Stdio::null()).stdout(Stdio::null()).status();
}

/// Asks the frontend, in the daemon, which registries answer.
pub(crate) fn registries(client: Client, wish: &Wish<'_>) -> Result<Answer> {
    let directory =
        tempfile::tempdir().context("cannot make a directory for the client's answer")?;
    let file = directory.path().join("answer.json");
    let line = match client {
        Client::Buildx => buildx::question(wish, &file),
        Client::Buildctl => buildctl::question(wish, &file)?,
    };
    let mut command = line.command();
    command.env("BUILDX_EXPERIMENTAL", "1");
    let waiting = || {
        output::say(
            "waiting for the builder to say which registries answer; it may have to pull the frontend first\n",
        );
    };
    Ok(match run(command, LONG_LIMIT, PATIENCE, waiting) {
        Ended::Late => Answer::Late,
        Ended::Failed => Answer::Failed,
        Ended::Said(stdout) => {
            let told = fs::read_to_string(&file).unwrap_or_default();
            read(&told, &stdout).map_or(Answer::Failed, Answer::Known)
        }
    })
}

/// buildx writes the answer to the file. buildctl writes that of `frontend.*`, and prints the others.
fn read(told: &str, stdout: &str) -> Option<Vec<Answered>> {
    let told: Value = serde_json::from_str(told).unwrap_or_default();
    let parts = ["result.json", "frontend.layercache"].map(|key| told.get(key).cloned());
    for part in parts.into_iter().flatten() {
        let answer = match part {
            Value::String(text) => serde_json::from_str(&text).ok(),
            json => serde_json::from_value(json).ok(),
        };
        if let Some(AllAnswered { exports }) = answer {
            return Some(exports);
        }
    }
    let json = &stdout[stdout.find('{')?..];
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<AllAnswered>();
    values.next()?.ok().map(|answer| answer.exports)
}

/// What became of a program.
enum Ended {
    Said(String),
    Failed,
    Late,
}

impl Ended {
    fn said(self) -> Option<String> {
        match self {
            Ended::Said(text) => Some(text),
            Ended::Failed | Ended::Late => None,
        }
    }
}

/// Runs a program, whose stdout is wanted, but not for ever.
fn bounded(command: Command, limit: Duration) -> Ended {
    run(command, limit, limit, || {})
}

/// Runs it, and tells of one that takes longer than `patience`.
fn run(mut command: Command, limit: Duration, patience: Duration, waiting: impl FnOnce()) -> Ended {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return Ended::Failed;
    };
    let stdout = child.stdout.take();
    let (send, said) = std::sync::mpsc::channel();
    // What a program leaves behind can hold its stdout open: nobody waits for this thread.
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stdout) = stdout {
            let _ = stdout.read_to_string(&mut text);
        }
        let _ = send.send(text);
    });
    let patience = patience.min(limit);
    let ended = wait(&mut child, patience).or_else(|| {
        let more = limit.saturating_sub(patience);
        if !more.is_zero() {
            waiting();
        }
        wait(&mut child, more)
    });
    match ended {
        Some(true) => said.recv_timeout(GRACE).map_or(Ended::Failed, Ended::Said),
        Some(false) => Ended::Failed,
        None => {
            end(&mut child);
            Ended::Late
        }
    }
}

/// Whether it succeeded, if it ends in time.
fn wait(child: &mut Child, limit: Duration) -> Option<bool> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < end => thread::sleep(PAUSE),
            Ok(None) => return None,
            Err(_) => return Some(false),
        }
    }
}

/// Ends a program: the docker command ends its plugin if it is asked to, and not if it is killed.
fn end(child: &mut Child) {
    let mut kill = Command::new("kill");
    kill.arg(child.id().to_string()).stdin(Stdio::null());
    let _ = kill.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if wait(child, GRACE).is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn nobody_waits_for_ever() {
        let start = Instant::now();
        for script in ["exec sleep 60", "trap '' TERM; sleep 60 & wait; wait"] {
            let ended = bounded(shell(script), Duration::from_millis(100));
            assert!(matches!(ended, Ended::Late), "{script}");
        }
        // What it leaves behind has its stdout.
        let ended = bounded(shell("sleep 5 &"), Duration::from_secs(20));
        assert!(matches!(ended, Ended::Failed));
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(bounded(shell("echo a"), LIMIT).said().unwrap(), "a\n");
        assert!(matches!(bounded(shell("exit 3"), LIMIT), Ended::Failed));
        let missing = bounded(Command::new("/nowhere"), LIMIT);
        assert!(matches!(missing, Ended::Failed));
    }

    #[test]
    fn what_takes_long_is_told_once() {
        let told = |script, patience| {
            let mut times = 0;
            let patience = Duration::from_millis(patience);
            let ended = run(shell(script), LIMIT, patience, || times += 1);
            (ended.said().unwrap(), times)
        };
        assert_eq!(told("echo a", 20_000), ("a\n".to_owned(), 0));
        assert_eq!(told("sleep 0.3; echo a", 50), ("a\n".to_owned(), 1));
    }

    #[test]
    fn what_builders_can_write() {
        let label = " org.mobyproject.buildkit.worker.snapshotter: overlayfs\n";
        for (text, expected) in [
            (
                "Name: x\nDriver:        docker-container\n",
                Some(Builder::Booting),
            ),
            (
                "Driver: docker\nLabels:\n org.x: y\n",
                Some(Builder::InlineOnly),
            ),
            (
                &format!("Driver: docker\nLabels:\n{label}"),
                Some(Builder::Stored),
            ),
            ("Driver: docker\nStatus: running\n", None),
            ("", None),
        ] {
            assert_eq!(inspected_as(text), expected, "{text}");
        }
    }

    #[test]
    fn answers_are_read_from_wherever_they_are() {
        let json = r#"{"imports": [], "exports": [
            {"type": "registry", "reference": "r/x", "option": "type=registry,ref=r/x", "answers": false,
             "reason": "no route", "more": 1},
            {"type": "inline"}
        ]}"#;
        let text = serde_json::to_string(json).unwrap();
        for (told, stdout) in [
            (format!("{{\"result.json\": {json}}}"), ""),
            (format!("{{\"result.json\": {text}}}"), ""),
            (
                format!("{{\"frontend.layercache\": {text}}}"),
                "TYPE  REF\n",
            ),
            ("{}".to_owned(), json),
            (String::new(), &format!("result.json\n{json}\nversion\n1\n")),
        ] {
            let all = read(&told, stdout).unwrap();
            assert_eq!(all.len(), 2);
            assert!(!all[0].answers && all[1].answers);
            assert_eq!(all[0].reason.as_deref(), Some("no route"));
        }
        for (told, stdout) in [
            ("", ""),
            ("{}", "TYPE REF\n"),
            ("[", "{"),
            ("{}", "{\"exports\": 1}"),
        ] {
            assert_eq!(read(told, stdout), None, "{told} {stdout}");
        }
    }
}
