//! Every spec in the documentation is read without a complaint, and can be planned.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{context, run};
use larder_diagnostic::{SourceFile, render};
use larder_spec::parse;

/// A fenced block of YAML: the line that it starts on, and its text.
fn fences(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &mut open {
            None if line.trim() == "```yaml" => open = Some((number + 2, indent, String::new())),
            None => {}
            Some(_) if line.trim() == "```" => {
                found.extend(open.take().map(|(start, _, text)| (start, text)));
            }
            Some((_, indent, text)) => {
                text.push_str(line.get(*indent..).unwrap_or_default());
                text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a fence is never closed");
    found
}

fn is_spec(text: &str) -> bool {
    let starts = |line: &str| line.starts_with("from:") || line.starts_with("stages:");
    text.lines().any(starts)
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).expect("there is documentation") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

#[test]
fn specs_in_the_documentation_are_good() {
    let directory = context(&[
        ("requirements.txt", "flask==3.1.0\n"),
        ("package.json", "{}\n"),
        ("package-lock.json", "{}\n"),
        ("web/package.json", "{}\n"),
        ("web/package-lock.json", "{}\n"),
        ("go.mod", "module example.com/app\n"),
        ("go.sum", ""),
        (
            "Cargo.toml",
            "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n",
        ),
        ("Cargo.lock", "version = 4\n"),
        ("pyproject.toml", ""),
        ("uv.lock", ""),
    ]);
    let mut read = 0;
    let mut wrong = String::new();
    for path in documents() {
        let text = fs::read_to_string(&path).expect("it is text");
        for (line, spec) in fences(&text) {
            if !is_spec(&spec) {
                continue;
            }
            read += 1;
            let file = SourceFile::new(format!("{}:{line}", path.display()), spec);
            let parsed = parse(&file);
            wrong.push_str(&render(&parsed.diagnostics, &file));
            fs::write(directory.path().join("larder.yaml"), &file.text).expect("written");
            let (code, _, stderr) = run(directory.path(), &["check"]);
            if code != 0 {
                wrong.extend([&file.name, ":\n", &stderr]);
            }
        }
    }
    assert_eq!(wrong, "");
    assert!(read >= 20, "only {read} specs were found");
}

#[test]
fn the_schema_in_the_documentation_is_what_the_command_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/larder.schema.json");
    let written = fs::read_to_string(path).expect("`cargo xtask docs` writes it");
    let (code, stdout, stderr) = run(context(&[]).path(), &["schema"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, written, "`cargo xtask docs` writes it anew");
}
