//! Warnings of the catalogue among those of a Dockerfile's own frontend.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use larder_gateway::{Excerpt, RawResult};
use larder_inject::definition::{Injected, show};
use serde_json::{Value, json};

/// The request for warnings.
pub(super) const REQUEST: &str = "frontend.lint";
/// Which warnings are wanted, over what the file says.
pub(super) const CONFIG: &str = "build-arg:BUILDKIT_DOCKERFILE_CHECK";

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Its name, in the style of the others: `LarderCacheDefeated`.
    pub(super) rule: String,
    /// What is the case, and what to do.
    pub(super) detail: String,
    /// File and lines.
    pub(super) location: Option<(String, RangeInclusive<u32>)>,
}

/// What there is to warn of, in the order of the commands; one that two platforms share is one.
pub(super) fn findings(injected: &Injected) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    for mistake in &injected.mistakes {
        add(Finding {
            rule: rule("comment"),
            detail: format!("{}: {}", mistake.message, mistake.hint),
            location: Some((mistake.file.clone(), mistake.line..=mistake.line)),
        });
    }
    for exec in &injected.execs {
        for defeat in &exec.decision.defeated {
            add(Finding {
                rule: rule(show::lint(defeat.harm)),
                detail: format!("{}: {}", show::sentence(defeat), defeat.hint),
                location: exec.location.clone(),
            });
        }
    }
    found
}

fn rule(name: &str) -> String {
    let mut out = "Larder".to_owned();
    for word in name.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

/// Rules that the author does not want.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    all: bool,
    rules: BTreeSet<String>,
}

impl Skipped {
    /// From the option, or else from the file's `# check=skip=…`.
    pub(super) fn read(option: Option<&str>, file: &[u8]) -> Skipped {
        let file = String::from_utf8_lossy(file);
        let comments = file
            .lines()
            .map_while(|line| line.trim_start_matches('\u{feff}').strip_prefix('#'));
        let mut directives = comments.filter_map(|comment| comment.split_once('='));
        let directive = || {
            let (_, value) =
                directives.find(|(key, _)| key.trim().eq_ignore_ascii_case("check"))?;
            Some(value)
        };
        let mut skipped = Skipped::default();
        for part in option.or_else(directive).unwrap_or_default().split(';') {
            let Some(("skip", names)) = part.split_once('=').map(|(key, it)| (key.trim(), it))
            else {
                continue;
            };
            for name in names.split(',').map(str::trim) {
                skipped.all |= name == "all";
                skipped.rules.insert(name.to_owned());
            }
        }
        skipped
    }

    pub(super) fn contains(&self, rule: &str) -> bool {
        self.all || self.rules.contains(rule)
    }
}

/// Adds warnings to the answer of another frontend. What it says of success stays: ours are advice. An
/// answer that is not understood stays as it is.
pub(super) fn add<'a>(
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
        warnings.push(json!({ "ruleName": rule, "detail": detail, "location": at }));
    }
    if !any {
        return;
    }
    answer.insert("warnings".to_owned(), warnings.into());
    answer.insert("sources".to_owned(), sources.into());
    let json = serde_json::to_vec_pretty(&answer).unwrap_or_default();
    result.set_metadata("result.json", json);
    result.set_metadata("result.txt", text.into_bytes());
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

    #[test]
    fn names_are_in_the_style_of_the_others() {
        assert_eq!(rule("cache-defeated"), "LarderCacheDefeated");
        assert_eq!(rule("comment"), "LarderComment");
    }

    #[test]
    fn rules_can_be_skipped() {
        let file = b"# syntax=x\n# check=error=true;skip=A, LarderComment\nFROM x\n";
        let of_file = Skipped::read(None, file);
        assert!(of_file.contains("LarderComment") && of_file.contains("A"));
        assert!(!of_file.contains("LarderCacheDefeated"));
        assert!(Skipped::read(Some("skip=all"), file).contains("B"));
        assert_eq!(Skipped::read(Some(""), file), Skipped::read(None, b""));
        let later = b"FROM x\n# check=skip=all\n";
        assert_eq!(Skipped::read(None, later), Skipped::default());
    }

    fn finding(line: u32) -> Finding {
        Finding {
            rule: "LarderCacheDefeated".to_owned(),
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
        assert_eq!(result.metadata("result.statuscode"), Some(&b"0"[..]));
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
