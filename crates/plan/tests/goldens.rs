//! Every spec in `plans` against the plan beside it, every spec in `mistakes` and `lints` against what
//! is said of it. `UPDATE_GOLDEN=1` writes the files anew.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use larder_diagnostic::{SourceFile, render};
use larder_plan::lints::LINTS;
use larder_plan::{lower, show};

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
        let plan = support::plan(source, &support::request(), context);
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
    let known: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    assert_eq!(names, known);
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
    let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
    for lint in &LINTS {
        assert!(lint.name.chars().all(kebab), "{}", lint.name);
        assert!(docs.contains(&format!("\n| `{}` | {} |", lint.name, lint.about)));
    }
}
