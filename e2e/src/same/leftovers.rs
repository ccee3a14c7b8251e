/// A place whose contents may differ between builds of the same image.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// An absolute path, or one that starts with `~`, any home. `*` stands for any one name.
    pub place: String,
    /// What is there.
    pub what: What,
    /// Why it is no part of what the image is for.
    pub reason: String,
}

/// What is at the place of a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A directory in which a tool keeps what it can get again. In the second image it may be missing
    /// or hold other things; there must be nothing in it that is not in the first.
    Cache,
    /// Times, or names made of them. It may be missing on either side.
    Record,
}

use What::{Cache, Record};

/// What may differ in every image.
const EVERYWHERE: &[(&str, What, &str)] = &[
    (
        "~/.cache/pip",
        Cache,
        "pip: downloads and wheels, to be had again",
    ),
    (
        "~/.npm",
        Cache,
        "npm: packages and metadata, to be had again; logs; what npx installed",
    ),
    (
        "~/.npm/_logs",
        Record,
        "npm: a log of each call, named after its time",
    ),
    (
        "~/.npm/_update-notifier-last-checked",
        Record,
        "npm: a time",
    ),
    (
        "~/.cache/go-build",
        Cache,
        "go: compiled packages, to be made again",
    ),
    (
        "~/.config/go/telemetry",
        Record,
        "go: counters, in files named after the week",
    ),
    (
        "~/.cargo/.global-cache",
        Record,
        "cargo: when each crate was last used",
    ),
    (
        "/usr/local/cargo/.global-cache",
        Record,
        "cargo: when each crate was last used",
    ),
    (
        "/var/cache/apt",
        Cache,
        "apt: packages and indexes, to be had again",
    ),
    (
        "/var/lib/apt/lists",
        Cache,
        "apt: package indexes, to be had again",
    ),
    (
        "/var/log/apt",
        Record,
        "apt: what was installed when, with times",
    ),
    (
        "/var/log/dpkg.log",
        Record,
        "dpkg: what was installed when, with times",
    ),
    (
        "/var/log/alternatives.log",
        Record,
        "dpkg: which links were made when, with times",
    ),
    (
        "/var/cache/ldconfig/aux-cache",
        Record,
        "ldconfig: inodes and times of libraries",
    ),
];

/// What may differ between two images.
#[derive(Clone, Debug)]
pub struct Leftovers {
    list: Vec<Leftover>,
    homes: Vec<String>,
}

impl Default for Leftovers {
    /// What may differ in every image, with the homes `/root` and `/home/*`.
    fn default() -> Self {
        let list = EVERYWHERE.iter().map(|&(place, what, reason)| Leftover {
            place: place.to_owned(),
            what,
            reason: reason.to_owned(),
        });
        Self {
            list: list.collect(),
            homes: vec!["/root".to_owned(), "/home/*".to_owned()],
        }
    }
}

impl Leftovers {
    /// With one more.
    #[must_use]
    pub fn and(mut self, leftover: Leftover) -> Self {
        self.list.push(leftover);
        self
    }

    /// With one more home.
    #[must_use]
    pub fn home(mut self, path: &str) -> Self {
        self.homes.push(path.to_owned());
        self
    }

    /// Whether a path may be there in one image and not in the other; `first` says which has it.
    pub(super) fn may_miss(&self, path: &str, first: bool) -> bool {
        self.places().any(|(place, what)| {
            let depth = below(&place, path);
            match what {
                Cache => first && depth.is_some(),
                Record => depth.is_some(),
            }
        })
    }

    /// Whether what is at a path in both images may differ.
    pub(super) fn may_differ(&self, path: &str) -> bool {
        self.places().any(|(place, what)| {
            let depth = below(&place, path);
            match what {
                Cache => depth.is_some_and(|depth| depth > 0),
                Record => depth.is_some(),
            }
        })
    }

    /// Whether a place is below a path, which then may be there for its sake alone.
    pub(super) fn may_hold(&self, path: &str) -> bool {
        self.places().any(|(place, _)| {
            let parents = place.match_indices('/').map(|(at, _)| &place[..at]);
            parents.skip(1).any(|parent| below(parent, path) == Some(0))
        })
    }

    fn places(&self) -> impl Iterator<Item = (String, What)> {
        self.list
            .iter()
            .flat_map(|one| match one.place.strip_prefix('~') {
                Some(rest) => {
                    let homes = self.homes.iter();
                    homes
                        .map(|home| (format!("{home}{rest}"), one.what))
                        .collect::<Vec<_>>()
                }
                None => vec![(one.place.clone(), one.what)],
            })
    }
}

/// How many names a path has more than `place`, which it is at or below.
fn below(place: &str, path: &str) -> Option<usize> {
    let mut names = path.split('/');
    for part in place.split('/') {
        let name = names.next()?;
        if part != "*" && part != name {
            return None;
        }
    }
    Some(names.count())
}
