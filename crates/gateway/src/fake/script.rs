//! What a fake daemon knows, and where it fails.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Definition;
use buildkit_proto::google::rpc;
use buildkit_proto::moby::buildkit::v1::{
    apicaps::ApiCap,
    frontend::{self as wire, PongResponse},
};

use crate::{Cap, cap};

/// Contents by path, relative to the root and without `./`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a [`FakeBridge`](super::FakeBridge) knows, and where it fails.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) images: BTreeMap<String, FakeImage>,
    /// By the identifier of the source operation: `local://context`.
    pub(super) sources: BTreeMap<String, Files>,
    /// When sources were made, by identifier.
    pub(super) times: BTreeMap<String, i64>,
    pub(super) inputs: BTreeMap<String, Definition>,
    /// By the name of a frontend and the request, which is empty for a build.
    pub(super) frontends: BTreeMap<(String, String), wire::Result>,
    failures: Vec<(Call, String, rpc::Status)>,
    /// Parts of references of images, and whether these are never answered for; the last that fits counts.
    pub(super) silent: Vec<(String, bool)>,
    caps: BTreeSet<String>,
    llb_caps: BTreeSet<String>,
}

/// An image in a registry.
#[derive(Clone, Debug, Default)]
pub struct FakeImage {
    /// JSON of its config.
    pub config: String,
    /// Its filesystem.
    pub files: Files,
}

/// Something that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Of a definition; told apart by its operations, as debug output shows them.
    Solve,
    /// Of a build by another frontend; told apart by its name, a blank, and the request.
    Frontend,
    /// Of an image; told apart by its reference.
    Resolve,
    /// Of a file; told apart by its path.
    Read,
    /// Told apart by its text.
    Warn,
}

const GATEWAY: [Cap; 13] = [
    cap::SOLVE,
    cap::RESOLVE_IMAGE,
    cap::READ_FILE,
    cap::READ_DIR,
    cap::STAT_FILE,
    cap::RETURN,
    cap::RETURN_MAP,
    cap::IMPORT_CACHES,
    cap::REF_ARRAY,
    cap::INPUTS,
    cap::EVALUATE,
    cap::WARNINGS,
    cap::SOURCE_META,
];

/// What `BuildKit` v0.13 knows of what builds use.
const LLB: [&str; 41] = [
    "constraints",
    "diffop",
    "exec.cgroup",
    "exec.meta.base",
    "exec.meta.cgroup.parent",
    "exec.meta.network",
    "exec.meta.proxyenv",
    "exec.meta.security",
    "exec.meta.setsdefaultpath",
    "exec.meta.ulimit",
    "exec.mount.bind",
    "exec.mount.bind.readwrite-nooutput",
    "exec.mount.cache",
    "exec.mount.cache.sharing",
    "exec.mount.secret",
    "exec.mount.selector",
    "exec.mount.ssh",
    "exec.mount.tmpfs",
    "exec.mount.tmpfs.size",
    "exec.secretenv",
    "file.base",
    "file.copy.includeexcludepatterns",
    "mergeop",
    "meta.description",
    "meta.exportcache",
    "meta.ignorecache",
    "platform",
    "source.git",
    "source.git.fullurl",
    "source.git.httpauth",
    "source.git.subdir",
    "source.http",
    "source.image",
    "source.image.resolvemode",
    "source.local",
    "source.local.differ",
    "source.local.excludepatterns",
    "source.local.followpaths",
    "source.local.includepatterns",
    "source.local.sharedkeyhint",
    "source.ocilayout",
];

impl Default for Script {
    fn default() -> Script {
        let mut llb_caps: BTreeSet<String> = LLB.iter().map(|id| (*id).to_owned()).collect();
        llb_caps.insert("source.local.sessionid".to_owned());
        Script {
            images: BTreeMap::new(),
            sources: BTreeMap::new(),
            times: BTreeMap::new(),
            inputs: BTreeMap::new(),
            frontends: BTreeMap::new(),
            failures: Vec::new(),
            silent: Vec::new(),
            caps: GATEWAY.iter().map(|cap| cap.id.to_owned()).collect(),
            llb_caps,
        }
    }
}

impl Script {
    /// A daemon with every capability, and nothing else.
    pub fn new() -> Script {
        Script::default()
    }

    /// An image in a registry: reference, config and files.
    #[must_use]
    pub fn image(mut self, reference: &str, config: &str, files: &[(&str, &str)]) -> Script {
        let image = FakeImage {
            config: config.to_owned(),
            files: to_files(files),
        };
        self.images.insert(reference.to_owned(), image);
        self
    }

    /// A directory of the client's.
    #[must_use]
    pub fn local(self, name: &str, files: &[(&str, &str)]) -> Script {
        self.source(&format!("local://{name}"), files)
    }

    /// What a source operation with this identifier holds.
    #[must_use]
    pub fn source(mut self, identifier: &str, files: &[(&str, &str)]) -> Script {
        self.sources.insert(identifier.to_owned(), to_files(files));
        self
    }

    /// When a source was made, in seconds since 1970.
    #[must_use]
    pub fn time(mut self, identifier: &str, seconds: i64) -> Script {
        self.times.insert(identifier.to_owned(), seconds);
        self
    }

    /// A definition that the client gives beside the options.
    #[must_use]
    pub fn input(mut self, name: &str, definition: Definition) -> Script {
        self.inputs.insert(name.to_owned(), definition);
        self
    }

    /// What another frontend answers to a request (`frontend.lint`), or builds if that is empty.
    #[must_use]
    pub fn frontend(mut self, name: &str, request: &str, result: wire::Result) -> Script {
        let key = (name.to_owned(), request.to_owned());
        self.frontends.insert(key, result);
        self
    }

    /// Operations may use this, too.
    #[must_use]
    pub fn with(mut self, cap: &str) -> Script {
        self.llb_caps.insert(cap.to_owned());
        self
    }

    /// A daemon that lacks a capability, of the gateway or of operations.
    #[must_use]
    pub fn without(mut self, cap: &str) -> Script {
        self.caps.remove(cap);
        self.llb_caps.remove(cap);
        self
    }

    /// A daemon that fails where a call's argument contains this text.
    #[must_use]
    pub fn failing(mut self, call: Call, containing: &str, status: rpc::Status) -> Script {
        self.failures.push((call, containing.to_owned(), status));
        self
    }

    /// A daemon that never answers when asked for an image whose reference contains this text.
    #[must_use]
    pub fn silent(mut self, containing: &str) -> Script {
        self.silent.push((containing.to_owned(), true));
        self
    }

    /// A daemon that answers for such an image after all.
    #[must_use]
    pub fn answering(mut self, containing: &str) -> Script {
        self.silent.push((containing.to_owned(), false));
        self
    }

    pub(super) fn failure(&self, call: Call, argument: &str) -> Result<(), rpc::Status> {
        let fits = |(at, text, _): &&(Call, String, rpc::Status)| {
            *at == call && argument.contains(text.as_str())
        };
        match self.failures.iter().find(fits) {
            Some((.., status)) => Err(status.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn pong(&self) -> PongResponse {
        let caps = |ids: &BTreeSet<String>| {
            let cap = |id: &String| ApiCap {
                id: id.clone(),
                enabled: true,
                ..ApiCap::default()
            };
            ids.iter().map(cap).collect()
        };
        PongResponse {
            frontend_api_caps: caps(&self.caps),
            llb_caps: caps(&self.llb_caps),
            workers: Vec::new(),
        }
    }
}

fn to_files(files: &[(&str, &str)]) -> Files {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
