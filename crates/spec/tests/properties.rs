//! What holds for every text.

use larder_diagnostic::{Diagnostic, SourceFile, Span, render};
use larder_spec::model::{CacheEntry, Command, Spec, StepKind};
use larder_spec::parse;
use larder_spec::template::{Part, Template};
use proptest::prelude::*;

const GOOD: &str = include_str!("good/everything.yaml");

/// Reads a text, and looks at every place that comes out of it.
fn check(text: &str) {
    let file = SourceFile::new("larder.yaml", text);
    let parsed = parse(&file);
    for diagnostic in &parsed.diagnostics {
        within(text, diagnostic);
    }
    assert!(parsed.spec.is_some() || !parsed.diagnostics.is_empty());
    let told = render(&parsed.diagnostics, &file);
    assert_eq!(told.is_empty(), parsed.diagnostics.is_empty());
    if let Some(spec) = &parsed.spec {
        assert!(!spec.stages.is_empty());
        places(spec, &mut |span| on_boundaries(text, span));
    }
}

fn within(text: &str, diagnostic: &Diagnostic) {
    let labels = diagnostic.labels.iter().map(|(span, _)| *span);
    for span in diagnostic.span.into_iter().chain(labels) {
        on_boundaries(text, span);
    }
}

fn on_boundaries(text: &str, span: Span) {
    let range = span.start as usize..span.end as usize;
    assert!(text.get(range).is_some(), "{span:?} in {text:?}");
}

fn places(spec: &Spec, look: &mut impl FnMut(Span)) {
    for arg in &spec.args {
        look(arg.name.span);
        arg.default.iter().for_each(|t| template(t, look));
    }
    for entry in spec.caches.iter().flat_map(|c| &c.entries) {
        match entry {
            CacheEntry::Named(name) => look(name.span),
            CacheEntry::Own(own) => template(&own.target, look),
        }
    }
    for stage in &spec.stages {
        look(stage.name.span);
        template(&stage.from, look);
        for variable in stage.env.iter().chain(&stage.image.env) {
            look(variable.name.span);
            template(&variable.value, look);
        }
        for step in &stage.steps {
            look(step.span);
            match &step.kind {
                StepKind::Run(run) => match &run.command {
                    Command::Shell(text) => look(text.span),
                    Command::Exec(words) => words.iter().for_each(|w| look(w.span)),
                },
                StepKind::Install(install) => look(install.tool.span),
                StepKind::Copy(copy) => copy.src.iter().for_each(|t| template(t, look)),
                StepKind::Add(add) => add.src.iter().for_each(|t| template(t, look)),
                StepKind::File(one) => template(&one.dest, look),
            }
        }
    }
}

fn template(template: &Template, look: &mut impl FnMut(Span)) {
    look(template.span);
    for part in &template.parts {
        if let Part::Arg { span, .. } = part {
            look(*span);
        }
    }
}

/// Lines and pieces that a spec is made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let words: Vec<&str> = GOOD.split_inclusive([' ', '\n', ',', ':']).collect();
    let odd = vec![
        "\t",
        "\r\n",
        "|\n",
        ">\n",
        "&a ",
        "*a ",
        "<<: ",
        "!t ",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        "? ",
        "- ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "#",
        "é",
        "\u{feff}",
        "\u{2028}",
        "${",
        "}",
        "$",
        "~",
        "\0",
        "\u{85}",
    ];
    let piece = prop_oneof![
        3 => proptest::sample::select(words),
        1 => proptest::sample::select(odd),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn any_lines(text in "[ \\n\\r\\t:,\\-?&*!|>'\"%@`{}\\[\\]#a-c0$~<é\u{feff}]{0,120}") {
        check(&text);
    }

    #[test]
    fn any_pieces(text in pieces()) {
        check(&text);
    }

    #[test]
    fn a_good_spec_with_a_piece_replaced(
        start in 0..GOOD.len(), length in 0..40_usize, by in "\\PC{0,6}|[\\[\\]{}:\\- \\n\"'&*]{0,6}",
    ) {
        let mut start = start;
        while !GOOD.is_char_boundary(start) { start -= 1; }
        let mut end = (start + length).min(GOOD.len());
        while !GOOD.is_char_boundary(end) { end -= 1; }
        let end = end.max(start);
        check(&format!("{}{by}{}", &GOOD[..start], &GOOD[end..]));
    }

    #[test]
    fn a_good_spec_cut_short(end in 0..GOOD.len()) {
        if GOOD.is_char_boundary(end) {
            check(&GOOD[..end]);
        }
    }

    #[test]
    fn templates_are_written_as_they_are_read(text in "[a${}:?\\-B ]{0,30}") {
        let end = u32::try_from(text.len()).expect("short");
        if let Ok(template) = Template::parse(&text, Span::new(0, end), Some(0)) {
            let written = template.to_string();
            let again = Template::parse(&written, Span::new(0, end), None).expect("it was read before");
            let all = |_: &str| Some(None);
            prop_assert_eq!(template.expand(&all).ok(), again.expand(&all).ok());
            prop_assert_eq!(&written, &again.to_string());
        }
    }
}
