//! What is added to operations, and how it must be written.

use buildkit_llb::edit::ExecChange;
use buildkit_llb::{
    Access, Constraints, ContentCache, Digest, File, Graph, Meta, Mkdir, Mount, MountKind, Output,
    Sharing,
};
use prost::Message as _;

use crate::wire::{Random, Wire};

/// What is added to an operation.
#[derive(Clone, Default)]
pub(crate) struct Change {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) mounts: Vec<Added>,
}

/// A mount whose input, if it has one, is a directory of [`Owners`].
#[derive(Clone)]
pub(crate) struct Added {
    pub(crate) target: String,
    pub(crate) kind: Kind,
    pub(crate) owner: Option<usize>,
    pub(crate) selector: &'static str,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Cache(Sharing),
    Bind(Access),
    Tmpfs(Option<u64>),
    Secret,
}

impl Change {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut change = Self::default();
        while change.env.len() < 3 && random.once_in(2) {
            let name = format!("LARDER_{}", change.env.len());
            change.env.push((name, format!("a={}", random.below(9))));
        }
        while change.mounts.len() < 4 && !random.once_in(3) {
            let number = change.mounts.len();
            change.mounts.push(Added::random(number, random));
        }
        change
    }

    pub(crate) fn lift(&self, owners: &[Output]) -> ExecChange {
        ExecChange {
            env: self.env.clone(),
            mounts: self.mounts.iter().map(|mount| mount.lift(owners)).collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.env.is_empty() && self.mounts.is_empty()
    }

    pub(crate) fn owners(&self) -> impl Iterator<Item = usize> {
        self.mounts.iter().filter_map(|mount| mount.owner)
    }

    pub(crate) fn caps(&self) -> impl Iterator<Item = &'static str> {
        self.mounts.iter().flat_map(Added::caps)
    }
}

impl Added {
    fn random(number: usize, random: &mut Random) -> Self {
        let sharing = [Sharing::Shared, Sharing::Private, Sharing::Locked];
        let access = [Access::Writable, Access::ReadOnly, Access::Discarded];
        let kind = match random.below(6) {
            0..3 => Kind::Cache(sharing[random.below(3)]),
            3 => Kind::Bind(access[random.below(3)]),
            4 => Kind::Tmpfs(random.once_in(2).then_some(1 << 20)),
            _ => Kind::Secret,
        };
        let takes = matches!(kind, Kind::Cache(_) | Kind::Bind(_)) && random.once_in(2);
        Self {
            // Behind all others: a graph sorts them.
            target: format!("/~{number}"),
            kind,
            owner: takes.then(|| random.below(Owners::COUNT)),
            selector: if takes && random.once_in(2) {
                "/owned"
            } else {
                ""
            },
        }
    }

    pub(crate) fn lift(&self, owners: &[Output]) -> Mount {
        let input = self.owner.map(|owner| owners[owner]);
        let selector = self.selector.to_owned();
        let kind = match self.kind {
            Kind::Cache(sharing) => MountKind::Cache {
                id: "id".into(),
                sharing,
                input,
                selector,
                read_only: false,
            },
            Kind::Bind(access) => MountKind::Bind {
                input,
                selector,
                access,
                content_cache: ContentCache::Default,
            },
            Kind::Tmpfs(size) => MountKind::Tmpfs { size },
            Kind::Secret => return Mount::secret("token", &self.target),
        };
        Mount {
            target: self.target.clone(),
            kind,
        }
    }

    /// The mount, and perhaps one input or output more.
    pub(crate) fn encode(
        &self,
        inputs: &mut Vec<(Digest, i64)>,
        output: &mut i64,
        owners: &Owners,
    ) -> Wire {
        let input = self.owner.map_or(-1, |owner| {
            let taken = (owners.all[owner].digest, 0);
            let known = inputs.iter().position(|input| *input == taken);
            let at = known.unwrap_or(inputs.len());
            if known.is_none() {
                inputs.push(taken);
            }
            i64::try_from(at).unwrap()
        });
        let has_output = matches!(self.kind, Kind::Bind(Access::Writable));
        let mount = Wire::default()
            .number(1, input)
            .text(2, self.selector)
            .text(3, &self.target)
            .number(4, if has_output { *output } else { -1 });
        *output += i64::from(has_output);
        match self.kind {
            Kind::Cache(sharing) => {
                let cache = Wire::default().text(1, "id").number(2, sharing as i64);
                mount.number(6, 3).message(20, cache)
            }
            Kind::Bind(access) => mount.number(5, (access == Access::ReadOnly).into()),
            Kind::Tmpfs(size) => {
                let size = size.map_or(0, |size| i64::try_from(size).unwrap());
                mount
                    .number(6, 4)
                    .message(19, Wire::default().number(1, size))
            }
            Kind::Secret => {
                let secret = Wire::default().text(1, "token").number(4, 0o400);
                mount.number(6, 1).message(21, secret)
            }
        }
    }

    fn caps(&self) -> Vec<&'static str> {
        let mut caps = match self.kind {
            Kind::Cache(_) => vec!["exec.mount.cache", "exec.mount.cache.sharing"],
            Kind::Bind(Access::Discarded) => vec!["exec.mount.bind.readwrite-nooutput"],
            Kind::Bind(_) => Vec::new(),
            Kind::Tmpfs(None) => vec!["exec.mount.tmpfs"],
            Kind::Tmpfs(Some(_)) => vec!["exec.mount.tmpfs", "exec.mount.tmpfs.size"],
            Kind::Secret => vec!["exec.mount.secret"],
        };
        if matches!(self.kind, Kind::Bind(_)) && self.owner.is_some() {
            caps.push("exec.mount.bind");
        }
        if !self.selector.is_empty() {
            caps.push("exec.mount.selector");
        }
        caps
    }
}

/// Operations that added mounts take: an empty directory, another one, and one on top of the first.
pub(crate) struct Owners {
    pub(crate) all: Vec<Owner>,
}

pub(crate) struct Owner {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    pub(crate) said: Vec<u8>,
}

impl Owners {
    pub(crate) const COUNT: usize = 3;

    pub(crate) fn new() -> Self {
        let mut graph = Graph::new();
        let all = Self::add(&mut graph).into_iter().map(|output| {
            let mut proto = graph.definition(output).into_proto();
            let digest = graph.digest(output.vertex);
            Owner {
                digest,
                bytes: proto.def.remove(proto.def.len() - 2),
                said: proto.metadata[&digest.to_string()].encode_to_vec(),
            }
        });
        Self { all: all.collect() }
    }

    pub(crate) fn add(graph: &mut Graph) -> Vec<Output> {
        let mut add = |base, path: &str| {
            let mkdir = Mkdir {
                path: path.into(),
                mode: 0o755,
                parents: false,
                owner: None,
                time: None,
            };
            let file = File::on(base).mkdir(mkdir);
            let meta = Meta::named(format!("owner of {path}"));
            graph.add(file, &Constraints::default(), meta).only()
        };
        let first = add(None, "/owned");
        vec![first, add(None, "/other"), add(Some(first), "/owned/more")]
    }

    /// What one needs, and itself.
    pub(crate) fn chain(owner: usize) -> Vec<usize> {
        if owner == 2 { vec![0, 2] } else { vec![owner] }
    }
}
