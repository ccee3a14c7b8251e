//! Every spec in `plans` against the plan beside it, every spec in `mistakes` against what is said of
//! it. `UPDATE_GOLDEN=1` writes the files anew.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use larder_diagnostic::{SourceFile, render};
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
