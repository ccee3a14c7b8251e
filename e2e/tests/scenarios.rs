//! What a rebuild downloads and runs again, for each package manager: at first, after no change, a
//! change of the source, of the dependencies, of the base image. Bytes are counted by a proxy.

use std::path::Path;

use larder_e2e::{
    Base, Built, Engine, Project,
    proxy::{Proxy, Transfer},
    unique,
};

struct Tool {
    /// The folder of its files in `fixtures`.
    name: &'static str,
    base: &'static str,
    /// Steps before the source is copied.
    install: &'static str,
    /// `install`, once a dependency was added; the files alone say it where this is the same.
    install_more: &'static str,
    /// Part of the name of the step that installs.
    installs: &'static str,
    /// Steps after the source is copied.
    build: &'static str,
    cmd: &'static str,
    /// Whether a path is that of a package.
    package: fn(&str) -> bool,
    /// Part of the path of each package of the first build.
    first: &'static [&'static str],
    /// Part of the path of the package that is added.
    added: &'static str,
    /// What the image prints, `STATE` being what was done to the source.
    prints: &'static str,
}

const PIP: Tool = Tool {
    name: "pip",
    base: "python:3.13-slim",
    install: "  - install: pip\n",
    install_more: "  - install: pip\n",
    installs: "pip",
    build: "",
    cmd: "[python, main.py]",
    package: |path| has_end(path, &[".whl", ".tar.gz"]),
    first: &["click-8.3.0", "itsdangerous-2.2.0"],
    added: "markupsafe-3.0.3",
    prints: "STATE True",
};

const NPM: Tool = Tool {
    name: "npm",
    base: "node:20-slim",
    install: "  - install: npm\n",
    install_more: "  - install: npm\n",
    installs: "npm",
    build: "",
    cmd: "[node, main.js]",
    package: |path| has_end(path, &[".tgz"]),
    first: &["ms-2.1.3", "semver-7.7.3"],
    added: "picocolors-1.1.1",
    prints: "STATE 172800000 1.2.3",
};

const GO: Tool = Tool {
    name: "go",
    base: "golang:1.24",
    install: "  - install: go\n",
    install_more: "  - install: go\n",
    installs: "go mod",
    build: "  - run: go build -o scenario .\n",
    cmd: "[./scenario]",
    package: |path| path.contains("/@v/"),
    first: &["google/uuid/@v/v1.6.0.zip"],
    added: "dustin/go-humanize/@v/v1.0.1",
    prints: "STATE 00000000-0000-0000-0000-000000000000",
};

const CARGO: Tool = Tool {
    name: "cargo",
    base: "rust:1-slim",
    install: "  - install: cargo\n",
    install_more: "  - install: cargo\n",
    installs: "cargo fetch",
    build: "  - run: cargo build --locked\n",
    cmd: "[target/debug/scenario]",
    package: |path| has_end(path, &["/download", ".crate"]),
    first: &["itoa"],
    added: "ryu",
    prints: "STATE 42",
};

const APT: Tool = Tool {
    name: "apt",
    base: "debian:trixie-slim",
    install: "  - run: apt-get update && apt-get install -y --no-install-recommends tree\n    user: root\n",
    install_more: "  - run: apt-get update && apt-get install -y --no-install-recommends tree hello\n    user: root\n",
    installs: "apt-get install",
    build: "",
    cmd: "[./main.sh]",
    package: |path| has_end(path, &[".deb"]),
    first: &["/tree_"],
    added: "/hello_",
    prints: "STATE",
};

fn has_end(path: &str, ends: &[&str]) -> bool {
    let file = path.split('?').next().unwrap_or_default();
    ends.iter().any(|end| file.ends_with(end))
}

fn spec(tool: &Tool, base: &str, user: &str, install: &str) -> String {
    format!(
        "name: scenario-{}\nfrom: {base}\nuser: {user}\nworkdir: /app\nsteps:\n{install}  - copy: .\n{}\
         image:\n  cmd: {}\n",
        tool.name, tool.build, tool.cmd
    )
}

/// The packages among transfers.
fn packages(tool: &Tool, transfers: &[Transfer]) -> Vec<String> {
    let mut paths = Vec::new();
    for transfer in transfers {
        let package = transfer.status == 200 && (tool.package)(&transfer.path);
        if package && transfer.bytes > 0 {
            assert!(transfer.complete, "cut short: {transfer:?}");
            paths.push(transfer.path.to_lowercase());
        }
    }
    paths
}

/// What one scenario builds, again and again.
struct Scene<'a> {
    tool: &'a Tool,
    engine: &'a Engine,
    base: Base<'a>,
    project: Project,
    proxy: Proxy,
    namespace: String,
}

impl<'a> Scene<'a> {
    fn new(engine: &'a Engine, tool: &'a Tool, user: &str) -> Self {
        let base = engine.base(tool.base).unwrap();
        let project = Project::new(engine, &spec(tool, base.name(), user, tool.install)).unwrap();
        let proxy = engine.proxy().unwrap();
        let scene = Self {
            tool,
            engine,
            base,
            project,
            proxy,
            namespace: unique(),
        };
        scene.lay("first");
        scene
    }

    fn lay(&self, state: &str) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let folder = fixtures.join(self.tool.name).join(state);
        if folder.exists() {
            self.project.lay(&folder).unwrap();
        }
    }

    /// Builds it, and names the packages that were downloaded for it.
    fn build(&self) -> (Built<'_>, Vec<String>) {
        let built = self
            .engine
            .build(&self.project)
            .namespace(&self.namespace)
            .through(&self.proxy)
            .image()
            .succeed()
            .unwrap();
        let fetched = packages(self.tool, &self.proxy.take());
        (built, fetched)
    }

    fn check_image(&self, built: &Built<'_>, state: &str) {
        let printed = built.run(&[]).unwrap();
        let expected = self.tool.prints.replace("STATE", state);
        assert!(printed.starts_with(&expected), "{printed}");
    }
}

fn scenario(tool: &Tool, user: &str) {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, tool, user);
    let installs = |steps: &[&str]| steps.iter().any(|step| step.contains(tool.installs));

    let (built, fetched) = scene.build();
    for name in tool.first {
        assert!(
            fetched.iter().any(|path| path.contains(name)),
            "no {name} in {fetched:?}"
        );
    }
    assert!(installs(&built.ran()), "{:?}", built.ran());
    scene.check_image(&built, "first");
    let uid = if user == "root" { "0" } else { "1000" };
    assert_eq!(
        built
            .run_with(&["--entrypoint=id"], &["-u"])
            .unwrap()
            .trim(),
        uid
    );

    let (built, fetched) = scene.build();
    assert_eq!(built.ran(), [""; 0], "nothing changed, and yet these ran");
    assert!(installs(&built.cached()), "{:?}", built.cached());
    assert_eq!(fetched, [""; 0]);

    scene.lay("edited");
    let (built, fetched) = scene.build();
    assert!(
        !installs(&built.ran()),
        "the source changed, and these ran: {:?}",
        built.ran()
    );
    assert!(installs(&built.cached()), "{:?}", built.cached());
    assert_eq!(fetched, [""; 0]);
    scene.check_image(&built, "edited");

    scene.lay("added");
    scene
        .project
        .spec(
            &engine,
            &spec(tool, scene.base.name(), user, tool.install_more),
        )
        .unwrap();
    let (built, fetched) = scene.build();
    assert!(installs(&built.ran()), "{:?}", built.ran());
    let others: Vec<_> = fetched
        .iter()
        .filter(|path| !path.contains(tool.added))
        .collect();
    assert_eq!(
        others, [""; 0],
        "one dependency was added, and others were downloaded"
    );
    assert_ne!(
        fetched, [""; 0],
        "a dependency was added, and nothing was downloaded"
    );

    scene.base.change().unwrap();
    let (built, fetched) = scene.build();
    assert!(installs(&built.ran()), "{:?}", built.ran());
    assert_eq!(
        fetched, [""; 0],
        "the base changed, and these were downloaded again"
    );
}

#[test]
fn pip_as_root() {
    scenario(&PIP, "root");
}

#[test]
fn pip_as_build() {
    scenario(&PIP, "build");
}

#[test]
fn npm_as_root() {
    scenario(&NPM, "root");
}

#[test]
fn npm_as_build() {
    scenario(&NPM, "build");
}

#[test]
fn go_as_root() {
    scenario(&GO, "root");
}

#[test]
fn go_as_build() {
    scenario(&GO, "build");
}

#[test]
fn cargo_as_root() {
    scenario(&CARGO, "root");
}

#[test]
fn cargo_as_build() {
    scenario(&CARGO, "build");
}

#[test]
fn apt_as_root() {
    scenario(&APT, "root");
}

#[test]
fn apt_for_build() {
    scenario(&APT, "build");
}
