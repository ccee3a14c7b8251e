//! Cache mounts, and what they start from.

use buildkit_llb::{Copy, File, Meta, Mkdir, Mount};
use larder_inject::{CacheMount, Sharing};

use super::{Lowering, directory, numeric};
use crate::model::Owner;
use crate::request::CACHE_CONTEXT;

/// What a cache starts from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beginning {
    uid: u32,
    gid: u32,
    mode: u32,
    /// The directory of the context `larder-cache` that its files come from; an empty one otherwise.
    seed: Option<String>,
}

/// Where it is in the filesystem made for it.
const DIRECTORY: &str = "/cache";

impl Lowering<'_> {
    pub(super) fn cache(&mut self, cache: &CacheMount) -> Mount {
        let sharing = match cache.sharing {
            Sharing::Shared => buildkit_llb::Sharing::Shared,
            Sharing::Private => buildkit_llb::Sharing::Private,
            Sharing::Locked => buildkit_llb::Sharing::Locked,
        };
        let mount = Mount::cache(cache.id.as_str(), cache.target.as_str(), sharing);
        let beginning = Beginning {
            uid: cache.uid,
            gid: cache.gid,
            mode: cache.mode,
            seed: Some(&cache.cache)
                .filter(|name| self.plan.seeds.contains(*name))
                .cloned(),
        };
        let by_itself = Beginning {
            uid: 0,
            gid: 0,
            mode: 0o755,
            seed: None,
        };
        if beginning == by_itself {
            // What BuildKit makes by itself.
            return mount;
        }
        let known = self.beginnings.get(&beginning).copied();
        let input = known.unwrap_or_else(|| self.begin(beginning));
        mount.with_input(input).select(DIRECTORY)
    }

    fn begin(&mut self, beginning: Beginning) -> buildkit_llb::Output {
        let Beginning { uid, gid, mode, .. } = beginning;
        let owner = Owner { uid, gid };
        // As the frontend of Dockerfiles makes it, byte for byte: BuildKit tells caches apart by it.
        let mut file = File::on(None).mkdir(Mkdir {
            parents: false,
            ..directory(DIRECTORY, mode, owner)
        });
        let mut name = format!("[internal] cache directory of {uid}:{gid}");
        if let (Some(seed), Some(context)) = (&beginning.seed, &self.cache_context)
            && let Some(files) = context.files
        {
            file = file.copy(Copy {
                owner: Some(numeric(owner)),
                contents_only: true,
                ..Copy::new(files, context.path(seed), DIRECTORY)
            });
            name = format!("{name} from {CACHE_CONTEXT}/{seed}");
        }
        let output = self.graph.add(file, &self.here, Meta::named(name)).only();
        self.beginnings.insert(beginning, output);
        output
    }
}
