//! Mistakes in data files.

#[path = "../build/check.rs"]
mod check;
#[path = "../build/data.rs"]
#[expect(dead_code, reason = "only the build emits every field")]
mod data;

const GOOD: &str = r#"
groups = ["python"]
[[program]]
names = ["pip"]
[[program.use]]
caches = ["pip"]
subcommands = ["install"]
[[cache]]
name = "pip"
title = "wheels"
class = "download"
sharing = "shared"
sharing-reason = "moved into place"
source = "https://example.org/pip"
scope = "shared"
key = ["platform"]
key-reason = "native code"
owner = "step"
[cache.place]
variable = "PIP_CACHE_DIR"
cache = "/cache/pip"
home = ".cache/pip"
[[cache.defeat]]
flag = "--no-cache-dir"
hint = "leave it out"
"#;

fn mistakes(text: &str) -> Vec<String> {
    match data::parse("pip", text) {
        Ok(tool) => check::mistakes(&[tool]),
        Err(mistake) => vec![mistake],
    }
}

#[test]
fn good_is_good() {
    assert_eq!(mistakes(GOOD), [""; 0]);
}

/// What to replace in the good file, with what, and the mistake.
const CASES: &[(&str, &str, &str)] = &[
    (
        "class = \"download\"\n",
        "",
        "caches/pip.toml:8: missing field `class`",
    ),
    (
        "class =",
        "clas =",
        "caches/pip.toml:11: unknown field `clas`",
    ),
    (
        "\"download\"",
        "\"downloads\"",
        "caches/pip.toml:11: unknown variant `downloads`",
    ),
    (
        "sharing = \"shared\"",
        "sharing = \"both\"",
        "unknown variant `both`",
    ),
    (
        "source = \"https://example.org/pip\"\n",
        "",
        "missing field `source`",
    ),
    (
        "https://example.org/pip",
        "a book",
        "`source` is no https address",
    ),
    ("moved into place", " ", "`sharing-reason` is empty"),
    ("wheels", "", "`title` is empty"),
    ("native code", "", "`key-reason` goes with a `key`"),
    (
        "[\"platform\"]",
        "[\"platform\", \"distribution\"]",
        "`key` is not",
    ),
    (
        "[\"platform\"]",
        "[\"toolchain\"]",
        "unknown variant `toolchain`",
    ),
    (
        "name = \"pip\"",
        "name = \"Pip\"",
        "its name is not small letters",
    ),
    (
        "\"/cache/pip\"",
        "\"cache/pip\"",
        "`cache` is `cache/pip`, not an absolute",
    ),
    (
        "\"/cache/pip\"",
        "\"/cache/../pip\"",
        "not an absolute, clean path",
    ),
    ("\"/cache/pip\"", "\"/pip\"", "not below /cache"),
    (
        "\".cache/pip\"",
        "\"/root/.cache\"",
        "`home` is `/root/.cache`, not a relative",
    ),
    (
        "PIP_CACHE_DIR",
        "PIP-CACHE",
        "`PIP-CACHE` is not the name of a variable",
    ),
    ("home = \".cache/pip\"\n", "", "a place is `fixed`, or"),
    (
        "home =",
        "fixed = \"/x\"\nhome =",
        "a fixed place has no variable",
    ),
    (
        "[\"pip\"]\nsub",
        "[\"pop\"]\nsub",
        "uses cache `pop`, which no file has",
    ),
    ("[\"pip\"]\nsub", "[]\nsub", "no program uses cache `pip`"),
    (
        "names = [\"pip\"]",
        "names = []",
        "a [[program]] has no names",
    ),
    (
        "names = [\"pip\"]",
        "names = [\"pip\", \"pip\"]",
        "program `pip` is there twice",
    ),
    (
        "names = [\"pip\"]",
        "names = [\"bin/pip\"]",
        "is not the name of a program",
    ),
    ("\"install\"", "\"--install\"", "is not a subcommand"),
    (
        "names =",
        "value-flags = [\"x\"]\nnames =",
        "does not start with `-`",
    ),
    (
        "names =",
        "when = [{ word = \"x\" }]\nnames =",
        "a condition of program `pip`",
    ),
    ("[\"python\"]", "[]", "`groups` is empty"),
    ("flag = \"--no-cache-dir\"\n", "", "a defeat is one `flag`"),
    (
        "\"--no-cache-dir\"",
        "\"no\"",
        "a defeat's flag starts with `-`",
    ),
    (
        "flag =",
        "even-empty = true\nflag =",
        "a defeat is one `flag`",
    ),
    (
        "leave it out",
        "Leave it out.",
        "is not lower-case without a full stop",
    ),
    ("[[cache]]", "[cache", "caches/pip.toml:8: "),
];

#[test]
fn mistakes_name_the_file_and_the_thing() {
    for (from, to, expected) in CASES {
        assert!(GOOD.contains(*from), "{from}");
        let found = mistakes(&GOOD.replacen(from, to, 1));
        assert!(
            found.iter().any(|mistake| mistake.contains(expected)),
            "{expected}: {found:?}"
        );
        assert!(
            found
                .iter()
                .all(|mistake| mistake.starts_with("caches/pip.toml:")),
            "{found:?}"
        );
    }
}

#[test]
fn names_are_unique_over_files() {
    let tools = ["pip", "pop"].map(|stem| data::parse(stem, GOOD).expect("good"));
    let found = check::mistakes(&tools);
    assert_eq!(
        found,
        ["caches/pop.toml: cache `pip` is in caches/pip.toml already"]
    );
}
