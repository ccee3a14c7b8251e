//! The JSON Schema against the decoder, by a validator that others wrote: what the one accepts, the other
//! accepts.

mod examples;
mod exceptions;
mod mutate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use larder_diagnostic::{Diagnostic, SourceFile, render};
use larder_spec::{parse, schema, to_json};
use serde_json::Value;

use examples::Example;

/// Folders with specs, in the repository.
const FOLDERS: [&str; 7] = [
    "crates/spec/tests/good",
    "crates/spec/tests/mistakes",
    "crates/plan/tests/plans",
    "crates/plan/tests/mistakes",
    "crates/plan/tests/lints",
    "crates/plan/tests/lints/near",
    "examples",
];

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every spec of a folder, and of the folders below that are projects of their own.
fn specs(folder: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut names: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    for path in names {
        let spec = if path.is_dir() {
            path.join("larder.yaml")
        } else {
            path
        };
        if spec.is_file() && spec.extension().is_some_and(|e| e == "yaml") {
            let text = fs::read_to_string(&spec).expect("a text file");
            found.push(SourceFile::new(spec.display().to_string(), text));
        }
    }
    found
}

/// What the decoder says against a spec.
fn mistakes(file: &SourceFile) -> Vec<Diagnostic> {
    let mut found = parse(file).diagnostics;
    found.retain(Diagnostic::is_error);
    found
}

/// What the schema says against a value, a line for each mistake.
fn objections(validator: &Validator, value: &Value) -> String {
    let each = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}\n", error.instance_path()));
    each.collect()
}

#[test]
fn the_schema_is_a_good_one() {
    let schema = schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert_eq!(
        format!("{schema:#}"),
        format!("{:#}", larder_spec::schema())
    );
}

#[test]
fn what_is_read_is_valid() {
    let validator = validator();
    let mut wrong = String::new();
    for folder in FOLDERS {
        let mut good = 0;
        for file in specs(folder) {
            if mistakes(&file).is_empty() {
                good += 1;
                let value = to_json(&file).expect("it is YAML");
                let said = objections(&validator, &value);
                if !said.is_empty() {
                    let _ = write!(wrong, "{}:\n{said}", file.name);
                }
            }
        }
        assert!(good > 0 || folder.ends_with("mistakes"), "{folder}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn examples_of_the_tables_are_good() {
    let validator = validator();
    let mut wrong = String::new();
    for example in examples::all() {
        let spec = example.spec();
        let file = SourceFile::new(example.name(), spec.to_string());
        let said = mistakes(&file);
        if !said.is_empty() {
            let _ = write!(wrong, "{}:\n{}\n", file.name, render(&said, &file));
        }
        let said = objections(&validator, &spec);
        if !said.is_empty() {
            let _ = write!(wrong, "{}: {spec}\n{said}\n", file.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Good specs, each with one thing made wrong: the schema objects where the decoder does.
#[test]
fn what_is_wrong_for_the_one_is_wrong_for_the_other() {
    let validator = validator();
    let mut exceptions = exceptions::Met::default();
    let (mut rejected, mut accepted) = (0, 0);
    let mut wrong = BTreeMap::new();
    for spec in examples::all().iter().flat_map(Example::mutants) {
        let file = SourceFile::new("x.yaml", spec.to_string());
        let said = mistakes(&file);
        let valid = validator.is_valid(&spec);
        match (said.is_empty(), valid) {
            (true, true) => accepted += 1,
            (false, false) => rejected += 1,
            (false, true) if said.iter().all(|one| exceptions.covers(one)) => rejected += 1,
            (false, true) => {
                let told = render(&said, &file);
                wrong.insert(said[0].message.clone(), told);
            }
            (true, false) => {
                let told = format!("only the schema objects: {spec}");
                wrong.insert(told, objections(&validator, &spec));
            }
        }
    }
    let wrong: Vec<String> = wrong
        .into_iter()
        .map(|(of, told)| of + "\n" + &told)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rejected > 2000 && accepted > 500, "{rejected}, {accepted}");
    exceptions.all_met();
}

/// Editors with a YAML language server check the examples as they stand.
#[test]
fn each_example_names_the_schema() {
    let schema = root().join(larder_spec::SCHEMA_PATH);
    let schema = schema.canonicalize().expect("the schema is there");
    let examples = specs("examples");
    assert!(examples.len() >= 5, "{}", examples.len());
    for file in examples {
        let mut lines = file.text.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("# syntax="), "{}", file.name);
        let named = lines
            .next()
            .and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let folder = Path::new(&file.name).parent();
        let path = folder.zip(named).map(|(folder, named)| folder.join(named));
        let found = path.and_then(|path| path.canonicalize().ok());
        assert_eq!(found.as_ref(), Some(&schema), "{}", file.name);
    }
}
