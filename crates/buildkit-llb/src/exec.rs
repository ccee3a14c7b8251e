//! Running a program.

use buildkit_proto::pb;

use crate::caps;
use crate::graph::Output;
use crate::mount::{Mount, MountKind};
use crate::op::Lowering;

/// Runs a program. The outputs are the root filesystem and other mounts that it may write to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// The program and its arguments; a daemon refuses an empty list.
    pub args: Vec<String>,
    /// Its environment, each `NAME=value`, in this order. The daemon sets `PATH` if it is missing;
    /// with an SSH mount, `SSH_AUTH_SOCK` is set here if it is missing.
    pub env: Vec<String>,
    /// Its directory, `/` if empty.
    pub cwd: String,
    /// Who runs it: `name`, `uid`, `name:group` or `uid:gid`; root if empty.
    pub user: String,
    /// What it sees, in any order. Without a mount at `/`, the root filesystem starts empty.
    pub mounts: Vec<Mount>,
    /// What network it has.
    pub network: Network,
    /// What it may do.
    pub security: Security,
    /// Proxy variables, which are no part of the cache key.
    pub proxy_env: Option<ProxyEnv>,
    /// More lines of `/etc/hosts`.
    pub extra_hosts: Vec<ExtraHost>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// The control group below which it runs; the daemon's own if empty.
    pub cgroup_parent: String,
    /// Its host name; the daemon's choice if empty.
    pub hostname: String,
    /// Variables whose values are secrets.
    pub secret_env: Vec<SecretEnv>,
    /// Exit codes that are a success; 0 alone if empty.
    pub valid_exit_codes: Vec<i32>,
}

/// What network a program has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// One of its own, with a way out.
    #[default]
    Sandbox,
    /// The daemon's. Needs an entitlement.
    Host,
    /// None.
    None,
}

/// What a program may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// What an ordinary container may.
    #[default]
    Sandbox,
    /// Everything. Needs an entitlement.
    Insecure,
}

/// Proxy variables; those that are empty are not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyEnv {
    /// `HTTP_PROXY`, in both cases.
    pub http_proxy: String,
    /// `HTTPS_PROXY`, in both cases.
    pub https_proxy: String,
    /// `FTP_PROXY`, in both cases.
    pub ftp_proxy: String,
    /// `NO_PROXY`, in both cases.
    pub no_proxy: String,
    /// `ALL_PROXY`, in both cases.
    pub all_proxy: String,
}

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub host: String,
    /// Its address.
    pub ip: String,
}

/// A resource limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// Its name, such as `nofile`.
    pub name: String,
    /// What holds unless the program raises it.
    pub soft: i64,
    /// How far it may be raised.
    pub hard: i64,
}

/// A variable whose value is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEnv {
    /// The secret's id.
    pub id: String,
    /// The variable's name.
    pub name: String,
    /// Whether the program runs without it if the client does not have it.
    pub optional: bool,
}

impl Exec {
    /// Runs a program in a root filesystem that it may write to; nothing is an empty one.
    pub fn new<A: Into<String>>(root: Option<Output>, args: impl IntoIterator<Item = A>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            mounts: vec![Mount::root(root)],
            ..Self::default()
        }
    }

    /// The index of the output that holds what was written below a mount's target, if it has one.
    ///
    /// The root filesystem's is 0 unless it is read-only; the others follow in the order of their
    /// targets.
    pub fn output(&self, target: &str) -> Option<u32> {
        let mounts = sorted(&self.mounts);
        let at = mounts.iter().position(|mount| mount.target == target)?;
        if !mounts[at].has_output() {
            return None;
        }
        let before = mounts[..at].iter().filter(|mount| mount.has_output());
        u32::try_from(before.count()).ok()
    }

    pub(crate) fn lower(mut self, to: &mut Lowering<'_>) -> pb::ExecOp {
        to.need(caps::EXEC);
        if !self.mounts.iter().any(|mount| mount.target == ROOT) {
            self.mounts.push(Mount::root(None));
        }
        if self.cwd.is_empty() {
            ROOT.clone_into(&mut self.cwd);
        }
        self.point_at_agent();
        if !has_variable(&self.env, "PATH") {
            to.need(caps::EXEC_DEFAULT_PATH);
        }
        self.need_caps(to);
        self.mounts.sort_by(Mount::order);
        let mut outputs = 0;
        let mounts = self.mounts.into_iter();
        pb::ExecOp {
            mounts: mounts.map(|mount| mount.lower(to, &mut outputs)).collect(),
            meta: Some(pb::Meta {
                args: self.args,
                env: self.env,
                cwd: self.cwd,
                user: self.user,
                proxy_env: self.proxy_env.map(ProxyEnv::lower),
                extra_hosts: self.extra_hosts.into_iter().map(ExtraHost::lower).collect(),
                hostname: self.hostname,
                ulimit: self.ulimits.into_iter().map(Ulimit::lower).collect(),
                cgroup_parent: self.cgroup_parent,
                // Directories made for mounts do not stay in the image.
                remove_mount_stubs_recursive: true,
                valid_exit_codes: self.valid_exit_codes,
            }),
            network: match self.network {
                Network::Sandbox => pb::NetMode::Unset,
                Network::Host => pb::NetMode::Host,
                Network::None => pb::NetMode::None,
            }
            .into(),
            security: match self.security {
                Security::Sandbox => pb::SecurityMode::Sandbox,
                Security::Insecure => pb::SecurityMode::Insecure,
            }
            .into(),
            secretenv: self.secret_env.into_iter().map(SecretEnv::lower).collect(),
            cdi_devices: Vec::new(),
        }
    }

    /// Sets `SSH_AUTH_SOCK` to the first agent's socket.
    fn point_at_agent(&mut self) {
        let is_agent = |mount: &&Mount| matches!(mount.kind, MountKind::Ssh { .. });
        if let Some(agent) = self.mounts.iter().find(is_agent)
            && !has_variable(&self.env, "SSH_AUTH_SOCK")
        {
            self.env.push(format!("SSH_AUTH_SOCK={}", agent.target));
        }
    }

    fn need_caps(&self, to: &mut Lowering<'_>) {
        let needs = [
            (self.network != Network::Sandbox, caps::EXEC_NETWORK),
            (self.security != Security::Sandbox, caps::EXEC_SECURITY),
            (self.proxy_env.is_some(), caps::EXEC_PROXY),
            (!self.ulimits.is_empty(), caps::EXEC_ULIMIT),
            (!self.cgroup_parent.is_empty(), caps::EXEC_CGROUP_PARENT),
            (!self.secret_env.is_empty(), caps::EXEC_SECRET_ENV),
            (!self.valid_exit_codes.is_empty(), caps::EXEC_EXIT_CODES),
        ];
        for (needed, cap) in needs {
            if needed {
                to.need(cap);
            }
        }
    }
}

pub(crate) const ROOT: &str = "/";

fn sorted(mounts: &[Mount]) -> Vec<&Mount> {
    let mut sorted: Vec<&Mount> = mounts.iter().collect();
    sorted.sort_by(|a, b| a.order(b));
    sorted
}

fn has_variable(env: &[String], name: &str) -> bool {
    let is_it = |set: &String| set.strip_prefix(name).is_some_and(|v| v.starts_with('='));
    env.iter().any(is_it)
}

impl ProxyEnv {
    fn lower(self) -> pb::ProxyEnv {
        pb::ProxyEnv {
            http_proxy: self.http_proxy,
            https_proxy: self.https_proxy,
            ftp_proxy: self.ftp_proxy,
            no_proxy: self.no_proxy,
            all_proxy: self.all_proxy,
        }
    }
}

impl ExtraHost {
    fn lower(self) -> pb::HostIp {
        pb::HostIp {
            host: self.host,
            ip: self.ip,
        }
    }
}

impl Ulimit {
    fn lower(self) -> pb::Ulimit {
        pb::Ulimit {
            name: self.name,
            soft: self.soft,
            hard: self.hard,
        }
    }
}

impl SecretEnv {
    fn lower(self) -> pb::SecretEnv {
        pb::SecretEnv {
            id: self.id,
            name: self.name,
            optional: self.optional,
        }
    }
}
