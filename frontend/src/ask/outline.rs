//! The parameters of a target.

use larder_diagnostic::SourceFile;
use larder_gateway::RawResult;
use larder_plan::outline::{Outline, Wanted};
use serde_json::{Map, Value, json};

use super::Question;
use super::place::{location, sources};
use super::table::table;

/// What a build takes from the client, and the caches that it uses.
pub(crate) fn answer(outline: &Outline, file: &SourceFile) -> RawResult {
    let json = serde_json::to_vec_pretty(&json_of(outline, file)).unwrap_or_default();
    Question::Outline.answer(json, text(outline))
}

/// What is empty is left out.
fn json_of(outline: &Outline, file: &SourceFile) -> Value {
    let args = outline.args.iter().map(|arg| {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(arg.name));
        for (name, value) in [("description", &arg.description), ("value", &arg.value)] {
            if let Some(value) = value {
                entry.insert(name.to_owned(), json!(value));
            }
        }
        entry.insert("location".to_owned(), location(file, arg.span));
        Value::Object(entry)
    });
    let caches = outline
        .caches
        .iter()
        .map(|cache| json!({ "ID": cache.id, "location": location(file, cache.span) }));
    let wanted = |wanted: &[Wanted]| -> Vec<Value> {
        let entry = |one: &Wanted| {
            let mut entry = json!({ "name": one.id, "location": location(file, one.span) });
            if one.required {
                entry["required"] = json!(true);
            }
            entry
        };
        wanted.iter().map(entry).collect()
    };
    let mut json = Map::new();
    json.insert("name".to_owned(), json!(outline.name));
    if let Some(description) = &outline.description {
        json.insert("description".to_owned(), json!(description));
    }
    for (name, list) in [
        ("args", args.collect()),
        ("secrets", wanted(&outline.secrets)),
        ("ssh", wanted(&outline.ssh)),
        ("cache", caches.collect()),
    ] {
        if !list.is_empty() {
            json.insert(name.to_owned(), Value::Array(list));
        }
    }
    json.insert("sources".to_owned(), sources(file));
    Value::Object(json)
}

/// A table for each kind, a blank line after each.
fn text(outline: &Outline) -> String {
    let mut head = vec![["TARGET:", outline.name.as_str()]];
    head.extend((outline.description.iter()).map(|about| ["DESCRIPTION:", about.as_str()]));
    let mut tables = vec![table(1, &head)];
    if !outline.args.is_empty() {
        let mut rows = vec![["BUILD ARG", "VALUE", "DESCRIPTION"]];
        rows.extend(outline.args.iter().map(|arg| {
            let value = arg.value.as_deref().unwrap_or_default();
            let about = arg.description.as_deref().unwrap_or_default();
            [arg.name.as_str(), value, about]
        }));
        tables.push(table(3, &rows));
    }
    for (name, wanted) in [("SECRET", &outline.secrets), ("SSH", &outline.ssh)] {
        if !wanted.is_empty() {
            let mut rows = vec![[name, "REQUIRED"]];
            let required = |one: &Wanted| if one.required { "true" } else { "" };
            rows.extend(wanted.iter().map(|one| [one.id.as_str(), required(one)]));
            tables.push(table(3, &rows));
        }
    }
    if !outline.caches.is_empty() {
        let mut rows = vec![["CACHE", "MOUNTED AT", "ID"]];
        rows.extend((outline.caches.iter()).map(|cache| {
            [
                cache.name.as_str(),
                cache.target.as_str(),
                cache.id.as_str(),
            ]
        }));
        tables.push(table(3, &rows));
    }
    tables.iter().map(|table| format!("{table}\n")).collect()
}

#[cfg(test)]
mod tests {
    use larder_diagnostic::Span;
    use larder_plan::model::PlannedArg;
    use larder_plan::outline::UsedCache;

    use super::*;

    fn arg(name: &str, value: Option<&str>, about: Option<&str>) -> PlannedArg {
        PlannedArg {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            default: None,
            description: about.map(str::to_owned),
            span: Span::new(0, 1),
        }
    }

    fn wanted(id: &str, required: bool) -> Wanted {
        Wanted {
            id: id.to_owned(),
            required,
            span: Span::new(2, 3),
        }
    }

    #[test]
    fn it_is_that_of_a_dockerfile_and_the_caches() {
        let file = SourceFile::new("larder.yaml", "a\nb\nc\n");
        let outline = Outline {
            name: "app".to_owned(),
            description: Some("Serves".to_owned()),
            args: vec![
                arg("WHAT", Some("else"), Some("What it\nis for")),
                arg("UNSET", None, None),
            ],
            secrets: vec![wanted("token", true), wanted("more", false)],
            ssh: vec![wanted("default", true)],
            caches: vec![UsedCache {
                id: "/larder/pip".to_owned(),
                name: "pip".to_owned(),
                target: "/cache/pip".to_owned(),
                span: Span::new(4, 5),
            }],
        };
        assert_eq!(
            text(&outline),
            "TARGET:      app\n\
             DESCRIPTION: Serves\n\
             \n\
             BUILD ARG   VALUE   DESCRIPTION\n\
             WHAT        else    What it is for\n\
             UNSET               \n\
             \n\
             SECRET   REQUIRED\n\
             token    true\n\
             more     \n\
             \n\
             SSH       REQUIRED\n\
             default   true\n\
             \n\
             CACHE   MOUNTED AT   ID\n\
             pip     /cache/pip   /larder/pip\n\n"
        );
        let at = |line: u32| json!({"ranges": [{"start": {"line": line}, "end": {"line": line}}]});
        assert_eq!(
            json_of(&outline, &file),
            json!({
                "name": "app",
                "description": "Serves",
                "args": [
                    {
                        "name": "WHAT",
                        "description": "What it\nis for",
                        "value": "else",
                        "location": at(1),
                    },
                    {"name": "UNSET", "location": at(1)},
                ],
                "secrets": [
                    {"name": "token", "required": true, "location": at(2)},
                    {"name": "more", "location": at(2)},
                ],
                "ssh": [{"name": "default", "required": true, "location": at(2)}],
                "cache": [{"ID": "/larder/pip", "location": at(3)}],
                "sources": ["YQpiCmMK"],
            })
        );
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let outline = Outline {
            name: "app".to_owned(),
            ..Outline::default()
        };
        assert_eq!(text(&outline), "TARGET: app\n\n");
        let json = json_of(&outline, &SourceFile::new("larder.yaml", ""));
        assert_eq!(json, json!({"name": "app", "sources": [""]}));
    }
}
