//! What was injected, for people and for programs.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::{Examined, Injected, Mistake};
use crate::{CacheMount, Decision, Defeat, Harm, Said};

/// Longest name that is shown, in characters.
const LONGEST: usize = 100;

/// Each operation that runs a program, with its mounts and the reason for each, and each cache that was
/// recognised and left alone with the reason. Lines end with a newline; wrong comments come last.
pub fn text(injected: &Injected) -> String {
    let execs = &injected.execs;
    let with = execs.iter().filter(|exec| gets_something(exec)).count();
    let mut out = match execs.len() {
        0 => "nothing runs a program\n".to_owned(),
        1 => format!("1 operation runs a program, {with} with caches\n"),
        all => format!("{all} operations run a program, {with} with caches\n"),
    };
    for exec in execs {
        out.push('\n');
        show_exec(&mut out, exec);
    }
    if !injected.mistakes.is_empty() {
        out.push('\n');
    }
    for Mistake {
        file,
        line,
        message,
        hint,
    } in &injected.mistakes
    {
        let _ = writeln!(out, "{file}:{line}: {message}");
        if !hint.is_empty() {
            let _ = writeln!(out, "  help: {hint}");
        }
    }
    out
}

fn show_exec(out: &mut String, exec: &Examined) {
    out.push_str(&one_line(&exec.name));
    if let Some((file, lines)) = &exec.location {
        let _ = write!(out, " ({file}:{})", lines.start());
    }
    out.push('\n');
    if let Some(why) = &exec.off {
        let _ = writeln!(out, "  no caches: {why}");
        return;
    }
    let Decision {
        mounts,
        env,
        without,
        files,
        tmpfs,
        parents: _,
        left_alone,
        defeated,
        vanishing,
        stores: _,
        unread,
    } = &exec.decision;
    for mount in mounts {
        show_mount(out, mount);
    }
    for name in without {
        if env.iter().all(|(set, _)| set != name) {
            let _ = writeln!(out, "  without {name} of the base image");
        }
    }
    for (name, value) in env {
        let _ = writeln!(out, "  env {}", one_line(&format!("{name}={value}")));
    }
    for file in files.keys() {
        let _ = writeln!(out, "  file {file}");
    }
    for directory in tmpfs {
        let _ = writeln!(out, "  tmpfs {directory}");
    }
    for left in left_alone {
        let _ = writeln!(out, "  no cache {}: {}", left.cache, left.reason);
    }
    for vanishing in vanishing {
        let _ = writeln!(
            out,
            "  ! the cache {} takes what `{}` makes in {} out of the image",
            vanishing.cache, vanishing.words, vanishing.directory
        );
    }
    for defeat in defeated {
        let _ = writeln!(out, "  ! {}: {}", sentence(defeat), defeat.hint);
    }
    if let Some(why) = unread {
        let _ = writeln!(out, "  no caches: the command cannot be read: {why}");
    } else if mounts.is_empty() && left_alone.is_empty() && defeated.is_empty() {
        out.push_str("  no caches: nothing in it has one\n");
    }
}

fn show_mount(out: &mut String, mount: &CacheMount) {
    let CacheMount {
        cache,
        own: _,
        id,
        target,
        sharing,
        uid,
        gid,
        mode,
        reason,
    } = mount;
    let sharing = sharing.as_str();
    let _ = writeln!(
        out,
        "  cache {cache} at {target}, {sharing}, {uid}:{gid} {mode:04o}: {reason}"
    );
    let _ = writeln!(out, "    id {id}");
}

/// What defeats a cache, and what it does to it, as one sentence without a full stop.
pub fn sentence(defeat: &Defeat) -> String {
    let (words, cache) = (one_line(&defeat.words), &defeat.cache);
    match defeat.harm {
        Harm::Unused => format!("with `{words}` the cache `{cache}` is of no use"),
        Harm::Emptied => format!("`{words}` empties the cache `{cache}`"),
        Harm::Removed => format!(
            "`{words}` would fail with \"Device or resource busy\" if the cache `{cache}` were \
             mounted, so it is not"
        ),
        Harm::Unmounted => format!("with `{words}` the cache `{cache}` is not mounted"),
    }
}

/// The name of the warning that there is about a harm, as in `docs/lints.md`.
pub fn lint(harm: Harm) -> &'static str {
    match harm {
        Harm::Unused => "cache-defeated",
        Harm::Emptied => "cache-emptied",
        Harm::Removed => "mounted-directory-removed",
        Harm::Unmounted => "cache-not-mounted",
    }
}

/// Blank space is one space, and what is long is cut.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::new();
    for (length, c) in words.join(" ").chars().enumerate() {
        if length == LONGEST {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    out
}

fn gets_something(exec: &Examined) -> bool {
    !exec.decision.mounts.is_empty()
}

/// The same as JSON, indented: `execs`, each with its `mounts`, `env`, `leftAlone` and so on, and
/// `mistakes`. What is empty or not known is left out.
pub fn json(injected: &Injected) -> String {
    let report = Report {
        execs: injected.execs.iter().map(Exec::new).collect(),
        mistakes: injected.mistakes.iter().map(Wrong::new).collect(),
    };
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

#[derive(Serialize)]
struct Report<'a> {
    execs: Vec<Exec<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mistakes: Vec<Wrong<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exec<'a> {
    name: &'a str,
    digest: String,
    injected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    off: Option<&'a str>,
    #[serde(flatten)]
    decision: Said<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    lines: [u32; 2],
}

#[derive(Serialize)]
struct Wrong<'a> {
    file: &'a str,
    line: u32,
    message: &'a str,
    hint: &'a str,
}

impl<'a> Exec<'a> {
    fn new(exec: &'a Examined) -> Exec<'a> {
        let place = |(file, lines): &'a (String, RangeInclusive<u32>)| Place {
            file,
            lines: [*lines.start(), *lines.end()],
        };
        Exec {
            name: &exec.name,
            digest: exec.digest.to_string(),
            injected: exec.injected.to_string(),
            location: exec.location.as_ref().map(place),
            off: exec.off.as_deref(),
            decision: Said::new(&exec.decision),
        }
    }
}

impl<'a> Wrong<'a> {
    fn new(mistake: &'a Mistake) -> Wrong<'a> {
        Wrong {
            file: &mistake.file,
            line: mistake.line,
            message: &mistake.message,
            hint: &mistake.hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::Digest;

    use super::*;
    use crate::{LeftAlone, Sharing};

    fn exec(name: &str, line: u32, decision: Decision) -> Examined {
        Examined {
            digest: Digest::of(name.as_bytes()),
            injected: Digest::of(b"injected"),
            name: name.to_owned(),
            location: Some(("Dockerfile".to_owned(), line..=line)),
            decision,
            off: None,
        }
    }

    fn injected() -> Injected {
        let pip = Decision {
            mounts: vec![CacheMount {
                cache: "pip".to_owned(),
                own: false,
                id: "/larder/shared/pip/0-0".to_owned(),
                target: "/run/larder/pip".to_owned(),
                sharing: Sharing::Shared,
                uid: 0,
                gid: 0,
                mode: 0o755,
                reason: "`pip install`".to_owned(),
            }],
            env: vec![("PIP_CACHE_DIR".to_owned(), "/run/larder/pip".to_owned())],
            without: vec!["PIP_NO_CACHE_DIR".to_owned()],
            defeated: vec![Defeat {
                cache: "pip".to_owned(),
                words: "--no-cache-dir".to_owned(),
                variable: None,
                harm: Harm::Unused,
                hint: "leave it out".to_owned(),
            }],
            ..Decision::default()
        };
        let npm = Decision {
            left_alone: vec![LeftAlone {
                cache: "npm".to_owned(),
                reason: "there is a mount at /root/.npm".to_owned(),
            }],
            ..Decision::default()
        };
        let unread = Decision {
            unread: Some("it calls `eval`".to_owned()),
            ..Decision::default()
        };
        let off = Examined {
            off: Some("a comment says off".to_owned()),
            ..exec("[5/5] RUN pip check", 9, Decision::default())
        };
        Injected {
            definitions: Vec::new(),
            execs: vec![
                exec("[1/5] RUN pip install \n\n flask", 3, pip),
                exec("[2/5] RUN npm ci", 4, npm),
                exec("[3/5] RUN eval $X", 5, unread),
                exec("[4/5] RUN true", 6, Decision::default()),
                off,
            ],
            mistakes: vec![Mistake {
                file: "Dockerfile".to_owned(),
                line: 2,
                message: "unknown cache `pipi`".to_owned(),
                hint: "write `pip`".to_owned(),
            }],
        }
    }

    #[test]
    fn for_people() {
        assert_eq!(
            text(&injected()),
            "\
5 operations run a program, 1 with caches

[1/5] RUN pip install flask (Dockerfile:3)
  cache pip at /run/larder/pip, shared, 0:0 0755: `pip install`
    id /larder/shared/pip/0-0
  without PIP_NO_CACHE_DIR of the base image
  env PIP_CACHE_DIR=/run/larder/pip
  ! with `--no-cache-dir` the cache `pip` is of no use: leave it out

[2/5] RUN npm ci (Dockerfile:4)
  no cache npm: there is a mount at /root/.npm

[3/5] RUN eval $X (Dockerfile:5)
  no caches: the command cannot be read: it calls `eval`

[4/5] RUN true (Dockerfile:6)
  no caches: nothing in it has one

[5/5] RUN pip check (Dockerfile:9)
  no caches: a comment says off

Dockerfile:2: unknown cache `pipi`
  help: write `pip`
"
        );
    }

    #[test]
    fn for_programs() {
        let report: serde_json::Value = serde_json::from_str(&json(&injected())).unwrap();
        let pip = &report["execs"][0];
        assert_eq!(pip["mounts"][0]["mode"], "0755");
        assert_eq!(pip["mounts"][0]["reason"], "`pip install`");
        assert_eq!(pip["env"]["PIP_CACHE_DIR"], "/run/larder/pip");
        assert_eq!(pip["location"]["lines"], serde_json::json!([3, 3]));
        assert_eq!(pip["defeated"][0]["lint"], "cache-defeated");
        assert_eq!(
            report["execs"][1]["leftAlone"],
            serde_json::json!([{"cache": "npm", "reason": "there is a mount at /root/.npm"}])
        );
        assert_eq!(report["execs"][2]["unread"], "it calls `eval`");
        assert!(report["execs"][3].get("unread").is_none());
        assert_eq!(report["execs"][4]["off"], "a comment says off");
        assert_eq!(report["mistakes"][0]["line"], 2);
    }

    #[test]
    fn long_names_and_scripts_stay_on_one_line() {
        assert_eq!(one_line("a\n\n b\t c\u{7}"), "a b c\u{fffd}");
        assert_eq!(one_line(&"é".repeat(200)), format!("{}…", "é".repeat(100)));
    }
}
