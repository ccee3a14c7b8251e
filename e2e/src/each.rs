//! Many things that are checked against the engine, a few at a time.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::Result;

use crate::{Engine, same::Images};

/// How many are checked at a time: what one waits for the network, another computes.
const WORKERS: usize = 2;

/// Checks all things of which `only`, a variable of the environment, is a part of the name, and says of
/// all what is wrong. Images of one check are in a repository to which no other pushes meanwhile.
///
/// # Panics
///
/// When anything is wrong.
pub fn each<T: Sync>(
    engine: &Engine,
    things: &[T],
    name: impl Fn(&T) -> &str + Sync,
    only: &str,
    check: impl Fn(&Images, &T) -> Result<Vec<String>> + Sync,
) {
    let images = Images::new(engine.registry());
    let part = std::env::var(only).unwrap_or_default();
    let wanted: Vec<&T> = things
        .iter()
        .filter(|thing| name(thing).contains(&part))
        .collect();
    assert!(!wanted.is_empty(), "{only} names none of these");
    let left = Mutex::new(wanted.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            let images = images.beside();
            let (next, wrong, name, check) = (&next, &wrong, &name, &check);
            scope.spawn(move || {
                while let Some(thing) = next() {
                    let said = check(&images, thing);
                    let said = said.unwrap_or_else(|error| vec![format!("{error:#}")]);
                    let said = said.iter().map(|line| format!("{}: {line}", name(thing)));
                    let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                    wrong.extend(said);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
