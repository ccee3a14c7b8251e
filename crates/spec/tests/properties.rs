//! What holds for every text.

use larder_diagnostic::{Diagnostic, SourceFile, Span, render};
use larder_spec::model::{
    CacheChoice, CacheEntry, Command, Content, Image, MountKind, RunOptions, Spec, StepKind,
};
use larder_spec::parse;
use larder_spec::template::{Part, Template};
use proptest::prelude::*;

const GOOD: [&str; 4] = [
    include_str!("good/everything.yaml"),
    include_str!("good/steps.yaml"),
    include_str!("good/image.yaml"),
    include_str!("good/registry-cache.yaml"),
];

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
    for arg in spec
        .args
        .iter()
        .chain(spec.stages.iter().flat_map(|s| &s.args))
    {
        look(arg.name.span);
        arg.default.iter().for_each(|t| template(t, look));
        arg.description.iter().for_each(|text| look(text.span));
    }
    spec.caches.iter().for_each(|choice| caches(choice, look));
    spec.hidden.iter().for_each(|span| look(*span));
    if let Some(cache) = &spec.registry_cache {
        look(cache.span);
        for place in cache.import.iter().chain(&cache.export) {
            look(place.span);
            for (name, value) in &place.options {
                look(name.span);
                template(value, look);
            }
        }
    }
    for stage in &spec.stages {
        look(stage.name.span);
        template(&stage.from, look);
        stage.platform.iter().for_each(|p| template(&p.value, look));
        stage.shell.iter().for_each(|shell| look(shell.span));
        stage.caches.iter().for_each(|choice| caches(choice, look));
        for variable in stage.env.iter().chain(&stage.image.env) {
            look(variable.name.span);
            template(&variable.value, look);
        }
        image(&stage.image, look);
        for one in &stage.steps {
            look(one.span);
            step(&one.kind, look);
        }
    }
}

fn caches(choice: &CacheChoice, look: &mut impl FnMut(Span)) {
    look(choice.span);
    for entry in &choice.entries {
        match entry {
            CacheEntry::Named(name) => look(name.span),
            CacheEntry::Own(own) => {
                look(own.id.span);
                let given = own.from.iter().chain(&own.source);
                given.chain([&own.target]).for_each(|t| template(t, look));
            }
        }
    }
}

fn image(image: &Image, look: &mut impl FnMut(Span)) {
    let check = image.healthcheck.iter().filter_map(|c| c.test.as_ref());
    let commands = image.cmd.iter().chain(&image.entrypoint).chain(check);
    commands.for_each(|one| command(one, look));
    let templates = image.volumes.iter().chain(&image.expose);
    templates.for_each(|t| template(t, look));
    image
        .stop_signal
        .iter()
        .for_each(|s| template(&s.value, look));
    image.on_build.iter().for_each(|text| look(text.span));
    for annotation in &image.annotations {
        look(annotation.name.span);
        template(&annotation.value, look);
    }
}

fn step(kind: &StepKind, look: &mut impl FnMut(Span)) {
    match kind {
        StepKind::Run(run) => {
            command(&run.command, look);
            options(&run.options, look);
            run.caches.iter().for_each(|choice| caches(choice, look));
        }
        StepKind::Install(install) => {
            look(install.tool.span);
            options(&install.options, look);
        }
        StepKind::Copy(copy) => {
            let all = copy.src.iter().chain(&copy.exclude).chain(&copy.from);
            all.chain([&copy.dest]).for_each(|t| template(t, look));
        }
        StepKind::Add(add) => {
            let all = add.src.iter().chain(&add.exclude).chain(&add.subdir);
            all.chain([&add.dest]).for_each(|t| template(t, look));
            let spanned = add.checksum.iter().chain(&add.reference).chain(&add.chown);
            spanned.for_each(|t| template(&t.value, look));
        }
        StepKind::File(one) => {
            template(&one.dest, look);
            if let Content::Expanded(content) = &one.content {
                template(content, look);
            }
        }
    }
}

fn options(options: &RunOptions, look: &mut impl FnMut(Span)) {
    for secret in &options.secrets {
        look(secret.span);
        look(secret.id.span);
        secret.target.iter().for_each(|t| template(t, look));
    }
    for agent in &options.ssh {
        look(agent.span);
        agent.target.iter().for_each(|t| template(t, look));
    }
    for mount in &options.mounts {
        look(mount.span);
        template(&mount.target, look);
        if let MountKind::Bind(bind) = &mount.kind {
            let given = bind.from.iter().chain(&bind.source);
            given.for_each(|t| template(t, look));
        }
    }
}

fn command(command: &Command, look: &mut impl FnMut(Span)) {
    match command {
        Command::Shell(text) => look(text.span),
        Command::Exec(words) => words.iter().for_each(|w| look(w.span)),
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
    let words = |text: &'static str| text.split_inclusive([' ', '\n', ',', ':']);
    let words: Vec<&str> = GOOD.into_iter().flat_map(words).collect();
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
        which in 0..GOOD.len(), start in 0..2_000_usize, length in 0..40_usize,
        by in "\\PC{0,6}|[\\[\\]{}:\\- \\n\"'&*]{0,6}|yes|null|0|\\$\\{X\\}",
    ) {
        let good = GOOD[which];
        let mut start = start % good.len();
        while !good.is_char_boundary(start) { start -= 1; }
        let mut end = (start + length).min(good.len());
        while !good.is_char_boundary(end) { end -= 1; }
        let end = end.max(start);
        check(&format!("{}{by}{}", &good[..start], &good[end..]));
    }

    #[test]
    fn a_good_spec_cut_short(which in 0..GOOD.len(), end in 0..2_000_usize) {
        let good = GOOD[which];
        let end = end % good.len();
        if good.is_char_boundary(end) {
            check(&good[..end]);
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
