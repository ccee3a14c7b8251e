//! A plan: every decision taken, nothing lowered yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span};
use larder_inject::Decision;

use crate::image::ImageConfig;
use crate::request::Request;

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
    /// The images that stages stand on or copy from: name as written to the reference that is pulled.
    pub images: BTreeMap<String, String>,
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

/// A stage, with all that it does by itself written out.
#[derive(Clone, Debug)]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// What it stands on.
    pub base: Base,
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
    /// An image: the reference that is pulled.
    Image(String),
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
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFrom {
    /// The build context.
    Context,
    /// The stage of that index in [`Plan::stages`].
    Stage(usize),
    /// An image: the reference that is pulled.
    Image(String),
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
