//! What operations do, as far as it matters to one who changes them.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;
use buildkit_proto::pb::op::Op as Body;

use super::Port;
use crate::mount::Sharing;
use crate::op::{NO_OUTPUT, SCRATCH};

/// What an operation does, as far as it matters to one who changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// Runs a program.
    Exec(SeenExec),
    /// Changes files; each action in order.
    File(Vec<SeenAction>),
    /// Brings something in: `docker-image://…`, `local://…`.
    Source {
        /// The address with its scheme.
        identifier: String,
        /// What that scheme needs.
        attrs: BTreeMap<String, String>,
    },
    /// Filesystems laid over each other.
    Merge(Vec<Port>),
    /// What the upper has that the lower has not.
    Diff {
        /// None for an empty filesystem.
        lower: Option<Port>,
        /// None for an empty filesystem.
        upper: Option<Port>,
    },
    /// Anything else, and what says nothing that makes sense; takes these.
    Other(Vec<Port>),
}

/// An operation that runs a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenExec {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Variables; one without `=` has an empty value.
    pub env: Vec<(String, String)>,
    /// Its directory.
    pub cwd: String,
    /// As written: empty, `1000`, `name`, `name:group`.
    pub user: String,
    /// Whether it has no network.
    pub offline: bool,
    /// The root filesystem among them.
    pub mounts: Vec<SeenMount>,
}

/// Something mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMount {
    /// Where; may be relative to the program's directory.
    pub target: String,
    /// What is mounted; none for an empty filesystem, or for what is no filesystem of an operation.
    pub input: Option<Port>,
    /// The part of the input that is mounted; empty for all of it.
    pub selector: String,
    /// Which output of the operation is what becomes of it.
    pub output: Option<u32>,
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// The cache that it is, if it is one.
    pub cache: Option<SeenCache>,
}

/// A cache mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCache {
    /// Its id.
    pub id: String,
    /// What happens when two programs want it.
    pub sharing: Sharing,
}

/// One action of a file operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAction {
    /// What it changes.
    pub on: SeenInput,
    /// Which output of the operation is the result; none for a step in between.
    pub output: Option<u32>,
    /// What it does.
    pub change: SeenChange,
}

/// What an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenInput {
    /// An empty filesystem.
    Scratch,
    /// Another operation's.
    Of(Port),
    /// What an earlier action of the same operation leaves, by number.
    Action(u32),
}

/// What an action does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeenChange {
    /// Copies.
    Copy {
        /// From where.
        from: SeenInput,
        /// The path there; may have wildcards.
        src: String,
        /// The path here.
        dest: String,
        /// Whether `src` may have wildcards.
        wildcard: bool,
    },
    /// Writes a file.
    Mkfile {
        /// Where.
        path: String,
        /// What.
        data: Vec<u8>,
    },
    /// Makes a directory.
    Mkdir {
        /// Where.
        path: String,
    },
    /// Removes.
    Rm {
        /// What.
        path: String,
    },
    /// Anything else, at this path if it has one.
    Other {
        /// Where.
        path: Option<String>,
    },
}

impl Seen {
    /// What an operation with these inputs does.
    pub(super) fn new(body: Option<Body>, inputs: &[Port]) -> Self {
        let inputs = Inputs(inputs);
        let seen = match body {
            Some(Body::Exec(exec)) => inputs.exec(exec).map(Self::Exec),
            Some(Body::File(file)) => inputs.file(file).map(Self::File),
            Some(Body::Source(source)) => Ok(Self::Source {
                identifier: source.identifier,
                attrs: source.attrs,
            }),
            Some(Body::Merge(merge)) => inputs.merge(&merge).map(Self::Merge),
            Some(Body::Diff(diff)) => inputs.diff(diff),
            Some(Body::Build(_)) | None => Err(Senseless),
        };
        seen.unwrap_or_else(|Senseless| Self::Other(inputs.0.to_vec()))
    }
}

/// A number that means nothing, or an operation of which nothing is known.
struct Senseless;

/// The inputs of an operation, which its parts name by number.
#[derive(Clone, Copy)]
struct Inputs<'a>(&'a [Port]);

impl Inputs<'_> {
    fn port(self, index: i64) -> Result<Port, Senseless> {
        let index = usize::try_from(index).map_err(|_| Senseless)?;
        self.0.get(index).copied().ok_or(Senseless)
    }

    fn or_scratch(self, index: i64) -> Result<Option<Port>, Senseless> {
        match index {
            SCRATCH => Ok(None),
            index => self.port(index).map(Some),
        }
    }

    fn exec(self, exec: pb::ExecOp) -> Result<SeenExec, Senseless> {
        let offline = exec.network() == pb::NetMode::None;
        let mounts = exec.mounts.into_iter().map(|mount| self.mount(mount));
        let mounts = mounts.collect::<Result<_, _>>()?;
        let meta = exec.meta.unwrap_or_default();
        let variable = |set: String| match set.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (set, String::new()),
        };
        Ok(SeenExec {
            args: meta.args,
            env: meta.env.into_iter().map(variable).collect(),
            cwd: meta.cwd,
            user: meta.user,
            offline,
            mounts,
        })
    }

    fn mount(self, mount: pb::Mount) -> Result<SeenMount, Senseless> {
        let kind = mount.mount_type();
        let input = self.or_scratch(mount.input)?;
        let filesystem = matches!(kind, pb::MountType::Bind | pb::MountType::Cache);
        let cache = mount.cache_opt.unwrap_or_default();
        let cache = SeenCache {
            sharing: Sharing::lift(cache.sharing()),
            id: cache.id,
        };
        Ok(SeenMount {
            target: mount.dest,
            input: input.filter(|_| filesystem),
            selector: mount.selector,
            output: output(mount.output)?,
            read_only: mount.readonly,
            cache: Some(cache).filter(|_| kind == pb::MountType::Cache),
        })
    }

    fn file(self, file: pb::FileOp) -> Result<Vec<SeenAction>, Senseless> {
        let actions = file.actions.into_iter().enumerate();
        actions
            .map(|(number, action)| self.action(number, action))
            .collect()
    }

    fn action(self, number: usize, action: pb::FileAction) -> Result<SeenAction, Senseless> {
        Ok(SeenAction {
            on: self.or_action(action.input, number)?,
            output: output(action.output)?,
            change: match action.action {
                Some(Action::Copy(copy)) => SeenChange::Copy {
                    from: self.or_action(action.secondary_input, number)?,
                    src: copy.src,
                    dest: copy.dest,
                    wildcard: copy.allow_wildcard,
                },
                Some(Action::Mkfile(mkfile)) => SeenChange::Mkfile {
                    path: mkfile.path,
                    data: mkfile.data,
                },
                Some(Action::Mkdir(mkdir)) => SeenChange::Mkdir { path: mkdir.path },
                Some(Action::Rm(rm)) => SeenChange::Rm { path: rm.path },
                Some(Action::Symlink(link)) => SeenChange::Other {
                    path: Some(link.newpath),
                },
                None => SeenChange::Other { path: None },
            },
        })
    }

    /// Behind the inputs, numbers mean the actions before this one.
    fn or_action(self, index: i64, before: usize) -> Result<SeenInput, Senseless> {
        if index == SCRATCH {
            return Ok(SeenInput::Scratch);
        }
        if let Ok(port) = self.port(index) {
            return Ok(SeenInput::Of(port));
        }
        let index = usize::try_from(index).map_err(|_| Senseless)?;
        let number = index - self.0.len();
        let earlier = u32::try_from(number).ok().filter(|_| number < before);
        earlier.map(SeenInput::Action).ok_or(Senseless)
    }

    fn merge(self, merge: &pb::MergeOp) -> Result<Vec<Port>, Senseless> {
        let inputs = merge.inputs.iter();
        inputs.map(|input| self.port(input.input)).collect()
    }

    fn diff(self, diff: pb::DiffOp) -> Result<Seen, Senseless> {
        Ok(Seen::Diff {
            lower: self.or_scratch(diff.lower.map_or(SCRATCH, |lower| lower.input))?,
            upper: self.or_scratch(diff.upper.map_or(SCRATCH, |upper| upper.input))?,
        })
    }
}

fn output(index: i64) -> Result<Option<u32>, Senseless> {
    match index {
        NO_OUTPUT => Ok(None),
        index => u32::try_from(index).map(Some).map_err(|_| Senseless),
    }
}
