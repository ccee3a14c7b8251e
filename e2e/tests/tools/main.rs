//! What each tool fetches again with its caches, as root and as another user: in a second project, with
//! another dependency, and after two builds that filled the caches at once.

mod registries;
mod table;

use std::{env, fmt::Write as _, thread};

use larder_e2e::{
    Built, Engine, Project,
    proxy::{Proxy, Transfer},
    unique,
};

use table::{Fetches, Tool};

/// How often two builds at once fill empty caches, if not once. A number.
const ROUNDS: &str = "LARDER_ROUNDS";

/// Projects that use one tool, and caches that are theirs alone.
struct Scene<'a> {
    tool: &'a Tool,
    engine: &'a Engine,
    namespace: String,
}

impl<'a> Scene<'a> {
    fn new(engine: &'a Engine, tool: &'a Tool) -> Self {
        Self {
            tool,
            engine,
            namespace: unique(),
        }
    }

    /// A project like others, but for its name and a file that none of them has.
    fn project(&self, name: &str) -> Project {
        let spec = spec(self.tool, name, self.tool.command);
        let project = Project::new(self.engine, &spec).unwrap();
        project.file("which", unique()).unwrap();
        lay(&project, self.tool.files);
        project
    }

    fn build(&self, project: &Project) {
        let options = self.engine.build(project).namespace(&self.namespace);
        options.succeed().unwrap();
    }

    /// Builds a project, and names the packages that were downloaded for it, in small letters.
    fn fetched(&self, project: &Project, proxy: &Proxy) -> Vec<String> {
        let options = self.engine.build(project).namespace(&self.namespace);
        let built = options.through(proxy).succeed().unwrap();
        packages(self.tool, &built, proxy)
    }
}

fn check(tool: &Tool) {
    let engine = Engine::from_env().unwrap();
    let proxy = engine.proxy().unwrap();
    one_after_the_other(&Scene::new(&engine, tool), &proxy);
    let rounds = env::var(ROUNDS).map_or(1, |rounds| rounds.parse().unwrap());
    for _ in 0..rounds {
        at_once(&Scene::new(&engine, tool), &proxy);
    }
}

fn one_after_the_other(scene: &Scene<'_>, proxy: &Proxy) {
    let tool = scene.tool;
    let users = tool.users.len();

    let first = scene.fetched(&scene.project("one"), proxy);
    for package in tool.first {
        let times = first.iter().filter(|path| path.contains(package)).count();
        assert!(times >= users, "{package} in {first:?}");
    }

    let second = scene.project("two");
    let again = scene.fetched(&second, proxy);
    assert_eq!(again, [""; 0], "the second project fetched these again");

    lay(&second, tool.more_files);
    let command = tool.more_command.unwrap_or(tool.command);
    let spec = spec(tool, "two", command);
    second.spec(scene.engine, &spec).unwrap();
    let more = scene.fetched(&second, proxy);
    let (added, others): (Vec<_>, Vec<_>) = more.iter().partition(|path| path.contains(tool.added));
    assert!(
        others.is_empty(),
        "one was added, and these were fetched: {others:?}"
    );
    assert!(added.len() >= users, "{added:?}");
}

/// Two builds fill empty caches at once. A third then finds them whole.
fn at_once(scene: &Scene<'_>, proxy: &Proxy) {
    thread::scope(|scope| {
        for name in ["one", "two"] {
            scope.spawn(move || scene.build(&scene.project(name)));
        }
    });
    let fetched = scene.fetched(&scene.project("three"), proxy);
    let again = |path: &&String| scene.tool.first.iter().any(|name| path.contains(name));
    let again: Vec<_> = fetched.iter().filter(again).collect();
    assert!(again.is_empty(), "fetched once more: {again:?}");
}

fn spec(tool: &Tool, project: &str, command: &str) -> String {
    let mut spec = format!(
        "name: {project}\nstages:\n  tool:\n    from: {}\n    caches: none\n    steps:\n      - run: {}\n",
        tool.base,
        serde_json::to_string(tool.prepare).unwrap()
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

#[test]
fn pip() {
    check(&table::PIP);
}

#[test]
fn uv() {
    check(&table::UV);
}

#[test]
fn poetry() {
    check(&table::POETRY);
}

#[test]
fn pdm() {
    check(&table::PDM);
}

#[test]
fn pipx() {
    check(&table::PIPX);
}

#[test]
fn npm() {
    check(&table::NPM);
}

#[test]
fn pnpm() {
    check(&table::PNPM);
}

#[test]
fn yarn_1() {
    check(&table::YARN_1);
}

#[test]
fn yarn_4() {
    check(&table::YARN_4);
}

#[test]
fn bun() {
    check(&table::BUN);
}

#[test]
fn deno() {
    check(&table::DENO);
}

#[test]
fn go() {
    check(&table::GO);
}

#[test]
fn cargo() {
    check(&table::CARGO);
}

#[test]
fn apt() {
    check(&table::APT);
}

#[test]
fn maven() {
    check(&table::MAVEN);
}

#[test]
fn bundler() {
    check(&registries::BUNDLER);
}

#[test]
fn composer() {
    check(&registries::COMPOSER);
}

#[test]
fn renv() {
    check(&registries::RENV);
}

#[test]
fn dnf() {
    check(&registries::DNF);
}
