//! Ordinary Dockerfiles, with Larder and without: the images are the same, and once a dependency was
//! added, only that one is fetched.

mod attested;
mod entry;
mod mistakes;
mod rewritten;
mod scene;
mod ways;

use std::{collections::BTreeSet, fs};

use anyhow::Result;
use larder_e2e::Engine;

use entry::Entry;
use scene::{Scene, Way};

/// Of which entries a part of the name is here, those alone are built. For work on an entry.
const ONLY: &str = "LARDER_CORPUS";

/// The folders of the corpus, each with a test of its own.
const GROUPS: [&str; 6] = ["debian", "go", "java", "node", "python", "rust"];

/// Builds every entry of some groups by `check`, and says of all what is wrong.
fn each(groups: &[&str], check: impl Fn(&Scene<'_>) -> Result<Vec<String>> + Sync) {
    let engine = Engine::from_env().unwrap();
    let entries: Vec<Entry> = groups.iter().flat_map(|group| Entry::all(group)).collect();
    larder_e2e::each(
        &engine,
        &entries,
        |entry| &entry.name,
        ONLY,
        |images, entry| check(&Scene::new(&engine, images, entry)?),
    );
}

/// Builds every entry of a group without Larder and with it, and with one dependency more.
fn group(name: &str, way: Way) {
    each(&[name], |scene| {
        let mut wrong = scene.same(way)?;
        wrong.extend(scene.caches()?);
        wrong.extend(scene.added(way)?);
        Ok(wrong)
    });
}

#[test]
fn of_debian() {
    group("debian", Way::Syntax);
}

#[test]
fn of_go() {
    group("go", Way::Argument);
}

#[test]
fn of_java() {
    group("java", Way::Syntax);
}

#[test]
fn of_node() {
    group("node", Way::Syntax);
}

#[test]
fn of_python() {
    group("python", Way::Syntax);
}

#[test]
fn of_rust() {
    group("rust", Way::Argument);
}

#[test]
fn every_folder_has_a_test() {
    let folders = fs::read_dir(entry::corpus()).unwrap();
    let names = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = names.collect();
    let tested = GROUPS.map(str::to_owned);
    assert_eq!(names, BTreeSet::from(tested));
    let entries = GROUPS.iter().map(|group| Entry::all(group).len());
    assert!(entries.sum::<usize>() >= 30);
}

#[test]
#[ignore = "checks the corpus and the table of leftovers, for work on them"]
fn without_larder_are_the_same_when_built_twice() {
    each(&GROUPS, scene::plain_twice);
}
