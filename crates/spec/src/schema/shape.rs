//! What a value may be, as JSON Schema says it.
//!
//! A scalar is read as it is written, so wherever text may stand, a number and a boolean may too.

use serde_json::{Map, Value, json};

use crate::language::{Key, Mapping, Shape};

/// A mapping of the language: its keys and no others.
pub(super) fn mapping(mapping: &Mapping) -> Value {
    let required: Vec<&str> = mapping
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut out = json!({
        "type": "object",
        "description": plain(mapping.doc),
        "properties": properties(mapping.keys),
        "additionalProperties": false,
    });
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    out
}

/// Keys by name.
fn properties(keys: &[Key]) -> Map<String, Value> {
    keys.iter()
        .map(|one| (one.name.to_owned(), key(one)))
        .collect()
}

fn key(key: &Key) -> Value {
    let mut out = shape(&key.takes);
    let mut text = plain(key.doc);
    match value_of(key.default) {
        Some(value) => out["default"] = value,
        None if key.default.is_empty() => {}
        None => text = format!("{text} Default: {}.", plain(key.default)),
    }
    out["description"] = text.into();
    if let Some(example) = yaml(key.example).filter(|_| !key.example.is_empty()) {
        out["examples"] = json!([example]);
    }
    out
}

pub(super) fn shape(of: &Shape) -> Value {
    match of {
        Shape::Nothing => json!({"type": "null"}),
        Shape::Template | Shape::Text => text("\\S"),
        Shape::TemplateOrEmpty | Shape::TextOrEmpty => {
            json!({"type": ["string", "number", "boolean"]})
        }
        Shape::Pattern(pattern) => text(&anchored(pattern)),
        Shape::Arg => json!({"type": "string", "pattern": r"\$\{"}),
        Shape::Bool => json!({"enum": [true, false, "true", "false"]}),
        Shape::Integer(least, most) => number_or(*least, *most, "^[0-9]+$"),
        // As decimal digits, since YAML's numbers with a leading zero are decimal.
        Shape::Mode => number_or(0, 7777, "^(0o)?0*[0-7]{1,4}$"),
        Shape::Size => number_or(1, u64::MAX, SIZE),
        Shape::Duration => json!({"type": "string", "pattern": DURATION}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::List(element) => json!({"type": "array", "items": shape(element)}),
        Shape::NonEmpty(element) => {
            json!({"type": "array", "items": shape(element), "minItems": 1})
        }
        Shape::Map(names, value) => json!({
            "type": "object",
            "patternProperties": {anchored(names): shape(value)},
            "additionalProperties": false,
        }),
        Shape::Mapping(mapping) => json!({"$ref": format!("#/$defs/{}", mapping.name)}),
        Shape::OneOf(shapes) => {
            let shapes: Vec<Value> = shapes.iter().map(shape).collect();
            json!({"anyOf": shapes})
        }
    }
}

/// Decimal digits, and a letter for what they count.
const SIZE: &str = "^[0-9]+([bB]|[kKmMgG]([iI]?[bB])?)?$";

/// Numbers, each with a unit.
const DURATION: &str = "^([0-9]+(ms|us|ns|h|m|s))+$";

/// A pattern says nothing about numbers and booleans; but one that begins with a letter fits no number.
fn text(pattern: &str) -> Value {
    if pattern.starts_with("^(?:[A-Za-z_]") {
        json!({"type": ["string", "boolean"], "pattern": pattern})
    } else {
        json!({"type": ["string", "number", "boolean"], "pattern": pattern})
    }
}

fn number_or(least: u64, most: u64, pattern: &str) -> Value {
    let mut number = json!({"type": "integer", "minimum": least});
    if most < u64::MAX {
        number["maximum"] = most.into();
    }
    json!({"anyOf": [number, {"type": "string", "pattern": pattern}]})
}

pub(super) fn anchored(pattern: &str) -> String {
    if pattern.starts_with('^') && pattern.ends_with('$') {
        pattern.to_owned()
    } else {
        format!("^(?:{pattern})$")
    }
}

/// The value that words stand for which are nothing but code: `` `auto` ``.
fn value_of(words: &str) -> Option<Value> {
    let code = words.strip_prefix('`')?.strip_suffix('`')?;
    if code.contains('`') {
        return None;
    }
    yaml(code)
}

fn yaml(text: &str) -> Option<Value> {
    crate::to_json(&larder_diagnostic::SourceFile::new("", text)).ok()
}

/// Markdown whose links have become their texts: they lead on from pages of the reference.
pub(super) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once("](") {
            Some((text, target)) if !text.contains([']', '[']) && target.contains(')') => {
                out.push_str(text);
                rest = target.split_once(')').map_or("", |(_, rest)| rest);
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_texts() {
        assert_eq!(
            plain("A [mode](spec.md#mode) of [a-z] [b](c)."),
            "A mode of [a-z] b."
        );
        assert_eq!(plain("`[a]` [b"), "`[a]` [b");
    }

    #[test]
    fn a_default_is_a_value_where_it_is_code_alone() {
        const fn with(default: &'static str) -> Key {
            Key {
                name: "k",
                takes: Shape::Bool,
                required: false,
                doc: "Whether.",
                default,
                example: "true",
            }
        }
        let of = |default| key(&with(default));
        assert_eq!(of("`false`")["default"], json!(false));
        assert_eq!(of("`false`")["description"], "Whether.");
        assert_eq!(of("")["description"], "Whether.");
        let words = of("the stage's `x`");
        assert_eq!(words["description"], "Whether. Default: the stage's `x`.");
        assert_eq!(words.get("default"), None);
        assert_eq!(words["examples"], json!([true]));
    }
}
