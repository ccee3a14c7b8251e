//! Cache mounts of a plan.

use buildkit_llb::Mount;
use larder_diagnostic::Span;
use larder_inject::{CacheMount, Seed};

use super::Lowering;
use crate::model::{CopyFrom, PlannedSeed};
use crate::request::CACHE_CONTEXT;

impl Lowering<'_> {
    /// The mount of a cache, which starts from what its entry says, or else from what the client gives.
    pub(super) fn cache(
        &mut self,
        cache: &CacheMount,
        own: Option<&PlannedSeed>,
        span: Span,
    ) -> Mount {
        let seed = match own {
            Some(own) => self.own_seed(own, span),
            None => self.seed(&cache.cache),
        };
        self.beginnings
            .mount(cache, seed.as_ref(), &mut self.graph, &self.here)
    }

    /// The directory that an entry of `caches` names. None of an empty filesystem.
    fn own_seed(&mut self, own: &PlannedSeed, span: Span) -> Option<Seed> {
        let (files, root) = self.files_of(&own.from, span);
        let name = match &own.from {
            CopyFrom::Stage(index) => self.plan.stages.get(*index)?.name.clone(),
            CopyFrom::Image(image) => image.reference.clone(),
            CopyFrom::Named(key) => crate::from::shown(key).to_owned(),
            CopyFrom::Context | CopyFrom::Source(_) | CopyFrom::Text(_) => return None,
        };
        let path = crate::paths::join(&root, &own.source);
        Some(Seed {
            name: if own.source.is_empty() {
                crate::names::line(&name)
            } else {
                crate::names::line(&format!("{name}:/{}", own.source))
            },
            files: files?,
            path,
        })
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
