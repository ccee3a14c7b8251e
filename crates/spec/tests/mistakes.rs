//! Every file of `tests/mistakes` with what its reader is told.
//!
//! `UPDATE_GOLDEN=1` rewrites the expectations.

use std::fs;
use std::path::{Path, PathBuf};

use larder_diagnostic::{SourceFile, render, summary};
use larder_spec::parse;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

fn tell(name: &str, text: String) -> String {
    let file = SourceFile::new(name, text);
    let diagnostics = parse(&file).diagnostics;
    format!(
        "{}\n{}\n",
        render(&diagnostics, &file),
        summary(&diagnostics)
    )
}

#[test]
fn each_mistake_is_told_as_expected() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 25, "only {} files", files.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a text file");
        let told = tell("larder.yaml", text);
        assert!(told.contains("error"), "{} has no mistake", path.display());
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &told).expect("the folder can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            different.push(format!("{}\n{told}", path.display()));
        }
    }
    assert!(
        different.is_empty(),
        "run with UPDATE_GOLDEN=1 and review:\n{}",
        different.join("\n")
    );
}

#[test]
fn five_mistakes_are_five_excerpts() {
    let text = fs::read_to_string(folder().join("five.yaml")).expect("the file is there");
    let told = tell("larder.yaml", text);
    assert_eq!(told.matches("\nerror: ").count() + 1, 5, "{told}");
    assert_eq!(told.matches(" --> larder.yaml:").count(), 5, "{told}");
    assert!(told.ends_with("\n5 errors\n"), "{told}");
}
