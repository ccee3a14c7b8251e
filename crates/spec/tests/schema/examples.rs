//! A spec for every key of the tables, with the example that is there.

use larder_diagnostic::SourceFile;
use larder_spec::language::{ALL, Key, Mapping};
use larder_spec::to_json;
use serde_json::{Map, Value, json};

use crate::mutate;

/// A mapping with a key, or with those alone that it needs.
pub(crate) struct Example {
    /// Which mapping.
    pub(crate) mapping: &'static Mapping,
    /// The key that is shown.
    pub(crate) key: Option<&'static str>,
    /// The mapping.
    pub(crate) object: Map<String, Value>,
}

impl Example {
    /// `MAPPING.KEY`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.mapping.name, self.key.unwrap_or("*"))
    }

    /// A spec with it.
    pub(crate) fn spec(&self) -> Value {
        spec(self.mapping, self.object.clone().into())
    }

    /// Specs in which one thing of it is different: of the key that is shown, or else anything.
    pub(crate) fn mutants(&self) -> Vec<Value> {
        let mutants = match self.key {
            Some(key) => mutate::key(&self.object, key),
            None => mutate::all(&Value::Object(self.object.clone())),
        };
        let specs = mutants.into_iter().map(|one| spec(self.mapping, one));
        specs.collect()
    }
}

/// What else a key needs, or cannot have: the mapping, the key, and keys that come with it.
const WITH: &[(&str, &str, &str)] = &[
    ("cache", "source", "{from: debian}"),
    ("add", "unpack", "{src: https://example.com/tool.tar.gz}"),
    ("spec", "target", "{stages: {api: {from: debian}}}"),
];

/// What mappings need of which no single key is required.
const NEEDED: &[(&str, &str)] = &[
    ("registry-cache", "{ref: \"registry:5000/cache\"}"),
    ("registry-place", "{ref: \"registry:5000/cache\"}"),
    ("local-cache", "{dest: layers}"),
];

/// For each mapping its required keys alone, and these with each other key.
pub(crate) fn all() -> Vec<Example> {
    let mut found = Vec::new();
    for mapping in ALL {
        let required = mapping.keys.iter().filter(|key| key.required);
        let mut least: Map<String, Value> = required.map(pair).collect();
        let mut needed = NEEDED.iter();
        if let Some((_, more)) = needed.find(|(of, _)| *of == mapping.name)
            && let Value::Object(more) = yaml(more)
        {
            least.extend(more);
        }
        found.push(Example {
            mapping,
            key: None,
            object: least.clone(),
        });
        for key in mapping.keys.iter().filter(|key| !key.required) {
            let mut object = least.clone();
            let more =
                |(of, name, _): &&(&str, &str, &str)| (*of, *name) == (mapping.name, key.name);
            for (_, _, more) in WITH.iter().filter(more) {
                if let Value::Object(more) = yaml(more) {
                    object.extend(more);
                }
            }
            object.extend([pair(key)]);
            found.push(Example {
                mapping,
                key: Some(key.name),
                object,
            });
        }
    }
    found
}

fn pair(key: &Key) -> (String, Value) {
    assert!(!key.example.is_empty(), "{} has no example", key.name);
    (key.name.to_owned(), yaml(key.example))
}

fn yaml(text: &str) -> Value {
    to_json(&SourceFile::new(text, text)).expect("it is YAML")
}

/// A spec that has a value where the mapping belongs.
fn spec(mapping: &Mapping, value: Value) -> Value {
    let step = |step: Value| json!({"from": "debian", "steps": [step]});
    let run = |key: &str, value: Value| step(json!({"run": "make", key: value}));
    match mapping.name {
        "spec" => with_stage(value),
        "stage" => json!({"stages": {"app": value}}),
        "from" => json!({"from": value}),
        "arg" => json!({"from": "debian", "args": {"NAME": value}}),
        "run-step" | "install-step" | "copy-step" | "add-step" | "file-step" => step(value),
        "output" => run("outputs", json!([value])),
        "secret" => run("secrets", json!([value])),
        "ssh" => run("ssh", json!([value])),
        "bind-mount" | "tmpfs-mount" => run("mounts", json!([value])),
        "cache" => run("caches", json!([value])),
        "copy" | "add" | "file" => step(json!({mapping.name: value})),
        "image" => json!({"from": "debian", "image": value}),
        "healthcheck" => json!({"from": "debian", "image": {"healthcheck": value}}),
        "registry-cache" | "local-cache" => json!({"from": "debian", "registry-cache": value}),
        "registry-place" | "inline-cache" | "gha-cache" | "s3-cache" | "azblob-cache" => {
            json!({"from": "debian", "registry-cache": {"export": value}})
        }
        name => panic!("where does {name} stand in a spec?"),
    }
}

/// The tables cannot say that a spec needs `from` or `stages`.
fn with_stage(mut spec: Value) -> Value {
    if let Value::Object(object) = &mut spec
        && !object.contains_key("stages")
    {
        object.entry("from").or_insert("debian".into());
    }
    spec
}
