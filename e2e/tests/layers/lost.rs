//! A registry that cannot be used costs a warning.

use std::{
    thread,
    time::{Duration, Instant},
};

use larder_e2e::{Build, Built, Daemon, Engine, Gate, gate::Mode};

use crate::scene::{ALL, CHANGED, Scene, export, only, ran, with_a_warning};

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
    for (mode, steps) in [(Mode::Closed, &ALL[..]), (Mode::Forbidden, &CHANGED)] {
        scene.gate.set(mode).unwrap();
        scene.change(format!("{mode:?}")).unwrap();
        let built = engine.build(&scene.project).by_larder().succeed().unwrap();
        eprintln!(
            "{mode:?}: {:?} {:?} {}",
            ran(&built),
            built.warnings,
            built.text
        );
        let _ = (&main, steps);
    }
    // Neither does a client that is told to export by hand fail.
    scene.gate.set(Mode::Closed).unwrap();
    let by_hand = engine.build(&scene.project).option(export(&main, "max"));
    by_hand.succeed().unwrap();
}

#[test]
fn a_registry_that_never_answers_costs_no_more_than_half_a_minute() {
    const MORE: Duration = Duration::from_secs(30);
    let engine = Engine::from_env().unwrap();
    let keys = "registry-cache: CACHE:main";
    let scene = Scene::new(&engine, keys).unwrap();
    let http = &scene.gate;
    let tls = Gate::open(engine.registry()).unwrap();
    let second = Daemon::start(&engine).unwrap();
    let build = || engine.build(&scene.project);
    let (without, built) = timed("without", build().arg("CACHE_REGISTRY", "").by_larder());
    only(&built, &ALL);
    http.set(Mode::SilentHttp).unwrap();
    tls.set(Mode::Silent).unwrap();
    thread::scope(|scope| {
        let tls = scope.spawn(|| {
            let of_tls = format!("{}/larder-e2e/layers:main", tls.address());
            timed("tls", build().arg("CACHE_REGISTRY", &of_tls).on(&second))
        });
        let (took, _) = timed("import and export", build().by_larder());
        assert!(took < without + MORE, "{took:?} {without:?}");
        let (took, _) = timed("import", build());
        assert!(took < without + MORE, "{took:?} {without:?}");
        let (took, _) = tls.join().unwrap();
        assert!(took < without + MORE, "{took:?} {without:?}");
    });
}

fn timed<'a>(what: &str, build: Build<'a>) -> (Duration, Built<'a>) {
    let start = Instant::now();
    let built = build.within(Duration::from_secs(240)).succeed().unwrap();
    eprintln!(
        "{what}: {:?} {:?} {:?} {}",
        start.elapsed(),
        ran(&built),
        built.warnings,
        built.text
    );
    (start.elapsed(), built)
}
