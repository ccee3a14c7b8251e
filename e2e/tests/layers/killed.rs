//! A daemon that ends in the middle of an export.

use std::{fs::File, io::Read, thread, time::Duration};

use larder_e2e::{Daemon, Engine, gate::Mode};

use crate::scene::{CHANGED, Scene, export, only, ran};

#[test]
fn the_cache_of_before_can_still_be_had() {
    let engine = Engine::from_env().unwrap();
    let scene = Scene::new(&engine, "registry-cache: CACHE:main").unwrap();
    let main = scene.cache("main");
    let build = || engine.build(&scene.project).option(export(&main, "max"));
    build().succeed().unwrap();

    // No compression makes these less than they are.
    let mut much = Vec::new();
    let random = File::open("/dev/urandom").unwrap();
    random.take(8 << 20).read_to_end(&mut much).unwrap();
    scene.change(&much).unwrap();
    let mut second = Daemon::start(&engine).unwrap();
    scene.gate.set(Mode::StandsStill(4 << 20)).unwrap();
    let exporting = build().on(&second);
    thread::scope(|scope| {
        let exporting = scope.spawn(|| exporting.run().unwrap());
        let stands = scene.gate.wait_until_it_stands(Duration::from_secs(120));
        second.kill().unwrap();
        let result = exporting.join().unwrap();
        stands.unwrap();
        assert!(!result.succeeded, "{}", result.text);
        assert_eq!(ran(&result), CHANGED);
    });
    drop(second);

    scene.gate.set(Mode::Open).unwrap();
    let third = Daemon::start(&engine).unwrap();
    scene.change("first").unwrap();
    only(
        &engine.build(&scene.project).on(&third).succeed().unwrap(),
        &[],
    );
}
