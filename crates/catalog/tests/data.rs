//! Mistakes in data files.

#[path = "../build/check.rs"]
mod check;
#[path = "../build/data.rs"]
#[expect(dead_code, reason = "only the build emits every field")]
mod data;
#[path = "../build/runtimes.rs"]
mod runtimes;

mod path {
    pub(crate) use larder_catalog::{clean, is_system, within};
}

mod toolchain {
    pub(crate) use larder_catalog::TOOLCHAINS;
}

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
        "[\"machine\"]",
        "unknown variant `machine`",
    ),
    (
        "[\"platform\"]",
        "[\"distribution\", \"toolchain\"]",
        "`toolchain` goes with `toolchain` in `key`",
    ),
    (
        "[\"platform\"]",
        "[\"toolchain\"]\ntoolchain = \"python\"",
        "a `key` with `toolchain` has `distribution` too",
    ),
    (
        "[\"platform\"]",
        "[\"distribution\", \"toolchain\"]\ntoolchain = \"cobol\"",
        "`toolchain` is `cobol`, which src/toolchain.rs does not have",
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
    (
        "variable = \"PIP_CACHE_DIR\"\n",
        "",
        "a place is `fixed`, `project`, `home`, or `variable` with",
    ),
    (
        "variable = \"PIP_CACHE_DIR\"\n",
        "also = [\"PIP_CACHE\"]\n",
        "`also` goes with `variable`",
    ),
    (
        "home =",
        "also = [\"PIP CACHE\"]\nhome =",
        "`PIP CACHE` is not the name",
    ),
    (
        "home =",
        "project = \"target\"\nhome =",
        "a fixed place has no variable",
    ),
    (
        "home =",
        "value = \"-Dx={cache}/x\"\nhome =",
        "`value` is `-Dx={cache}/x`, not some text before",
    ),
    (
        "home =",
        "value = \"{cache}\"\nhome =",
        "not some text before",
    ),
    (
        "home =",
        "root = \"x\"\nhome =",
        "`root` is `x`, not an absolute",
    ),
    (
        "home =",
        "under = [{ variable = \"X\", path = \"/x\" }]\nhome =",
        "`under` is `/x`, not a relative",
    ),
    (
        "home =",
        "set = { \"A B\" = { value = \"x\" } }\nhome =",
        "`A B` is not the name of a variable",
    ),
    (
        "home =",
        "set = { A = { value = \"x\", home = \"x\" } }\nhome =",
        "`A` is set to `home`, perhaps with `or`, or to `value`",
    ),
    (
        "home =",
        "set = { A = { home = \"/x\" } }\nhome =",
        "`set` is `/x`, not a relative",
    ),
    (
        "home =",
        "set = { A = { home = \"x\", or = \"x\" } }\nhome =",
        "`or` is `x`, not an absolute",
    ),
    (
        "[[cache.defeat]]",
        "[[cache.avoid]]\nwhy = \"x\"\n[[cache.defeat]]",
        "a defeat is one `flag`",
    ),
    (
        "names = [\"pip\"]",
        "names = [\"pip\"]\nruns = [\"--run\"]",
        "subcommand `--run` of program `pip` is not a subcommand",
    ),
    (
        "subcommands =",
        "options = [\"S\"]\nsubcommands =",
        "an option of program `pip` does not start with `-`",
    ),
    ("\"/cache/pip\"", "\"/\"", "`cache` is `/`, not an absolute"),
    (
        "variable = \"PIP_CACHE_DIR\"\ncache = \"/cache/pip\"\nhome = \".cache/pip\"",
        "fixed = \"/\"",
        "`fixed` is `/`, not an absolute",
    ),
    (
        "variable = \"PIP_CACHE_DIR\"\ncache = \"/cache/pip\"\nhome = \".cache/pip\"",
        "fixed = \"/usr/local\"",
        "`fixed` is `/usr/local`, which holds more than a cache",
    ),
    (
        "variable = \"PIP_CACHE_DIR\"\ncache = \"/cache/pip\"\nhome = \".cache/pip\"",
        "fixed = \"/proc/pip\"",
        "`fixed` is `/proc/pip`, which holds more than a cache",
    ),
    (
        "variable = \"PIP_CACHE_DIR\"\ncache = \"/cache/pip\"\nhome = \".cache/pip\"",
        "fixed = \"var/pip\"",
        "`fixed` is `var/pip`, not an absolute",
    ),
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
        "flag =",
        "unless = \"x\"\nflag =",
        "a defeat's `unless` goes with a `command`",
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

/// Places and settings that are as good.
#[test]
fn other_forms_are_good() {
    for (from, to) in [
        ("cache = \"/cache/pip\"\n", ""),
        ("home = \".cache/pip\"\n", ""),
        ("variable = \"PIP_CACHE_DIR\"\ncache = \"/cache/pip\"\n", ""),
        (
            "home =",
            "also = [\"X\"]\nvalue = \"-Dx={cache}\"\nroot = \"/x\"\nhome =",
        ),
        (
            "home =",
            "set = { A = { home = \"x\", or = \"/x\" }, B = { value = \"{cache}/x\" } }\nhome =",
        ),
        (
            "[[cache.defeat]]",
            "[[cache.avoid]]\nvariable = \"X\"\nwhy = \"it harms\"\n[[cache.defeat]]",
        ),
        (
            "subcommands =",
            "bare = true\noptions = [\"-S\"]\nmentions = [\"pip::\"]\nexcept = [\"x\"]\nsubcommands =",
        ),
        ("names =", "runs = [\"\", \"exec\"]\nnames ="),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(mistakes(&GOOD.replacen(from, to, 1)), [""; 0], "{to}");
    }
}

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
