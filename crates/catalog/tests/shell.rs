//! Properties of the shell reader.

use larder_catalog::{read, read_script};
use proptest::prelude::*;

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn uses(text: &str) -> Vec<String> {
    let uses = read_script(text).uses(&[]);
    uses.into_iter()
        .map(|used| format!("{} {}", used.cache.name, used.words))
        .collect()
}

/// Pieces of scripts, most of which do not fit each other.
fn script() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "pip install x",
        "npm ci",
        "echo a",
        "'",
        "\"",
        "`",
        "$(",
        ")",
        "(",
        "{ ",
        "; }",
        ";",
        "\n",
        "&&",
        "||",
        "|",
        "&",
        "if ",
        "then ",
        "fi",
        "else ",
        "case a in ",
        "esac",
        ";;",
        "for a in ",
        "do ",
        "done",
        "while ",
        "<<E\n",
        "<<-'E'\n",
        "\nE\n",
        "$((",
        "))",
        "${a",
        "}",
        "\\",
        "\\\n",
        "#",
        " ",
        "[[ ",
        " ]]",
        "a=",
        "a=(",
        "<(",
        ">f",
        "2>&1",
        "sudo ",
        "env ",
        "sh -c ",
        "eval ",
        "time ",
        "! ",
        "ü",
        "function f ",
        "f() ",
        "~",
        "*",
        "\t",
        "<<<",
        "find -exec ",
        "su -c ",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn never_panics(text in "\\PC{0,60}") {
        let reading = read_script(&text);
        prop_assert!(reading.unread.is_none() || reading.commands.is_empty());
        reading.uses(&[]);
        reading.removals("/", Some("/root"), &[]);
    }

    #[test]
    fn never_panics_on_pieces(text in script()) {
        let reading = read_script(&text);
        prop_assert!(reading.unread.is_none() || reading.commands.is_empty());
        reading.uses(&[]);
        reading.removals("/", Some("/root"), &[]);
    }

    #[test]
    fn a_shell_in_a_shell_is_the_same(text in script()) {
        prop_assert_eq!(uses(&format!("sh -c {}", quoted(&text))), uses(&text));
        let args = ["/bin/bash", "-euo", "pipefail", "-c", &text].map(str::to_owned);
        prop_assert_eq!(read(&args).uses(&[]).len(), uses(&text).len());
    }

    #[test]
    fn quotes_say_nothing_more(words in prop::collection::vec("\\PC{0,8}", 1..5)) {
        let text = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let reading = read_script(&text);
        prop_assert_eq!(reading.commands, read(&words).commands);
    }

    #[test]
    fn echo_runs_nothing(text in script()) {
        prop_assert_eq!(uses(&format!("echo {}", quoted(&text))), Vec::<String>::new());
    }
}

#[test]
fn deep_nesting_ends() {
    for (open, close) in [
        ("( ", ")"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("${a:-", "}"),
        ("sh -c \"", "\""),
    ] {
        for depth in [40, 100_000] {
            let text = format!("{}pip install x{}", open.repeat(depth), close.repeat(depth));
            let reading = read_script(&text);
            let found = reading.uses(&[]).len();
            let shallow = depth == 40 && ["( ", "$(", "{ "].contains(&open);
            assert_eq!(found, usize::from(shallow), "{depth} of `{open}`");
        }
    }
}

#[test]
fn length_costs_no_more_than_it_should() {
    for piece in [
        "$((1)) pip install x;",
        "CC=a make;",
        "CC=a1 make -DX;",
        "rm -rf {a,b}/{c,d}/{e,f};",
        "cat <<E\n$(pip install x)\nE\n",
        "pip install --no-cache-dir x;",
        "$((",
        "((",
        "\"",
        "'",
        "`",
    ] {
        // Quadratic time would not let this end.
        let text = piece.repeat(300_000 / piece.len());
        let reading = read_script(&text);
        reading.uses(&[]);
        reading.removals("/", Some("/root"), &[]);
        for cache in larder_catalog::CACHES {
            reading.defeats(cache, &[]);
        }
    }
    let many = format!("rm -rf {{{}}}", "a,".repeat(100_000));
    assert!(read_script(&many).removals("/", None, &[]).len() < 200);
}
