//! Exit codes, and what goes to stdout and stderr.

mod common;

use std::fs;
use std::process::Stdio;

use common::{application, context, larder, run};

#[test]
fn good_specs_are_checked_planned_and_compiled() {
    let directory = application();
    let (code, stdout, stderr) = run(directory.path(), &["check"]);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "larder.yaml: no mistakes\n"),
        "{stderr}"
    );

    let (code, stdout, stderr) = run(directory.path(), &["plan"]);
    assert_eq!(code, 0, "{stderr}");
    for part in ["api", "tools", "pip", "apt"] {
        assert!(stdout.contains(part), "{part} is missing:\n{stdout}");
    }
    assert!(
        stderr.contains("docker.io/library/python:3.13-slim: user root"),
        "{stderr}"
    );

    let (code, stdout, _) = run(directory.path(), &["compile", "--format", "json"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("docker-image://docker.io/library/python:3.13-slim"),
        "{stdout}"
    );
    let (code, stdout, _) = run(directory.path(), &["compile", "--format", "dot"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("digraph"), "{stdout}");
}

#[test]
fn verbose_plans_say_more() {
    let directory = application();
    let (_, short, _) = run(directory.path(), &["plan"]);
    let (_, long, _) = run(directory.path(), &["plan", "-v"]);
    assert!(long.len() > short.len(), "{long}");
}

#[test]
fn plans_are_written_for_programs() {
    let directory = context(&[(
        "larder.yaml",
        "from: python:3.13-slim\nargs: {V: '1'}\nsteps:\n  - run: pip install --no-cache-dir x\n",
    )]);
    let (code, stdout, stderr) = run(directory.path(), &["plan", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let said: serde_json::Value = serde_json::from_str(&stdout).expect("it is JSON");
    let plan = &said["plans"][0];
    assert_eq!(plan["args"][0]["value"], "1");
    assert_eq!(plan["stages"][0]["steps"][0]["mounts"][0]["cache"], "pip");
    assert_eq!(plan["warnings"][0]["lint"], "cache-defeated");
    assert_eq!(plan["warnings"][0]["location"]["lines"][0], 4);
    let assumed = plan["assumed"][0].as_str().unwrap_or_default();
    assert!(
        assumed.starts_with("docker.io/library/python:3.13-slim"),
        "{assumed}"
    );
}

#[test]
fn a_namespace_comes_before_ids() {
    let directory = application();
    let namespace = "BUILDKIT_CACHE_MOUNT_NS=strangers";
    let args = ["plan", "-v", "--build-arg", namespace];
    let (code, stdout, stderr) = run(directory.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(" strangers/larder/shared/pip/"), "{stdout}");
    assert!(!stderr.contains("warning"), "{stderr}");
}

#[test]
fn caches_start_from_directories_of_a_context() {
    let directory = application();
    let seed = context(&[("pip/wheel", ""), ("apt", "no directory")]);
    let at = seed.path().display();
    let option = format!("larder-cache={at}");
    let (code, stdout, stderr) = run(directory.path(), &["plan", "--build-context", &option]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout.matches("starts from larder-cache/").count(), 1);
    assert!(stdout.contains("starts from larder-cache/pip"), "{stdout}");
    let args = ["compile", "--format", "json", "--build-context", &option];
    let (_, stdout, _) = run(directory.path(), &args);
    assert!(stdout.contains("local://larder-cache"), "{stdout}");
    assert!(!stdout.contains(&at.to_string()), "{stdout}");

    let none = "larder-cache=no-such-directory";
    let (code, _, stderr) = run(directory.path(), &["plan", "--build-context", none]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no-such-directory: there is no such directory"));
}

#[test]
fn every_mistake_has_an_excerpt() {
    let directory = context(&[(
        "larder.yaml",
        "\
stages:
  web:
    from: node:22
    stepps: []
    user: 1000:1000:1000
    caches: [nmp]
    steps:
      - run: npm ci
        workdirr: /src
      - copy: {from: apii:1:2, src: a, dest: b}
",
    )]);
    for command in ["check", "plan", "compile"] {
        let (code, stdout, stderr) = run(directory.path(), &[command]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        let excerpts: Vec<&str> = stderr
            .lines()
            .filter(|line| line.trim_start().starts_with("--> larder.yaml:"))
            .collect();
        assert_eq!(excerpts.len(), 5, "{stderr}");
        for line in [4, 5, 6, 9, 10] {
            let place = format!("--> larder.yaml:{line}:");
            assert!(
                excerpts.iter().any(|e| e.contains(&place)),
                "line {line}\n{stderr}"
            );
        }
        assert!(stderr.contains("\nlarder.yaml: 5 errors\n"), "{stderr}");
    }
}

#[test]
fn credentials_are_never_shown() {
    for (text, args) in [
        ("registry-cache: ['me:hunter2@r:5000/x']", None),
        ("registry-cache: {ref: {a: 'me:hunter2@r:5000/x'}}", None),
        ("registry-cache: {import: [['me:hunter2@r:5000/x']]}", None),
        ("registry-cache: {ref: ['me:hunter2@r:5000/x'}", None),
        ("registry-cache: ghp_hunter2@r.example/x/y:z", None),
        (
            "args: {REF: 'ghp_hunter2@r:5000/x'}\nregistry-cache: '${REF}'",
            None,
        ),
        ("name: x", Some("CACHE_REGISTRY=ghp_hunter2@r:5000/x")),
    ] {
        let directory = context(&[("larder.yaml", &format!("from: debian\n{text}\n"))]);
        for command in ["check", "plan", "compile"] {
            let mut words = vec![command];
            match args {
                Some(_) if command == "check" => continue,
                Some(arg) => words.extend(["--build-arg", arg]),
                None => {}
            }
            let (code, stdout, stderr) = run(directory.path(), &words);
            assert_eq!((code, stdout.as_str()), (1, ""), "{text}: {stderr}");
            assert!(!stderr.contains("hunter2"), "{stderr}");
        }
    }
}

#[test]
fn a_mistake_in_a_stage_that_is_not_needed_is_found() {
    let directory = context(&[(
        "larder.yaml",
        "stages:\n  one:\n    from: alpine\n    steps:\n      - install: pip\n  two:\n    from: alpine\n",
    )]);
    let (code, _, stderr) = run(directory.path(), &["plan"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, stderr) = run(directory.path(), &["check"]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("--> larder.yaml:5:"), "{stderr}");
}

#[test]
fn wrong_usage_is_two() {
    let directory = application();
    for args in [
        &["chek"] as &[&str],
        &[],
        &["plan", "--no-such"],
        &["compile", "--format", "xml"],
        &["plan", "--build-arg", "GREETING"],
        &["plan", "--build-context", "other=."],
        &["plan", "--build-context", "larder-cache"],
        &["plan", "--build-context", "larder-cache=docker-image://x"],
        &["plan", "--platform", "x/y/z/w"],
        &["plan", ".", "."],
    ] {
        let (code, stdout, stderr) = run(directory.path(), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
    }
}

#[test]
fn inputs_that_are_not_there_say_what_to_do() {
    let directory = context(&[("sub/x", "")]);
    for (args, part) in [
        (
            &["check", "none"] as &[&str],
            "none: there is no such file or directory",
        ),
        (
            &["check", "sub"],
            "sub: there is no larder.yaml in it; create one",
        ),
        (
            &["check", "-f", "none.yaml", "sub"],
            "none.yaml: there is no such file",
        ),
        (
            &["check", "-f", "sub", "sub"],
            "sub: this is not a regular file",
        ),
        (
            &["check", "-f", "none.yaml", "sub/x"],
            "sub/x: with --file, PATH is the build context",
        ),
        (
            &["check", "/dev/null"],
            "/dev/null: this is not a regular file",
        ),
    ] {
        let (code, stdout, stderr) = run(directory.path(), args);
        assert_eq!((code, stdout.as_str()), (1, ""), "{args:?}");
        assert!(
            stderr.starts_with("error: ") && stderr.contains(part),
            "{stderr}"
        );
    }
}

#[test]
fn unknown_targets_are_a_mistake() {
    let directory = application();
    let (code, _, stderr) = run(directory.path(), &["plan", "--target", "appi"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("did you mean `api`?"), "{stderr}");
    let (code, stdout, _) = run(directory.path(), &["plan", "--target", "tools"]);
    assert_eq!(code, 0);
    assert!(!stdout.contains("pip"), "{stdout}");
}

#[test]
fn files_that_are_no_specs_are_refused() {
    let directory = context(&[("empty", ""), ("list", "- a\n"), ("torn", "{[")]);
    fs::write(directory.path().join("binary"), [0xff; 64]).expect("written");
    fs::write(directory.path().join("deep"), "[".repeat(1_000_000)).expect("written");
    let large = fs::File::create(directory.path().join("large")).expect("made");
    large.set_len(50 << 20).expect("grown");
    for name in ["empty", "list", "torn", "binary", "deep", "large"] {
        let (code, stdout, stderr) = run(directory.path(), &["check", name]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{name}: {stderr}");
        assert!(
            stderr.contains(name) && stderr.len() < 4000,
            "{name}: {stderr}"
        );
    }
    let (_, _, stderr) = run(directory.path(), &["check", "large"]);
    assert!(
        stderr.contains("52428800 bytes, and at most 1048576 are read"),
        "{stderr}"
    );
}

#[test]
fn manifests_are_read_from_the_context_and_its_dockerignore() {
    let spec = "from: python:3.13\nworkdir: /app\nsteps:\n  - install: pip\n";
    let directory = context(&[("larder.yaml", spec)]);
    let (code, _, stderr) = run(directory.path(), &["plan"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("requirements.txt"), "{stderr}");

    let manifest = ("requirements.txt", "flask\n");
    let directory = context(&[("larder.yaml", spec), manifest]);
    assert_eq!(run(directory.path(), &["plan"]).0, 0);

    let directory = context(&[
        ("larder.yaml", spec),
        manifest,
        (".dockerignore", "*.txt\n"),
    ]);
    let (code, _, stderr) = run(directory.path(), &["plan"]);
    assert_eq!(code, 1);
    assert!(stderr.contains(".dockerignore"), "{stderr}");

    // The spec's own list of what to ignore wins.
    let own = ("larder.yaml.dockerignore", "*.log\n");
    fs::write(directory.path().join(own.0), own.1).expect("written");
    assert_eq!(run(directory.path(), &["plan"]).0, 0);
}

#[test]
fn a_spec_may_be_elsewhere() {
    let directory = context(&[
        (
            "specs/api.yaml",
            "from: python:3.13\nsteps:\n  - install: pip\n",
        ),
        ("src/requirements.txt", "flask\n"),
    ]);
    let (code, stdout, stderr) = run(directory.path(), &["check", "-f", "specs/api.yaml", "src"]);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "specs/api.yaml: no mistakes\n"),
        "{stderr}"
    );
    // Without a context of its own, the spec's directory is the context.
    assert_eq!(run(directory.path(), &["check", "specs/api.yaml"]).0, 1);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_context_are_not_followed() {
    use std::os::unix::fs::symlink;

    let outside = context(&[
        ("larder.yaml", "from: alpine\n"),
        ("requirements.txt", "secret\n"),
    ]);
    let inside = context(&[]);
    let spec = inside.path().join("larder.yaml");
    symlink(outside.path().join("larder.yaml"), &spec).expect("linked");
    let (code, _, stderr) = run(inside.path(), &["check"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("the link leads out of the build context"),
        "{stderr}"
    );

    fs::remove_file(&spec).expect("removed");
    fs::write(&spec, "from: python:3.13\nsteps:\n  - install: pip\n").expect("written");
    let manifest = inside.path().join("requirements.txt");
    symlink(outside.path().join("requirements.txt"), manifest).expect("linked");
    let (code, _, stderr) = run(inside.path(), &["plan"]);
    assert_eq!(code, 1, "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_pipe_without_a_reader_is_a_quiet_exit() {
    let directory = application();
    for args in [&["plan"] as &[&str], &["compile"], &["check"]] {
        let mut child = larder(directory.path())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(
            !stderr.contains("error") && !stderr.contains("panic"),
            "{stderr}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let directory = application();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("it is there");
    let output = larder(directory.path())
        .arg("plan")
        .stdout(full)
        .output()
        .expect("it starts");
    let (code, _, stderr) = common::texts(&output);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("error: cannot write the result"),
        "{stderr}"
    );
}
