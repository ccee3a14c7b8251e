//! What a program sees besides its root filesystem.

use std::cmp::Ordering;

use buildkit_proto::pb;

use crate::caps;
use crate::exec::ROOT;
use crate::graph::Output;
use crate::op::{Lowering, NO_OUTPUT, SCRATCH};

/// Something that a program finds at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where; `/` is the root filesystem. A relative path starts at the program's directory.
    pub target: String,
    /// What.
    pub kind: MountKind,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// The result of another operation.
    Bind {
        /// Which; an empty filesystem if absent.
        input: Option<Output>,
        /// The part of it that is mounted; all of it if empty.
        selector: String,
        /// What becomes of what is written.
        access: Access,
        /// Whether the cache key takes the input's files or its definition.
        content_cache: ContentCache,
    },
    /// A directory that outlives the build, on the same daemon.
    Cache {
        /// Names it. A daemon has one directory for each id and input.
        id: String,
        /// What happens when two programs want it.
        sharing: Sharing,
        /// What is in it at first, with owner and mode; an empty filesystem if absent.
        input: Option<Output>,
        /// The part of it that is mounted; all of it if empty.
        selector: String,
        /// Whether the program may not write to it.
        read_only: bool,
    },
    /// An empty directory in memory.
    Tmpfs {
        /// How much fits in, in bytes; the daemon's limit if absent.
        size: Option<u64>,
    },
    /// A file with a secret.
    Secret {
        /// Names the secret.
        id: String,
        /// The file's owner.
        uid: u32,
        /// The file's group.
        gid: u32,
        /// The file's mode.
        mode: u32,
        /// Whether the program runs without it if the client does not have it.
        optional: bool,
    },
    /// The socket of an SSH agent.
    Ssh {
        /// Names the agent; `default` is the usual one.
        id: String,
        /// The socket's owner.
        uid: u32,
        /// The socket's group.
        gid: u32,
        /// The socket's mode.
        mode: u32,
        /// Whether the program runs without it if the client does not have it.
        optional: bool,
    },
}

/// What becomes of what is written to a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It is an output of the operation.
    #[default]
    Writable,
    /// Nothing can be written.
    ReadOnly,
    /// It is lost.
    Discarded,
}

/// What the cache key takes of a bind mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentCache {
    /// As the daemon finds best: files where it can.
    #[default]
    Default,
    /// The files.
    On,
    /// The definition.
    Off,
}

/// What happens when two programs want the same cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both have it.
    #[default]
    Shared,
    /// The second has another one.
    Private,
    /// The second waits.
    Locked,
}

impl Mount {
    /// A root filesystem that can be written to: output 0.
    pub fn root(input: Option<Output>) -> Self {
        Self::scratch_or(input, ROOT.to_owned(), Access::Writable)
    }

    /// The result of another operation, read-only.
    pub fn bind(input: Output, target: impl Into<String>) -> Self {
        Self::scratch_or(Some(input), target.into(), Access::ReadOnly)
    }

    /// The result of another operation, or an empty directory, that can be written to: an output.
    pub fn writable(input: Option<Output>, target: impl Into<String>) -> Self {
        Self::scratch_or(input, target.into(), Access::Writable)
    }

    fn scratch_or(input: Option<Output>, target: String, access: Access) -> Self {
        let kind = MountKind::Bind {
            input,
            selector: String::new(),
            access,
            content_cache: ContentCache::Default,
        };
        Self { target, kind }
    }

    /// A cache, empty at first, owned by root.
    pub fn cache(id: impl Into<String>, target: impl Into<String>, sharing: Sharing) -> Self {
        let kind = MountKind::Cache {
            id: id.into(),
            sharing,
            input: None,
            selector: String::new(),
            read_only: false,
        };
        Self {
            target: target.into(),
            kind,
        }
    }

    /// An empty directory in memory.
    pub fn tmpfs(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            kind: MountKind::Tmpfs { size: None },
        }
    }

    /// A secret that root alone can read.
    pub fn secret(id: impl Into<String>, target: impl Into<String>) -> Self {
        let kind = MountKind::Secret {
            id: id.into(),
            uid: 0,
            gid: 0,
            mode: 0o400,
            optional: false,
        };
        Self {
            target: target.into(),
            kind,
        }
    }

    /// An SSH agent that root alone can use.
    pub fn ssh(id: impl Into<String>, target: impl Into<String>) -> Self {
        let kind = MountKind::Ssh {
            id: id.into(),
            uid: 0,
            gid: 0,
            mode: 0o600,
            optional: false,
        };
        Self {
            target: target.into(),
            kind,
        }
    }

    /// What a cache has at first; or another input for a bind mount. Others have none.
    #[must_use]
    pub fn with_input(mut self, output: Output) -> Self {
        if let MountKind::Bind { input, .. } | MountKind::Cache { input, .. } = &mut self.kind {
            *input = Some(output);
        }
        self
    }

    /// The part of the input that is mounted. Mounts without an input have no parts.
    #[must_use]
    pub fn select(mut self, path: impl Into<String>) -> Self {
        if let MountKind::Bind { selector, .. } | MountKind::Cache { selector, .. } = &mut self.kind
        {
            *selector = path.into();
        }
        self
    }

    pub(crate) fn has_output(&self) -> bool {
        let access = Access::Writable;
        matches!(&self.kind, MountKind::Bind { access: a, .. } if *a == access)
    }

    /// The root first, then by target, so that no output's index depends on the order in which
    /// mounts were given.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let key = |mount: &Self| mount.target != ROOT;
        key(self)
            .cmp(&key(other))
            .then_with(|| self.target.cmp(&other.target))
    }

    pub(crate) fn lower(self, to: &mut Lowering<'_>, outputs: &mut i64) -> pb::Mount {
        let mut mount = pb::Mount {
            input: SCRATCH,
            output: NO_OUTPUT,
            ..pb::Mount::default()
        };
        if self.has_output() {
            mount.output = *outputs;
            *outputs += 1;
        }
        mount.dest = self.target;
        match self.kind {
            MountKind::Bind {
                input,
                selector,
                access,
                content_cache,
            } => {
                if input.is_some() {
                    to.need(caps::MOUNT_BIND);
                }
                if access == Access::Discarded {
                    to.need(caps::MOUNT_DISCARDED);
                }
                mount.input = to.input_or_scratch(input);
                mount.readonly = access == Access::ReadOnly;
                mount.content_cache = content_cache.lower(to).into();
                select(&mut mount, selector, to);
            }
            MountKind::Cache {
                id,
                sharing,
                input,
                selector,
                read_only,
            } => {
                to.need(caps::MOUNT_CACHE);
                to.need(caps::MOUNT_CACHE_SHARING);
                mount.mount_type = pb::MountType::Cache.into();
                mount.input = to.input_or_scratch(input);
                mount.readonly = read_only;
                mount.cache_opt = Some(pb::CacheOpt {
                    id,
                    sharing: sharing.lower().into(),
                });
                select(&mut mount, selector, to);
            }
            MountKind::Tmpfs { size } => {
                to.need(caps::MOUNT_TMPFS);
                if size.is_some() {
                    to.need(caps::MOUNT_TMPFS_SIZE);
                }
                let size = size.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX));
                mount.mount_type = pb::MountType::Tmpfs.into();
                mount.tmpfs_opt = Some(pb::TmpfsOpt { size });
            }
            MountKind::Secret {
                id,
                uid,
                gid,
                mode,
                optional,
            } => {
                to.need(caps::MOUNT_SECRET);
                mount.mount_type = pb::MountType::Secret.into();
                mount.secret_opt = Some(pb::SecretOpt {
                    id,
                    uid,
                    gid,
                    mode,
                    optional,
                });
            }
            MountKind::Ssh {
                id,
                uid,
                gid,
                mode,
                optional,
            } => {
                to.need(caps::MOUNT_SSH);
                mount.mount_type = pb::MountType::Ssh.into();
                mount.ssh_opt = Some(pb::SshOpt {
                    id,
                    uid,
                    gid,
                    mode,
                    optional,
                });
            }
        }
        mount
    }
}

fn select(mount: &mut pb::Mount, selector: String, to: &mut Lowering<'_>) {
    if !selector.is_empty() {
        to.need(caps::MOUNT_SELECTOR);
    }
    mount.selector = selector;
}

impl ContentCache {
    fn lower(self, to: &mut Lowering<'_>) -> pb::MountContentCache {
        if self != Self::Default {
            to.need(caps::MOUNT_CONTENT_CACHE);
        }
        match self {
            Self::Default => pb::MountContentCache::Default,
            Self::On => pb::MountContentCache::On,
            Self::Off => pb::MountContentCache::Off,
        }
    }
}

impl Sharing {
    fn lower(self) -> pb::CacheSharingOpt {
        match self {
            Self::Shared => pb::CacheSharingOpt::Shared,
            Self::Private => pb::CacheSharingOpt::Private,
            Self::Locked => pb::CacheSharingOpt::Locked,
        }
    }

    pub(crate) fn lift(sharing: pb::CacheSharingOpt) -> Self {
        match sharing {
            pb::CacheSharingOpt::Shared => Self::Shared,
            pb::CacheSharingOpt::Private => Self::Private,
            pb::CacheSharingOpt::Locked => Self::Locked,
        }
    }
}
