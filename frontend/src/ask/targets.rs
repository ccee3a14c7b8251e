//! What can be built.

use larder_diagnostic::SourceFile;
use larder_gateway::RawResult;
use larder_plan::outline::Target;
use serde_json::{Map, Value, json};

use super::Question;
use super::place::{location, sources};
use super::table::table;

/// Targets, in the order of the file.
pub(crate) fn answer(targets: &[Target], file: &SourceFile) -> RawResult {
    let mut list = Vec::new();
    let mut rows = Vec::new();
    for target in targets {
        let mut entry = Map::new();
        let mut add = |name: &str, value: Value| entry.insert(name.to_owned(), value);
        add("name", json!(target.name));
        if target.is_default {
            add("default", json!(true));
        }
        if let Some(description) = &target.description {
            add("description", json!(description));
        }
        add("base", json!(target.base));
        if let Some(platform) = &target.platform {
            add("platform", json!(platform));
        }
        add("location", location(file, target.span));
        list.push(Value::Object(entry));
        let name = if target.is_default {
            format!("{} (default)", target.name)
        } else {
            target.name.clone()
        };
        rows.push((name, target.description.clone().unwrap_or_default()));
    }
    let json = json!({ "targets": list, "sources": sources(file) });
    let rows = rows.iter().map(|(name, about)| [name.as_str(), about]);
    let rows: Vec<_> = [["TARGET", "DESCRIPTION"]]
        .into_iter()
        .chain(rows)
        .collect();
    let json = serde_json::to_vec_pretty(&json).unwrap_or_default();
    Question::Targets.answer(json, table(1, &rows))
}

#[cfg(test)]
mod tests {
    use larder_diagnostic::Span;

    use super::*;

    #[test]
    fn they_are_listed_as_those_of_a_dockerfile() {
        let file = SourceFile::new("larder.yaml", "stages:\n  base: {}\n  app: {}\n");
        let target = |name: &str, span| Target {
            name: name.to_owned(),
            description: None,
            base: "debian".to_owned(),
            is_default: false,
            platform: None,
            span,
        };
        let base = Target {
            description: Some("All packages".to_owned()),
            platform: Some("$BUILDPLATFORM".to_owned()),
            ..target("base", Span::new(10, 14))
        };
        let app = Target {
            is_default: true,
            ..target("app", Span::new(21, 24))
        };
        let answer = answer(&[base, app], &file);
        let text = answer.metadata("result.txt").map(String::from_utf8_lossy);
        assert_eq!(
            text.unwrap(),
            "TARGET        DESCRIPTION\nbase          All packages\napp (default) \n"
        );
        let json = answer.metadata("result.json").unwrap();
        let json: Value = serde_json::from_slice(json).unwrap();
        let at = |line: u32| json!({"ranges": [{"start": {"line": line}, "end": {"line": line}}]});
        assert_eq!(
            json,
            json!({
                "targets": [
                    {
                        "name": "base",
                        "description": "All packages",
                        "base": "debian",
                        "platform": "$BUILDPLATFORM",
                        "location": at(2),
                    },
                    {"name": "app", "default": true, "base": "debian", "location": at(3)},
                ],
                "sources": ["c3RhZ2VzOgogIGJhc2U6IHt9CiAgYXBwOiB7fQo="],
            })
        );
        assert_eq!(answer.metadata("version"), Some(&b"1.0.0"[..]));
    }
}
