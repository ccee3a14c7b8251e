//! Objects that were compiled before come from the cache, in the same project and for the same user.

use std::{fmt::Write as _, thread};

use larder_e2e::{Built, Engine, Project, unique};

/// A compiler's cache, and shell that compiles and then prints its counts.
struct Compiler {
    prepare: &'static str,
    compile: &'static str,
    /// Shell that prints `hits misses`.
    counts: &'static str,
}

const CCACHE: Compiler = Compiler {
    prepare: "apt-get update && apt-get install -y --no-install-recommends ccache",
    compile: "ccache --zero-stats && ccache gcc -c main.c -o main.o",
    counts: "ccache --print-stats | awk '$1 ~ /^(direct|preprocessed)_cache_hit$/ {h += $2} \
             $1 == \"cache_miss\" {m = $2} END {print h + 0, m + 0}'",
};

const SCCACHE: Compiler = Compiler {
    prepare: "apt-get update && apt-get install -y --no-install-recommends sccache",
    compile: "sccache gcc -c main.c -o main.o",
    counts: "sccache --show-stats | awk '/^Cache hits  / {h = $3} /^Cache misses  / {m = $3} \
             END {print h + 0, m + 0}'",
};

fn spec(compiler: &Compiler, project: &str) -> String {
    let Compiler {
        prepare,
        compile,
        counts,
    } = compiler;
    let mut spec = format!(
        "name: {project}\nstages:\n  tool:\n    from: golang:1.24\n    caches: none\n    steps:\n      - run: {prepare}\n"
    );
    for user in ["root", "build"] {
        let _ = write!(
            spec,
            "  {user}:\n    from: tool\n    user: {user}\n    workdir: /src\n    steps:\n      - copy: .\n      \
             - run: |\n          {compile}\n          echo \">{user} $({counts})\"\n"
        );
    }
    spec + "  all:\n    from: scratch\n    steps:\n      \
            - copy: {from: root, src: /src/main.o, dest: /root.o}\n      \
            - copy: {from: build, src: /src/main.o, dest: /build.o}\n"
}

/// What is said of each user's build, in the order of their names.
fn said(built: &Built<'_>) -> Vec<String> {
    let mut said = built.said();
    said.sort();
    said
}

fn check(compiler: &Compiler) {
    let engine = Engine::from_env().unwrap();
    let build = |project: &str, namespace: &str| {
        let project = Project::new(&engine, &spec(compiler, project)).unwrap();
        project
            .file("main.c", "int main(void) { return 0; }\n")
            .unwrap();
        project.file("which", unique()).unwrap();
        said(
            &engine
                .build(&project)
                .namespace(namespace)
                .succeed()
                .unwrap(),
        )
    };
    let (misses, hits) = (["build 0 1", "root 0 1"], ["build 1 0", "root 1 0"]);
    let namespace = unique();
    assert_eq!(build("one", &namespace), misses);
    assert_eq!(build("one", &namespace), hits);
    assert_eq!(build("two", &namespace), misses, "another project");

    let namespace = unique();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| build("one", &namespace));
        }
    });
    assert_eq!(build("one", &namespace), hits, "after two builds at once");
}

#[test]
fn ccache() {
    check(&CCACHE);
}

#[test]
fn sccache() {
    check(&SCCACHE);
}
