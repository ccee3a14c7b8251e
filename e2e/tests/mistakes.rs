//! What a person sees in the docker command's output when something is wrong.

use std::{fmt::Write, time::Instant};

use larder_e2e::{Engine, Project, unique};

/// Builds a spec that cannot be built; what is said of it.
fn refused(engine: &Engine, spec: &str) -> String {
    let project = Project::new(engine, spec).unwrap();
    engine.build(&project).fail().unwrap()
}

/// Holds that all of `parts` are said.
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not said in:\n{text}");
    }
}

#[test]
fn five_mistakes_show_five_excerpts() {
    let engine = Engine::from_env().unwrap();
    let spec = "\
name: shop
from: python:3.13-slim
workdir: /${APP}
caches: [pipp]
steps:
  - runn: echo hello
  - copy: ../elsewhere
  - copy: {from: web, src: /src/dist, dset: ./static}
";
    let text = refused(&engine, spec);
    // The first line is the one that names the frontend.
    let marked: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("| >>> "))
        .collect();
    let numbers: Vec<_> = marked.iter().map(|(number, _)| number.trim()).collect();
    assert_eq!(numbers, ["4", "5", "7", "8", "9"], "{text}");
    for number in numbers {
        says(&text, &[&format!("larder.yaml:{number}:")]);
    }
    says(
        &text,
        &[
            "5 errors",
            "APP",
            "`pipp`",
            "`pip`",
            "`runn`",
            "`run`",
            "../elsewhere",
            "`dset`",
            "`dest`",
        ],
    );
}

#[test]
fn a_failing_step_shows_its_line() {
    let engine = Engine::from_env().unwrap();
    let spec = "\
name: failing
from: debian:trixie-slim

# A comment.
env:
  ONE: two

steps:
  - run: echo first
  - run: echo second
  - run: exit 3
  - run: echo last
";
    let text = refused(&engine, spec);
    let marked: Vec<_> = text.lines().filter(|line| line.contains(">>>")).collect();
    assert_eq!(marked, ["  12 | >>>   - run: exit 3"], "{text}");
    says(&text, &["larder.yaml:12", "exit code: 3"]);
}

#[test]
fn a_failing_script_shows_all_its_lines() {
    let engine = Engine::from_env().unwrap();
    let spec = "\
from: debian:trixie-slim
steps:
  - run: |
      echo first
      false
      echo never
";
    let text = refused(&engine, spec);
    let marked: Vec<_> = text.lines().filter(|line| line.contains(">>>")).collect();
    let script = ["echo first", "false", "echo never"];
    assert_eq!(marked.len(), script.len(), "{text}");
    assert!(
        marked
            .iter()
            .zip(script)
            .all(|(line, command)| line.ends_with(command)),
        "{text}"
    );
}

#[test]
fn names_that_nothing_has() {
    let engine = Engine::from_env().unwrap();
    let text = refused(&engine, "from: debian:trixie-slim\nuser: daemno\n");
    says(
        &text,
        &["larder.yaml:3:7", "daemno", "did you mean `daemon`"],
    );
    let text = refused(&engine, "from: debian:trixie-slim\ncaches: [carg]\n");
    says(
        &text,
        &["larder.yaml:3:10", "no cache is called `carg`", "cargo"],
    );
    let text = refused(&engine, "from: debian:trixie-slim\nworkdir: /${HOEM}\n");
    says(&text, &["larder.yaml:3:11", "HOEM"]);
    let stages = "stages:\n  web:\n    from: debian:trixie-slim\ntarget: wbe\n";
    says(
        &refused(&engine, stages),
        &["larder.yaml:5:9", "no stage is called `wbe`", "`web`"],
    );

    let project = Project::new(&engine, stages.trim_end_matches("target: wbe\n")).unwrap();
    let text = engine
        .build(&project)
        .option("--target=wep")
        .fail()
        .unwrap();
    says(&text, &["wep", "web"]);
}

#[test]
fn files_and_images_that_do_not_exist() {
    let engine = Engine::from_env().unwrap();
    let text = refused(
        &engine,
        "from: debian:trixie-slim\nsteps:\n  - copy: missing.txt\n",
    );
    says(&text, &["missing.txt", "not found", "larder.yaml:4"]);
    let image = format!("{}/larder-e2e/none:1", engine.registry());
    let text = refused(&engine, &format!("from: {image}\n"));
    says(&text, &[&image, "not found", "larder.yaml:2:7"]);
    let manifest = "from: python:3.13-slim\nsteps:\n  - install: pip\n";
    let text = refused(&engine, manifest);
    says(&text, &["larder.yaml:4", "requirements.txt"]);
}

#[test]
fn files_that_are_no_spec() {
    let engine = Engine::from_env().unwrap();
    let text = refused(&engine, "from: [debian\nsteps: }\n");
    says(&text, &["larder.yaml:"]);
    let text = refused(&engine, "from: debian\nfrom: debian\n");
    says(&text, &["larder.yaml:3", "from"]);
    let cycle = "stages:\n  a: {from: b}\n  b: {from: c}\n  c: {from: a}\n";
    says(
        &refused(&engine, cycle),
        &["larder.yaml:4:", "need each other"],
    );
}

#[test]
fn files_that_are_meant_to_exhaust() {
    let engine = Engine::from_env().unwrap();
    let start = Instant::now();
    let large = format!(
        "from: debian:trixie-slim\n{}",
        "# comment\n".repeat(200_000)
    );
    let nested = "[".repeat(1_000_000);
    let mut bomb = String::from("x-0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..40 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "x-{level}: &a{level} [{items}]").unwrap();
    }
    bomb.push_str("from: *a39\n");
    for spec in [large, nested, bomb] {
        let text = refused(&engine, &spec);
        assert!(text.len() < 20_000, "it says {} bytes", text.len());
        says(&text, &["larder.yaml"]);
        assert!(!text.contains("closed unexpectedly"), "{text}");
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn warnings_are_shown_and_the_build_goes_on() {
    let engine = Engine::from_env().unwrap();
    let spec = "from: python:3.13-slim\nsteps:\n  - run: pip download --no-cache-dir --help\n";
    let project = Project::new(&engine, spec).unwrap();
    let built = engine
        .build(&project)
        .arg("UNHEARD_OF", "1")
        .succeed()
        .unwrap();
    let warnings = built.warnings.join("\n");
    says(&warnings, &["UNHEARD_OF", "--no-cache-dir"]);
}

#[test]
fn the_daemon_lives_on() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "from: debian:trixie-slim\nsteps:\n  - run: echo {}\n",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    engine.build(&project).succeed().unwrap();
}
