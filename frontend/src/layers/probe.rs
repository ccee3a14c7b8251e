//! Asking registries, through the daemon, and never for long.

use std::collections::BTreeMap;
use std::time::Duration;

use buildkit_llb::{ImageName, Platform, ResolveMode};
use futures_util::future::{Either, join_all, select};
use larder_gateway::{Bridge, Failure, ImageRequest};
use tokio::time::{Instant, sleep, timeout_at};

/// How long all registries together have to answer. `BuildKit` itself would wait for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// After this time one is asked for something that it does not have. What it has may be long in coming:
/// of some caches the daemon fetches the first layer, to see whether it is an image.
const HEDGE: Duration = Duration::from_secs(2);
/// Of nothing.
const NO_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Nothing in time.
    Nothing,
    /// An image is there, or something else is.
    Found,
    /// The daemon's error, which may mean that a cache is there.
    Failed(Failure),
}

/// Asks for each name once, for all at the same time. An error if there is no daemon any more.
pub(crate) async fn ask(
    bridge: &impl Bridge,
    names: impl IntoIterator<Item = ImageName>,
    platform: &Platform,
) -> Result<BTreeMap<String, Said>, Failure> {
    let end = Instant::now() + PATIENCE;
    let mut by_name: BTreeMap<String, ImageName> = BTreeMap::new();
    for name in names {
        by_name.insert(name.to_string(), name);
    }
    let all = by_name.into_iter().map(async |(key, name)| {
        let said = match timeout_at(end, one(bridge, &name, platform)).await {
            Ok(said) => said,
            Err(_) => Said::Nothing,
        };
        (key, said)
    });
    let mut found = BTreeMap::new();
    for (key, said) in join_all(all).await {
        match said {
            Said::Failed(failure) if failure.is_disconnected() => return Err(failure),
            said => found.insert(key, said),
        };
    }
    Ok(found)
}

async fn one(bridge: &impl Bridge, name: &ImageName, platform: &Platform) -> Said {
    let asked = std::pin::pin!(resolve(bridge, name, platform));
    let hedged = std::pin::pin!(async {
        sleep(HEDGE).await;
        let Ok(nothing) = name.clone().with_digest(NO_DIGEST) else {
            return std::future::pending().await;
        };
        match resolve(bridge, &nothing, platform).await {
            // The registry is there, and lets the client in.
            Said::Failed(failure) if failure.is_not_found() => Said::Found,
            said => said,
        }
    });
    match select(asked, hedged).await {
        Either::Left((said, _)) | Either::Right((said, _)) => said,
    }
}

async fn resolve(bridge: &impl Bridge, name: &ImageName, platform: &Platform) -> Said {
    let request = ImageRequest {
        reference: name.to_string(),
        platform: platform.clone(),
        // What the daemon has of that name does not count.
        mode: ResolveMode::Pull,
        log_name: format!(
            "[internal] look for layers in {} (an error stops nothing)",
            name.familiar()
        ),
        layout: None,
    };
    match bridge.resolve_image(&request).await {
        Ok(_) => Said::Found,
        Err(failure) => Said::Failed(failure),
    }
}
