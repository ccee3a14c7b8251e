//! A second project, and another dependency: what each tool fetches again with its caches, as root and
//! as another user.

use std::fmt::Write as _;

use larder_e2e::{
    Built, Engine, Project,
    proxy::{Proxy, Transfer},
    unique,
};

struct Tool {
    base: &'static str,
    /// Shell that installs the tool; without caches.
    prepare: &'static str,
    files: &'static [(&'static str, &'static str)],
    command: &'static str,
    /// What replaces files and command to add a dependency.
    more_files: &'static [(&'static str, &'static str)],
    more_command: Option<&'static str>,
    fetches: Fetches,
    /// Part of the address of each package of the first build, in small letters.
    first: &'static [&'static str],
    /// The same for the package that is added.
    added: &'static str,
    /// Those who can run it.
    users: &'static [&'static str],
}

/// How it is known what was fetched.
enum Fetches {
    /// Requests whose path says that a package is asked for.
    Requests(fn(&str) -> bool),
    /// Lines of the tool's own output that have this text, which ends before the package's address.
    Lines(&'static str),
}

const BOTH: &[&str] = &["root", "build"];

fn ends(path: &str, ends: &[&str]) -> bool {
    let file = path.split('?').next().unwrap_or_default();
    ends.iter().any(|end| file.ends_with(end))
}

const PYTHON: Tool = Tool {
    base: "python:3.13-slim",
    prepare: "true",
    files: &[("requirements.txt", "click==8.3.0\nitsdangerous==2.2.0\n")],
    command: "",
    more_files: &[(
        "requirements.txt",
        "click==8.3.0\nitsdangerous==2.2.0\nmarkupsafe==3.0.3\n",
    )],
    more_command: None,
    fetches: Fetches::Requests(|path| ends(path, &[".whl", ".tar.gz"])),
    first: &["click-8.3.0", "itsdangerous-2.2.0"],
    added: "markupsafe-3.0.3",
    users: BOTH,
};

const PYPROJECT: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0", "itsdangerous==2.2.0"]

[[tool.poetry.source]]
name = "simple"
url = "https://pypi.org/simple/"
"#;

const PYPROJECT_MORE: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0", "itsdangerous==2.2.0", "markupsafe==3.0.3"]

[[tool.poetry.source]]
name = "simple"
url = "https://pypi.org/simple/"
"#;

const NODE: Tool = Tool {
    base: "node:20-slim",
    prepare: "true",
    files: &[(
        "package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"ms": "2.1.3", "semver": "7.7.3"}}"#,
    )],
    command: "",
    more_files: &[(
        "package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"ms": "2.1.3", "semver": "7.7.3", "picocolors": "1.1.1"}}"#,
    )],
    more_command: None,
    fetches: Fetches::Requests(|path| ends(path, &[".tgz"])),
    first: &["ms-2.1.3", "semver-7.7.3"],
    added: "picocolors-1.1.1",
    users: BOTH,
};

#[test]
fn pip() {
    check(&Tool {
        command: "pip install --target=packages -r requirements.txt",
        ..PYTHON
    });
}

#[test]
fn uv() {
    check(&Tool {
        prepare: "pip install uv==0.9.8",
        command: "uv venv && uv pip install -r requirements.txt",
        ..PYTHON
    });
}

#[test]
fn poetry() {
    check(&Tool {
        prepare: "python -m venv /opt/poetry && /opt/poetry/bin/pip install poetry==2.2.1 && ln -s /opt/poetry/bin/poetry /usr/local/bin",
        files: &[("pyproject.toml", PYPROJECT)],
        command: "poetry install --no-root && poetry run python -c 'import click'",
        more_files: &[("pyproject.toml", PYPROJECT_MORE)],
        ..PYTHON
    });
}

#[test]
fn pdm() {
    check(&Tool {
        prepare: "python -m venv /opt/pdm && /opt/pdm/bin/pip install pdm==2.26.1 unearth==0.17.5 && ln -s /opt/pdm/bin/pdm /usr/local/bin",
        files: &[("pyproject.toml", PYPROJECT)],
        command: "pdm install --no-self",
        more_files: &[("pyproject.toml", PYPROJECT_MORE)],
        ..PYTHON
    });
}

#[test]
fn pipx() {
    check(&Tool {
        prepare: "pip install pipx==1.8.0",
        files: &[],
        command: "pipx install pycowsay==0.0.0.2",
        more_files: &[],
        more_command: Some(
            "pipx install pycowsay==0.0.0.2 && pipx inject pycowsay markupsafe==3.0.3",
        ),
        first: &["pycowsay-0.0.0.2"],
        ..PYTHON
    });
}

#[test]
fn npm() {
    check(&Tool {
        command: "npm install",
        ..NODE
    });
}

#[test]
fn pnpm() {
    check(&Tool {
        prepare: "npm install --global pnpm@10.22.0",
        command: "pnpm install && node -e 'require(\"ms\")'",
        ..NODE
    });
}

#[test]
fn yarn_1() {
    check(&Tool {
        prepare: "npm install --global yarn@1.22.22",
        command: "yarn install",
        ..NODE
    });
}

#[test]
fn yarn_4() {
    check(&Tool {
        prepare: "npm install --global @yarnpkg/cli-dist@4.11.0",
        command: "touch yarn.lock && YARN_HTTPS_PROXY=$HTTPS_PROXY yarn install --no-immutable",
        fetches: Fetches::Requests(|path| ends(path, &[".tgz"])),
        ..NODE
    });
}

#[test]
fn bun() {
    check(&Tool {
        prepare: "npm install --global bun@1.3.2",
        command: "bun install",
        ..NODE
    });
}

#[test]
fn deno() {
    check(&Tool {
        prepare: "npm install --global deno@2.5.6",
        files: &[(
            "main.ts",
            "import ms from \"npm:ms@2.1.3\";\nimport semver from \"npm:semver@7.7.3\";\nconsole.log(ms, semver);\n",
        )],
        command: "DENO_CERT=$SSL_CERT_FILE deno check main.ts",
        more_files: &[(
            "main.ts",
            "import ms from \"npm:ms@2.1.3\";\nimport semver from \"npm:semver@7.7.3\";\nimport p from \"npm:picocolors@1.1.1\";\nconsole.log(ms, semver, p);\n",
        )],
        ..NODE
    });
}

#[test]
fn go() {
    check(&Tool {
        base: "golang:1.24",
        files: &[("go.mod", "module app\n\ngo 1.24\n")],
        command: "go get github.com/google/uuid@v1.6.0",
        more_files: &[],
        more_command: Some(
            "go get github.com/google/uuid@v1.6.0 github.com/dustin/go-humanize@v1.0.1",
        ),
        fetches: Fetches::Requests(|path| ends(path, &[".zip"])),
        first: &["google/uuid/@v/v1.6.0.zip"],
        added: "dustin/go-humanize/@v/v1.0.1.zip",
        ..PYTHON
    });
}

const CARGO: &str = r#"[package]
name = "app"
version = "1.0.0"
edition = "2021"

[dependencies]
itoa = "=1.0.15"
"#;

const CARGO_MORE: &str = r#"[package]
name = "app"
version = "1.0.0"
edition = "2021"

[dependencies]
itoa = "=1.0.15"
ryu = "=1.0.20"
"#;

#[test]
fn cargo() {
    check(&Tool {
        base: "rust:1-slim",
        files: &[("Cargo.toml", CARGO), ("src/main.rs", "fn main() {}\n")],
        command: "cargo build",
        more_files: &[("Cargo.toml", CARGO_MORE)],
        fetches: Fetches::Requests(|path| ends(path, &["/download", ".crate"])),
        first: &["itoa"],
        added: "ryu",
        ..PYTHON
    });
}

#[test]
fn apt() {
    check(&Tool {
        base: "debian:trixie-slim",
        files: &[],
        command: "apt-get update && apt-get install -y --no-install-recommends tree",
        more_files: &[],
        more_command: Some(
            "apt-get update && apt-get install -y --no-install-recommends tree hello",
        ),
        fetches: Fetches::Requests(|path| ends(path, &[".deb"])),
        first: &["/tree_"],
        added: "/hello_",
        users: &["root"],
        ..PYTHON
    });
}

const POM: &str = r"<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>app</groupId>
  <artifactId>app</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>commons-codec</groupId><artifactId>commons-codec</artifactId><version>1.17.0</version></dependency>
  </dependencies>
</project>
";

const POM_MORE: &str = r"<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>app</groupId>
  <artifactId>app</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>commons-codec</groupId><artifactId>commons-codec</artifactId><version>1.17.0</version></dependency>
    <dependency><groupId>org.jspecify</groupId><artifactId>jspecify</artifactId><version>1.0.0</version></dependency>
  </dependencies>
</project>
";

#[test]
fn maven() {
    check(&Tool {
        base: "maven:3",
        files: &[("pom.xml", POM)],
        command: "mvn --batch-mode compile",
        more_files: &[("pom.xml", POM_MORE)],
        fetches: Fetches::Lines("Downloaded from central: "),
        first: &["commons-codec-1.17.0.jar"],
        added: "jspecify-1.0.0.",
        ..PYTHON
    });
}

fn spec(tool: &Tool, project: &str, command: &str) -> String {
    let mut spec = format!(
        "name: {project}\nstages:\n  tool:\n    from: {}\n    caches: none\n    steps:\n      - run: {}\n",
        tool.base, tool.prepare
    );
    for user in tool.users {
        let _ = write!(
            spec,
            "  {user}:\n    from: tool\n    user: {user}\n    workdir: /app\n    steps:\n      \
             - copy: .\n      - run: {command} && touch /app/done-{user}\n"
        );
    }
    spec += "  all:\n    from: scratch\n    steps:\n";
    for user in tool.users {
        let _ = writeln!(
            spec,
            "      - copy: {{from: {user}, src: /app/done-{user}, dest: /}}"
        );
    }
    spec
}

fn check(tool: &Tool) {
    let engine = Engine::from_env().unwrap();
    let namespace = unique();
    let proxy = engine.proxy().unwrap();
    let fetched = |project: &Project| {
        let built = engine
            .build(project)
            .namespace(&namespace)
            .through(&proxy)
            .succeed()
            .unwrap();
        packages(tool, &built, &proxy)
    };
    let project = |name: &str| {
        let project = Project::new(&engine, &spec(tool, name, tool.command)).unwrap();
        project.file("which", unique()).unwrap();
        lay(&project, tool.files);
        project
    };
    let users = tool.users.len();

    let first = fetched(&project("one"));
    for package in tool.first {
        let times = first.iter().filter(|path| path.contains(package)).count();
        assert!(times >= users, "{package} in {first:?}");
    }

    let second = project("two");
    let again = fetched(&second);
    assert_eq!(again, [""; 0], "the second project fetched these again");

    lay(&second, tool.more_files);
    let command = tool.more_command.unwrap_or(tool.command);
    second.spec(&engine, &spec(tool, "two", command)).unwrap();
    let more = fetched(&second);
    let (added, others): (Vec<_>, Vec<_>) = more.iter().partition(|path| path.contains(tool.added));
    assert!(
        others.is_empty(),
        "one was added, and these were fetched: {others:?}"
    );
    assert!(added.len() >= users, "{added:?}");
}

fn lay(project: &Project, files: &[(&str, &str)]) {
    for (path, text) in files {
        project.file(path, text).unwrap();
    }
}

fn packages(tool: &Tool, built: &Built<'_>, proxy: &Proxy) -> Vec<String> {
    let transfers = proxy.take();
    match tool.fetches {
        Fetches::Requests(package) => transfers
            .into_iter()
            .filter(|transfer: &Transfer| {
                transfer.method == "GET"
                    && transfer.status == 200
                    && transfer.bytes > 0
                    && package(&transfer.path)
            })
            .map(|transfer| transfer.path.to_lowercase())
            .collect(),
        Fetches::Lines(text) => built
            .logs
            .lines()
            .filter_map(|line| line.split_once(text))
            .map(|(_, address)| address.to_lowercase())
            .collect(),
    }
}
