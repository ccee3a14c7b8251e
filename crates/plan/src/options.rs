//! What a program sees and may do, as its step says: secrets, agents, mounts, network, security.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_inject::Decision;
use larder_spec::model::{self, MountKind, RunOptions};
use larder_spec::template::Template;

use crate::from::outside;
use crate::model::{
    CopyFrom, Owner, PlannedMount, PlannedMountKind, PlannedOptions, PlannedSecret, PlannedSeed,
    PlannedSsh,
};
use crate::paths::join;
use crate::stage::Builder;

/// The mode of a secret's file.
pub(crate) const SECRET_MODE: u32 = 0o400;
/// The mode of an agent's socket.
pub(crate) const SSH_MODE: u32 = 0o600;
/// Where secrets are.
const SECRETS: &str = "/run/secrets";
/// Where the sockets of agents are, each with its number behind it.
const AGENTS: &str = "/run/buildkit/ssh_agent.";

/// What is at which place already, and where the spec says so.
#[derive(Default)]
struct Places {
    /// By path: where, and the path as written if it has no args. What is written alike was found
    /// before.
    targets: BTreeMap<String, (Span, Option<String>)>,
}

impl Builder<'_, '_> {
    /// The options of a step which runs in a directory, as somebody.
    pub(crate) fn options(
        &mut self,
        options: &RunOptions,
        cwd: &str,
        owner: Owner,
    ) -> PlannedOptions {
        let mut places = Places::default();
        let secrets = options.secrets.iter();
        let secrets = secrets
            .filter_map(|secret| self.secret(secret, cwd, owner, &mut places))
            .collect();
        let ssh = options.ssh.iter().enumerate();
        let ssh = ssh
            .filter_map(|(at, ssh)| self.agent(ssh, at, cwd, owner, &mut places))
            .collect();
        let mounts = options.mounts.iter().enumerate();
        let mounts = mounts
            .filter_map(|(at, mount)| self.mount(mount, at, cwd, &mut places))
            .collect();
        PlannedOptions {
            secrets,
            ssh,
            mounts,
            network: options.network.as_ref().map(|network| match network.value {
                model::Network::Default => buildkit_llb::Network::Sandbox,
                model::Network::Host => buildkit_llb::Network::Host,
                model::Network::None => buildkit_llb::Network::None,
            }),
            security: match options.security.as_ref().map(|security| security.value) {
                Some(model::Security::Insecure) => buildkit_llb::Security::Insecure,
                Some(model::Security::Sandbox) | None => buildkit_llb::Security::Sandbox,
            },
        }
    }

    fn secret(
        &mut self,
        secret: &model::Secret,
        cwd: &str,
        owner: Owner,
        places: &mut Places,
    ) -> Option<PlannedSecret> {
        let id = secret.id.value.clone();
        let target = match (&secret.target, &secret.env) {
            (Some(target), _) => Some(self.target(target, cwd, "a secret", places)?),
            (None, Some(_)) => None,
            (None, None) => {
                let name = id.rsplit('/').next().unwrap_or_default();
                let target = format!("{SECRETS}/{name}");
                let written = Some(target.clone());
                Some(self.place(target, written, secret.span, places)?)
            }
        };
        Some(PlannedSecret {
            id,
            target,
            env: secret.env.as_ref().map(|env| env.value.clone()),
            optional: !secret.required,
            owner: owned(owner, secret.uid, secret.gid),
            mode: secret.mode.unwrap_or(SECRET_MODE),
        })
    }

    fn agent(
        &mut self,
        ssh: &model::Ssh,
        at: usize,
        cwd: &str,
        owner: Owner,
        places: &mut Places,
    ) -> Option<PlannedSsh> {
        let target = match &ssh.target {
            Some(target) => self.target(target, cwd, "an agent", places)?,
            None => self.place(format!("{AGENTS}{at}"), None, ssh.span, places)?,
        };
        Some(PlannedSsh {
            id: ssh.id.value.clone(),
            target,
            optional: !ssh.required,
            owner: owned(owner, ssh.uid, ssh.gid),
            mode: ssh.mode.unwrap_or(SSH_MODE),
        })
    }

    fn mount(
        &mut self,
        mount: &model::Mount,
        at: usize,
        cwd: &str,
        places: &mut Places,
    ) -> Option<PlannedMount> {
        let target = self.target(&mount.target, cwd, "a mount", places);
        let kind = match &mount.kind {
            MountKind::Tmpfs { size } => PlannedMountKind::Tmpfs { size: *size },
            MountKind::Bind(bind) => {
                let source = match &bind.source {
                    Some(template) => self.below(template, bind.from.is_none())?,
                    None => String::new(),
                };
                let from = match self.taken.mounts.get(&(self.at, at)) {
                    Some(from) => from.files(self.planner, self.position)?.0,
                    None => CopyFrom::Context,
                };
                PlannedMountKind::Bind {
                    from,
                    source,
                    writable: bind.writable,
                }
            }
        };
        let target = target?;
        Some(PlannedMount { target, kind })
    }

    /// A path below the root of what it is in.
    fn below(&mut self, template: &Template, of_context: bool) -> Option<String> {
        let written = self.expand_maybe(template)?;
        let below = crate::paths::below(&written);
        // One of the context without args was found before.
        if below.is_none() && !(of_context && template.literal().is_some()) {
            self.planner.report(outside(&written, template.span));
        }
        below
    }

    /// The place of something, which is nobody else's.
    fn target(
        &mut self,
        template: &Template,
        cwd: &str,
        what: &str,
        places: &mut Places,
    ) -> Option<String> {
        let written = self.expand_maybe(template)?;
        let target = join(cwd, &written);
        if written.is_empty() || target == "/" {
            let message = format!("{what} cannot be mounted at {}", quote(&written));
            self.planner.report(
                Diagnostic::error(template.span, message).hint("name a place below the root"),
            );
            return None;
        }
        let written = template.literal();
        let written = written.map(|text| text.trim_end_matches('/').to_owned());
        self.place(target, written, template.span, places)
    }

    fn place(
        &mut self,
        target: String,
        written: Option<String>,
        span: Span,
        places: &mut Places,
    ) -> Option<String> {
        let known = places.targets.get(&target);
        let Some((other, alike)) = known.cloned() else {
            places.targets.insert(target.clone(), (span, written));
            return Some(target);
        };
        if written.is_none() || written != alike {
            let message = format!("two things are mounted at {}", quote(&target));
            let error = Diagnostic::error(span, message).label(other, "the other one");
            self.planner
                .report(error.hint("give one of them another place"));
        }
        None
    }

    /// What the caches of a decision start from, as their entries say.
    pub(crate) fn seeds(&mut self, decision: &Decision) -> BTreeMap<String, PlannedSeed> {
        let Some(known) = self.taken.seeds.get(&self.at) else {
            return BTreeMap::new();
        };
        let own = decision.mounts.iter().filter(|mount| mount.own);
        let seeds = own.filter_map(|mount| {
            let seed = known.get(&mount.cache)?;
            let (from, _) = seed.from.files(self.planner, self.position)?;
            let source = seed.source.clone();
            Some((mount.cache.clone(), PlannedSeed { from, source }))
        });
        seeds.collect()
    }
}

impl PlannedOptions {
    /// Where something is mounted, absolute.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &String> {
        let secrets = self
            .secrets
            .iter()
            .filter_map(|secret| secret.target.as_ref());
        let ssh = self.ssh.iter().map(|ssh| &ssh.target);
        let mounts = self.mounts.iter().map(|mount| &mount.target);
        secrets.chain(ssh).chain(mounts)
    }

    /// Paths of the context that are mounted.
    pub(crate) fn of_context(&self) -> impl Iterator<Item = &String> {
        self.mounts.iter().filter_map(|mount| match &mount.kind {
            PlannedMountKind::Bind {
                from: CopyFrom::Context,
                source,
                ..
            } => Some(source),
            _ => None,
        })
    }
}

fn owned(owner: Owner, uid: Option<u32>, gid: Option<u32>) -> Owner {
    Owner {
        uid: uid.unwrap_or(owner.uid),
        gid: gid.unwrap_or(owner.gid),
    }
}
