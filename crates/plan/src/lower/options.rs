//! What a program sees and may do, as its step says.

use buildkit_llb::{Access, ContentCache, Exec, LinuxResources, Mount, MountKind, SecretEnv};
use larder_diagnostic::Span;

use super::Lowering;
use crate::model::{PlannedMount, PlannedMountKind, PlannedOptions, PlannedSecret, PlannedSsh};

impl Lowering<'_> {
    pub(super) fn options(&mut self, options: &PlannedOptions, exec: &mut Exec, span: Span) {
        for secret in &options.secrets {
            exec.mounts.extend(secret_file(secret));
            exec.secret_env.extend(secret_variable(secret));
        }
        exec.mounts.extend(options.ssh.iter().map(agent));
        for mount in &options.mounts {
            let mount = self.mount(mount, span);
            exec.mounts.push(mount);
        }
        if let Some(network) = options.network {
            exec.network = network;
        }
        exec.security = options.security;
    }

    /// Limits of every program, if the client sets any.
    pub(super) fn resources(&self) -> Option<LinuxResources> {
        let resources = &self.plan.request.run.resources;
        (*resources != LinuxResources::default()).then(|| resources.clone())
    }

    fn mount(&mut self, mount: &PlannedMount, span: Span) -> Mount {
        let kind = match &mount.kind {
            PlannedMountKind::Tmpfs { size } => MountKind::Tmpfs { size: *size },
            PlannedMountKind::Bind {
                from,
                source,
                writable,
            } => {
                let (input, root) = self.files_of(from, span);
                let path = crate::paths::join(&root, source);
                MountKind::Bind {
                    input,
                    selector: if path == "/" { String::new() } else { path },
                    access: if *writable {
                        Access::Discarded
                    } else {
                        Access::ReadOnly
                    },
                    content_cache: ContentCache::Default,
                }
            }
        };
        Mount {
            target: mount.target.clone(),
            kind,
        }
    }
}

fn secret_file(secret: &PlannedSecret) -> Option<Mount> {
    Some(Mount {
        target: secret.target.clone()?,
        kind: MountKind::Secret {
            id: secret.id.clone(),
            uid: secret.owner.uid,
            gid: secret.owner.gid,
            mode: secret.mode,
            optional: secret.optional,
        },
    })
}

fn secret_variable(secret: &PlannedSecret) -> Option<SecretEnv> {
    Some(SecretEnv {
        id: secret.id.clone(),
        name: secret.env.clone()?,
        optional: secret.optional,
    })
}

fn agent(ssh: &PlannedSsh) -> Mount {
    Mount {
        target: ssh.target.clone(),
        kind: MountKind::Ssh {
            id: ssh.id.clone(),
            uid: ssh.owner.uid,
            gid: ssh.owner.gid,
            mode: ssh.mode,
            optional: ssh.optional,
        },
    }
}
