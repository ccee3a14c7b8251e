//! Caches in definitions made by others.

mod cases;
mod dockerfile;
mod owners;
mod properties;
mod scale;
mod stores;

use std::collections::BTreeMap;

use buildkit_llb::{Definition, Platform};
use larder_inject::definition::{Facts, ImageFact, Injected, Injection, Wish, inject};
use larder_inject::{Ids, Layout};

pub(crate) fn wish() -> Wish {
    Wish {
        ids: Ids::Larder,
        scope: None,
        project: "shop".to_owned(),
        namespace: None,
        platform: Platform::new("linux", "amd64", ""),
        layout: Layout::Private,
    }
}

/// What images hold.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) files: BTreeMap<&'static str, &'static str>,
    pub(crate) filled: Vec<&'static str>,
    /// What was asked for, by path.
    pub(crate) asked: Vec<String>,
}

impl World {
    pub(crate) fn debian() -> World {
        World {
            files: BTreeMap::from([
                ("/etc/os-release", "ID=debian\nVERSION_ID=13\n"),
                (
                    "/etc/passwd",
                    "root:x:0:0::/root:\nnode:x:1000:1001::/home/node:\n",
                ),
                ("/etc/group", "root:x:0:\nnode:x:1001:\nstaff:x:50:\n"),
            ]),
            ..World::default()
        }
    }

    /// Asks until everything is known.
    pub(crate) fn inject(&mut self, definitions: &[Definition], wish: &Wish) -> Injected {
        let mut facts = Facts::new();
        for _ in 0..4 {
            let needs = match inject(definitions, wish, &facts).expect("good definitions") {
                Injection::Done(injected) => return injected,
                Injection::Needs(needs) => needs,
            };
            assert!(!needs.is_empty());
            for (digest, need) in needs {
                assert!(!need.files.is_empty() || !need.directories.is_empty());
                assert_eq!(need.definition.head().expect("a head"), Some(digest));
                let fact: &mut ImageFact = facts.entry(digest).or_default();
                for path in need.files {
                    let text = self.files.get(path.as_str()).map(|&text| text.to_owned());
                    self.asked.push(path.clone());
                    fact.files.insert(path, text);
                }
                for path in need.directories {
                    let filled = self.filled.contains(&path.as_str());
                    self.asked.push(path.clone());
                    fact.filled.insert(path, filled);
                }
            }
        }
        panic!("it does not stop asking");
    }
}

/// What each `RUN` of a Dockerfile gets: `words: cache=/where …`, and `cache!` for what is left alone.
pub(crate) fn shown(injected: &Injected) -> Vec<String> {
    let execs = injected.execs.iter();
    let lines = execs.map(|exec| {
        let mounts = exec.decision.mounts.iter();
        let mounts = mounts.map(|mount| format!(" {}={}", mount.cache, mount.target));
        let left = exec.decision.left_alone.iter();
        let left = left.map(|left| format!(" {}!", left.cache));
        let all: String = mounts.chain(left).collect();
        format!("{}:{all}", exec.name)
    });
    lines.collect()
}

pub(crate) fn reasons(injected: &Injected) -> String {
    let execs = injected.execs.iter();
    let left = execs.flat_map(|exec| &exec.decision.left_alone);
    let lines = left.map(|left| format!("{}: {}", left.cache, left.reason));
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn in_debian(text: &str) -> Injected {
    let definition = dockerfile::definition(text);
    let injected = World::debian().inject(&[definition], &wish());
    for exec in &injected.execs {
        assert_eq!(exec.decision.without, [""; 0], "{}", exec.name);
        assert_eq!(exec.decision.parents, [""; 0], "{}", exec.name);
    }
    injected
}
