//! Cache mounts as LLB, and what they start from.
//!
//! BuildKit tells caches of one id apart by what they start from, so every caller makes that here.

use std::collections::BTreeMap;

use buildkit_llb::{
    Account, Constraints, Copy, CopyMode, File, Graph, Meta, Mkdir, Mount, Output, Owner, Sharing,
};

use crate::{CacheMount, Id};

/// Where it is in the filesystem made for it.
const DIRECTORY: &str = "/cache";

/// What others may do, and Docker's daemon, unlike buildkitd, does not let them: its umask takes these bits
/// from the mode of a directory that it makes.
const MASKED: u32 = 0o022;

/// Files that a cache starts from.
#[derive(Clone, Debug)]
pub struct Seed {
    /// What it is, for people.
    pub name: String,
    /// The filesystem that has them.
    pub files: Output,
    /// The directory there.
    pub path: String,
}

/// What the caches of one graph start from, each made once.
#[derive(Clone, Debug, Default)]
pub struct Beginnings {
    known: BTreeMap<Beginning, Output>,
}

/// A directory that a cache starts from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Beginning {
    uid: u32,
    gid: u32,
    mode: u32,
    /// Whether it must be what a Dockerfile's mount starts from, whatever that comes to.
    plain: bool,
    /// What it runs on.
    platform: Option<String>,
    /// The filesystem and the directory that its files come from; none for an empty one.
    seed: Option<(Output, String)>,
}

impl Beginnings {
    /// The mount of a cache. What it starts from is added to the graph, unless BuildKit makes that by
    /// itself.
    pub fn mount(
        &mut self,
        cache: &CacheMount,
        seed: Option<&Seed>,
        graph: &mut Graph,
        here: &Constraints,
    ) -> Mount {
        let sharing = match cache.sharing {
            crate::Sharing::Shared => Sharing::Shared,
            crate::Sharing::Private => Sharing::Private,
            crate::Sharing::Locked => Sharing::Locked,
        };
        let mount = Mount::cache(cache.id.as_str(), cache.target.as_str(), sharing);
        let by_itself = (cache.uid, cache.gid, cache.mode) == (0, 0, 0o755);
        if by_itself && seed.is_none() {
            return mount;
        }
        let beginning = Beginning {
            uid: cache.uid,
            gid: cache.gid,
            mode: cache.mode,
            plain: cache.id.parse::<Id>().is_err(),
            platform: here.platform.as_ref().map(ToString::to_string),
            seed: seed.map(|seed| (seed.files, seed.path.clone())),
        };
        let known = self.known.get(&beginning).copied();
        let input = known.unwrap_or_else(|| {
            let made = make(&beginning, seed, graph, here);
            self.known.insert(beginning, made);
            made
        });
        mount.with_input(input).select(DIRECTORY)
    }
}

fn make(
    beginning: &Beginning,
    seed: Option<&Seed>,
    graph: &mut Graph,
    here: &Constraints,
) -> Output {
    let &Beginning {
        uid,
        gid,
        mode,
        plain,
        ..
    } = beginning;
    let owner = Owner {
        user: Some(Account::Id(uid)),
        group: Some(Account::Id(gid)),
    };
    // As the frontend of Dockerfiles makes it, byte for byte.
    let mut file = File::on(None).mkdir(Mkdir {
        path: DIRECTORY.to_owned(),
        mode,
        parents: false,
        owner: Some(owner.clone()),
        time: None,
    });
    let mut name = format!("[internal] cache directory of {uid}:{gid}");
    if !plain && mode & MASKED != 0 {
        let made = graph.add(file, here, Meta::named(name.as_str())).only();
        name = format!("{name}, mode {mode:04o}");
        file = File::on(None).copy(Copy {
            mode: Some(CopyMode::Bits(mode)),
            ..Copy::new(made, DIRECTORY, DIRECTORY)
        });
    }
    if let Some(seed) = seed {
        file = file.copy(Copy {
            owner: Some(owner),
            contents_only: true,
            ..Copy::new(seed.files, seed.path.as_str(), DIRECTORY)
        });
        name = format!("{name} from {}", seed.name);
    }
    graph.add(file, here, Meta::named(name)).only()
}
