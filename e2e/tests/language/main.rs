//! Whoever can write a Dockerfile can write the same build as a spec: every instruction, flag and option
//! beside the spec that says it, and well-known Dockerfiles as specs. Both are built, and come to the same
//! image.

mod list;
mod scene;
mod web;

use larder_e2e::{Engine, each, language::rows};

/// Of which rows a part of the name is here, those alone are built. For work on a row.
const ONLY: &str = "LARDER_ROWS";

/// Builds the rows of a folder.
fn build(folder: &str) {
    let engine = Engine::from_env().unwrap();
    let mut rows = rows().unwrap();
    rows.retain(|row| row.name.starts_with(folder));
    each(
        &engine,
        &rows,
        |row| &row.name,
        ONLY,
        |images, row| scene::check(&engine, images, row),
    );
}

#[test]
fn rows_come_to_the_same_image() {
    build("rows/");
}

#[test]
fn patterns_come_to_the_same_image() {
    build("patterns/");
}

#[test]
fn there_are_enough_patterns() {
    let rows = rows().unwrap();
    let patterns = rows
        .iter()
        .filter(|row| row.name.starts_with("patterns/") && row.spec.is_some());
    assert!(patterns.count() >= 10);
}

/// The names of what a row shows.
fn shown(row: &larder_e2e::language::Row) -> impl Iterator<Item = &str> {
    let names = row.about.features.keys().chain(row.about.none.keys());
    names.map(String::as_str)
}

#[test]
fn every_feature_is_in_a_row() {
    let rows = rows().unwrap();
    let missing: Vec<String> = list::all()
        .filter(|feature| !rows.iter().flat_map(shown).any(|one| one == feature))
        .collect();
    assert_eq!(missing, [""; 0], "no row shows these");
}

#[test]
fn every_row_has_what_it_shows() {
    let mut wrong = Vec::new();
    for row in rows().unwrap() {
        let instructions = list::instructions(row.dockerfile.as_deref().unwrap_or_default());
        for feature in shown(&row) {
            let there = if feature.starts_with("--") {
                row.about.options.iter().any(|one| one.starts_with(feature))
            } else {
                instructions.iter().any(|one| list::has(one, feature))
            };
            if !there {
                wrong.push(format!("{}: {feature} is not there", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
