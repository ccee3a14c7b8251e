//! What `install` runs is what each tool understands: from a lockfile that the tool itself wrote, once for
//! a source that changes, and not at all where manifest and lockfile disagree.

use larder_e2e::{Engine, Project, unique};

struct Tool {
    /// What `install` calls it.
    name: &'static str,
    base: &'static str,
    /// Shell that installs the tool.
    prepare: &'static str,
    manifests: &'static [(&'static str, &'static str)],
    /// Shell that writes the lockfile.
    lock: &'static str,
    lockfile: &'static str,
    /// A command that needs what was installed.
    uses: &'static str,
    /// Manifests that the lockfile is not of; none where the tool installs what is locked all the same.
    changed: &'static [(&'static str, &'static str)],
}

fn check(tool: &Tool) {
    let engine = Engine::from_env().unwrap();
    let prepared = format!(
        "stages:\n  tool:\n    from: {}\n    steps:\n      - run: {}\n",
        tool.base,
        serde_json::to_string(tool.prepare).unwrap()
    );
    let lock = format!(
        "{prepared}  lock:\n    from: tool\n    workdir: /app\n    steps:\n      - copy: .\n      - run: {}\n  \
         files:\n    from: scratch\n    steps:\n      - copy: {{from: lock, src: app, dest: /}}\n",
        serde_json::to_string(tool.lock).unwrap()
    );
    let project = Project::new(&engine, &lock).unwrap();
    lay(&project, tool.manifests);
    let locked = engine.build(&project).files().succeed().unwrap();

    let spec = format!(
        "{prepared}  app:\n    from: tool\n    user: build\n    workdir: /app\n    steps:\n      \
         - install: {}\n      - copy: .\n      - run: {}\n",
        tool.name, tool.uses
    );
    let project = Project::new(&engine, &spec).unwrap();
    let manifests = tool.manifests.iter().map(|(path, _)| *path);
    for path in manifests.chain([tool.lockfile]) {
        project.file(path, locked.read(path).unwrap()).unwrap();
    }
    let first = engine.build(&project).succeed().unwrap();
    assert!(first.warning_lines.is_empty(), "{}", first.text);

    project.file("source", unique()).unwrap();
    let again = engine.build(&project).succeed().unwrap();
    let mut ran: Vec<_> = again
        .ran()
        .iter()
        .map(|name| name.split(' ').nth(2))
        .collect();
    ran.sort_unstable();
    assert_eq!(ran, [Some("copy"), Some("run")], "{:?}", again.ran());

    if !tool.changed.is_empty() {
        lay(&project, tool.changed);
        let said = engine.build(&project).fail().unwrap();
        assert!(said.contains(&format!("install: {}", tool.name)), "{said}");
    }
}

fn lay(project: &Project, files: &[(&str, &str)]) {
    for (path, text) in files {
        project.file(path, text).unwrap();
    }
}

const PYPROJECT: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0"]
"#;

const POETRY: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0"]

[[tool.poetry.source]]
name = "simple"
url = "INDEX"
"#;

const PYPROJECT_CHANGED: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0", "markupsafe==3.0.3"]
"#;

const PACKAGE: &str =
    r#"{"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}"#;

const PACKAGE_CHANGED: &str = r#"{"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0", "is-odd": "3.0.1"}}"#;

const PYTHON: Tool = Tool {
    name: "",
    base: "python:3.13-slim",
    prepare: "",
    manifests: &[("pyproject.toml", PYPROJECT)],
    lock: "",
    lockfile: "",
    uses: "python -c 'import click'",
    changed: &[("pyproject.toml", PYPROJECT_CHANGED)],
};

const NODE: Tool = Tool {
    name: "",
    base: "node:20-slim",
    prepare: "",
    manifests: &[("package.json", PACKAGE)],
    lock: "",
    lockfile: "",
    uses: "node -e 'require(\"left-pad\")'",
    changed: &[("package.json", PACKAGE_CHANGED)],
};

#[test]
fn poetry() {
    check(&Tool {
        name: "poetry",
        prepare: "python -m venv /opt/poetry && /opt/poetry/bin/pip install poetry==2.2.1 && ln -s /opt/poetry/bin/poetry /usr/local/bin",
        manifests: &[("pyproject.toml", POETRY)],
        // Its own way of asking PyPI is not that of other tools, and not every mirror knows it.
        lock: "sed -i \"s,INDEX,$(python -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)'),\" pyproject.toml && poetry lock",
        lockfile: "poetry.lock",
        ..PYTHON
    });
}

#[test]
fn pdm() {
    check(&Tool {
        name: "pdm",
        prepare: "python -m venv /opt/pdm && /opt/pdm/bin/pip install pdm==2.26.1 unearth==0.17.5 && ln -s /opt/pdm/bin/pdm /usr/local/bin",
        lock: "pdm lock",
        lockfile: "pdm.lock",
        ..PYTHON
    });
}

#[test]
fn pipenv() {
    check(&Tool {
        name: "pipenv",
        prepare: "python -m venv /opt/pipenv && /opt/pipenv/bin/pip install pipenv==2025.0.4 && ln -s /opt/pipenv/bin/pipenv /usr/local/bin",
        manifests: &[("Pipfile", "[packages]\nclick = \"==8.3.0\"\n")],
        lock: "pipenv lock",
        lockfile: "Pipfile.lock",
        changed: &[(
            "Pipfile",
            "[packages]\nclick = \"==8.3.0\"\nmarkupsafe = \"==3.0.3\"\n",
        )],
        ..PYTHON
    });
}

#[test]
fn uv() {
    check(&Tool {
        name: "uv",
        prepare: "pip install uv==0.9.8",
        lock: "uv lock",
        lockfile: "uv.lock",
        ..PYTHON
    });
}

#[test]
fn pnpm() {
    check(&Tool {
        name: "pnpm",
        prepare: "npm install --global pnpm@10.22.0",
        lock: "pnpm install --lockfile-only",
        lockfile: "pnpm-lock.yaml",
        ..NODE
    });
}

#[test]
fn yarn_1() {
    check(&Tool {
        name: "yarn",
        prepare: "npm install --global --force yarn@1.22.22",
        lock: "yarn install",
        lockfile: "yarn.lock",
        ..NODE
    });
}

#[test]
fn yarn_4() {
    check(&Tool {
        name: "yarn",
        prepare: "npm install --global --force @yarnpkg/cli-dist@4.11.0",
        manifests: &[
            ("package.json", PACKAGE),
            (".yarnrc.yml", "nodeLinker: node-modules\n"),
        ],
        lock: "touch yarn.lock && yarn install --mode=update-lockfile --no-immutable",
        lockfile: "yarn.lock",
        ..NODE
    });
}

#[test]
fn bun() {
    check(&Tool {
        name: "bun",
        prepare: "npm install --global bun@1.3.2",
        lock: "bun install --lockfile-only",
        lockfile: "bun.lock",
        ..NODE
    });
}

/// Without a gem: its registry is not of those that answer everywhere.
#[test]
fn bundler() {
    check(&Tool {
        name: "bundler",
        base: "debian:trixie-slim",
        prepare: "apt-get update && apt-get install -y --no-install-recommends bundler",
        manifests: &[("Gemfile", "source 'https://rubygems.org'\n")],
        lock: "bundle lock",
        lockfile: "Gemfile.lock",
        uses: "bundle exec ruby -e 'puts 1'",
        changed: &[("Gemfile", "source 'https://rubygems.org'\ngem 'rake'\n")],
    });
}

/// Without a package, for the same reason.
#[test]
fn composer() {
    check(&Tool {
        name: "composer",
        base: "debian:trixie-slim",
        prepare: "apt-get update && apt-get install -y --no-install-recommends composer",
        manifests: &[("composer.json", "{\"name\": \"larder/app\"}\n")],
        lock: "composer update --no-install",
        lockfile: "composer.lock",
        uses: "test -d vendor",
        changed: &[],
    });
}
