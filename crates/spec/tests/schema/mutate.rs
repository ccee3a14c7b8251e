//! One thing of a good value made wrong, in every way and at every place.

use serde_json::{Map, Value, json};

/// What stands in for a value.
fn others() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!(9),
        json!(-1),
        json!(1.5),
        json!(""),
        json!(" "),
        json!("no-such-word"),
        json!("two words"),
        json!("$NAME"),
        json!("${NAME"),
        json!([]),
        json!([null]),
        json!([""]),
        json!(["word"]),
        json!(["word", ""]),
        json!([7]),
        json!(["A=x\ny"]),
        json!([[]]),
        json!([{}]),
        json!({}),
        json!({"no-such-key": "x"}),
        json!({"NAME": null}),
        json!({"NAME": "x"}),
        json!({"NAME": []}),
        json!({"NAME": {"no-such-key": "x"}}),
    ]
}

/// Everything that differs from a value in one thing: itself replaced, or something in it.
pub(crate) fn all(value: &Value) -> Vec<Value> {
    let mut found = inside(value);
    found.extend(others());
    found
}

/// Everything that differs from a mapping in one key.
pub(crate) fn key(object: &Map<String, Value>, key: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let child = &object[key];
    for other in all(child) {
        let mut changed = object.clone();
        changed.insert(key.to_owned(), other);
        found.push(changed.into());
    }
    let mut without = object.clone();
    without.remove(key);
    found.push(without.clone().into());
    for name in [format!("{key}q"), "0 9".to_owned(), String::new()] {
        let mut renamed = without.clone();
        renamed.insert(name, child.clone());
        found.push(renamed.into());
    }
    found
}

fn inside(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    match value {
        Value::Object(object) => {
            for name in object.keys() {
                found.extend(key(object, name));
            }
            let mut more = object.clone();
            more.insert("no-such-key".to_owned(), json!("x"));
            found.push(more.into());
        }
        Value::Array(list) => {
            for (at, child) in list.iter().enumerate() {
                for other in all(child) {
                    let mut changed = list.clone();
                    changed[at] = other;
                    found.push(changed.into());
                }
            }
        }
        _ => {}
    }
    found
}
