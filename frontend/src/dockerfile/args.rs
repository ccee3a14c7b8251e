//! Build args that speak to Larder, not to the Dockerfile.

use buildkit_llb::Platform;
use larder_gateway::{Failure, Given};
use larder_inject::definition::Wish;
use larder_inject::{Ids, Layout};

/// The image of the frontend that builds the file, whatever is in it; the daemon's own otherwise.
pub(crate) const FRONTEND: &str = "build-arg:LARDER_FRONTEND";
/// `off` for a build as it is without Larder.
const CACHES: &str = "build-arg:LARDER_CACHES";
/// The name under which caches that are not for everyone are shared; `default` otherwise.
pub(super) const PROJECT: &str = "build-arg:LARDER_PROJECT";
/// `dockerfile` to share caches with mounts written in Dockerfiles.
const CACHE_IDS: &str = "build-arg:LARDER_CACHE_IDS";
/// `default` for mounts at the tools' own places, as `larder dockerfile rewrite` writes them down.
const CACHE_LAYOUT: &str = "build-arg:LARDER_CACHE_LAYOUT";

/// All of them: the frontend that builds the file does not get these.
pub(super) const OURS: [&str; 5] = [FRONTEND, CACHES, PROJECT, CACHE_IDS, CACHE_LAYOUT];

/// What the build args wish for; none to leave the build alone.
pub(super) fn wish(given: &Given) -> Result<Option<Wish>, Failure> {
    let wrong = |name: &str, value: &str, expected: &str| {
        Failure::option(name, format!("`{value}` is neither {expected}"))
    };
    match given.option(CACHES) {
        None | Some("auto") => {}
        Some("off") => return Ok(None),
        Some(other) => return Err(wrong(CACHES, other, "`auto` nor `off`")),
    }
    let ids = match given.option(CACHE_IDS) {
        None | Some("larder") => Ids::Larder,
        Some("dockerfile") => Ids::Dockerfile,
        Some(other) => return Err(wrong(CACHE_IDS, other, "`larder` nor `dockerfile`")),
    };
    let layout = match given.option(CACHE_LAYOUT) {
        None | Some("private") => Layout::Private,
        Some("default") => Layout::Default,
        Some(other) => return Err(wrong(CACHE_LAYOUT, other, "`private` nor `default`")),
    };
    let namespace = given.option("build-arg:BUILDKIT_CACHE_MOUNT_NS");
    Ok(Some(Wish {
        ids,
        scope: None,
        project: given.option(PROJECT).unwrap_or("default").to_owned(),
        namespace: namespace.map(str::to_owned),
        platform: given.worker_platform()?.unwrap_or_else(Platform::host),
        layout,
    }))
}
