//! Work on files that needs no program.

use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;

use crate::caps;
use crate::graph::Output;
use crate::op::{Lowering, NO_OUTPUT, SCRATCH, signed};

/// A chain of actions on files. Output 0 is the result of the last.
///
/// Paths are absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    base: Option<Output>,
    steps: Vec<FileStep>,
}

/// An action and what it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStep {
    /// The filesystem that the action changes.
    pub input: FileInput,
    /// The action.
    pub action: FileAction,
}

/// A filesystem within a chain of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileInput {
    /// An empty one.
    Scratch,
    /// The result of another operation.
    Output(Output),
    /// The result of an earlier action of the same operation, by its number from 0. A number that
    /// is not an earlier action's is refused by the daemon.
    Action(usize),
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAction {
    /// Copies files.
    Copy(Box<Copy>),
    /// Makes a file.
    Mkfile(Mkfile),
    /// Makes a directory.
    Mkdir(Mkdir),
    /// Removes files.
    Rm(Rm),
    /// Makes a symbolic link.
    Symlink(Symlink),
}

/// Copies files, unless options say otherwise: one path, as it is, whose destination's parent
/// exists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "as many as BuildKit has")]
pub struct Copy {
    /// The filesystem to copy from.
    pub from: FileInput,
    /// The path there.
    pub source: String,
    /// The path to copy to; with a slash at the end, a directory to copy into.
    pub target: String,
    /// The owner; as in the source if absent.
    pub owner: Option<Owner>,
    /// The mode; as in the source if absent.
    pub mode: Option<CopyMode>,
    /// Copy what a symbolic link at `source` leads to.
    pub follow_symlink: bool,
    /// Copy what is in a directory in place of the directory.
    pub contents_only: bool,
    /// Unpack an archive.
    pub unpack: bool,
    /// Make missing parents of the destination.
    pub create_target: bool,
    /// `source` is a pattern.
    pub allow_wildcard: bool,
    /// A pattern that matches nothing is no error.
    pub allow_empty_wildcard: bool,
    /// The only paths to copy, as patterns below `source`; all if empty.
    pub include: Vec<String>,
    /// Paths not to copy, as patterns below `source`.
    pub exclude: Vec<String>,
    /// Paths that must be among the included ones.
    pub required: Vec<String>,
    /// Replace a file by a directory, or the other way round.
    pub replace: bool,
    /// Nanoseconds since 1970 as the time of every file; as in the source if absent.
    pub time: Option<i64>,
}

/// The mode of copied files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyMode {
    /// Permission bits, such as `0o644`.
    Bits(u32),
    /// Changes to the source's mode, such as `u=rwX,go=rX`. Daemons before v0.17.0 ignore it.
    Symbolic(String),
}

/// Makes a file, over one that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mkfile {
    /// Where.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What is in it.
    pub data: Vec<u8>,
    /// The owner; root if absent.
    pub owner: Option<Owner>,
    /// Nanoseconds since 1970; the time of the build if absent.
    pub time: Option<i64>,
}

/// Makes a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mkdir {
    /// Where.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Make missing parents, and be content if it exists.
    pub parents: bool,
    /// The owner; root if absent.
    pub owner: Option<Owner>,
    /// Nanoseconds since 1970; the time of the build if absent.
    pub time: Option<i64>,
}

/// Removes a file, or a directory with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rm {
    /// What.
    pub path: String,
    /// A missing path is no error.
    pub allow_missing: bool,
    /// The path is a pattern.
    pub allow_wildcard: bool,
}

/// Makes a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symlink {
    /// What it leads to; may be relative.
    pub to: String,
    /// Where it is.
    pub path: String,
    /// The owner; root if absent.
    pub owner: Option<Owner>,
    /// Nanoseconds since 1970; the time of the build if absent.
    pub time: Option<i64>,
}

/// The owner of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user; as without an owner if absent.
    pub user: Option<Account>,
    /// The group; the user's own if absent and the user is looked up by name.
    pub group: Option<Account>,
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By number.
    Id(u32),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// The filesystem whose `/etc/passwd` or `/etc/group` has it.
        lookup: Output,
    },
}

impl File {
    /// Actions on the result of another operation, or on an empty filesystem.
    pub fn on(base: Option<Output>) -> Self {
        let steps = Vec::new();
        Self { base, steps }
    }

    /// Copies files to where the last action left off.
    #[must_use]
    pub fn copy(self, copy: Copy) -> Self {
        self.then(FileAction::Copy(Box::new(copy)))
    }

    /// Makes a file where the last action left off.
    #[must_use]
    pub fn mkfile(self, mkfile: Mkfile) -> Self {
        self.then(FileAction::Mkfile(mkfile))
    }

    /// Makes a directory where the last action left off.
    #[must_use]
    pub fn mkdir(self, mkdir: Mkdir) -> Self {
        self.then(FileAction::Mkdir(mkdir))
    }

    /// Removes files where the last action left off.
    #[must_use]
    pub fn rm(self, rm: Rm) -> Self {
        self.then(FileAction::Rm(rm))
    }

    /// Makes a symbolic link where the last action left off.
    #[must_use]
    pub fn symlink(self, symlink: Symlink) -> Self {
        self.then(FileAction::Symlink(symlink))
    }

    /// Does something where the last action left off.
    #[must_use]
    pub fn then(mut self, action: FileAction) -> Self {
        let input = match (self.steps.len().checked_sub(1), self.base) {
            (Some(last), _) => FileInput::Action(last),
            (None, Some(base)) => FileInput::Output(base),
            (None, None) => FileInput::Scratch,
        };
        self.push(FileStep { input, action });
        self
    }

    /// Does something anywhere, and says the number of the action.
    pub fn push(&mut self, step: FileStep) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Whether there is nothing to do. A daemon refuses an operation without actions.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn lower(self, to: &mut Lowering<'_>) -> pb::FileOp {
        to.need(caps::FILE);
        let last = self.steps.len().saturating_sub(1);
        // The wire numbers actions after all inputs, so these come first.
        for step in &self.steps {
            step.collect_inputs(to);
        }
        let actions = self.steps.into_iter().enumerate().map(|(number, step)| {
            let secondary = match &step.action {
                FileAction::Copy(copy) => copy.from,
                _ => FileInput::Scratch,
            };
            pb::FileAction {
                input: step.input.lower(to),
                secondary_input: secondary.lower(to),
                output: if number == last { 0 } else { NO_OUTPUT },
                action: Some(step.action.lower(to)),
            }
        });
        pb::FileOp {
            actions: actions.collect(),
        }
    }
}

impl FileStep {
    fn collect_inputs(&self, to: &mut Lowering<'_>) {
        let mut collect = |input| {
            if let FileInput::Output(output) = input {
                to.input(output);
            }
        };
        collect(self.input);
        if let FileAction::Copy(copy) = &self.action {
            collect(copy.from);
        }
        let owner = match &self.action {
            FileAction::Copy(copy) => &copy.owner,
            FileAction::Mkfile(mkfile) => &mkfile.owner,
            FileAction::Mkdir(mkdir) => &mkdir.owner,
            FileAction::Symlink(symlink) => &symlink.owner,
            FileAction::Rm(_) => &None,
        };
        for account in owner.iter().flat_map(|owner| [&owner.user, &owner.group]) {
            if let Some(Account::Name { lookup, .. }) = account {
                collect(FileInput::Output(*lookup));
            }
        }
    }
}

impl FileInput {
    fn lower(self, to: &mut Lowering<'_>) -> i64 {
        match self {
            Self::Scratch => SCRATCH,
            Self::Output(output) => to.input(output),
            Self::Action(number) => signed(to.inputs.len().saturating_add(number)),
        }
    }
}

impl From<Output> for FileInput {
    fn from(output: Output) -> Self {
        Self::Output(output)
    }
}

impl From<Option<Output>> for FileInput {
    fn from(output: Option<Output>) -> Self {
        output.map_or(Self::Scratch, Self::Output)
    }
}

impl FileAction {
    fn lower(self, to: &mut Lowering<'_>) -> Action {
        match self {
            Self::Copy(copy) => Action::Copy(copy.lower(to)),
            Self::Mkfile(mkfile) => Action::Mkfile(pb::FileActionMkFile {
                path: mkfile.path,
                mode: bits(mkfile.mode),
                data: mkfile.data,
                owner: lower_owner(mkfile.owner, to),
                timestamp: mkfile.time.unwrap_or(NO_TIME),
            }),
            Self::Mkdir(mkdir) => Action::Mkdir(pb::FileActionMkDir {
                path: mkdir.path,
                mode: bits(mkdir.mode),
                make_parents: mkdir.parents,
                owner: lower_owner(mkdir.owner, to),
                timestamp: mkdir.time.unwrap_or(NO_TIME),
            }),
            Self::Rm(rm) => {
                if rm.allow_wildcard {
                    to.need(caps::FILE_RM_WILDCARD);
                }
                Action::Rm(pb::FileActionRm {
                    path: rm.path,
                    allow_not_found: rm.allow_missing,
                    allow_wildcard: rm.allow_wildcard,
                })
            }
            Self::Symlink(symlink) => {
                to.need(caps::FILE_SYMLINK);
                Action::Symlink(pb::FileActionSymlink {
                    oldpath: symlink.to,
                    newpath: symlink.path,
                    owner: lower_owner(symlink.owner, to),
                    timestamp: symlink.time.unwrap_or(NO_TIME),
                })
            }
        }
    }
}

impl Copy {
    /// A copy without options.
    pub fn new(
        from: impl Into<FileInput>,
        source: impl Into<String>,
        target: impl Into<String>,
    ) -> Self {
        Self {
            from: from.into(),
            source: source.into(),
            target: target.into(),
            owner: None,
            mode: None,
            follow_symlink: false,
            contents_only: false,
            unpack: false,
            create_target: false,
            allow_wildcard: false,
            allow_empty_wildcard: false,
            include: Vec::new(),
            exclude: Vec::new(),
            required: Vec::new(),
            replace: false,
            time: None,
        }
    }

    fn lower(self, to: &mut Lowering<'_>) -> pb::FileActionCopy {
        if !self.include.is_empty() || !self.exclude.is_empty() {
            to.need(caps::FILE_COPY_PATTERNS);
        }
        if !self.required.is_empty() {
            to.need(caps::FILE_COPY_REQUIRED);
        }
        if self.replace {
            to.need(caps::FILE_COPY_REPLACE);
        }
        // No capability for symbolic modes: every daemon refuses the one that is defined for them.
        let (mode, mode_str) = match self.mode {
            None => (KEEP_MODE, String::new()),
            Some(CopyMode::Bits(mode)) => (bits(mode), String::new()),
            Some(CopyMode::Symbolic(mode)) => (0, mode),
        };
        pb::FileActionCopy {
            src: self.source,
            dest: self.target,
            owner: lower_owner(self.owner, to),
            mode,
            follow_symlink: self.follow_symlink,
            dir_copy_contents: self.contents_only,
            attempt_unpack_docker_compatibility: self.unpack,
            create_dest_path: self.create_target,
            allow_wildcard: self.allow_wildcard,
            allow_empty_wildcard: self.allow_empty_wildcard,
            timestamp: self.time.unwrap_or(NO_TIME),
            include_patterns: self.include,
            exclude_patterns: self.exclude,
            always_replace_existing_dest_paths: self.replace,
            mode_str,
            required_paths: self.required,
        }
    }
}

const KEEP_MODE: i32 = -1;
const NO_TIME: i64 = -1;

fn bits(mode: u32) -> i32 {
    i32::try_from(mode & 0o7777).unwrap_or_default()
}

fn lower_owner(owner: Option<Owner>, to: &mut Lowering<'_>) -> Option<pb::ChownOpt> {
    let owner = owner?;
    let mut account = |account: Option<Account>| {
        let user = match account? {
            Account::Id(id) => pb::user_opt::User::ById(id),
            Account::Name { name, lookup } => pb::user_opt::User::ByName(pb::NamedUserOpt {
                name,
                input: to.input(lookup),
            }),
        };
        Some(pb::UserOpt { user: Some(user) })
    };
    Some(pb::ChownOpt {
        user: account(owner.user),
        group: account(owner.group),
    })
}
