//! The catalogue as a whole.

use larder_catalog::{CACHES, Place, cache, docs, group, named, names};
use std::collections::BTreeSet;

fn listed(caches: Vec<&larder_catalog::Cache>) -> String {
    caches
        .into_iter()
        .map(|cache| cache.name)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn names_and_groups() {
    let all = "apk apt apt-lists cargo-git cargo-registry ccache go-build go-mod npm pip";
    assert_eq!(listed(CACHES.iter().collect()), all);
    assert_eq!(listed(group("go")), "go-build go-mod");
    assert_eq!(listed(group("rust")), "cargo-git cargo-registry");
    assert_eq!(listed(group("cargo")), "cargo-git cargo-registry");
    assert_eq!(listed(group("os")), "apk apt apt-lists");
    assert_eq!(listed(named("apt")), "apt apt-lists");
    assert_eq!(listed(named("apt-lists")), "apt-lists");
    assert_eq!(listed(named("nothing")), "");
    assert!(cache("cargo").is_none());
    assert!(names().is_sorted());
    for name in names() {
        assert!(!named(name).is_empty(), "{name}");
    }
}

#[test]
fn places_do_not_overlap() {
    let mut places: BTreeSet<String> = BTreeSet::new();
    for cache in CACHES {
        let place = match &cache.place {
            Place::Fixed(path) => (*path).to_owned(),
            Place::Movable(movable) => format!("{}/{}", movable.cache, movable.subdir),
        };
        let place = place.trim_end_matches('/').to_owned();
        for other in &places {
            assert!(!larder_catalog::within(&place, other), "{place} {other}");
            assert!(!larder_catalog::within(other, &place), "{place} {other}");
        }
        places.insert(place);
    }
}

#[test]
fn docs_tell_all() {
    let docs = docs();
    for cache in CACHES {
        assert!(docs.contains(&format!("\n## {}\n", cache.name)));
        assert!(docs.contains(cache.source));
        for defeat in cache.defeats {
            assert!(docs.contains(defeat.hint), "{}", defeat.hint);
        }
    }
    let row = "| [cargo-git](#cargo-git) | git dependencies, as clones and checked out \
               | `/cache/cargo/git` | `~/.cargo/git` | `CARGO_HOME` | store | locked | shared |  |";
    assert!(docs.contains(row), "{docs}");
}
