//! Cache mounts of a plan.

use buildkit_llb::Mount;
use larder_inject::{CacheMount, Seed};

use super::Lowering;
use crate::request::CACHE_CONTEXT;

impl Lowering<'_> {
    pub(super) fn cache(&mut self, cache: &CacheMount) -> Mount {
        let seed = self.seed(&cache.cache);
        self.beginnings
            .mount(cache, seed.as_ref(), &mut self.graph, &self.here)
    }

    /// The directory of the context `larder-cache` that a cache starts from.
    fn seed(&self, cache: &String) -> Option<Seed> {
        if !self.plan.seeds.contains(cache) {
            return None;
        }
        let context = self.cache_context.as_ref()?;
        Some(Seed {
            name: format!("{CACHE_CONTEXT}/{cache}"),
            files: context.files?,
            path: context.path(cache),
        })
    }
}
