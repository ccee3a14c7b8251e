//! Telling specs from Dockerfiles.

use larder_gateway::{Bridge, Capabilities, Failure, Given, Options};

use crate::dockerfile::args;
use crate::locate::{Found, locate};

/// Who builds the file.
pub(crate) enum Entrance {
    /// Larder.
    Spec(Box<(Options, Found)>),
    /// Another frontend, and Larder adds the caches. No file if nobody had to look into it, or if it is
    /// for that frontend to say what is wrong with it.
    Other(Option<Box<Found>>),
}

/// What instructions of a Dockerfile start with.
const INSTRUCTIONS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Finds the file, and who builds it. An error is about a spec: in front of a Dockerfile nothing fails
/// that would not fail without Larder.
pub(crate) async fn find(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    given: &Given,
) -> Result<Entrance, Failure> {
    if given.option(args::FRONTEND).is_some() {
        return Ok(Entrance::Other(None));
    }
    let (options, wrong) = match (given.read(), given.read_location()) {
        (Ok(options), _) => (options, None),
        (Err(failure), Ok(options)) => (options, Some(failure)),
        (Err(failure), Err(_)) => return or_other(given, failure),
    };
    let found = match locate(bridge, capabilities, &options).await {
        Ok(found) => found,
        Err(failure) => return or_other(given, failure),
    };
    if !is_spec(&found.data, is_spec_name(&found.name)) {
        return Ok(Entrance::Other(Some(Box::new(found))));
    }
    match wrong {
        None => Ok(Entrance::Spec(Box::new((options, found)))),
        Some(failure) => Err(failure),
    }
}

/// What becomes of a file that cannot be read.
fn or_other(given: &Given, failure: Failure) -> Result<Entrance, Failure> {
    let by_name = match given.option("filename") {
        Some(name) => is_spec_name(name),
        None => !given.options.contains_key("cmdline"),
    };
    if by_name || failure.is_disconnected() {
        Err(failure)
    } else {
        Ok(Entrance::Other(None))
    }
}

fn is_spec_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let is = |known: &&str| extension.is_some_and(|it| it.eq_ignore_ascii_case(known));
    ["yaml", "yml", "json"].iter().any(is)
}

/// By the first line that says something. Where that is neither an instruction nor a key, the name
/// decides.
fn is_spec(data: &[u8], by_name: bool) -> bool {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let lines = data.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let Some(line) = lines.next() else {
        return by_name;
    };
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next();
    let is_instruction = INSTRUCTIONS.contains(&first.to_ascii_lowercase().as_str());
    let is_key = first.ends_with(':') || second.is_some_and(|word| word.starts_with(':'));
    let is_yaml = first.starts_with(['{', '"', '\'', '%']) || matches!(first, "---" | "?");
    if is_instruction && !is_key {
        return by_name && second.is_none();
    }
    is_key || is_yaml || by_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles_are_told_from_specs_whatever_the_name() {
        for (text, spec) in [
            (
                "# syntax=larder/frontend:1\n\nFROM python:3.12\nRUN x\n",
                false,
            ),
            ("arg A=1\nfrom x", false),
            ("# escape=`\r\n\r\nFROM x\r\n", false),
            ("\u{feff}FROM x\n", false),
            ("#!/usr/bin/env docker\nONBUILD RUN x\n", false),
            ("LABEL a: b\n", false),
            ("from: python:3.12\n", true),
            ("\u{feff}from: python:3.12\n", true),
            ("name: x\nFROM x\n", true),
            ("run : x", true),
            ("---\nfrom: x", true),
            ("{\"from\": \"x\"}", true),
            ("\"from\": x", true),
            ("stages:\n  FROM x\n", true),
        ] {
            for by_name in [true, false] {
                assert_eq!(is_spec(text.as_bytes(), by_name), spec, "{text}");
            }
        }
    }

    #[test]
    fn the_name_decides_where_the_text_does_not() {
        for text in [
            "",
            "# only a comment\n",
            "from",
            "FORM python:3.12\n",
            "\0\0",
        ] {
            assert!(is_spec(text.as_bytes(), true), "{text}");
            assert!(!is_spec(text.as_bytes(), false), "{text}");
        }
        assert!(!is_spec(b"# caf\xe9\nFROM x\n", true));
        for (name, spec) in [
            ("larder.yaml", true),
            ("a/b.YML", true),
            ("x.json", true),
            ("Dockerfile", false),
            ("yaml", false),
            ("x.yaml/Dockerfile", false),
        ] {
            assert_eq!(is_spec_name(name), spec, "{name}");
        }
    }
}
