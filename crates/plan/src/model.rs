//! A plan: every decision taken, nothing lowered yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span};
use larder_inject::Decision;

use buildkit_llb::{Network, Platform, Security};
use larder_spec::model::AnnotationLevel;

use crate::image::ImageConfig;
use crate::layers::LayerCache;
use crate::request::{Context, Request};

/// Everything that is going to happen.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to tell the user; the build goes on.
    pub warnings: Vec<Diagnostic>,
    /// What was taken for granted because nobody could look.
    pub assumed: Vec<String>,
    /// The name that caches of this project carry.
    pub project: String,
    /// The stages that the result needs, each after those it needs; the last one is the result.
    pub stages: Vec<PlannedStage>,
    /// The args that those stages see, in the order of the spec.
    pub args: Vec<PlannedArg>,
    /// The images that stages stand on or copy from: name as written to the reference that is pulled.
    pub images: BTreeMap<String, String>,
    /// The contexts that the client names and the result uses, by their keys in [`Request::contexts`].
    pub contexts: BTreeMap<String, Context>,
    /// Annotations of the result, sorted: level, key and value.
    pub annotations: Vec<(AnnotationLevel, String, String)>,
    /// Where layers are kept for other machines.
    pub layer_cache: LayerCache,
    /// Paths of the context that steps use, sorted; `None` if one uses all of it.
    pub context_paths: Option<Vec<String>>,
    /// Directories of the context `larder-cache` that caches of the same name start from.
    pub seeds: BTreeSet<String>,
    /// Config of the resulting image.
    pub config: ImageConfig,
    /// Config of the image that the result stands on; `None` for `scratch`.
    pub base_config: Option<ImageConfig>,
    /// What was asked for.
    pub(crate) request: Request,
}

impl Plan {
    /// The time of files, of the image and of its history, in seconds since 1970, if it is set.
    pub fn epoch(&self) -> Option<i64> {
        self.request.epoch
    }
}

/// A build arg, as the result's own stage sees it, or else the stage closest to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedArg {
    /// Its name.
    pub name: String,
    /// Its value; `None` is unset.
    pub value: Option<String>,
    /// Its default, as written.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A stage, with all that it does by itself written out.
#[derive(Clone, Debug)]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// What the spec says that it is for.
    pub description: Option<String>,
    /// What it stands on.
    pub base: Base,
    /// What its steps run on, if that is not the platform which the build is for.
    pub platform: Option<Platform>,
    /// Where it starts in the spec.
    pub span: Span,
    /// The account of its steps.
    pub user: Arc<Account>,
    /// The directory of its steps.
    pub workdir: Arc<str>,
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// Told to its steps when they are to run again although nothing changed.
    pub nonce: Option<String>,
}

impl PlannedStage {
    /// What progress calls a step: `[api 2/7] run make`.
    pub fn label(&self, index: usize) -> String {
        let name = self.steps.get(index).map_or("", |step| &step.name);
        let stage = crate::names::line(&self.name);
        format!("[{stage} {}/{}] {name}", index + 1, self.steps.len())
    }
}

/// What a stage stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// The stage of that index in [`Plan::stages`].
    Stage(usize),
    /// An image.
    Image(ImageId),
    /// The files of the named context in [`Plan::contexts`].
    Context(String),
}

/// An image that is pulled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageId {
    /// Its reference, with a digest where one was found.
    pub reference: String,
    /// Its platform, if that is not the one which the build is for.
    pub platform: Option<Platform>,
}

impl ImageId {
    /// An image for the platform which the build is for.
    pub fn new(reference: impl Into<String>) -> ImageId {
        ImageId {
            reference: reference.into(),
            platform: None,
        }
    }
}

impl std::fmt::Display for ImageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reference)?;
        match &self.platform {
            Some(platform) => write!(f, " for {platform}"),
            None => Ok(()),
        }
    }
}

/// One operation, or a few that belong together.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// What it does, on one line.
    pub name: String,
    /// The lines to show when it fails.
    pub span: Span,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Makes directories, and their parents, if they are missing.
    Directories {
        /// Absolute.
        paths: Vec<String>,
        /// Who owns them.
        owner: Owner,
    },
    /// Makes the `build` user.
    Account {
        /// The whole of `/etc/passwd`, if a line is missing there.
        passwd: Option<String>,
        /// The whole of `/etc/group`, if a line is missing there.
        group: Option<String>,
        /// The home directory.
        home: String,
        /// Who owns it.
        owner: Owner,
    },
    /// Copies files, in one operation.
    Copy(Vec<PlannedCopy>),
    /// Copies files to a layer of their own, which is laid over what is there.
    Link(Vec<PlannedCopy>),
    /// Runs a program.
    Run(Box<PlannedRun>),
    /// Makes what the image keeps for running containers.
    Runtime(PlannedRuntime),
}

/// A numeric user and group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

/// Who runs a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As BuildKit and the image config get it: a name, `uid`, `uid:gid`, or empty for root.
    pub written: String,
    /// The numbers, and the home if it is known.
    pub user: larder_inject::User,
}

impl Account {
    /// The numbers.
    pub fn owner(&self) -> Owner {
        Owner {
            uid: self.user.uid,
            gid: self.user.gid,
        }
    }
}

/// A copy.
#[derive(Clone, Debug)]
pub struct PlannedCopy {
    /// From where.
    pub from: CopyFrom,
    /// Paths and patterns below the root of `from`.
    pub src: Vec<String>,
    /// Absolute; ends in `/` if it is a directory that the sources go into.
    pub dest: String,
    /// Who owns the copies.
    pub owner: Owner,
    /// Mode of the copies; that of the sources otherwise.
    pub mode: Option<u32>,
    /// Patterns of what is not copied, relative to each source.
    pub exclude: Vec<String>,
    /// Whether the directories above a source are made below `dest`, too.
    pub parents: bool,
    /// Whether archives are unpacked.
    pub unpack: bool,
}

impl PlannedCopy {
    /// A copy with nothing else said.
    pub fn new(from: CopyFrom, src: Vec<String>, dest: String, owner: Owner) -> PlannedCopy {
        PlannedCopy {
            from,
            src,
            dest,
            owner,
            mode: None,
            exclude: Vec::new(),
            parents: false,
            unpack: false,
        }
    }
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFrom {
    /// The build context.
    Context,
    /// The stage of that index in [`Plan::stages`].
    Stage(usize),
    /// An image.
    Image(ImageId),
    /// The named context in [`Plan::contexts`].
    Named(String),
    /// What an URL or a repository holds.
    Source(Box<buildkit_llb::Source>),
    /// A file with this text: its name is the last part of `src`.
    Text(String),
}

/// A program that runs.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// The program and its arguments; with outputs, the shell that runs it and copies them.
    pub args: Vec<String>,
    /// Variables of the stage, shared by its steps.
    pub env: Arc<[(String, String)]>,
    /// Its directory, absolute.
    pub cwd: Arc<str>,
    /// Who runs it.
    pub account: Arc<Account>,
    /// Its caches.
    pub decision: Decision,
    /// What it copies out of its mounts at the end.
    pub outputs: Vec<PlannedOutput>,
    /// Files that are there while it runs, and leave no trace.
    pub manifests: Option<Manifests>,
    /// What it sees and may do beside that.
    pub options: PlannedOptions,
    /// What caches of the author's own start from, by name.
    pub seeds: BTreeMap<String, PlannedSeed>,
}

/// What a cache starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSeed {
    /// Which files.
    pub from: CopyFrom,
    /// The directory there; empty for its root.
    pub source: String,
}

/// What a program sees and may do, as its step says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedOptions {
    /// Secrets of the client.
    pub secrets: Vec<PlannedSecret>,
    /// SSH agents of the client.
    pub ssh: Vec<PlannedSsh>,
    /// Files and directories in memory.
    pub mounts: Vec<PlannedMount>,
    /// What network it has; what the client asks for otherwise.
    pub network: Option<Network>,
    /// What it may do.
    pub security: Security,
}

/// A secret for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSecret {
    /// Names it.
    pub id: String,
    /// The absolute path of the file that holds it.
    pub target: Option<String>,
    /// The variable that holds it.
    pub env: Option<String>,
    /// Whether the step runs without it.
    pub optional: bool,
    /// The file's owner.
    pub owner: Owner,
    /// The file's mode.
    pub mode: u32,
}

/// An SSH agent for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSsh {
    /// Names it.
    pub id: String,
    /// The absolute path of the socket.
    pub target: String,
    /// Whether the step runs without it.
    pub optional: bool,
    /// The socket's owner.
    pub owner: Owner,
    /// The socket's mode.
    pub mode: u32,
}

/// A mount for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMount {
    /// Absolute.
    pub target: String,
    /// What.
    pub kind: PlannedMountKind,
}

/// What is mounted for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedMountKind {
    /// Files of another filesystem.
    Bind {
        /// Which.
        from: CopyFrom,
        /// The path there; empty for its root.
        source: String,
        /// Whether the program may write, to lose what it wrote.
        writable: bool,
    },
    /// A directory in memory.
    Tmpfs {
        /// How much fits in, in bytes.
        size: Option<u64>,
    },
}

/// What an image keeps for running containers.
#[derive(Clone, Debug)]
pub struct PlannedRuntime {
    /// Absolute, each after those it is in; they get mode 0755.
    pub directories: Vec<String>,
    /// Who owns them.
    pub owner: Owner,
    /// Contents and owners, by path.
    pub files: BTreeMap<String, (String, Owner)>,
}

/// A file or directory that is copied out of a mount after the program, by its own execution.
#[derive(Clone, Debug)]
pub struct PlannedOutput {
    /// Absolute.
    pub from: String,
    /// Absolute: what the copy is called.
    pub to: String,
    /// Where the spec says so.
    pub span: Span,
}

/// Files of the context, and made-up ones, mounted for one step.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// Where they are mounted.
    pub target: String,
    /// Paths of the context; each is at the same path below the target.
    pub copied: Vec<String>,
    /// Made-up files: path below the target, and contents.
    pub stubs: BTreeMap<String, String>,
    /// Whether the program may write there; what it writes is dropped.
    pub writable: bool,
}
