//! What is said of Dockerfiles that cannot be built: with Larder, what is said without.

use larder_e2e::{Engine, Project, unique};

/// Lines in place of each other, so that those after them have the same numbers.
const NO_SYNTAX: &str = "# A comment.\n";

/// Builds a Dockerfile that cannot be built, both ways; what is said, once it is the same.
fn said(engine: &Engine, dockerfile: &str, options: &[&str]) -> String {
    let project = Project::empty().unwrap();
    project.file("there", "x").unwrap();
    let say = |first: &str, more: &[&str]| {
        project
            .file("Dockerfile", format!("{first}{dockerfile}"))
            .unwrap();
        let build = engine.build(&project).file("Dockerfile");
        let build = options
            .iter()
            .chain(more)
            .fold(build, |build, option| build.option(option.to_string()));
        // Where the first line is shown, it is another one.
        named(&build.fail().unwrap()).replace(first, NO_SYNTAX)
    };
    let plain = say(NO_SYNTAX, &[]);
    let syntax = format!("# syntax={}\n", engine.frontend());
    let by_line = say(&syntax, &[]);
    // What has no place in the file BuildKit blames on that line, or on the argument, whichever frontend
    // it names.
    let by_line = match by_line.split_once("ERROR: ") {
        Some((_, error)) if plain.starts_with("ERROR: ") => format!("ERROR: {error}"),
        _ => by_line,
    };
    assert_eq!(by_line, plain, "by the first line");
    let argument = format!("--build-arg=BUILDKIT_SYNTAX={}", engine.frontend());
    let blamed = format!(
        "failed with build-arg:BUILDKIT_SYNTAX = {}: ",
        engine.frontend()
    );
    let by_argument = say(NO_SYNTAX, &[&argument]).replace(&blamed, "");
    assert_eq!(by_argument, plain, "by a build argument");
    plain
}

/// The same, with names of BuildKit's own that no two builds share replaced.
fn named(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']);
    let words = words.map(|word| if word.contains("::") { "REF " } else { word });
    words.collect()
}

/// Holds that all of `parts` are said.
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not said in:\n{text}");
    }
}

#[test]
fn what_is_no_dockerfile_is_refused_in_the_same_words() {
    let engine = Engine::from_env().unwrap();
    let after = |lines: &str| format!("\n\n\n\nFROM debian:trixie-slim\nRUN true\n{lines}\n");
    let text = said(&engine, &after("RUUN echo x"), &[]);
    says(
        &text,
        &["unknown instruction: RUUN", "   8 | >>> RUUN echo x"],
    );
    let text = said(&engine, &after("RUN --mout=type=cache true"), &[]);
    says(&text, &["mout"]);
    let text = said(&engine, &after("COPY there"), &[]);
    says(&text, &["COPY requires at least two arguments"]);
    let text = said(&engine, &after("RUN <<EOF\necho x"), &[]);
    says(&text, &["unterminated heredoc"]);
    let text = said(&engine, &after("FROM base AS"), &[]);
    says(&text, &["FROM requires either one or three arguments"]);
    said(&engine, "", &[]);
    said(&engine, "# Nothing but a comment.\n", &[]);
}

#[test]
fn what_is_not_there_is_missing_in_the_same_words() {
    let engine = Engine::from_env().unwrap();
    let after = |lines: &str| format!("\n\n\n\nFROM debian:trixie-slim\nRUN true\n{lines}\n");
    let text = said(&engine, &after("COPY missing /"), &[]);
    says(&text, &["missing", ">>> COPY missing /"]);
    let text = said(&engine, &after("USER nobody-here\nRUN true"), &[]);
    says(&text, &["nobody-here"]);
    let text = said(&engine, &after(""), &["--target=nothing"]);
    says(&text, &["nothing"]);
    let image = format!("{}/larder-e2e/none:1", engine.registry());
    let text = said(&engine, &after(&format!("FROM {image}")), &[]);
    says(&text, &[&image, "not found"]);
    let circle = "FROM debian:trixie-slim AS a\nCOPY --from=b /x /\n\
                  FROM debian:trixie-slim AS b\nCOPY --from=a /x /\n";
    let project = Project::empty().unwrap();
    let syntax = format!("# syntax={}\n", engine.frontend());
    project
        .file("Dockerfile", format!("{syntax}{circle}"))
        .unwrap();
    // BuildKit shows the two places in any order.
    let text = engine.build(&project).file("Dockerfile").fail().unwrap();
    says(
        &text,
        &[
            "circular dependency detected",
            ">>> COPY --from=b /x /",
            ">>> COPY --from=a /x /",
        ],
    );
}

#[test]
fn a_run_that_fails_shows_the_same_lines() {
    let engine = Engine::from_env().unwrap();
    // Nothing is cached, whether or not a cache is mounted.
    let after = |lines: &str| {
        let once = unique();
        format!("\n\n\n\nFROM python:3.13-slim\nENV ONCE={once}\n{lines}\nRUN echo later\n")
    };
    let text = said(&engine, &after("RUN echo first\nRUN exit 3"), &[]);
    says(&text, &["   9 | >>> RUN exit 3", "exit code: 3"]);
    let text = said(
        &engine,
        &after("RUN pip install --no-index \\\n    # Of a comment.\n    nothing==1"),
        &[],
    );
    says(
        &text,
        &[">>> RUN pip install", ">>>     nothing==1", "exit code: 1"],
    );
    let text = said(
        &engine,
        &after("RUN <<EOF\nset -e\npip --version\nfalse\nEOF"),
        &[],
    );
    says(&text, &[">>> RUN <<EOF", ">>> false"]);
    let text = said(
        &engine,
        &after("RUN true\nFROM debian:trixie-slim AS last\nRUN [\"false\"]"),
        &["--target=last"],
    );
    says(&text, &[">>> RUN [\"false\"]"]);
}
