//! The catalogue as a whole.

use larder_catalog::{CACHES, Place, cache, group, named, names};
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
    assert!(CACHES.len() >= 60, "{}", CACHES.len());
    assert!(CACHES.is_sorted_by_key(|cache| cache.name));
    assert_eq!(listed(group("go")), "go-build go-mod");
    assert_eq!(listed(group("rust")), "cargo-git cargo-registry sccache");
    assert_eq!(listed(group("cargo")), "cargo-git cargo-registry");
    assert_eq!(
        listed(group("os")),
        "apk apt apt-lists dnf dnf5 pacman tdnf yum zypper"
    );
    assert_eq!(listed(named("apt")), "apt apt-lists");
    assert_eq!(listed(named("apt-lists")), "apt-lists");
    assert_eq!(listed(named("cargo-target")), "cargo-target");
    assert_eq!(listed(named("next")), "next");
    assert_eq!(listed(named("pipx")), "");
    assert_eq!(listed(named("nothing")), "");
    assert!(cache("cargo").is_none());
    assert!(names().is_sorted());
    for name in names() {
        assert!(!named(name).is_empty(), "{name}");
    }
    let groups: BTreeSet<&str> = CACHES
        .iter()
        .flat_map(|cache| cache.groups)
        .copied()
        .collect();
    let groups: Vec<&str> = groups.into_iter().collect();
    let expected = "beam c dart dotnet go haskell java julia ml mojo node ocaml os php python r ruby \
                    rust swift zig";
    assert_eq!(groups.join(" "), expected);
    for group in groups {
        assert!(names().contains(&group), "{group}");
    }
}

/// What is run, what goes with an account, and what belongs to an installation stays out of mounts.
#[test]
fn nothing_but_caches() {
    let kept = [
        ".gradle",
        ".m2",
        ".cargo",
        ".conan2",
        ".hex",
        ".opam",
        ".julia",
        ".stack",
        ".sbt",
        ".ivy2",
        ".cache",
        ".local/share",
        ".cache/huggingface",
        ".cache/pypoetry",
        ".bundle",
        ".nuget",
    ];
    for cache in CACHES {
        if let Place::Movable(movable) = &cache.place {
            let home = movable.home.unwrap_or("x");
            let path = format!("{home}/{}", movable.subdir);
            assert!(!kept.contains(&path.trim_end_matches('/')), "{path}");
        }
    }
}
