//! What would defeat a cache, and does not, or is told.

use larder_e2e::proxy::{Proxy, Transfer};
use larder_e2e::{Built, Engine, Project, unique};

/// Installs a package, in a project of its own.
fn spec(base: &str) -> String {
    format!(
        "name: {}\nfrom: {base}\nworkdir: /app\nsteps:\n  - run: pip install click==8.3.0\n  \
         - run: echo \">${{PIP_NO_CACHE_DIR:-unset}}\"\n",
        unique()
    )
}

fn packages(proxy: &Proxy) -> Vec<String> {
    let is_package = |transfer: &Transfer| {
        transfer.status == 200 && transfer.bytes > 0 && transfer.path.contains(".whl")
    };
    let transfers = proxy.take().into_iter().filter(is_package);
    transfers.map(|transfer| transfer.path).collect()
}

#[test]
fn a_variable_of_the_base_image_does_not_defeat_pip() {
    let engine = Engine::from_env().unwrap();
    let base = engine
        .base_with("python:3.13-slim", "ENV PIP_NO_CACHE_DIR=1")
        .unwrap();
    let proxy = engine.proxy().unwrap();
    let namespace = unique();
    let first = Project::new(&engine, &spec(base.name())).unwrap();
    let second = Project::new(&engine, &spec(base.name())).unwrap();
    let build = |project| -> (Vec<String>, Vec<String>, String) {
        // Another image, so that no layer serves.
        base.change().unwrap();
        let built: Built<'_> = engine
            .build(project)
            .namespace(&namespace)
            .through(&proxy)
            .image()
            .succeed()
            .unwrap();
        let env = built.config().unwrap()["Env"].to_string();
        (packages(&proxy), built.warnings.clone(), env)
    };
    let (fetched, warnings, env) = build(&first);
    assert!(
        fetched.iter().any(|path| path.contains("click-8.3.0")),
        "{fetched:?}"
    );
    assert_eq!(warnings, [""; 0]);
    assert!(env.contains("PIP_NO_CACHE_DIR=1"), "{env}");
    let (fetched, _, env) = build(&second);
    assert_eq!(fetched, [""; 0]);
    assert!(env.contains("PIP_NO_CACHE_DIR=1"), "{env}");
}

/// Only the step with the cache goes without the variable.
#[test]
fn a_variable_of_the_base_image_is_there_in_other_steps() {
    let engine = Engine::from_env().unwrap();
    let base = engine
        .base_with("python:3.13-slim", "ENV PIP_NO_CACHE_DIR=1")
        .unwrap();
    let say = "echo \">${PIP_NO_CACHE_DIR:-unset}\"";
    let spec = format!(
        "from: {}\nsteps:\n  - run: pip download --help >/dev/null; {say}\n  - run: {say}\n",
        base.name()
    );
    let project = Project::new(&engine, &spec).unwrap();
    let built = engine.build(&project).succeed().unwrap();
    let said: Vec<&str> = built
        .logs
        .lines()
        .filter(|line| line.starts_with('>'))
        .collect();
    assert_eq!(said, [">unset", ">1"]);
}

#[test]
fn a_lint_is_a_warning_with_its_line() {
    let engine = Engine::from_env().unwrap();
    let spec = format!(
        "from: python:3.13-slim\nenv: {{ONCE: {}}}\nsteps:\n  \
         - run: pip download --no-cache-dir --help\n  \
         - run: pip cache purge; pip download --help # larder: ignore=cache-emptied\n",
        unique()
    );
    let project = Project::new(&engine, &spec).unwrap();
    let built = engine.build(&project).succeed().unwrap();
    let [warning] = built.warnings.as_slice() else {
        panic!("{:?}", built.warnings);
    };
    assert!(
        warning.contains("cache-defeated: with `--no-cache-dir` the cache `pip` is of no use"),
        "{warning}"
    );
    assert!(
        warning.contains("leave out `--no-cache-dir`"),
        "no hint in: {warning}"
    );
    // The first line names the frontend.
    assert_eq!(built.warning_lines, [5]);
}
