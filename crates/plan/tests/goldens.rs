//! Every spec in `plans` against the plan beside it, every spec in `mistakes` and `lints` against what
//! is said of it. `UPDATE_GOLDEN=1` writes the files anew.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use larder_diagnostic::{SourceFile, render};
use larder_plan::lints::LINTS;
use larder_plan::{Request, lower, show};
use serde_json::{Value, json};

fn specs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut specs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    specs.sort();
    assert!(!specs.is_empty());
    specs
}

fn source(path: &Path) -> SourceFile {
    let name = path.file_name().expect("it has one").to_string_lossy();
    let text = std::fs::read_to_string(path).expect("it is text");
    SourceFile::new(name, text)
}

/// Compares a text with a file, or writes the file; says what differs.
fn compare(path: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, actual).expect("it can be written");
        return None;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    (expected != actual).then(|| {
        format!(
            "{} differs; expected:\n{expected}\nactual:\n{actual}",
            path.display()
        )
    })
}

#[test]
fn plans_are_as_written() {
    let mut differences = Vec::new();
    for path in specs("plans") {
        let source = source(&path);
        let context = path.with_extension("");
        let request = if support::cache_context(&context).is_dir() {
            support::request_with_cache()
        } else {
            support::request()
        };
        let plan = match support::plan(&source, &request, &context) {
            Ok(plan) => plan,
            Err(mistakes) => panic!("{}", render(&mistakes, &source)),
        };
        let mut shown = show(&plan, true);
        if !plan.warnings.is_empty() {
            let _ = write!(shown, "\n{}", render(&plan.warnings, &source));
        }
        lower(&plan, &source).expect("nothing is imported");
        differences.extend(compare(&path.with_extension("plan"), &shown));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn mistakes_are_as_written() {
    let mut differences = Vec::new();
    for path in specs("mistakes") {
        let source = source(&path);
        let context = path.with_extension("");
        let mistakes = support::plan(&source, &support::request(), &context)
            .expect_err(&format!("{} is wrong", path.display()));
        let shown = render(&mistakes, &source);
        differences.extend(compare(&path.with_extension("txt"), &shown));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// For each warning a spec that shows it, and in `lints/near` one that is close and does not.
#[test]
fn lints_are_as_written() {
    let mut differences = Vec::new();
    let warnings = |source: &SourceFile, context: &Path| {
        let plan = support::plan(source, &request_of(source), context);
        plan.unwrap_or_else(|mistakes| panic!("{}", render(&mistakes, source)))
            .warnings
    };
    let mut names = Vec::new();
    for path in specs("lints") {
        let name = path
            .file_stem()
            .expect("it has one")
            .to_string_lossy()
            .into_owned();
        let shows = |found: &[larder_diagnostic::Diagnostic]| {
            found.iter().any(|warning| warning.lint == Some(&name))
        };
        let file = source(&path);
        let found = warnings(&file, &path.with_extension(""));
        assert!(shows(&found), "{name}: {}", render(&found, &file));
        differences.extend(compare(&path.with_extension("txt"), &render(&found, &file)));
        let near = source(&path.with_file_name("near").join(format!("{name}.yaml")));
        let found = warnings(&near, &path.with_extension(""));
        assert!(!shows(&found), "{name}: {}", render(&found, &near));
        names.push(name);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let known = LINTS.iter().map(|lint| lint.name);
    let known: Vec<&str> = known.filter(|name| !OF_FRONTEND.contains(name)).collect();
    assert_eq!(names, known);
}

/// The frontend warns of them; planning knows nothing of options and results.
const OF_FRONTEND: [&str; 3] = [
    "annotation-without-index",
    "layer-cache-unavailable",
    "option-without-effect",
];

/// The client's build args are in comments: `# build-arg NAME=VALUE`.
fn request_of(source: &SourceFile) -> Request {
    let mut request = support::request();
    let given = source
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# build-arg "));
    let given = given.filter_map(|arg| arg.split_once('='));
    request.build_args = given
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    request
}

#[test]
fn every_warning_has_a_name_from_the_table() {
    for folder in ["plans", "lints", "mistakes"] {
        for path in specs(folder) {
            let source = source(&path);
            let planned = support::plan(&source, &request_of(&source), &path.with_extension(""));
            let found = planned.map_or_else(|mistakes| mistakes, |plan| plan.warnings);
            for warning in found.iter().filter(|found| !found.is_error()) {
                let known = LINTS.iter().any(|lint| Some(lint.name) == warning.lint);
                assert!(known, "{}: {}", path.display(), warning.message);
            }
        }
    }
}

#[test]
fn a_comment_silences_a_warning_of_its_step() {
    let all = "cache-defeated";
    for (comment, count) in [
        (
            "  # larder: ignore=cache-defeated\n  - run: pip install --no-cache-dir x\n",
            0,
        ),
        (
            "  - run: pip install --no-cache-dir x # larder: ignore=cache-defeated\n",
            0,
        ),
        (
            "  - run: pip install --no-cache-dir x # larder: ignore=cache-emptied,cache-defeated ok\n",
            0,
        ),
        (
            "  - name: x # larder: ignore=cache-defeated\n    run: |\n      pip install --no-cache-dir x\n",
            0,
        ),
        (
            "  - run: |\n      # larder: ignore=cache-defeated\n      pip install --no-cache-dir x\n",
            0,
        ),
        (
            "  - run: pip install --no-cache-dir x # larder: ignore=cache-emptied\n",
            1,
        ),
        (
            "  - run: pip install --no-cache-dir x\n  # larder: ignore=cache-defeated\n",
            1,
        ),
        (
            "  - run: pip install --no-cache-dir x\n  # larder: ignore=cache-defeated\n  - run: 'true'\n",
            1,
        ),
        (
            "  - run: 'true' # larder: ignore=cache-defeated\n  - run: pip install --no-cache-dir x\n",
            1,
        ),
    ] {
        let source = SourceFile::new("larder.yaml", format!("from: python\nsteps:\n{comment}"));
        let plan = support::plan(&source, &support::request(), Path::new("/nowhere"));
        let found = plan.expect("it is good").warnings;
        let count_found = found
            .iter()
            .filter(|warning| warning.lint == Some(all))
            .count();
        assert_eq!(
            (count_found, found.len()),
            (count, count),
            "{comment}{found:?}"
        );
    }
}

#[test]
fn stages_beside_the_result_silence_nothing() {
    let text = "stages:\n  aside:\n    from: python\n  result:\n    from: python\n    steps:\n    \
                - run: pip install --no-cache-dir x\n";
    let source = SourceFile::new("larder.yaml", text);
    let plan = support::plan(&source, &support::request(), Path::new("/nowhere"));
    let found = plan.expect("it is good").warnings;
    let named: Vec<_> = found.iter().map(|warning| warning.lint).collect();
    assert_eq!(named, [Some("cache-defeated")]);
}

#[test]
fn the_table_of_lints_is_sorted_and_documented() {
    let docs = larder_plan::lints::docs();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lints.md");
    assert_eq!(compare(&page, &docs), None);
    assert!(LINTS.is_sorted_by_key(|lint| lint.name));
    assert_eq!(
        larder_plan::lints::rule("cache-defeated"),
        "LarderCacheDefeated"
    );
    let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
    for lint in &LINTS {
        assert!(lint.name.chars().all(kebab), "{}", lint.name);
        let rule = larder_plan::lints::rule(lint.name);
        let row = format!("\n| `{}` | `{rule}` | {} |", lint.name, lint.about);
        assert!(docs.contains(&row));
    }
}

/// For the plan as JSON.
const STAGES: &str = "\
name: shop
stages:
  base:
    from: python:3.13-slim
    steps:
      - run: pip install --no-cache-dir flask
        user: app
  api:
    from: base
    workdir: /app
    steps:
      - run: make
        caches: none
  bare: {from: scratch}
target: api
";

#[test]
fn json_says_what_each_step_gets() {
    let file = SourceFile::new("larder.yaml", STAGES);
    let plan = support::plan(&file, &support::request(), Path::new("/nowhere")).unwrap();
    let text = larder_plan::json([&plan], &file);
    assert_eq!(text, larder_plan::json([&plan], &file));
    let said: Value = serde_json::from_str(&text).unwrap();
    let plan = &said["plans"][0];
    assert_eq!(plan["project"], "shop");
    assert_eq!(plan["platform"], "linux/amd64");
    let stages = plan["stages"].as_array().unwrap();
    let names: Vec<&Value> = stages.iter().map(|stage| &stage["name"]).collect();
    assert_eq!(names, ["base", "api"]);
    assert!(stages[0]["from"]["image"].is_string(), "{text}");
    assert_eq!(stages[1]["from"], json!({"stage": "base"}));
    assert_eq!(stages[1]["user"], "root");

    let run = &stages[0]["steps"][0];
    assert_eq!(
        run["name"],
        "[base 1/1] run pip install --no-cache-dir flask"
    );
    assert_eq!(
        run["location"],
        json!({"file": "larder.yaml", "lines": [6, 6]})
    );
    assert_eq!((&run["user"], &run["uid"]), (&json!("app"), &json!(1001)));
    assert_eq!(run["mounts"][0]["cache"], "pip");
    assert_eq!(run["mounts"][0]["target"], "/cache/pip");
    assert_eq!(run["mounts"][0]["mode"], "0755");
    assert_eq!(run["env"]["PIP_CACHE_DIR"], "/cache/pip");
    assert_eq!(run["defeated"][0]["lint"], "cache-defeated");
    assert!(run.get("unread").is_none() && run.get("outputs").is_none());

    let last = stages[1]["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["mounts"], json!([]));
    assert_eq!(last["workdir"], "/app");
    assert_eq!(plan["image"]["config"]["WorkingDir"], "/app");
}
