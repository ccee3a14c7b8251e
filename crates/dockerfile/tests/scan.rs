//! What is an instruction, and what only looks like one.

use larder_dockerfile::{Dockerfile, Instruction};

/// Each instruction's lines, keyword, flags and arguments.
fn scan(text: &str) -> Vec<String> {
    let file = Dockerfile::read(text).expect("it is a Dockerfile");
    let show = |it: &Instruction| {
        let (first, last) = (it.lines.start(), it.lines.end());
        let flags = it.flags.join(" ");
        format!("{first}-{last} {} [{flags}] {}", it.keyword, it.arguments)
    };
    file.instructions.iter().map(show).collect()
}

fn reason(text: &str) -> String {
    Dockerfile::read(text)
        .expect_err("it is no Dockerfile")
        .to_string()
}

#[test]
fn instructions_are_found() {
    let text = "\
FROM alpine AS base

  run --mount=type=secret,id=x --network=none make
\tCOPY --from=base a b
RUN
";
    assert_eq!(
        scan(text),
        [
            "1-1 FROM [] alpine AS base",
            "3-3 RUN [--mount=type=secret,id=x --network=none] make",
            "4-4 COPY [--from=base] a b",
            "5-5 RUN [] ",
        ]
    );
}

#[test]
fn lines_go_on_over_comments_and_blank_lines() {
    let text = "\
FROM alpine
RUN apk add \\
# RUN is not here

    # nor here
    curl \\\x20
    git
RUN one \\\\
RUN two \\";
    assert_eq!(
        scan(text),
        [
            "1-1 FROM [] alpine",
            "2-7 RUN [] apk add     curl     git",
            "8-8 RUN [] one \\\\",
            "9-9 RUN [] two",
        ]
    );
}

#[test]
fn keywords_may_start_in_a_later_line() {
    let text = "\\\nRU\\\nN --a=b make\n";
    let file = Dockerfile::read(text).expect("it is a Dockerfile");
    assert_eq!(scan(text), ["1-3 RUN [--a=b] make"]);
    let [run] = file.instructions.as_slice() else {
        panic!("there is one");
    };
    assert_eq!((run.start, &text[run.keyword_end..]), (0, " --a=b make\n"));
}

#[test]
fn heredocs_belong_to_their_instruction() {
    let text = "\
FROM alpine
RUN <<EOF
# a comment
RUN apk add curl
 EOF
EOF
RUN cat <<-'ONE' > /x && sh <<\"TWO\"
RUN \\
\tONE
ONE
\tTWO
TWO
COPY <<a.txt <<b.txt /dir/
RUN no
a.txt
b.txt
ONBUILD RUN sh <<EOF
RUN no
EOF
RUN [\"sh\", \"<<EOF\"]
CMD <<EOF
RUN yes
";
    assert_eq!(
        scan(text),
        [
            "1-1 FROM [] alpine",
            "2-6 RUN [] <<EOF",
            "7-12 RUN [] cat <<-'ONE' > /x && sh <<\"TWO\"",
            "13-16 COPY [] <<a.txt <<b.txt /dir/",
            "17-19 ONBUILD [] RUN sh <<EOF",
            "20-20 RUN [] [\"sh\", \"<<EOF\"]",
            "21-21 CMD [] <<EOF",
            "22-22 RUN [] yes",
        ]
    );
    assert_eq!(
        reason("FROM a\nRUN <<EOF\nEO\n"),
        "line 2: a heredoc has no end"
    );
}

#[test]
fn directives_choose_the_escape() {
    let text = "# Syntax = docker/dockerfile:1\n#escape=`\nFROM a\nRUN one `\n two\\\nRUN three\n";
    assert_eq!(
        scan(text),
        ["3-3 FROM [] a", "4-5 RUN [] one  two\\", "6-6 RUN [] three"]
    );
    let after_a_comment = "# hello\n# escape=`\nRUN one `\nRUN two\n";
    assert_eq!(scan(after_a_comment).len(), 2);
    assert_eq!(reason("# escape=x\n"), "line 1: `x` is no escape");
    let twice = "#check=error=true\n#check=skip=all\n";
    assert_eq!(reason(twice), "line 2: `check` stands there twice");
}

#[test]
fn line_breaks_and_byte_order_marks_are_no_text() {
    let text = "\u{feff}FROM a\r\nRUN one \\\r\n  two\r\nRUN cat <<EOF\r\nRUN no\r\nEOF\r\n";
    assert_eq!(
        scan(text),
        [
            "1-1 FROM [] a",
            "2-3 RUN [] one   two",
            "4-6 RUN [] cat <<EOF"
        ]
    );
    let file = Dockerfile::read(text).expect("it is a Dockerfile");
    assert_eq!(file.line_break(), "\r\n");
    assert_eq!(file.instructions[0].start, 3);
}

#[test]
fn comments_right_above_belong_to_an_instruction() {
    let text = "# syntax=a\n# of the stage\n# too\nFROM a\n# apart\n\nRUN b\n";
    let file = Dockerfile::read(text).expect("it is a Dockerfile");
    let [from, run] = file.instructions.as_slice() else {
        panic!("there are two");
    };
    assert!(text[from.comments..].starts_with("# of the stage"));
    assert!(text[from.start..].starts_with("FROM"));
    assert_eq!(run.comments, run.start);
}

#[test]
fn deep_nesting_ends() {
    let text = format!("RUN <<EOF {}", "${a:-".repeat(100_000));
    assert_eq!(scan(&text).len(), 1);
}
