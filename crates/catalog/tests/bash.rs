//! What bash runs of a script, and what the shell reader says it runs.

use larder_catalog::{Command as Known, read, read_script};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What runs scripts of the corpus: a shell that changes nothing, in which `cd` goes nowhere and every
/// program, of which there are none, is written down. Programs and tests all have the given status.
const SAFE: &str = r#"
exec 9>"$LOG"
PATH=/nowhere
command_not_found_handle() { l="$1"; shift; for a; do l="$l <$a>"; done; echo "$l" >&9; return $STATUS; }
cd() { :; }
pushd() { :; }
popd() { :; }
function [ { return $STATUS; }
test() { return $STATUS; }
true() { return $STATUS; }
false() { return $STATUS; }
set -r
eval "$SCRIPT"
"#;

/// The commands that bash runs, if it runs the script in a shell like that to its end.
fn ran(script: &str, status: u8, folder: &Path) -> Option<Vec<String>> {
    let log = folder.join("log");
    let output = Command::new("bash")
        .args(["-c", SAFE])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .env("LOG", &log)
        .env("STATUS", status.to_string())
        .env("SCRIPT", script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let stopped = [
        "restricted",
        "No such file",
        "Permission denied",
        "No child",
    ];
    if stopped.iter().any(|reason| errors.contains(reason)) {
        return None;
    }
    let text = fs::read_to_string(log).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

/// The line that is written down for a command of which every word is known.
fn line(command: &Known) -> Option<String> {
    let (first, arguments) = command.words.split_first()?;
    let known = command.words.iter().all(|word| word.certain);
    known.then(|| {
        arguments.iter().fold(first.text.clone(), |line, word| {
            format!("{line} <{}>", word.text)
        })
    })
}

fn uses_a_cache(command: &Known) -> bool {
    let words: Vec<String> = command.words.iter().map(|word| word.text.clone()).collect();
    !read(&words).uses(&[]).is_empty()
}

/// Whether a program only runs another, which it cannot do where no program is.
fn runs_another(ran: &str) -> bool {
    let words: Vec<String> = ran
        .split(" <")
        .map(|word| word.trim_end_matches('>').to_owned())
        .collect();
    let commands = read(&words).commands;
    let itself = |command: &Known| {
        let first = command.words.first();
        first.is_some_and(|first| first.text == words[0])
    };
    commands.is_empty() || !commands.iter().all(itself)
}

/// How many commands of a script are the same for bash and for the reader, and what is not. Of a choice,
/// one side runs when programs succeed and one when they fail.
fn compare(script: &str, folder: &Path) -> (usize, Vec<String>) {
    let reading = read_script(script);
    let [Some(good), Some(bad)] = [0, 1].map(|status| ran(script, status, folder)) else {
        return (0, Vec::new());
    };
    let ran: Vec<String> = good.into_iter().chain(bad).collect();
    if reading.unread.is_some() || ran.iter().any(|ran| runs_another(ran)) {
        return (0, Vec::new());
    }
    let uses = reading.commands.iter().filter(|it| uses_a_cache(it));
    let (same, other): (Vec<String>, Vec<String>) =
        uses.filter_map(line).partition(|line| ran.contains(line));
    let read = |ran: &str| {
        reading.commands.iter().any(|command| match line(command) {
            Some(line) => line == ran,
            // Of a word that depends on the run, only where it is can be compared.
            None => command
                .words
                .first()
                .is_some_and(|first| !first.certain || ran.starts_with(&first.text)),
        })
    };
    let other = other
        .iter()
        .map(|line| format!("{script}: `{line}` did not run, but {ran:?}"));
    let unread = ran.iter().filter(|ran| !read(ran));
    let unread = unread.map(|ran| format!("{script}: `{ran}` was not read"));
    (same.len(), other.chain(unread).collect())
}

/// What the reader finds in the corpus runs, and what runs is found.
#[test]
fn the_corpus_runs_as_it_is_read() {
    // What may not end, and what is neither for programs that succeed nor for those that fail.
    const LEFT_OUT: [&str; 10] = [
        "while",
        "until",
        "for ((",
        "coproc",
        "case $A",
        "elif",
        "[[",
        "f()",
        "f ()",
        "function f",
    ];
    if Command::new("bash").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands");
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(corpus).expect("the corpus").flatten() {
        let text = fs::read_to_string(file.path()).expect("it is text");
        let scripts = text.lines().filter_map(|line| line.split_once(" <- "));
        for (_, script) in scripts.filter(|(_, it)| !LEFT_OUT.iter().any(|word| it.contains(word)))
        {
            let script = script.replace('⏎', "\n").replace('⇥', "\t");
            let (same, other) = compare(&script, folder.path());
            compared += same;
            wrong.extend(other);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 300, "{compared}");
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
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("bash runs");
        let bash = fs::read_to_string(&log).unwrap_or_default();
        let reading = read_script(script);
        assert!(reading.unread.is_none(), "{script} ({status})");
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
