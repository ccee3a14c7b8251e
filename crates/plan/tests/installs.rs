//! `install`: what is asked for, what a command gets, and manifests that were written to harm.

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use larder_diagnostic::SourceFile;
use larder_plan::model::{Action, CopyFrom, PlannedRun};
use larder_plan::{AccountFiles, Facts, ImageFact, ImageId, Plan, Planned};
use proptest::prelude::*;

/// Plans an `install` of a tool in a context with what `world` says of a path; returns what was asked
/// for too, round by round.
fn install(
    tool: &str,
    rounds: usize,
    world: &dyn Fn(&str) -> Option<String>,
) -> (Option<Plan>, Vec<BTreeSet<String>>) {
    let text = format!("from: debian:13\nworkdir: /src\nsteps: [{{install: {tool}}}]\n");
    let parsed = larder_spec::parse(&SourceFile::new("larder.yaml", text));
    assert_eq!(parsed.diagnostics, []);
    let spec = parsed.spec.expect("it is a spec");
    let mut facts = Facts::default();
    let image = ImageFact {
        accounts: Some(AccountFiles::default()),
        ..ImageFact::default()
    };
    facts
        .images
        .insert(ImageId::new("docker.io/library/debian:13"), image);
    let mut asked = Vec::new();
    for _ in 0..rounds {
        match larder_plan::plan(&spec, &support::request(), &facts) {
            Planned::Plan(plan) => return (Some(*plan), asked),
            Planned::Mistakes(_) => return (None, asked),
            Planned::Needs(needs) => {
                for wanted in &needs.files {
                    assert!(
                        facts.files.asked.insert(wanted.clone()),
                        "asked twice: {wanted}"
                    );
                    // A pattern is two names.
                    for name in ["a", "b"] {
                        let path = wanted.replace('*', name).replace("??", "cs");
                        if let Some(text) = world(&path) {
                            facts.files.found.insert(path, text);
                        }
                    }
                }
                asked.push(needs.files);
            }
        }
    }
    panic!("planning asks without end: {asked:?}");
}

fn run(plan: &Plan) -> &PlannedRun {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let mut runs = steps.filter_map(|step| match &step.action {
        Action::Run(run) => Some(run),
        _ => None,
    });
    runs.next_back().expect("something runs")
}

/// A world of a few files.
fn files<'w>(files: &'w [(&'w str, &'w str)]) -> impl Fn(&str) -> Option<String> + 'w {
    |path| {
        let found = files.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| (*text).to_owned())
    }
}

#[test]
fn questions_come_together() {
    for (tool, most, world) in [
        (
            "npm",
            2,
            &[(
                "package.json",
                "{\"workspaces\": [\"p/*\"], \"dependencies\": {\"x\": \"file:x\"}}",
            )][..],
        ),
        (
            "pnpm",
            2,
            &[
                ("package.json", "{}"),
                ("pnpm-workspace.yaml", "packages: [p/*, q]\n"),
            ],
        ),
        ("yarn", 1, &[("package.json", "{}")]),
        ("bun", 1, &[("package.json", "{}"), ("bun.lock", "{}")]),
        (
            "uv",
            2,
            &[(
                "pyproject.toml",
                "[tool.uv.workspace]\nmembers = ['p/*', 'q']\n",
            )],
        ),
        ("poetry", 1, &[("pyproject.toml", "")]),
        ("pdm", 1, &[("pyproject.toml", "")]),
        ("pipenv", 1, &[("Pipfile", "")]),
        (
            "maven",
            2,
            &[
                (
                    "pom.xml",
                    "<project><modules><module>a</module><module>b</module></modules></project>",
                ),
                ("a/pom.xml", "<project/>"),
                ("b/pom.xml", "<project/>"),
            ],
        ),
        ("gradle", 2, &[("settings.gradle", "include 'a:b', 'c'\n")]),
        (
            "bundler",
            2,
            &[("Gemfile", "gemspec\ngem 'x', path: 'x'\n")],
        ),
        ("composer", 1, &[("composer.json", "{}")]),
        (
            "dotnet",
            3,
            &[
                (
                    "a.csproj",
                    "<Project><ProjectReference Include=\"x/x.csproj\" /></Project>",
                ),
                ("x/x.csproj", ""),
            ],
        ),
        ("auto", 2, &[("composer.json", "{}")]),
    ] {
        let (plan, asked) = install(tool, 20, &files(world));
        assert!(plan.is_some(), "{tool}");
        assert_eq!(asked.len(), most, "{tool}: {asked:?}");
    }
}

#[test]
fn variables_are_set_unless_they_are() {
    let value = |tool: &str, name: &str, world: &[(&str, &str)]| {
        let (plan, _) = install(tool, 20, &files(world));
        let plan = plan.expect("it is right");
        let env = run(&plan).env.iter();
        let found = env.clone().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let in_project = "POETRY_VIRTUALENVS_IN_PROJECT";
    let project = [("pyproject.toml", "")];
    assert_eq!(
        value("poetry", in_project, &project).as_deref(),
        Some("true")
    );
    assert_eq!(
        value(
            "poetry, env: {POETRY_VIRTUALENVS_IN_PROJECT: 'false'}",
            in_project,
            &project
        )
        .as_deref(),
        Some("false")
    );
    assert_eq!(
        value("pipenv", "PIPENV_VENV_IN_PROJECT", &[("Pipfile", "")]).as_deref(),
        Some("1")
    );
    assert_eq!(value("bundler", "BUNDLE_FROZEN", &[("Gemfile", "")]), None);
    let locked = [("Gemfile", ""), ("Gemfile.lock", "")];
    assert_eq!(
        value("bundler", "BUNDLE_FROZEN", &locked).as_deref(),
        Some("true")
    );
}

#[test]
fn programs_of_an_environment_come_first() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/install-python");
    let text = "from: python:3\nworkdir: /src\nsteps: [{install: poetry, workdir: poetry}, {run: pytest}]\n";
    let plan = support::plan(
        &SourceFile::new("larder.yaml", text),
        &support::request(),
        &path,
    )
    .expect("it is right");
    let path = "/src/poetry/.venv/bin:/usr/local/bin:/usr/bin:/bin";
    assert!(
        run(&plan)
            .env
            .contains(&("PATH".to_owned(), path.to_owned()))
    );
    assert!(plan.config.config.env.contains(&format!("PATH={path}")));
}

/// Directories that name themselves, those above, and each other.
#[test]
fn circles_end() {
    for (tool, name, text) in [
        (
            "npm",
            "package.json",
            "{\"workspaces\": [\".\", \"a\", \"**\"], \"dependencies\": {\"x\": \"file:..\", \"y\": \"file:a\"}}",
        ),
        (
            "uv",
            "pyproject.toml",
            "[tool.uv.sources]\na = { path = '.' }\nb = { path = 'b' }\nc = { path = 'b/..' }\n",
        ),
        (
            "maven",
            "pom.xml",
            "<project><parent/><modules><module>.</module><module>pom.xml</module></modules></project>",
        ),
        ("go", "go.mod", "module x\nreplace y => ./.\n"),
        (
            "cargo",
            "Cargo.toml",
            "[workspace]\nmembers = ['.', 'a']\n[dependencies]\nx = { path = '.' }\n",
        ),
        (
            "dotnet",
            "a.csproj",
            "<Project><Import Project=\"a.csproj\" /><ProjectReference Include=\"./a.csproj\" /></Project>",
        ),
        (
            "bundler",
            "Gemfile",
            "eval_gemfile 'Gemfile'\ngemspec path: '.'\n",
        ),
        (
            "composer",
            "composer.json",
            "{\"repositories\": [{\"type\": \"path\", \"url\": \"**\"}]}",
        ),
        ("pip", "requirements.txt", "-r requirements.txt\n"),
    ] {
        let world = |path: &str| {
            let inside = path.split('/').count() < 5;
            (inside && path.ends_with(name)).then(|| text.to_owned())
        };
        install(tool, 50, &world);
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "..",
        "../..",
        "/etc",
        "a",
        "b",
        "*",
        "**",
        "!a",
        "{a,b}",
        "[",
        "\\",
        "\0",
        "",
        ".",
        "a/../..",
        "é",
        "${x}",
        "file:..",
        "link:a",
        "\"",
        "'",
        "\n",
        "<",
        "</",
        "<modules><module>",
        "</module></modules>",
        "<project>",
        "<parent>",
        "<ProjectReference Include=\"",
        "\" />",
        "Project(\"{x}\") = \"x\", \"",
        "include '",
        "includeBuild(\"",
        "projectDir = '",
        "path: '",
        "gemspec\n",
        "eval_gemfile '",
        "require_relative '",
        "packages:\n  - ",
        "[tool.uv.workspace]\n",
        "members = [\"",
        "\"]\n",
        "[tool.uv.sources]\nx = { path = \"",
        "\" }\n",
        "{\"workspaces\": [\"",
        "\"]}",
        "{\"dependencies\": {\"x\": \"file:",
        "\"}}",
        "use ",
        "replace x => ",
        "-r ",
        "<![CDATA[",
        "<!--",
        "__metadata:",
        "//",
        "/*",
    ])
}

fn hostile() -> impl Strategy<Value = String> {
    let json = prop::sample::select(vec!["a", "../x", "/x", "**", "!b", "{a,b}", "[", "*/*"]);
    prop_oneof![
        prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat()),
        json.clone().prop_map(|path| format!(
            "{{\"workspaces\": [\"{path}\"], \"dependencies\": {{\"x\": \"file:{path}\"}}}}"
        )),
        json.prop_map(|path| format!(
            "[tool.uv.workspace]\nmembers = ['{path}']\n[workspace]\nmembers = ['{path}']\n"
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_manifests_stay_in_the_context(
        tool in prop::sample::select(vec![
            "auto", "pip", "uv", "poetry", "pdm", "pipenv", "npm", "pnpm", "yarn", "bun", "go", "cargo", "maven",
            "gradle", "bundler", "composer", "dotnet",
        ]),
        texts in prop::collection::vec(hostile(), 1..4),
    ) {
        let world = |path: &str| {
            let at = path.bytes().map(usize::from).sum::<usize>();
            (path.split('/').count() < 4).then(|| texts[at % texts.len()].clone())
        };
        let (plan, asked) = install(tool, 60, &world);
        for path in asked.iter().flatten() {
            prop_assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        }
        let stages = plan.iter().flat_map(|plan| &plan.stages);
        for step in stages.flat_map(|stage| &stage.steps) {
            let copied: Vec<&String> = match &step.action {
                Action::Copy(copies) => {
                    for copy in copies {
                        prop_assert_eq!(&copy.from, &CopyFrom::Context);
                        prop_assert!(copy.dest.split('/').all(|part| part != ".."), "{}", copy.dest);
                    }
                    copies.iter().flat_map(|copy| &copy.src).collect()
                }
                Action::Run(run) => run.manifests.iter().flat_map(|files| &files.copied).collect(),
                _ => Vec::new(),
            };
            for path in copied {
                prop_assert!(!path.is_empty() && !path.starts_with('/'), "{path}");
                prop_assert!(path.split('/').all(|part| part != ".."), "{path}");
            }
        }
    }
}

#[test]
fn large_manifests_end() {
    let many = |one: &dyn Fn(usize) -> String, between: &str| {
        (0..30_000).map(one).collect::<Vec<_>>().join(between)
    };
    let deep = "a/".repeat(100_000);
    for (tool, name, text) in [
        (
            "npm",
            "package.json",
            format!(
                "{{\"workspaces\": [{}]}}",
                many(&|n| format!("\"p{n}/*\""), ",")
            ),
        ),
        (
            "npm",
            "package.json",
            format!(
                "{{\"workspaces\": [\"{}\", \"{deep}\"]}}",
                "{a,b}".repeat(1000)
            ),
        ),
        ("npm", "package.json", "[".repeat(100_000)),
        (
            "pnpm",
            "pnpm-workspace.yaml",
            format!("packages:\n{}", many(&|n| format!("  - p{n}"), "\n")),
        ),
        (
            "maven",
            "pom.xml",
            format!(
                "<project><modules>{}",
                many(&|n| format!("<module>m{n}</module>"), "")
            ),
        ),
        (
            "maven",
            "pom.xml",
            format!("<project><modules><module>{deep}</module>"),
        ),
        (
            "gradle",
            "settings.gradle",
            many(&|n| format!("include 'm{n}'"), "\n"),
        ),
        (
            "gradle",
            "settings.gradle",
            format!("include '{}'", ":a".repeat(2000)),
        ),
        (
            "bundler",
            "Gemfile",
            many(&|n| format!("gem 'x', path: 'g{n}'"), "\n"),
        ),
        (
            "dotnet",
            "a.csproj",
            many(
                &|n| format!("<ProjectReference Include=\"p{n}/a.csproj\" />"),
                "\n",
            ),
        ),
        (
            "uv",
            "pyproject.toml",
            format!("[tool.uv.workspace]\nmembers = ['{deep}*']\n"),
        ),
        (
            "pip",
            "requirements.txt",
            many(&|n| format!("-r r{n}.txt"), "\n"),
        ),
    ] {
        let world = |path: &str| match path {
            "package.json" if name != path => Some("{}".to_owned()),
            _ => (path == name).then(|| text.clone()),
        };
        install(tool, 20, &world);
    }
}
