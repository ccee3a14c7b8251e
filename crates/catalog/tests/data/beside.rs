//! Mistakes that two data files make together.

use super::{GOOD, check, data, mistakes};

/// What a second file, which is the good one with something replaced, does wrong.
fn beside(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    let tools = [("pip", GOOD), ("pop", &GOOD.replace(from, to))]
        .map(|(stem, text)| data::parse(stem, text).expect("of the right form"));
    check::mistakes(&tools)
}

#[test]
fn names_are_unique_over_files() {
    assert_eq!(
        beside("/cache/pip", "/cache/pop")[0],
        "caches/pop.toml: cache `pip` is in caches/pip.toml already"
    );
}

#[test]
fn places_are_apart_in_each_layout() {
    let other = GOOD.replace("\"pip\"", "\"pop\"");
    for (from, to, expected) in [
        (
            "home = \".cache/pip\"",
            "home = \".cache/pop\"",
            "caches/pop.toml: cache `pop` is at `/cache/pip` in layout `cache`, and cache `pip` at `/cache/pip`",
        ),
        (
            "cache = \"/cache/pip\"",
            "cache = \"/cache/pop\"",
            "caches/pop.toml: cache `pop` is at `~/.cache/pip` in layout `home`, and cache `pip` at `~/.cache/pip`",
        ),
        (
            "cache = \"/cache/pip\"",
            "cache = \"/cache/pip/pop\"",
            "caches/pop.toml: cache `pop` is at `/cache/pip/pop` in layout `cache`, and cache `pip` at `/cache/pip`",
        ),
    ] {
        let tools = [("pip", GOOD), ("pop", &other.replace(from, to))]
            .map(|(stem, text)| data::parse(stem, text).expect("of the right form"));
        let found = check::mistakes(&tools);
        assert!(found.iter().any(|mistake| mistake == expected), "{found:?}");
    }
}

const KEPT: &str = r#"
[[runtime]]
name = "venv"
title = "programs"
why-not = "they are installed"
instead = "use `pip`"
source = "https://example.org/venv"
directories = ["/cache/venv"]
path = ["/cache/venv/bin"]
env = { VENV = "/cache/venv" }
[[runtime.file]]
path = "~/.venv"
contents = "x\n"
"#;

#[test]
fn images_keep_directories_apart() {
    let other = format!("groups = [\"python\"]\n{KEPT}");
    for (from, to, expected) in [
        (
            "\"/cache/venv\"]",
            "\"/cache/pip/venv\"]",
            "`/cache/pip/venv` is `/cache/pip` of runtime `pip`, or one is in the other",
        ),
        (
            "\"/cache/venv\"]",
            "\"/cache\"]",
            "`/cache` is not below /cache",
        ),
        ("\"venv\"", "\"pip\"", "the name is in caches/pip.toml too"),
    ] {
        let tools = [("pip", GOOD), ("venv", &other.replacen(from, to, 1))]
            .map(|(stem, text)| data::parse(stem, text).expect("of the right form"));
        let found = check::mistakes(&tools);
        assert!(
            found
                .iter()
                .any(|mistake| mistake.starts_with("caches/venv.toml:")
                    && mistake.contains(expected)),
            "{found:?}"
        );
    }
}

#[test]
fn mistakes_in_what_images_keep() {
    assert_eq!(mistakes(&format!("{GOOD}{KEPT}")), [""; 0]);
    for (from, to, expected) in [
        (
            "\"/cache/venv\"]",
            "\"/venv\"]",
            "`/venv` is not below /cache",
        ),
        ("\"/cache/venv\"]", "]", "it has no directories"),
        (
            "\"/cache/venv\"]",
            "\"cache/venv\"]",
            "`path` is `cache/venv`, not an absolute",
        ),
        (
            "VENV =",
            "PIP_CACHE_DIR =",
            "runtime `pip` sets PIP_CACHE_DIR too",
        ),
        ("VENV =", "\"V V\" =", "`V V` is not the name of a variable"),
        ("/venv/bin", "/../bin", "not an absolute, clean path"),
        ("\"~/.venv\"", "\".venv\"", "`file path` is `.venv`"),
        ("x\\n", "x", "do not end with a newline"),
        ("they are installed", "", "`why-not` is empty, and no cache"),
        ("https:", "http:", "`source` is no https address"),
        ("\"venv\"", "\"python\"", "has the name of caches"),
        ("title", "titel", "unknown field `titel`"),
    ] {
        assert!(KEPT.contains(from), "{from}");
        let found = mistakes(&format!("{GOOD}{}", KEPT.replacen(from, to, 1)));
        assert!(
            found.iter().any(
                |mistake| mistake.contains(expected) && mistake.starts_with("caches/pip.toml:")
            ),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn plain_programs_are_sorted_and_there_once() {
    let of = |text: &str| check::order(&data::parse_plain(text).expect("good"));
    assert_eq!(of("programs = [\"a\", \"b\", \"b c\"]"), None);
    assert!(of("programs = [\"b\", \"a\"]").is_some());
    assert!(of("programs = [\"a\", \"a\"]").is_some());
    let unknown = data::parse_plain("programs = []\nmore = 1").expect_err("no such key");
    assert!(unknown.starts_with("plain.toml:2:"), "{unknown}");
}
