//! Mistakes in data files.

#[path = "data/beside.rs"]
mod beside;
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
        "[[cache.defeat]]",
        "[[cache.offline]]\n[[cache.defeat]]",
        "an offline sign is one `flag`",
    ),
    (
        "[[cache.defeat]]",
        "[[cache.offline]]\nflag = \"o\"\n[[cache.defeat]]",
        "an offline sign's flag starts with `-`",
    ),
    (
        "owner = \"step\"",
        "owner = \"step\"\ntrace = \"It shows.\"",
        "the trace `It shows.` is not lower-case without a full stop",
    ),
    (
        "class = \"download\"",
        "class = \"store\"\ntrace = \"it shows\"",
        "`trace` is for the classes `download` and `compile`",
    ),
    (
        "owner = \"step\"",
        "owner = \"step\"\nrenewed-by = [\"pip\"]",
        "`pip` of `renewed-by` is not a program with a subcommand",
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
        (
            "owner = \"step\"",
            "owner = \"step\"\ntrace = \"it shows\"\nrenewed-by = [\"pip download\"]",
        ),
        (
            "[[cache.defeat]]",
            "[[cache.offline]]\nvariable = \"X\"\nword = \"off\"\n[[cache.defeat]]",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(mistakes(&GOOD.replacen(from, to, 1)), [""; 0], "{to}");
    }
}
