//! A definition in forms that people read, whoever made it.

mod op;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use buildkit_proto::pb;
use prost::Message as _;
use serde_json::{Map, Value, json};

use crate::definition::{Definition, decode};
use crate::digest::Digest;
use crate::import::ImportError;

pub(crate) use op::name;

/// Indented JSON: an array `vertices` with every operation, inputs first, and `head` with the
/// output that is asked for, or null for an empty filesystem. What is absent or has its default
/// is left out; what this crate does not know is not shown.
pub fn json(definition: &Definition) -> Result<String, ImportError> {
    let files = file_names(definition);
    let mut vertices = Vec::new();
    for (digest, bytes) in definition.operations() {
        vertices.push(vertex(definition, &files, digest, &decode(bytes)?));
    }
    let head = definition.head_input()?.map_or(
        Value::Null,
        |(digest, index)| json!({ "digest": digest.to_string(), "output": index }),
    );
    let all = json!({ "head": head, "vertices": vertices });
    Ok(format!("{all:#}\n"))
}

fn vertex(definition: &Definition, files: &[String], digest: Digest, op: &pb::Op) -> Value {
    let digest = digest.to_string();
    let mut vertex = op::json(op);
    let inputs = op.inputs.iter().map(|input| {
        let mut fields = Fields::default();
        fields.text("digest", &input.digest);
        fields.number("output", input.index);
        fields.value()
    });
    vertex.list("inputs", inputs.collect());
    if let Some(platform) = &op.platform {
        vertex.text("platform", &op::platform(platform));
    }
    if let Some(constraints) = &op.constraints {
        vertex.texts("worker", &constraints.filter);
    }
    vertex.set(
        "meta",
        op::meta(
            &definition.meta(&digest),
            definition.linux_resources(&digest),
        ),
    );
    vertex.list("locations", locations(definition, files, &digest));
    vertex.text("digest", &digest);
    vertex.value()
}

fn locations(definition: &Definition, files: &[String], digest: &str) -> Vec<Value> {
    let source = definition.raw().source.as_ref();
    let found = source.and_then(|source| source.locations.get(digest));
    let found = found.map(Vec::as_slice).unwrap_or_default();
    // Never fails: what came from outside was read as this type before.
    let found = pb::Locations::decode(found).unwrap_or_default();
    let file = |index: i32| {
        usize::try_from(index)
            .ok()
            .and_then(|index| files.get(index))
    };
    let line = |position: &Option<pb::Position>| position.map_or(0, |position| position.line);
    let lines = |range: &pb::Range| json!([line(&range.start), line(&range.end)]);
    let location = |location: &pb::Location| {
        let lines: Vec<Value> = location.ranges.iter().map(lines).collect();
        let file = file(location.source_index).map_or("?", String::as_str);
        json!({ "file": file, "lines": lines })
    };
    found.locations.iter().map(location).collect()
}

fn file_names(definition: &Definition) -> Vec<String> {
    let infos = definition
        .raw()
        .source
        .iter()
        .flat_map(|source| &source.infos);
    let read = infos.map(|info| pb::SourceInfo::decode(info.clone()).unwrap_or_default());
    read.map(|info| info.filename).collect()
}

/// A graph for Graphviz: `dot -Tsvg`.
pub fn dot(definition: &Definition) -> Result<String, ImportError> {
    let mut text = String::from("digraph {\n  rankdir=LR\n  node [shape=box]\n");
    let mut ids = BTreeMap::new();
    let mut edges = String::new();
    for (number, (digest, name)) in definition.vertices().enumerate() {
        ids.insert(digest.to_string(), number);
        let _ = writeln!(text, "  v{number} [label={}]", quoted(&name));
    }
    for (number, (_, bytes)) in definition.operations().enumerate() {
        let op = decode(bytes)?;
        for (input, label) in op.inputs.iter().zip(op::input_labels(&op)) {
            let Some(from) = ids.get(&input.digest) else {
                continue;
            };
            let _ = writeln!(edges, "  v{from} -> v{number} [label={}]", quoted(&label));
        }
    }
    text.push_str(&edges);
    if let Some((head, output)) = definition.head_input()?
        && let Some(from) = ids.get(&head.to_string())
    {
        let _ = writeln!(
            text,
            "  result [shape=ellipse]\n  v{from} -> result [label=\"{output}\"]"
        );
    }
    text.push_str("}\n");
    Ok(text)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A JSON object without the fields that say nothing.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, key: &str, value: Value) {
        let empty = match &value {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            self.0.insert(key.to_owned(), value);
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.set(key, text.into());
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        self.set(key, texts.into());
    }

    fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.set(key, true.into());
        }
    }

    fn number(&mut self, key: &str, number: i64) {
        self.set(key, number.into());
    }

    fn list(&mut self, key: &str, items: Vec<Value>) {
        self.set(key, items.into());
    }

    fn value(self) -> Value {
        Value::Object(self.0)
    }
}
