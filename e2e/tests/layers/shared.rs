//! What one daemon has built, the other has.

use larder_e2e::{Daemon, Engine, gate::Mode};

use crate::scene::{ALL, CHANGED, Scene, TOOLS, export, only, with_a_warning};

#[test]
fn the_spec_alone_gives_another_daemon_every_layer() {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "registry-cache: CACHE:main").unwrap();
    let main = scene.cache("main");
    let build = || engine.build(&scene.project);
    let first = build().option(export(&main, "max")).succeed().unwrap();
    with_a_warning(&first, &ALL, &main, "nothing of that name yet");

    let second = Daemon::start(&engine).unwrap();
    only(&build().on(&second).succeed().unwrap(), &[]);
    scene.change("second").unwrap();
    only(&build().on(&second).succeed().unwrap(), &CHANGED);
}

#[test]
fn min_mode_lacks_what_is_not_in_the_image() {
    let engine = Engine::from_env().unwrap();
    let keys = "registry-cache: {ref: \"CACHE:main\", mode: min}";
    let scene = Scene::new(&engine, keys).unwrap();
    let build = || engine.build(&scene.project);
    build().by_larder().succeed().unwrap();

    let second = Daemon::start(&engine).unwrap();
    only(&build().on(&second).succeed().unwrap(), &[]);
    // `tools` is copied from again, and its layers are nowhere: unlike with `max` above.
    scene.change("second").unwrap();
    let again: Vec<&str> = CHANGED.into_iter().chain(TOOLS).collect();
    only(&build().on(&second).succeed().unwrap(), &again);
}

#[test]
fn a_branch_has_its_own_layers_and_those_of_another() {
    let engine = Engine::from_env().unwrap();
    let keys =
        "registry-cache: {import: [\"CACHE:branch\", \"CACHE:main\"], export: \"CACHE:branch\"}";
    let scene = Scene::new(&engine, keys).unwrap();
    let (main, branch) = (scene.cache("main"), scene.cache("branch"));
    let build = || engine.build(&scene.project);
    build().option(export(&main, "max")).run().unwrap();

    let second = Daemon::start(&engine).unwrap();
    let from_main = build().on(&second).succeed().unwrap();
    with_a_warning(&from_main, &[], &branch, "nothing of that name yet");

    scene.change("branch").unwrap();
    let changed = build().by_larder().succeed().unwrap();
    with_a_warning(&changed, &CHANGED, &branch, "nothing of that name yet");
    only(&build().on(&second).succeed().unwrap(), &[]);
    // What only the other branch has is found, too.
    second.forget(&engine).unwrap();
    scene.change("first").unwrap();
    only(&build().on(&second).succeed().unwrap(), &[]);
}

#[test]
fn a_server_names_the_registry_for_all_builds() {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "").unwrap();
    let repository = scene.repository();
    let build = || engine.build(&scene.project);
    let given = || build().arg("CACHE_REGISTRY", &repository);
    given().by_larder().succeed().unwrap();
    // The name of the project.
    assert_eq!(scene.tags().unwrap(), ["layers"]);

    let second = Daemon::start(&engine).unwrap();
    only(&given().on(&second).succeed().unwrap(), &[]);

    // One without a name wins over the spec's.
    scene.spec("registry-cache: CACHE:layers").unwrap();
    scene.gate.set(Mode::Open).unwrap();
    let none = build().arg("CACHE_REGISTRY", "").by_larder();
    only(&none.succeed().unwrap(), &[]);
    assert_eq!(scene.gate.visits(), 0);
}
