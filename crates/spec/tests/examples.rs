//! What the tables of the language say is what is read.

use std::collections::BTreeSet;

use larder_diagnostic::{SourceFile, render};
use larder_spec::language::{ALL, IGNORED, Key, Mapping, ONE_STAGE, SPEC, STAGE, Shape};
use larder_spec::parse;

/// A spec in which the braces are replaced by a mapping of the language.
fn around(name: &str) -> &'static str {
    match name {
        "spec" => "{}",
        "stage" => "{stages: {app: {}}}",
        "from" => "{from: {}}",
        "arg" => "{from: a, args: {A: {}}}",
        "run-step" | "install-step" | "copy-step" | "add-step" | "file-step" => {
            "{from: a, steps: [{}]}"
        }
        "output" => "{from: a, steps: [{run: a, outputs: [{}]}]}",
        "secret" => "{from: a, steps: [{run: a, secrets: [{}]}]}",
        "ssh" => "{from: a, steps: [{run: a, ssh: [{}]}]}",
        "bind-mount" | "tmpfs-mount" => "{from: a, steps: [{run: a, mounts: [{}]}]}",
        "copy" => "{from: a, steps: [{copy: {}}]}",
        "add" => "{from: a, steps: [{add: {}}]}",
        "file" => "{from: a, steps: [{file: {}}]}",
        "cache" => "{from: a, caches: [{}]}",
        "image" => "{from: a, image: {}}",
        "healthcheck" => "{from: a, image: {healthcheck: {}}}",
        "registry-cache" | "local-cache" => "{from: a, registry-cache: {}}",
        "registry-place" | "inline-cache" | "gha-cache" | "s3-cache" | "azblob-cache" => {
            "{from: a, registry-cache: {export: {}}}"
        }
        other => panic!("nothing is known around {other}"),
    }
}

/// The mapping with the key, and with those without which it is wrong.
fn with(mapping: &Mapping, key: &Key) -> String {
    if (mapping.name, key.name) == ("add", "unpack") {
        return format!(
            "{{src: https://example.com/a.tar, unpack: {}}}",
            key.example
        );
    }
    let needs = |other: &&Key| match (mapping.name, key.name) {
        ("spec", "stages") => false,
        ("spec", _) => other.name == "from",
        ("registry-cache" | "registry-place", _) => other.name == "ref",
        ("local-cache", _) => other.required || other.name == "dest",
        ("cache", "source") => other.required || other.name == "from",
        _ => other.required,
    };
    let others = mapping.keys.iter().filter(needs);
    let others = others.filter(|other| other.name != key.name);
    let pairs: Vec<String> = others
        .chain([key])
        .map(|key| format!("{}: {}", key.name, key.example))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

#[test]
fn every_example_is_read() {
    for mapping in ALL {
        for key in mapping.keys {
            let text = around(mapping.name).replacen("{}", &with(mapping, key), 1);
            let file = SourceFile::new("larder.yaml", text);
            let parsed = parse(&file);
            assert!(
                parsed.diagnostics.is_empty(),
                "{} of {}:\n{}",
                key.name,
                mapping.name,
                render(&parsed.diagnostics, &file)
            );
        }
    }
}

#[test]
fn every_mapping_is_listed_once() {
    let names: BTreeSet<&str> = ALL.iter().map(|mapping| mapping.name).collect();
    assert_eq!(names.len(), ALL.len());
    for mapping in ALL {
        let keys: BTreeSet<&str> = mapping.names().collect();
        assert_eq!(keys.len(), mapping.keys.len(), "{}", mapping.name);
        for (elsewhere, _) in mapping.elsewhere {
            assert!(!mapping.has(elsewhere), "{elsewhere} in {}", mapping.name);
        }
        for key in mapping.keys {
            listed(&key.takes, &names);
        }
    }
}

fn listed(shape: &Shape, names: &BTreeSet<&str>) {
    match shape {
        Shape::Mapping(mapping) => assert!(names.contains(mapping.name), "{}", mapping.name),
        Shape::List(inner) | Shape::NonEmpty(inner) | Shape::Map(_, inner) => listed(inner, names),
        Shape::OneOf(all) => all.iter().for_each(|inner| listed(inner, names)),
        _ => {}
    }
}

#[test]
fn one_stage_at_the_top_has_what_a_stage_has() {
    let both = ["args", "user", "caches"];
    let of_stage: BTreeSet<&str> = STAGE.names().filter(|key| !both.contains(key)).collect();
    assert_eq!(of_stage, BTreeSet::from(ONE_STAGE));
    assert!(STAGE.names().all(|key| SPEC.has(key)));
    assert_eq!(IGNORED, r"x-[\s\S]*");
}
