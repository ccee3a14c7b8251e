//! Mounts are put in, and nothing else changes.

use std::collections::BTreeMap;

use larder_dockerfile::{Addition, CacheMount, Dockerfile, Instruction, Mount, Rewritten, rewrite};
use proptest::prelude::*;

fn cache(target: &str) -> Mount {
    Mount::Cache(CacheMount {
        id: target.to_owned(),
        target: target.to_owned(),
        sharing: "shared",
        uid: 0,
        gid: 0,
        mode: 0o755,
    })
}

fn at(line: u32, targets: &[&str]) -> Addition {
    Addition {
        line,
        mounts: targets.iter().map(|target| cache(target)).collect(),
        files: BTreeMap::new(),
    }
}

fn apt(line: u32) -> Addition {
    let contents = "Keep \"true\";\n".to_owned();
    Addition {
        files: BTreeMap::from([("/etc/apt.conf".to_owned(), contents)]),
        ..at(line, &["/var/cache/apt"])
    }
}

const APT: [&str; 2] = [
    "--mount=type=cache,target=/var/cache/apt",
    "--mount=type=bind,from=larder-files,source=/etc/apt.conf,target=/etc/apt.conf",
];
const STAGE: &str = "\
FROM scratch AS larder-files
COPY <<'EOF' /etc/apt.conf
Keep \"true\";
EOF

";

fn run(text: &str, additions: &[Addition]) -> Rewritten {
    rewrite(
        &Dockerfile::read(text).expect("it is a Dockerfile"),
        additions,
    )
}

/// The text, and that all was put in.
fn all(text: &str, additions: &[Addition]) -> String {
    let rewritten = run(text, additions);
    assert_eq!(rewritten.unplaced, []);
    rewritten.text
}

#[test]
fn one_flag_a_line() {
    let text = "FROM a\nRUN --network=none \\\n  pip install flask\nRUN npm ci";
    let expected = "\
FROM a
RUN --mount=type=cache,target=/p \\
    --mount=type=cache,target=/q \\
    --network=none \\
  pip install flask
RUN --mount=type=cache,target=/n \\
    npm ci";
    assert_eq!(all(text, &[at(4, &["/n"]), at(2, &["/p", "/q"])]), expected);
}

#[test]
fn lines_that_go_on_right_after_the_keyword() {
    let text = "FROM a\r\nrun \\\r\n  # comment\r\n  pip install flask\r\n";
    let expected = "\
FROM a\r
run --mount=type=cache,target=/p \\\r
    --mount=type=cache,target=/q \\\r
  # comment\r
  pip install flask\r
";
    assert_eq!(all(text, &[at(2, &["/p", "/q"])]), expected);
}

#[test]
fn the_escape_of_the_file_is_used() {
    let text = "# escape=`\nFROM a\nRUN\tpip install flask\n";
    assert_eq!(
        all(text, &[at(3, &["/p"])]),
        "# escape=`\nFROM a\nRUN --mount=type=cache,target=/p `\n   \tpip install flask\n"
    );
}

#[test]
fn heredocs_stay() {
    let text = "FROM a\nRUN <<EOF\nRUN pip install flask\nEOF\nRUN [\"pip\", \"install\"]\n";
    let expected = "\
FROM a
RUN --mount=type=cache,target=/p \\
    <<EOF
RUN pip install flask
EOF
RUN --mount=type=cache,target=/p \\
    [\"pip\", \"install\"]
";
    assert_eq!(all(text, &[at(2, &["/p"]), at(5, &["/p"])]), expected);
}

#[test]
fn only_a_run_gets_anything() {
    let text = "FROM a\nRUN <<EOF\nRUN pip\nEOF\nONBUILD RUN pip\nCMD pip\n";
    let reason = &run(text, &[at(1, &["/p"])]).unplaced[0].reason;
    assert!(reason.contains("`ONBUILD`"), "{reason}");
    for line in [0, 3, 4, 5, 6, 7] {
        let rewritten = run(text, &[at(line, &["/p"])]);
        assert_eq!(rewritten.text, text);
        assert_eq!(rewritten.unplaced[0].line, line);
        assert_eq!(rewritten.unplaced[0].reason, "no RUN starts in this line");
    }
    let rewritten = run(text, &[at(2, &["/a b"])]);
    assert_eq!(rewritten.text, text);
    assert_eq!(rewritten.unplaced.len(), 1);
}

#[test]
fn files_come_from_a_stage_of_their_own() {
    let head = "# syntax=x\nARG V=1\n";
    let base = "# The base\nFROM debian:$V\n";
    let once = all(&format!("{head}{base}RUN apt-get update\n"), &[apt(5)]);
    let flags = APT.join(" \\\n    ");
    let run = format!("RUN {flags} \\\n    apt-get update\n");
    assert_eq!(once, format!("{head}{STAGE}{base}{run}"));
    assert_eq!(all(&once, &[apt(10)]), once);
    let more = all(&format!("{once}RUN apt-get upgrade\n"), &[apt(10), apt(13)]);
    assert_eq!(more.matches("FROM scratch").count(), 1);
    assert_eq!(more.matches("--mount=type=bind").count(), 2);
}

#[test]
fn comments_for_the_whole_file_stay_at_the_top() {
    let head = "# hello\n# larder: project=shop\n";
    let text = format!("{head}FROM debian\nRUN apt-get update\n");
    let rewritten = all(&text, &[apt(4)]);
    assert!(
        rewritten.starts_with(&format!("{head}{STAGE}FROM debian\n")),
        "{rewritten}"
    );
}

#[test]
fn the_name_of_the_stage_is_free() {
    let text = "FROM debian AS larder-files\nRUN apt-get update\n";
    let rewritten = all(text, &[apt(2)]);
    assert!(rewritten.starts_with("FROM scratch AS larder-files-2\n"));
    assert!(rewritten.contains(",from=larder-files-2,"), "{rewritten}");
}

#[test]
fn no_stage_is_put_above_those_that_are_counted() {
    for counts in [
        "COPY --from=0 /a /b",
        "RUN --mount=type=bind,from=0,target=/a make",
        "ONBUILD COPY --from=1 /a /b",
    ] {
        let text = format!("FROM debian\nRUN apt-get update && pip install\n{counts}\n");
        let rewritten = run(&text, &[apt(2)]);
        assert_eq!(rewritten.text, text);
        let reason = &rewritten.unplaced[0].reason;
        assert!(reason.contains("in line 3 counts stages"), "{reason}");
        assert_eq!(run(&text, &[at(2, &["/p"])]).unplaced, []);
    }
}

/// Text that is likely to be read as something.
fn text() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "RUN ",
        "run",
        "RUN a\n",
        "FROM a AS b\n",
        "COPY ",
        "ONBUILD ",
        "ARG A=1\n",
        "--mount=type=cache ",
        "--from=0 ",
        "<<EOF",
        "<<-'E F'",
        "<<",
        "EOF\n",
        "E F\n",
        "\\",
        "\\\n",
        "`\n",
        "\n",
        "\r\n",
        "\t",
        " ",
        "# a\n",
        "# escape=`\n",
        "\u{feff}",
        "\"",
        "'",
        "$",
        "${a:-",
        "}",
        "[\"a\"]",
        "ä",
        "x",
        "3",
        "\u{a0}",
    ]);
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn without_what_was_put_in_it_is_what_it_was(text in text()) {
        let Ok(file) = Dockerfile::read(&text) else { return Ok(()) };
        let runs = file.instructions.iter().filter(|one| one.keyword == "RUN");
        let additions: Vec<Addition> = runs.map(|run| apt(*run.lines.start())).collect();
        let rewritten = rewrite(&file, &additions).text;
        let next = format!(" {}{}    ", file.escape, file.line_break());
        let flags = format!(" {}", APT.join(&next));
        let without = rewritten
            .replacen(STAGE, "", 1)
            .replace(&format!("{flags}{}", &next[..next.len() - 1]), "")
            .replace(&flags, "");
        prop_assert_eq!(without, &*text);

        let again = Dockerfile::read(&rewritten).expect("it is still a Dockerfile");
        let ours = |it: &&Instruction| {
            it.arguments == "scratch AS larder-files" || it.arguments == "<<'EOF' /etc/apt.conf"
        };
        let theirs: Vec<_> = again.instructions.iter().filter(|it| !ours(it)).collect();
        prop_assert_eq!(theirs.len(), file.instructions.len());
        for (before, after) in file.instructions.iter().zip(theirs) {
            prop_assert_eq!(&before.keyword, &after.keyword);
            prop_assert_eq!(&before.arguments, &after.arguments);
            let (added, kept) = after.flags.split_at(after.flags.len() - before.flags.len());
            prop_assert_eq!(&before.flags, kept);
            prop_assert!(added.is_empty() || (before.keyword == "RUN" && added == APT));
        }
        let runs = again.instructions.iter().filter(|one| one.keyword == "RUN");
        let additions: Vec<Addition> = runs.map(|run| apt(*run.lines.start())).collect();
        prop_assert_eq!(rewrite(&again, &additions).text, &*rewritten);
    }

    #[test]
    fn random_text_is_no_trouble(text in "\\PC*") {
        if let Ok(file) = Dockerfile::read(&text) {
            let rewritten = rewrite(&file, &[at(1, &["/p"])]).text;
            prop_assert!(rewritten.len() >= text.len());
        }
    }
}
