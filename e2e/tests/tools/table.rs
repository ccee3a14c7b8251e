//! The tools, what they install, and how it is known what they fetched.

pub(crate) struct Tool {
    pub(crate) base: &'static str,
    /// Shell that installs the tool; without caches.
    pub(crate) prepare: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
    pub(crate) command: &'static str,
    /// What replaces files and command to add a dependency.
    pub(crate) more_files: &'static [(&'static str, &'static str)],
    pub(crate) more_command: Option<&'static str>,
    pub(crate) fetches: Fetches,
    /// Part of the address of each package of the first build, in small letters.
    pub(crate) first: &'static [&'static str],
    /// The same for the package that is added.
    pub(crate) added: &'static str,
    /// Those who can run it.
    pub(crate) users: &'static [&'static str],
}

/// How it is known what was fetched.
pub(crate) enum Fetches {
    /// Requests whose path says that a package is asked for.
    Requests(fn(&str) -> bool),
    /// Lines of what the step prints that have this text, which ends before the package's address.
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
url = "INDEX"
"#;

const PYPROJECT_MORE: &str = r#"[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = ["click==8.3.0", "itsdangerous==2.2.0", "markupsafe==3.0.3"]

[[tool.poetry.source]]
name = "simple"
url = "INDEX"
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

pub(crate) const PIP: Tool = Tool {
    command: "pip install --target=packages -r requirements.txt",
    ..PYTHON
};

pub(crate) const UV: Tool = Tool {
    prepare: "pip install uv==0.9.8",
    command: "uv venv && uv pip install -r requirements.txt",
    ..PYTHON
};

pub(crate) const POETRY: Tool = Tool {
    prepare: "python -m venv /opt/poetry && /opt/poetry/bin/pip install poetry==2.2.1 && ln -s /opt/poetry/bin/poetry /usr/local/bin",
    files: &[("pyproject.toml", PYPROJECT)],
    command: "sed -i \"s,INDEX,$(python -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)'),\" pyproject.toml && poetry install --no-root && poetry run python -c 'import click'",
    more_files: &[("pyproject.toml", PYPROJECT_MORE)],
    ..PYTHON
};

pub(crate) const PDM: Tool = Tool {
    prepare: "python -m venv /opt/pdm && /opt/pdm/bin/pip install pdm==2.26.1 unearth==0.17.5 && ln -s /opt/pdm/bin/pdm /usr/local/bin",
    files: &[("pyproject.toml", PYPROJECT)],
    command: "pdm install --no-self",
    more_files: &[("pyproject.toml", PYPROJECT_MORE)],
    ..PYTHON
};

pub(crate) const PIPX: Tool = Tool {
    prepare: "pip install pipx==1.8.0",
    files: &[],
    command: "pipx install pycowsay==0.0.0.2",
    more_files: &[],
    more_command: Some("pipx install pycowsay==0.0.0.2 && pipx inject pycowsay markupsafe==3.0.3"),
    first: &["pycowsay-0.0.0.2"],
    ..PYTHON
};

pub(crate) const NPM: Tool = Tool {
    command: "npm install",
    ..NODE
};

pub(crate) const PNPM: Tool = Tool {
    prepare: "npm install --global pnpm@10.22.0",
    command: "pnpm install && node -e 'require(\"ms\")'",
    ..NODE
};

pub(crate) const YARN_1: Tool = Tool {
    prepare: "npm install --global yarn@1.22.22",
    command: "yarn install",
    ..NODE
};

pub(crate) const YARN_4: Tool = Tool {
    prepare: "npm install --global @yarnpkg/cli-dist@4.11.0",
    command: "touch yarn.lock && YARN_HTTPS_PROXY=$HTTPS_PROXY yarn install --no-immutable",
    fetches: Fetches::Requests(|path| ends(path, &[".tgz"])),
    ..NODE
};

pub(crate) const BUN: Tool = Tool {
    prepare: "npm install --global bun@1.3.2",
    command: "bun install",
    ..NODE
};

pub(crate) const DENO: Tool = Tool {
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
};

pub(crate) const GO: Tool = Tool {
    base: "golang:1.24",
    files: &[("go.mod", "module app\n\ngo 1.24\n")],
    command: "go get github.com/google/uuid@v1.6.0",
    more_files: &[],
    more_command: Some("go get github.com/google/uuid@v1.6.0 github.com/dustin/go-humanize@v1.0.1"),
    fetches: Fetches::Requests(|path| ends(path, &[".zip"])),
    first: &["google/uuid/@v/v1.6.0.zip"],
    added: "dustin/go-humanize/@v/v1.0.1.zip",
    ..PYTHON
};

const CARGO_TOML: &str = r#"[package]
name = "app"
version = "1.0.0"
edition = "2021"

[dependencies]
itoa = "=1.0.15"
"#;

const CARGO_TOML_MORE: &str = r#"[package]
name = "app"
version = "1.0.0"
edition = "2021"

[dependencies]
itoa = "=1.0.15"
ryu = "=1.0.20"
"#;

pub(crate) const CARGO: Tool = Tool {
    base: "rust:1-slim",
    files: &[
        ("Cargo.toml", CARGO_TOML),
        ("src/main.rs", "fn main() {}\n"),
    ],
    command: "cargo build",
    more_files: &[("Cargo.toml", CARGO_TOML_MORE)],
    fetches: Fetches::Requests(|path| ends(path, &["/download", ".crate"])),
    first: &["itoa"],
    added: "ryu",
    ..PYTHON
};

pub(crate) const APT: Tool = Tool {
    base: "debian:trixie-slim",
    files: &[],
    command: "apt-get update && apt-get install -y --no-install-recommends tree",
    more_files: &[],
    more_command: Some("apt-get update && apt-get install -y --no-install-recommends tree hello"),
    fetches: Fetches::Requests(|path| ends(path, &[".deb"])),
    first: &["/tree_"],
    added: "/hello_",
    users: &["root"],
    ..PYTHON
};

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

pub(crate) const MAVEN: Tool = Tool {
    base: "maven:3",
    files: &[("pom.xml", POM)],
    command: "mvn --batch-mode compile",
    more_files: &[("pom.xml", POM_MORE)],
    fetches: Fetches::Lines("Downloaded from central: "),
    first: &["commons-codec-1.17.0.jar"],
    added: "jspecify-1.0.0.",
    ..PYTHON
};
