//! YAML as JSON, for those who judge a spec by the [schema](crate::schema()).

use granit_parser::ScalarStyle;
use larder_diagnostic::{Diagnostic, SourceFile};
use serde_json::{Map, Number, Value};

use crate::report::Report;
use crate::tree::{self, Kind, Node};

/// The value that an editor sees in a YAML file: scalars by the core schema of YAML 1.2, keys as text, of
/// equal keys the first, aliases followed. What is not one YAML document is the error.
pub fn to_json(file: &SourceFile) -> Result<Value, Vec<Diagnostic>> {
    let mut report = Report::default();
    let root = tree::read(&file.text, &mut report);
    match root {
        Some(root) if report.is_empty() => Ok(value(&root)),
        None if report.is_empty() => Ok(Value::Null),
        _ => Err(report.finish()),
    }
}

fn value(node: &Node<'_>) -> Value {
    match &node.resolve().kind {
        _ if node.is_null() => Value::Null,
        Kind::List(elements) => elements.iter().map(value).collect(),
        Kind::Mapping(pairs) => {
            let mut object = Map::new();
            for (key, one) in pairs {
                let key = key.scalar().unwrap_or_default();
                object.entry(key.to_owned()).or_insert_with(|| value(one));
            }
            Value::Object(object)
        }
        Kind::Scalar {
            text,
            style: ScalarStyle::Plain,
        } => plain(text),
        _ => node.scalar().unwrap_or_default().into(),
    }
}

/// A scalar without quotes, which is not null.
fn plain(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| text.into(), Value::Number),
    }
}

/// A number that JSON has, too.
fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // `inf` and `nan` are numbers for Rust alone, `.5` for both.
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if unsigned.bytes().all(|b| b.is_ascii_digit())
        && let Some(whole) = whole(plain)
    {
        return Some(whole);
    }
    plain.parse().ok().and_then(Number::from_f64)
}

fn whole(text: &str) -> Option<Number> {
    let positive = text.parse::<u64>().map(Number::from);
    positive
        .or_else(|_| text.parse::<i64>().map(Number::from))
        .ok()
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    let good = digits.chars().all(|c| c.is_digit(radix));
    good.then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
        .map(Number::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        to_json(&SourceFile::new("x.yaml", text)).expect("it is YAML")
    }

    #[test]
    fn scalars_are_what_an_editor_takes_them_for() {
        let text = "[1, -2, +3, 0644, 0o17, 0xff, 1.5, .5, 1e3, true, False, ~, null, yes, on, .inf, inf, \
                    '1', \"true\", 1.2.3, 12abc, 0o9, 99999999999999999999]";
        let expected = json!([
            1, -2, 3, 644, 15, 255, 1.5, 0.5, 1000.0, true, false, null, null, "yes", "on", ".inf",
            "inf", "1", "true", "1.2.3", "12abc", "0o9", 1e20
        ]);
        assert_eq!(read(text), expected);
    }

    #[test]
    fn mappings_have_text_as_keys_and_aliases_are_followed() {
        let text = "a: &x {8000: 1}\nb: *x\nc:\na: 2\n";
        assert_eq!(
            read(text),
            json!({"a": {"8000": 1}, "b": {"8000": 1}, "c": null})
        );
        assert_eq!(read(""), Value::Null);
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        let file = SourceFile::new("x.yaml", "a: [1\n");
        assert_eq!(to_json(&file).expect_err("a list without end").len(), 1);
    }
}
