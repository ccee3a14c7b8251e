//! Warnings in answers.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use larder_gateway::{Excerpt, RawResult};
use serde_json::{Map, Value, json};

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its name, in the style of Dockerfile's: `LarderCacheDefeated`.
    pub(crate) rule: String,
    /// What warnings of that name are about.
    pub(crate) about: Option<&'static str>,
    /// What is the case, and what to do.
    pub(crate) detail: String,
    /// File and lines.
    pub(crate) location: Option<(String, RangeInclusive<u32>)>,
}

/// Adds warnings to an answer, which then is no success: as the answer of Dockerfile's frontend with a
/// warning of its own. An answer that is not understood stays as
/// it is.
pub(crate) fn add<'a>(
    result: &mut RawResult,
    findings: impl Iterator<Item = (&'a Finding, Option<Excerpt>)>,
) {
    let answer = result.metadata("result.json");
    let answer = answer.and_then(|json| serde_json::from_slice::<Value>(json).ok());
    let Some(Value::Object(mut answer)) = answer else {
        return;
    };
    let mut list = |name: &str| match answer.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let (mut warnings, mut sources) = (list("warnings"), list("sources"));
    let text = result.metadata("result.txt").unwrap_or_default();
    let mut text = String::from_utf8_lossy(text).into_owned();
    let mut any = false;
    for (finding, excerpt) in findings {
        any = true;
        let Finding {
            rule,
            about,
            detail,
            location,
        } = finding;
        let _ = write!(text, "\nWARNING: {rule}\n{detail}\n");
        let at = match location {
            Some((file, lines)) => json!({
                "sourceIndex": source(&mut sources, file, excerpt.as_ref()),
                "ranges": [{ "start": { "line": lines.start() }, "end": { "line": lines.end() } }],
            }),
            None => json!({ "sourceIndex": -1 }),
        };
        text.push_str(&excerpt.map(|excerpt| excerpt.print()).unwrap_or_default());
        let mut warning = Map::new();
        warning.insert("ruleName".to_owned(), json!(rule));
        warning.extend(about.map(|about| ("description".to_owned(), json!(about))));
        warning.insert("detail".to_owned(), json!(detail));
        warning.insert("location".to_owned(), at);
        warnings.push(Value::Object(warning));
    }
    if !any {
        return;
    }
    answer.insert("warnings".to_owned(), warnings.into());
    answer.insert("sources".to_owned(), sources.into());
    let json = serde_json::to_vec_pretty(&answer).unwrap_or_default();
    result.set_metadata("result.json", json);
    result.set_metadata("result.txt", text.into_bytes());
    result.set_metadata("result.statuscode", b"1".to_vec());
}

/// The number of a source file in the answer, to which it is added if need be; -1 for one that nobody
/// read.
fn source(sources: &mut Vec<Value>, file: &str, excerpt: Option<&Excerpt>) -> i64 {
    let number = |position: usize| i64::try_from(position).unwrap_or(-1);
    let known = sources.iter().position(|source| source["filename"] == file);
    if let Some(position) = known {
        return number(position);
    }
    let read = excerpt.and_then(|it| serde_json::from_slice::<Value>(&it.to_json()).ok());
    let Some(info) = read.and_then(|mut read| read.get_mut("info").map(Value::take)) else {
        return -1;
    };
    sources.push(info);
    number(sources.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: u32) -> Finding {
        Finding {
            rule: "LarderCacheDefeated".to_owned(),
            about: (line == 1).then_some("a flag defeats it"),
            detail: "it is of no use: leave it out".to_owned(),
            location: Some(("Dockerfile".to_owned(), line..=line)),
        }
    }

    fn excerpt(line: u32) -> Excerpt {
        Excerpt {
            file: "Dockerfile".to_owned(),
            data: b"FROM x\nRUN y".to_vec(),
            language: "Dockerfile".to_owned(),
            lines: vec![line..=line],
        }
    }

    #[test]
    fn warnings_join_an_empty_answer() {
        // As Go writes empty lists.
        let mut result = RawResult::answer([
            (
                "result.json",
                br#"{"warnings": null, "sources": null}"#.to_vec(),
            ),
            ("result.statuscode", b"0".to_vec()),
        ]);
        let two = [finding(2), finding(1)];
        add(&mut result, two.iter().zip([Some(excerpt(2)), None]));
        let json: Value = serde_json::from_slice(result.metadata("result.json").unwrap()).unwrap();
        assert_eq!(json["sources"].as_array().unwrap().len(), 1);
        assert_eq!(json["sources"][0]["data"], "RlJPTSB4ClJVTiB5");
        assert_eq!(
            json["warnings"][0],
            json!({
                "ruleName": "LarderCacheDefeated",
                "detail": "it is of no use: leave it out",
                "location": {
                    "sourceIndex": 0,
                    "ranges": [{"start": {"line": 2}, "end": {"line": 2}}],
                },
            })
        );
        assert_eq!(json["warnings"][1]["location"]["sourceIndex"], 0);
        assert_eq!(json["warnings"][1]["description"], "a flag defeats it");
        assert_eq!(result.metadata("result.statuscode"), Some(&b"1"[..]));
        assert_eq!(
            result
                .metadata("result.txt")
                .map(String::from_utf8_lossy)
                .unwrap(),
            "
WARNING: LarderCacheDefeated
it is of no use: leave it out
Dockerfile:2
--------------------
   1 |     FROM x
   2 | >>> RUN y
--------------------

WARNING: LarderCacheDefeated
it is of no use: leave it out
"
        );
    }

    #[test]
    fn what_is_not_understood_stays() {
        for json in ["", "[]", "{"] {
            let came = RawResult::answer([("result.json", json.as_bytes().to_vec())]);
            let mut result = came.clone();
            add(&mut result, [finding(1)].iter().zip([None]));
            assert_eq!(result, came, "{json}");
        }
    }
}
