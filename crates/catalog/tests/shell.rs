//! Properties of the shell reader, and what bash says.

use larder_catalog::{read, read_script};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

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
        prop_assert!(reading.certain || reading.commands.is_empty());
        reading.uses(&[]);
        reading.removals("/", Some("/root"), &[]);
    }

    #[test]
    fn never_panics_on_pieces(text in script()) {
        let reading = read_script(&text);
        prop_assert!(reading.certain || reading.commands.is_empty());
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

/// Runs scripts under bash with tools that write down how they were called.
#[test]
fn agrees_with_bash() {
    let Ok(version) = Command::new("bash").arg("--version").output() else {
        return;
    };
    assert!(version.status.success());
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    for tool in ["pip", "npm", "go", "sudo", "cargo"] {
        let path = folder.path().join(tool);
        // One write for a line, since the parts of a pipeline run at once.
        let stub = if tool == "sudo" {
            "#!/bin/sh\nexec \"$@\"\n".to_owned()
        } else {
            format!("#!/bin/sh\nl={tool}\nfor a; do l=\"$l <$a>\"; done\necho \"$l\" >> \"$LOG\"\n")
        };
        fs::write(&path, stub).expect("a stub");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    // Each command of these runs exactly once, in the order in which it is written.
    let scripts = [
        "pip install x; npm ci && go build || cargo build",
        "if pip install 'a b'; then npm \"c i\"; else cargo build; fi",
        "for p in a; do pip install b; done; (cd /; npm ci); { go build; }",
        "case a in b) cargo x;; a|c) pip install x;; esac",
        "x=$(pip install 'x)'); echo \"$(npm ci \"a b\")\" `go build`",
        "cat <<E; pip install a\nnpm ci\n$(go build)\nE\nnpm ci",
        "sh <<'E'\npip install $x y\nE\nbash -c 'npm ci; go \"build\"'",
        "A=b pip install; sudo pip in\\\nstall x; env A=b npm ci",
        "pip install a#b # npm ci\ngo build",
        "f() { pip install x; }; f; ! npm ci",
        "pip install \\'x \\\"y 'it'\\''s' \"\\$z\\q\" $((1 + (2)))",
        "echo 'pip install'; echo \"npm ci\"; : pip install; time go build",
        "pip install x 2>&1 > /dev/null | npm ci; cat < <(go build)",
        "A=(a 'npm ci'); [[ pip == npm && ( a < b ) ]] || pip install x; ((1)) && npm ci",
        "while npm ci; do break; done; until pip install x; do :; done; eval 'go build'",
        "xargs pip install <<< 'a b'; find / -maxdepth 0 -exec npm ci \\;; exec go build",
        "pip ''; npm \"\" a; go\\ build 2>/dev/null; 'cargo' build",
        "cat <<-'A' <<B > /dev/null\n\tnpm ci `x`\n\tA\nno\nB\npip install x",
        "command -v pip; command npm ci; timeout 9 pip install x; nice -n 1 go build",
    ];
    for script in scripts {
        _ = fs::remove_file(&log);
        let status = Command::new("bash")
            .args(["-c", script])
            .env("PATH", &path)
            .env("LOG", &log)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("bash runs");
        let bash = fs::read_to_string(&log).unwrap_or_default();
        let reading = read_script(script);
        assert!(reading.certain, "{script} ({status})");
        // Of a word that depends on the run, only where it is can be compared.
        let mut left: Vec<&str> = bash.lines().collect();
        for command in &reading.commands {
            let Some((first, arguments)) = command.words.split_first() else {
                continue;
            };
            if !["pip", "npm", "go", "cargo"].contains(&first.text.as_str()) {
                continue;
            }
            let exact = arguments.iter().all(|word| word.certain);
            let line = arguments.iter().fold(first.text.clone(), |line, word| {
                format!("{line} <{}>", word.text)
            });
            let same = |ran: &&str| {
                if exact {
                    **ran == line
                } else {
                    ran.starts_with(first.text.as_str())
                }
            };
            // A branch not taken and what `xargs` adds are the only differences.
            let at = left.iter().position(same).or_else(|| {
                left.iter()
                    .position(|ran| ran.starts_with(&format!("{line} <")))
            });
            if let Some(at) = at {
                left.remove(at);
            } else {
                assert_eq!(first.text, "cargo", "{script}: `{line}` did not run");
            }
        }
        assert!(left.is_empty(), "{script}: {left:?} was not read");
    }
}
