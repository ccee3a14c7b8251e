//! Mounts written into Dockerfiles.
//!
//! Each `NAME.llb` is what BuildKit's frontend makes of `NAME.Dockerfile`; `NAME.expected` and
//! `NAME.report` are what comes of it on stdout and stderr. With `UPDATE=1` these are written anew.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use buildkit_llb::edit::{Editor, Seen};
use buildkit_llb::{Definition, Digest};
use common::{context, larder, run, texts};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rewrite")
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(cases()).expect("there are cases");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let is_case = |path: &PathBuf| path.extension().is_some_and(|it| it == "Dockerfile");
    let stem = |path: PathBuf| {
        path.file_stem()
            .and_then(|stem| stem.to_str())
            .map(str::to_owned)
    };
    let mut names: Vec<String> = paths.filter(is_case).filter_map(stem).collect();
    names.sort();
    names
}

fn expect(path: &Path, text: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(path, text).expect("written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

#[test]
fn files_are_rewritten_as_expected() {
    let names = names();
    assert!(names.len() >= 5, "there are only {}", names.len());
    for name in names {
        let (file, llb) = (format!("{name}.Dockerfile"), format!("{name}.llb"));
        let args = ["dockerfile", "rewrite", "--llb", &llb, &file];
        let (code, stdout, stderr) = run(&cases(), &args);
        assert_eq!(code, 0, "{name}: {stderr}");
        expect(&cases().join(format!("{name}.expected")), &stdout);
        expect(&cases().join(format!("{name}.report")), &stderr);
    }
}

#[test]
fn only_lines_with_mounts_come_in() {
    for name in names() {
        let read = |end: &str| {
            fs::read_to_string(cases().join(format!("{name}.{end}"))).expect("it is there")
        };
        let (before, after) = (read("Dockerfile"), read("expected"));
        // What is left without the words of the flags, and without the stage of files.
        let words = |text: &str| -> Vec<String> {
            let mut lines: Vec<&str> = text.lines().collect();
            if let Some(from) = lines
                .iter()
                .position(|line| *line == "FROM scratch AS larder-files")
            {
                let end = lines
                    .iter()
                    .position(|line| line.is_empty() && text.contains(line));
                let end = lines[from..]
                    .iter()
                    .position(|line| line.is_empty())
                    .or(end);
                lines.drain(from..=from + end.expect("the stage ends"));
            }
            let words = lines.iter().flat_map(|line| line.split_whitespace());
            let continued = ["\\", "`"];
            words
                .filter(|word| !word.starts_with("--mount=") && !continued.contains(word))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(words(&before), words(&after), "{name}");
    }
}

#[test]
fn what_is_rewritten_stays() {
    let read = |name: &str| fs::read_to_string(cases().join(name)).expect("it is there");
    for name in ["debian", "node", "python"] {
        let once = read(&format!("{name}.expected"));
        assert_eq!(read(&format!("{name}-again.Dockerfile")), once, "{name}");
        assert_eq!(read(&format!("{name}-again.expected")), once, "{name}");
        let report = read(&format!("{name}-again.report"));
        assert!(report.contains(" RUN got mounts"), "{report}");
        assert!(report.contains(": 0 of "), "{report}");
    }
}

/// Ids of the caches of a definition, and what each starts from.
fn caches(llb: &[u8]) -> BTreeSet<(String, Option<Digest>, String)> {
    let definition = Definition::from_bytes(llb).expect("it is LLB");
    let editor = Editor::new(&[definition]).expect("it is whole");
    let mounts = editor.ops().filter_map(|op| match editor.see(op) {
        Seen::Exec(exec) => Some(exec.mounts.clone()),
        _ => None,
    });
    let caches = mounts.flatten().filter_map(|mount| {
        let input = mount.input.map(|port| editor.digest(port.op));
        Some((mount.cache?.id, input, mount.selector))
    });
    caches.collect()
}

/// BuildKit knows a cache by its id and by what it starts from.
#[test]
fn caches_are_shared_with_builds_through_the_frontend() {
    for name in ["debian", "node"] {
        let rewritten = fs::read(cases().join(format!("{name}-again.llb"))).expect("it is there");
        let llb = format!("{name}.llb");
        let inject = ["inject", "--ids", "dockerfile", &llb];
        let output = larder(&cases()).args(inject).output().expect("it starts");
        let injected = caches(&output.stdout);
        assert!(
            caches(&rewritten).is_subset(&injected),
            "{:?} {injected:?}",
            caches(&rewritten)
        );
        assert!(!caches(&rewritten).is_empty());
    }
}

const FILE: &str = "FROM python:3.13\nRUN pip install flask\n";

#[test]
fn the_llb_is_that_of_the_file() {
    let directory = context(&[("Dockerfile", FILE)]);
    fs::copy(cases().join("go.llb"), directory.path().join("go.llb")).expect("copied");
    let args = ["dockerfile", "rewrite", "--llb", "go.llb"];
    let (code, stdout, stderr) = run(directory.path(), &args);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(
        stderr,
        "error: go.llb: this is not the LLB of Dockerfile as it is now\n"
    );
}

/// A command `docker` that keeps its arguments, and answers with a plan.
fn docker(directory: &Path, answer: &str) {
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.args\"\nwhile [ $# -gt 0 ]; do\n  [ \"$1\" = \
                  --metadata-file ] && answer=$2\n  shift\ndone\n/bin/cat \"$0.answer\" > \"$answer\"\n";
    let path = directory.join("bin/docker");
    fs::create_dir_all(directory.join("bin")).expect("made");
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    fs::write(directory.join("bin/docker.answer"), answer).expect("written");
}

const PLAN: &str = r#"{"execs": [{
    "name": "[2/2] RUN pip install flask", "digest": "sha256:0", "injected": "sha256:1",
    "location": {"file": "Dockerfile", "lines": [2, 2]},
    "mounts": [{
        "cache": "pip", "id": "//root/.cache/pip", "target": "/root/.cache/pip", "sharing": "shared",
        "uid": 0, "gid": 0, "mode": "0755", "reason": "`pip install`"
    }],
    "leftAlone": [{"cache": "npm", "reason": "it is not to be"}]
}]}"#;

#[test]
fn docker_is_asked() {
    let expected = "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install flask\n";
    // New versions of Docker answer with JSON, old ones with text that is some.
    let text = serde_json::to_string(PLAN).expect("it is text");
    for plan in [PLAN, &text] {
        let directory = context(&[("app/Dockerfile", FILE)]);
        docker(directory.path(), &format!("{{\"result.json\": {plan}}}"));
        let mut command = larder(directory.path());
        command.env("PATH", directory.path().join("bin"));
        command.args([
            "dockerfile",
            "rewrite",
            "-i",
            "app/Dockerfile",
            "--",
            "--target",
            "web",
        ]);
        let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
        assert_eq!(
            stderr,
            "app/Dockerfile:2: no cache npm: it is not to be\napp/Dockerfile: 1 of 1 RUN got mounts\n"
        );
        let file = fs::read_to_string(directory.path().join("app/Dockerfile")).expect("read");
        assert_eq!(file, expected);
        let args = fs::read_to_string(directory.path().join("bin/docker.args")).expect("read");
        for part in [
            "buildx\nbuild\n",
            "\nBUILDKIT_SYNTAX=larder/frontend:1\n",
            "\nLARDER_CACHE_IDS=dockerfile\n",
            "\nLARDER_CACHE_LAYOUT=default\n",
            "\n--target\nweb\n--file\napp/Dockerfile\napp\n",
        ] {
            assert!(args.contains(part), "{args}");
        }
    }
}

#[test]
fn what_no_flag_can_say_is_left_alone() {
    for (part, reason) in [
        (
            r#""env": {"PIP_CACHE_DIR": "/p"}"#,
            "the command would need PIP_CACHE_DIR=/p, and no flag sets a variable",
        ),
        (
            r#""without": ["PIP_NO_CACHE_DIR"]"#,
            "PIP_NO_CACHE_DIR of the base image keeps it from being used",
        ),
    ] {
        let directory = context(&[("Dockerfile", FILE)]);
        let plan = PLAN.replace("\"leftAlone\"", &format!("{part}, \"leftAlone\""));
        docker(directory.path(), &format!("{{\"result.json\": {plan}}}"));
        let mut command = larder(directory.path());
        command.env("PATH", directory.path().join("bin"));
        let output = command.args(["dockerfile", "rewrite"]).output();
        let (code, stdout, stderr) = texts(&output.expect("it starts"));
        assert_eq!((code, stdout.as_str()), (0, FILE), "{stderr}");
        assert!(
            stderr.contains(&format!("Dockerfile:2: no cache pip: {reason}")),
            "{stderr}"
        );
        assert!(
            stderr.ends_with("Dockerfile: 0 of 1 RUN got mounts\n"),
            "{stderr}"
        );
    }
}

#[test]
fn mistakes_are_told() {
    let directory = context(&[
        ("Dockerfile", "FROM a\nRUN <<EOF\n"),
        ("none", ""),
        ("bad.llb", "none\n"),
    ]);
    let case = |args: &[&str]| {
        let all: Vec<&str> = ["dockerfile", "rewrite"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        let (code, stdout, stderr) = run(directory.path(), &all);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        stderr
    };
    assert_eq!(
        case(&[]),
        "error: Dockerfile: line 2: a heredoc has no end\n"
    );
    assert!(case(&["gone"]).contains("gone: there is no such file"));
    assert!(case(&["none"]).contains("cannot run `docker`; name LLB of the file with --llb"));
    assert!(case(&["--llb", "bad.llb", "none"]).contains("bad.llb: not an LLB definition"));
    docker(directory.path(), "{}");
    let mut command = larder(directory.path());
    command.env("PATH", directory.path().join("bin"));
    let output = command.args(["dockerfile", "rewrite", "none"]).output();
    let (code, _, stderr) = texts(&output.expect("it starts"));
    assert_eq!(code, 1);
    assert!(
        stderr.contains("`larder/frontend:1` did not answer"),
        "{stderr}"
    );
}
