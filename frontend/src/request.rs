//! Options in the words of `larder-plan`.

use std::time::{SystemTime, UNIX_EPOCH};

use buildkit_llb::{LinuxResources, Platform, caps};
use larder_diagnostic::Diagnostic;
use larder_gateway::options::NoCacheOption;
use larder_gateway::{Capabilities, Options};
use larder_plan::{Able, Context, NoCache, Request, RunOptions};

use crate::origin::Origin;

/// What to build for. The daemon's own platform unless the client names some.
pub(crate) fn platforms(options: &Options) -> Vec<Platform> {
    if options.platforms.is_empty() {
        return vec![own_platform(options)];
    }
    options.platforms.clone()
}

/// Different in every build.
pub(crate) fn nonce() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("{:x}", now.unwrap_or_default().as_nanos())
}

pub(crate) fn request(
    options: &Options,
    platform: &Platform,
    origin: &Origin,
    cache_context: Option<Context>,
    nonce: &str,
) -> Request {
    let nonce = nonce.to_owned();
    Request {
        any_platform: options.platforms.is_empty(),
        build_platform: own_platform(options),
        build_args: options.build_args.clone(),
        target: options.target.clone(),
        labels: options.labels.clone(),
        cache_namespace: options.cache_namespace.clone(),
        no_cache: match &options.no_cache {
            NoCacheOption::None => NoCache::None,
            NoCacheOption::All => NoCache::All { nonce },
            NoCacheOption::Stages(names) => NoCache::Stages {
                names: names.clone(),
                nonce,
            },
        },
        resolve_mode: options.resolve_mode,
        context: origin.context.clone(),
        cache_context,
        run: RunOptions {
            proxy: options.proxy(),
            extra_hosts: options.extra_hosts.clone(),
            network: options.network.unwrap_or_default(),
            ulimits: options.ulimits.clone(),
            cgroup_parent: options.cgroup_parent.clone().unwrap_or_default(),
            hostname: options.hostname.clone().unwrap_or_default(),
            shm_size: options.shm_size,
            resources: options.resources.clone(),
        },
        ..Request::new(platform.clone(), "default")
    }
}

/// What the daemon can do.
pub(crate) fn able(capabilities: &Capabilities) -> Able {
    Able {
        merge: capabilities.has_llb(caps::MERGE),
        required_paths: capabilities.has_llb(caps::FILE_COPY_REQUIRED),
    }
}

/// A warning if the client sets limits that the daemon does not know.
pub(crate) fn ignored(options: &Options, capabilities: &Capabilities) -> Option<Diagnostic> {
    let cap = caps::EXEC_LINUX_RESOURCES;
    if options.resources == LinuxResources::default() || capabilities.has_llb(cap) {
        return None;
    }
    let message = "limits of memory and processors have no effect: the daemon knows none for steps";
    let since = caps::since(cap).unwrap_or_default();
    let warning = Diagnostic::warning(None, message).lint("option-without-effect");
    Some(warning.hint(format!(
        "leave them out, or build with BuildKit {since} or newer"
    )))
}

/// What the daemon runs on.
pub(crate) fn own_platform(options: &Options) -> Platform {
    options
        .worker_platform
        .clone()
        .unwrap_or_else(Platform::host)
}
