//! Ordinary Dockerfiles, with Larder and without: the images are the same, and once a dependency was
//! added, only that one is fetched.

mod attested;
mod entry;
mod mistakes;
mod rewritten;
mod scene;
mod ways;

use std::{
    collections::BTreeSet,
    fs,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::Result;
use larder_e2e::{Engine, same::Images};

use entry::Entry;
use scene::{Scene, Way};

/// How many entries are built at a time: what one waits for the network, another computes.
const WORKERS: usize = 2;

/// Of which entries a part of the name is here, those alone are built. For work on an entry.
const ONLY: &str = "LARDER_CORPUS";

/// The folders of the corpus, each with a test of its own.
const GROUPS: [&str; 6] = ["debian", "go", "java", "node", "python", "rust"];

/// Builds every entry of a group by `check`, and says of all what is wrong.
fn each(groups: &[&str], check: impl Fn(&Scene<'_>) -> Result<Vec<String>> + Sync) {
    let engine = Engine::from_env().unwrap();
    let images = Images::new(engine.registry());
    let only = std::env::var(ONLY).unwrap_or_default();
    let entries: Vec<Entry> = groups.iter().flat_map(|group| Entry::all(group)).collect();
    let wanted = entries.iter().filter(|entry| entry.name.contains(&only));
    let left = Mutex::new(wanted);
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            let images = images.beside();
            let (engine, next, wrong, check) = (&engine, &next, &wrong, &check);
            scope.spawn(move || {
                while let Some(entry) = next() {
                    let checked = Scene::new(engine, &images, entry).and_then(|one| check(&one));
                    let said = checked.unwrap_or_else(|error| vec![format!("{error:#}")]);
                    let said = said.iter().map(|line| format!("{}: {line}", entry.name));
                    let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                    wrong.extend(said);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
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
