//! What the client asks for beside the spec.

use std::collections::BTreeMap;

use crate::image::ImageConfig;
use buildkit_llb::{
    ExtraHost, LinuxResources, Network, Platform, ProxyEnv, ResolveMode, Source, Ulimit,
};

/// The name of a build context with files for steps, and for caches to start from.
pub const CACHE_CONTEXT: &str = "larder-cache";
/// Where steps see the context [`CACHE_CONTEXT`], read-only.
pub const CACHE_CONTEXT_TARGET: &str = "/larder-cache";

/// One build of a spec, for one platform.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the image is for.
    pub platform: Platform,
    /// Nobody asked for `platform`: an image of a stage for another is for that.
    pub any_platform: bool,
    /// What steps run on, where a stage asks for it.
    pub build_platform: Platform,
    /// `--build-arg`, without the `build-arg:` prefix.
    pub build_args: BTreeMap<String, String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// The project's name where the spec gives none.
    pub project: String,
    /// `BUILDKIT_CACHE_MOUNT_NS`.
    pub cache_namespace: Option<String>,
    /// `--no-cache`.
    pub no_cache: NoCache,
    /// How tags of images become digests.
    pub resolve_mode: ResolveMode,
    /// Where the build context is.
    pub context: Context,
    /// `--build-context larder-cache=…`: every step sees it at [`CACHE_CONTEXT_TARGET`], and a cache
    /// whose name a directory in it has starts from the files there.
    pub cache_context: Option<Context>,
    /// `--build-context NAME=…`: they come before stages and images of that name. By name, or by name
    /// and platform (`base::linux/arm64`), which comes first; see [`crate::contexts_used`].
    pub contexts: BTreeMap<String, NamedContext>,
    /// The time of files, of the image and of its history, in seconds since 1970:
    /// `--build-arg SOURCE_DATE_EPOCH=…`.
    pub epoch: Option<i64>,
    /// How every step runs.
    pub run: RunOptions,
    /// What the daemon can do.
    pub able: Able,
}

/// What not every daemon can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Able {
    /// Lay filesystems over one another ([`buildkit_llb::caps::MERGE`]). Without it, `link` is an
    /// ordinary copy.
    pub merge: bool,
    /// Check that paths to copy are there ([`buildkit_llb::caps::FILE_COPY_REQUIRED`]). Without it,
    /// `parents` passes over those that are not.
    pub required_paths: bool,
}

impl Able {
    /// What a current daemon can do.
    pub const ALL: Able = Able {
        merge: true,
        required_paths: true,
    };
}

/// What a named context is.
#[derive(Clone, Debug)]
pub enum NamedContext {
    /// Another image: `docker-image://…`.
    Image(String),
    /// Files.
    Files(Context),
    /// An image that came as a definition of its own, or from an OCI layout.
    Built {
        /// Its files.
        files: Context,
        /// Its config.
        config: Box<ImageConfig>,
    },
}

/// Which steps run again although nothing changed. Cache mounts keep what they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    None,
    /// Every one.
    All {
        /// Told to the steps, so that they differ from those of every other build.
        nonce: String,
    },
    /// Those of some stages.
    Stages {
        /// The stages.
        names: Vec<String>,
        /// As in [`NoCache::All`].
        nonce: String,
    },
}

/// Where a build context is.
#[derive(Clone, Debug)]
pub enum Context {
    /// A directory of the client's.
    Local {
        /// The name that the client serves it under, `context` as a rule.
        name: String,
        /// The client's session.
        session: Option<String>,
        /// Lines of `.dockerignore`, as [`crate::ignore::parse`] gives them.
        exclude: Vec<String>,
    },
    /// Files that come as a definition of their own; they are at its root.
    Input(buildkit_llb::Definition),
    /// A source operation: git, or what an URL holds.
    Source {
        /// The operation.
        source: Box<Source>,
        /// Whether it is an archive, to be unpacked.
        archive: bool,
        /// The directory in it that is the context; empty for all of it.
        subdir: String,
    },
}

/// How every step runs.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// `--build-arg http_proxy=…` and its kin: no part of any cache key.
    pub proxy: Option<ProxyEnv>,
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHost>,
    /// `--network`.
    pub network: Network,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--cgroup-parent`; the daemon's own if empty.
    pub cgroup_parent: String,
    /// The host name that a step sees; the daemon's choice if empty.
    pub hostname: String,
    /// `--shm-size`, in bytes.
    pub shm_size: Option<u64>,
    /// `--memory`, `--cpuset-cpus` and the like.
    pub resources: LinuxResources,
}

impl Request {
    /// A build for a platform in which the client asks for nothing else. The context is the client's
    /// directory `context`, and the daemon a current one.
    pub fn new(platform: Platform, project: impl Into<String>) -> Request {
        Request {
            build_platform: platform.clone(),
            platform,
            any_platform: false,
            build_args: BTreeMap::new(),
            target: None,
            labels: BTreeMap::new(),
            project: project.into(),
            cache_namespace: None,
            no_cache: NoCache::None,
            resolve_mode: ResolveMode::Default,
            context: Context::Local {
                name: "context".to_owned(),
                session: None,
                exclude: Vec::new(),
            },
            cache_context: None,
            contexts: BTreeMap::new(),
            epoch: None,
            run: RunOptions::default(),
            able: Able::ALL,
        }
    }
}

impl NoCache {
    /// The nonce, if steps of this stage run again.
    pub(crate) fn nonce(&self, stage: &str) -> Option<&str> {
        match self {
            NoCache::All { nonce } => Some(nonce),
            NoCache::Stages { names, nonce } if names.iter().any(|name| name == stage) => {
                Some(nonce)
            }
            NoCache::None | NoCache::Stages { .. } => None,
        }
    }
}

/// `linux/arm/v7`.
pub fn platform_name(platform: &Platform) -> String {
    platform.to_string()
}
