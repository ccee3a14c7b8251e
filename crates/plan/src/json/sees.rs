//! What a program sees beside its filesystem and its caches.

use std::collections::BTreeMap;

use buildkit_llb::{Network, Security};
use serde::Serialize;

use crate::model::{CopyFrom, Owner, PlannedMountKind, PlannedRun, PlannedSecret, PlannedSsh};

/// `secrets`, `ssh`, `binds` and so on. What is empty is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sees<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Secret<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<Ssh<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    binds: Vec<Bind<'a>>,
    /// Beside those of `tmpfs`: with a size, in bytes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    memory: BTreeMap<&'a str, Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<Manifests<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    insecure: bool,
}

#[derive(Serialize)]
struct Secret<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<&'a str>,
    required: bool,
    #[serde(flatten)]
    file: Option<File>,
}

#[derive(Serialize)]
struct Ssh<'a> {
    id: &'a str,
    target: &'a str,
    required: bool,
    #[serde(flatten)]
    file: File,
}

/// Who may use it.
#[derive(Serialize)]
struct File {
    uid: u32,
    gid: u32,
    /// In octal digits.
    mode: String,
}

#[derive(Serialize)]
struct Bind<'a> {
    target: &'a str,
    from: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'a str,
    writable: bool,
}

#[derive(Serialize)]
struct Manifests<'a> {
    target: &'a str,
    copied: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<&'a str>,
    writable: bool,
}

impl<'a> Sees<'a> {
    /// `stage` names a stage by its index.
    pub(super) fn new(run: &'a PlannedRun, stage: &dyn Fn(usize) -> String) -> Sees<'a> {
        let options = &run.options;
        let mut binds = Vec::new();
        let mut memory = BTreeMap::new();
        for mount in &options.mounts {
            match &mount.kind {
                PlannedMountKind::Bind {
                    from,
                    source,
                    writable,
                } => binds.push(Bind {
                    target: &mount.target,
                    from: origin(from, stage),
                    source,
                    writable: *writable,
                }),
                PlannedMountKind::Tmpfs { size } => {
                    memory.insert(mount.target.as_str(), *size);
                }
            }
        }
        Sees {
            secrets: options.secrets.iter().map(secret).collect(),
            ssh: options.ssh.iter().map(ssh).collect(),
            binds,
            memory,
            manifests: run.manifests.as_ref().map(|manifests| Manifests {
                target: &manifests.target,
                copied: &manifests.copied,
                made: manifests.stubs.keys().map(String::as_str).collect(),
                writable: manifests.writable,
            }),
            network: options.network.map(|network| match network {
                Network::Sandbox => "default",
                Network::Host => "host",
                Network::None => "none",
            }),
            insecure: options.security == Security::Insecure,
        }
    }
}

fn secret(secret: &PlannedSecret) -> Secret<'_> {
    Secret {
        id: &secret.id,
        target: secret.target.as_deref(),
        env: secret.env.as_deref(),
        required: !secret.optional,
        file: (secret.target.as_ref()).map(|_| file(secret.owner, secret.mode)),
    }
}

fn ssh(ssh: &PlannedSsh) -> Ssh<'_> {
    Ssh {
        id: &ssh.id,
        target: &ssh.target,
        required: !ssh.optional,
        file: file(ssh.owner, ssh.mode),
    }
}

fn file(owner: Owner, mode: u32) -> File {
    File {
        uid: owner.uid,
        gid: owner.gid,
        mode: format!("{mode:04o}"),
    }
}

/// Where files come from, in words.
fn origin(from: &CopyFrom, stage: &dyn Fn(usize) -> String) -> String {
    match from {
        CopyFrom::Context => "the context".to_owned(),
        CopyFrom::Stage(index) => format!("stage {}", stage(*index)),
        CopyFrom::Image(image) => format!("image {}", image.reference),
        CopyFrom::Named(name) => format!("context {name}"),
        CopyFrom::Source(_) => "a source".to_owned(),
        CopyFrom::Text(_) => "text".to_owned(),
    }
}
