//! Files made to break a parser. What holds them is limits, and the limits are what is tested.

use std::fmt::Write as _;

use larder_diagnostic::{SourceFile, render};
use larder_spec::{MAX_BYTES, MAX_DEPTH, MAX_DIAGNOSTICS, MAX_NODES, Parsed, parse};

fn read(text: impl Into<String>) -> (Parsed, SourceFile) {
    let file = SourceFile::new("larder.yaml", text);
    (parse(&file), file)
}

/// The one message there is.
fn only(text: impl Into<String>) -> String {
    let (parsed, file) = read(text);
    assert!(parsed.spec.is_none());
    let [diagnostic] = parsed.diagnostics.as_slice() else {
        panic!("{} diagnostics", parsed.diagnostics.len());
    };
    assert!(render(&parsed.diagnostics, &file).len() < 2000);
    diagnostic.message.clone()
}

#[test]
fn large_files_are_not_read() {
    let message = only("a: b\n".repeat(10_000_000));
    assert_eq!(
        message,
        "the spec has 50000000 bytes, and at most 1048576 are read"
    );
    let mut text = "from: debian\n".to_owned();
    text.push_str(&"#".repeat(MAX_BYTES - text.len()));
    assert!(read(text).0.spec.is_some());
}

#[test]
fn brackets_are_counted() {
    let too_deep = format!("nested more than {MAX_DEPTH} levels deep");
    assert_eq!(only("[".repeat(1_000_000)), too_deep);
    assert_eq!(only("{a: ".repeat(250_000)), too_deep);
    assert_eq!(only("- ".repeat(500_000)), too_deep);
    assert_eq!(only("? ".repeat(500_000)), too_deep);
    let mut steps = String::new();
    for depth in 0..1000 {
        let _ = writeln!(steps, "{}a:", " ".repeat(depth));
    }
    assert_eq!(only(steps), too_deep);
    // Half in blocks, half in brackets.
    let mixed = format!("{}{}{}", "- ".repeat(40), "[".repeat(40), "]".repeat(40));
    assert_eq!(only(mixed), too_deep);
    let open = "[".repeat(MAX_DEPTH);
    let close = "]".repeat(MAX_DEPTH);
    assert_eq!(
        only(format!("{open}{close}")),
        "a spec is a mapping, not a list"
    );
}

#[test]
fn aliases_are_followed_when_values_are_counted() {
    let mut bomb = "x-0: &a0 [b, b, b, b, b, b, b, b, b, b]\n".to_owned();
    for level in 1..60 {
        let alias = format!("*a{}", level - 1);
        let all = [alias.as_str(); 10].join(", ");
        let _ = writeln!(bomb, "x-{level}: &a{level} [{all}]");
    }
    let many = format!("more than {MAX_NODES} values, with aliases followed");
    assert_eq!(only(bomb), many);

    let mut deep = "x-0: &a0 [b]\n".to_owned();
    for level in 1..100 {
        let _ = writeln!(deep, "x-{level}: &a{level} [*a{}]", level - 1);
    }
    assert_eq!(
        only(deep),
        format!("nested more than {MAX_DEPTH} levels deep")
    );

    let mut wide = "x-0: &a [".to_owned();
    wide.push_str(&"b,".repeat(2_000));
    wide.push_str("]\nsteps:\n");
    wide.push_str(&"- *a\n".repeat(2_000));
    assert_eq!(only(wide), many);

    assert_eq!(
        only("[],".repeat(100).replacen("[]", "[[]", 1)),
        "a `[` that is never closed"
    );
    assert_eq!(only(format!("[{}]", "a,".repeat(MAX_NODES))), many);
}

#[test]
fn what_is_not_text_is_named() {
    assert_eq!(
        only("from: a\0b\n"),
        "a NUL byte, so this is not a text file"
    );
    assert_eq!(
        only("\0".repeat(1000)),
        "a NUL byte, so this is not a text file"
    );
    let (parsed, _) = read("from: debian\nenv: {A: \"a\\0b\"}\n");
    assert_eq!(parsed.diagnostics[0].message, "a NUL character in `A`");
}

#[test]
fn mistakes_are_kept_up_to_a_number() {
    let mut text = "from: debian\n".to_owned();
    for key in 0..60_000 {
        let _ = writeln!(text, "other{key}: 1");
    }
    let (parsed, file) = read(text);
    assert_eq!(parsed.diagnostics.len(), MAX_DIAGNOSTICS + 1);
    let last = parsed.diagnostics.last().expect("there are some");
    assert_eq!(last.message, "59900 more mistakes are not shown");
    assert!(render(&parsed.diagnostics, &file).len() < 100_000);
}

#[test]
fn long_things_do_not_make_long_messages() {
    let long = "é".repeat(200_000);
    for text in [
        format!("from: debian\n{long}: 1\n"),
        format!("from: debian\n'{long}': 1\n? '{long}'\n: 2\n"),
        format!("from: debian\nname: {long}\n"),
        format!("from: debian\nuser: '${{{long}'\n"),
        format!("from: debian\nuser: '${{A{long}}}'\n"),
        format!("from: '${{A:-${{{long}}}'\n"),
        format!("from: debian\nenv: {{A: ${}}}\n", "a".repeat(500_000)),
        format!("from: debian\nsteps: [{{copy: '../{long}'}}]\n"),
        format!("from: !{} debian\n", "t".repeat(500_000)),
        format!("from: *{}\n", "t".repeat(500_000)),
    ] {
        let (parsed, file) = read(text);
        assert!(!parsed.diagnostics.is_empty());
        let told = render(&parsed.diagnostics, &file);
        assert!(told.len() < 4000, "{} bytes", told.len());
    }
}

#[test]
fn work_grows_with_the_file_and_no_faster() {
    // A file of a kind and one of ten times its size make ten times as many steps, all kept.
    for count in [1_000, 10_000] {
        let mut text = "from: debian\nsteps:\n".to_owned();
        for step in 0..count {
            let _ = writeln!(text, "  - run: make target-{step}\n    user: root");
        }
        let (parsed, _) = read(text);
        assert_eq!(parsed.diagnostics, []);
        assert_eq!(parsed.spec.expect("a spec").stages[0].steps.len(), count);
    }
}
