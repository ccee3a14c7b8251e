//! A registry that cannot be used costs a warning.

use std::{
    thread,
    time::{Duration, Instant},
};

use larder_e2e::{Build, Built, Daemon, Engine, Gate, gate::Mode};

use crate::scene::{ALL, CHANGED, Scene, only, with_a_warning};

#[test]
fn without_the_registry_both_build() {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "registry-cache: CACHE:main").unwrap();
    let main = scene.cache("main");
    let build = || engine.build(&scene.project);
    let second = Daemon::start(&engine).unwrap();
    for (mode, steps, words) in [
        (Mode::Closed, &ALL[..], "connection refused"),
        (Mode::Forbidden, &CHANGED, "does not let this client"),
        (Mode::Open, &CHANGED, "nothing of that name yet"),
    ] {
        scene.gate.set(mode).unwrap();
        scene.change(format!("{mode:?}")).unwrap();
        for build in [build(), build().on(&second)] {
            with_a_warning(&build.succeed().unwrap(), steps, &main, words);
        }
    }
}

#[test]
fn without_the_registry_nothing_is_exported() {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "registry-cache: CACHE:main").unwrap();
    let main = scene.cache("main");
    let build = || engine.build(&scene.project);
    scene.gate.set(Mode::Closed).unwrap();
    let result = build().by_larder().succeed().unwrap();
    with_a_warning(&result, &ALL, &main, "connection refused");
    not_written(
        &result,
        &main,
        "the registry cannot be reached (connection refused)",
    );

    // Who may not read may write for all that is known: only the export itself tells.
    scene.gate.set(Mode::Forbidden).unwrap();
    scene.change("second").unwrap();
    let result = build().by_larder().succeed().unwrap();
    with_a_warning(&result, &CHANGED, &main, "does not let this client");
    let mut vertices = result.vertices.iter();
    let export = vertices.find(|vertex| vertex.name.starts_with("exporting cache"));
    let error = export.and_then(|export| export.error.as_deref());
    assert!(
        error.is_some_and(|error| error.contains("403 Forbidden")),
        "{export:?}"
    );
}

#[test]
fn a_registry_that_never_answers_costs_half_a_minute_at_most() {
    const MORE: Duration = Duration::from_secs(30);
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "registry-cache: CACHE:main").unwrap();
    let build = || engine.build(&scene.project);
    let second = Daemon::start(&engine).unwrap();
    let all = build().by_larder().arg("CACHE_REGISTRY", "");
    let (without, result) = timed(all);
    only(&result, &ALL);

    // Of these two, BuildKit by itself waits ten seconds for one, and for the other without end.
    let tls = Gate::open(engine.registry()).unwrap();
    tls.set(Mode::Silent).unwrap();
    scene.gate.set(Mode::SilentHttp).unwrap();
    let (main, of_tls) = (
        scene.cache("main"),
        format!("{}/larder-e2e/layers:main", tls.address()),
    );
    scene.change("second").unwrap();
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| timed(build().arg("CACHE_REGISTRY", &of_tls).on(&second)));
        let (took, result) = timed(build().by_larder());
        with_a_warning(&result, &CHANGED, &main, "did not answer within");
        not_written(
            &result,
            &main,
            "the registry did not answer within 10 seconds",
        );
        assert!(
            took < without + MORE,
            "import and export: {took:?}, {without:?} without"
        );
        let (took, result) = elsewhere.join().unwrap();
        with_a_warning(&result, &ALL, &of_tls, "did not answer within");
        assert!(
            took < without + MORE,
            "import: {took:?}, {without:?} without"
        );
    });
}

/// A build that would not end is a failure soon enough.
fn timed(build: Build<'_>) -> (Duration, Built<'_>) {
    let start = Instant::now();
    let result = build.within(Duration::from_secs(120)).succeed().unwrap();
    (start.elapsed(), result)
}

/// `larder build` has said once that it does not export, and why.
fn not_written(result: &Built, reference: &str, why: &str) {
    let warning = format!("warning: the layer cache `{reference}` is not written: {why}\n");
    assert_eq!(result.text.matches(&warning).count(), 1, "{}", result.text);
}
