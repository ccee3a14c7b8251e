//! Elements of `steps`.

use larder_diagnostic::{Span, Spanned};

use super::{CacheChoice, EnvVar};
use crate::template::Template;

/// One element of `steps`.
#[derive(Clone, Debug)]
pub struct Step {
    /// What progress calls it, in place of its text.
    pub name: Option<Template>,
    /// What it does.
    pub kind: StepKind,
    /// The whole element.
    pub span: Span,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Runs a command.
    Run(Box<Run>),
    /// Installs what a manifest names.
    Install(Box<Install>),
    /// Copies files.
    Copy(Box<Copy>),
    /// Brings in what an URL or a repository holds, or unpacks an archive.
    Add(Box<Add>),
    /// Writes a file.
    File(Box<FileStep>),
}

/// `run`.
#[derive(Clone, Debug)]
pub struct Run {
    /// What runs.
    pub command: Command,
    /// Overrides the stage's user.
    pub user: Option<Spanned<Template>>,
    /// Overrides the stage's directory.
    pub workdir: Option<Template>,
    /// Overrides the stage's shell.
    pub shell: Option<Spanned<Vec<String>>>,
    /// Variables of this step alone.
    pub env: Vec<EnvVar>,
    /// Caches of this step.
    pub caches: Option<CacheChoice>,
    /// What it sees and may do.
    pub options: RunOptions,
    /// What is copied out of its mounts once the command is done.
    pub outputs: Vec<Output>,
}

/// What a program sees and may do, of `run` and `install`.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Secrets of the client.
    pub secrets: Vec<Secret>,
    /// SSH agents of the client.
    pub ssh: Vec<Ssh>,
    /// Files that are there while it runs, and leave no trace.
    pub mounts: Vec<Mount>,
    /// What network it has; what the client asks for otherwise.
    pub network: Option<Spanned<Network>>,
    /// What it may do; what an ordinary container may otherwise.
    pub security: Option<Spanned<Security>>,
}

/// An element of `secrets`. Without `target` and `env`, it is a file in `/run/secrets`.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Names it.
    pub id: Spanned<String>,
    /// The file that holds it while the program runs.
    pub target: Option<Template>,
    /// The variable that holds it.
    pub env: Option<Spanned<String>>,
    /// Whether a client without it is a mistake; `true` by default.
    pub required: bool,
    /// The file's owner; the step's user by default.
    pub uid: Option<u32>,
    /// The file's group; the step's by default.
    pub gid: Option<u32>,
    /// The file's mode; 0400 by default.
    pub mode: Option<u32>,
    /// The whole element.
    pub span: Span,
}

/// An element of `ssh`.
#[derive(Clone, Debug)]
pub struct Ssh {
    /// Names the agent; `default` is the usual one.
    pub id: Spanned<String>,
    /// The socket; one that the daemon chooses otherwise. `SSH_AUTH_SOCK` names it.
    pub target: Option<Template>,
    /// Whether a client without it is a mistake; `true` by default.
    pub required: bool,
    /// The socket's owner; the step's user by default.
    pub uid: Option<u32>,
    /// The socket's group; the step's by default.
    pub gid: Option<u32>,
    /// The socket's mode; 0600 by default.
    pub mode: Option<u32>,
    /// The whole element.
    pub span: Span,
}

/// An element of `mounts`.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where, relative to the step's directory.
    pub target: Template,
    /// What.
    pub kind: MountKind,
    /// The whole element.
    pub span: Span,
}

/// What is mounted.
#[derive(Clone, Debug)]
pub enum MountKind {
    /// `bind`.
    Bind(Bind),
    /// `tmpfs`: an empty directory in memory.
    Tmpfs {
        /// How much fits in, in bytes; the daemon's limit otherwise.
        size: Option<u64>,
    },
}

/// Files of another filesystem.
#[derive(Clone, Debug)]
pub struct Bind {
    /// A named context, a stage or an image; the build context otherwise.
    pub from: Option<Template>,
    /// The path there; its root otherwise.
    pub source: Option<Template>,
    /// Whether the program may write, to lose what it wrote.
    pub writable: bool,
}

/// What network a program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// One of its own, with a way out.
    Default,
    /// The daemon's. Needs an entitlement.
    Host,
    /// None.
    None,
}

/// What a program may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// What an ordinary container may.
    Sandbox,
    /// Everything. Needs an entitlement.
    Insecure,
}

/// A file or directory that a step copies from a mount to the image.
#[derive(Clone, Debug)]
pub struct Output {
    /// Relative to the step's directory.
    pub from: Template,
    /// Relative to the step's directory; a directory to copy into if it is `.` or ends in `/`.
    pub to: Template,
}

/// A command line.
#[derive(Clone, Debug)]
pub enum Command {
    /// For the shell; not expanded by us.
    Shell(Spanned<String>),
    /// Words, run without a shell; not expanded by us.
    Exec(Vec<Spanned<String>>),
}

/// `install`.
#[derive(Clone, Debug)]
pub struct Install {
    /// Which package manager.
    pub tool: Spanned<Tool>,
    /// Overrides the stage's user.
    pub user: Option<Spanned<Template>>,
    /// Where the manifests are in the context and, below the stage's directory, in the image.
    pub workdir: Option<Template>,
    /// Variables of this step alone.
    pub env: Vec<EnvVar>,
    /// Caches of this step.
    pub caches: Option<CacheChoice>,
    /// What it sees and may do.
    pub options: RunOptions,
}

/// A package manager that `install` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the tool of that name")]
pub enum Tool {
    /// The one whose manifest and lockfile are there.
    Auto,
    Pip,
    Uv,
    Poetry,
    Pdm,
    Pipenv,
    Npm,
    Pnpm,
    Yarn,
    Bun,
    Go,
    Cargo,
    Maven,
    Gradle,
    Bundler,
    Composer,
    Dotnet,
}

impl Tool {
    /// Every tool, in the order of the documentation.
    pub const ALL: [Tool; 17] = [
        Tool::Auto,
        Tool::Pip,
        Tool::Uv,
        Tool::Poetry,
        Tool::Pdm,
        Tool::Pipenv,
        Tool::Npm,
        Tool::Pnpm,
        Tool::Yarn,
        Tool::Bun,
        Tool::Go,
        Tool::Cargo,
        Tool::Maven,
        Tool::Gradle,
        Tool::Bundler,
        Tool::Composer,
        Tool::Dotnet,
    ];

    /// What a spec calls it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Auto => "auto",
            Tool::Pip => "pip",
            Tool::Uv => "uv",
            Tool::Poetry => "poetry",
            Tool::Pdm => "pdm",
            Tool::Pipenv => "pipenv",
            Tool::Npm => "npm",
            Tool::Pnpm => "pnpm",
            Tool::Yarn => "yarn",
            Tool::Bun => "bun",
            Tool::Go => "go",
            Tool::Cargo => "cargo",
            Tool::Maven => "maven",
            Tool::Gradle => "gradle",
            Tool::Bundler => "bundler",
            Tool::Composer => "composer",
            Tool::Dotnet => "dotnet",
        }
    }
}

/// `copy`.
#[derive(Clone, Debug)]
pub struct Copy {
    /// A named context, a stage or an image; the build context otherwise.
    pub from: Option<Template>,
    /// At least one path or pattern.
    pub src: Vec<Template>,
    /// Relative to the stage's directory; a directory if it ends in `/`.
    pub dest: Template,
    /// `user[:group]`, by name or number; the stage's user otherwise.
    pub chown: Option<Spanned<Template>>,
    /// Octal mode.
    pub chmod: Option<Spanned<u32>>,
    /// Patterns of what is not copied, relative to each source.
    pub exclude: Vec<Template>,
    /// Whether the directories above a source are made below `dest`, too.
    pub parents: bool,
    /// Whether what is copied is a layer of its own, which does not depend on what is below.
    pub link: bool,
}

impl Copy {
    /// A copy from the build context with nothing else said.
    pub fn new(src: Vec<Template>, dest: Template) -> Copy {
        Copy {
            from: None,
            src,
            dest,
            chown: None,
            chmod: None,
            exclude: Vec::new(),
            parents: false,
            link: false,
        }
    }
}

/// `add`.
#[derive(Clone, Debug)]
pub struct Add {
    /// An URL of a file or of a git repository, or paths and patterns of the context.
    pub src: Vec<Template>,
    /// Relative to the stage's directory; a directory if it ends in `/`.
    pub dest: Template,
    /// `sha256:…` of what an URL holds, or the commit of a repository.
    pub checksum: Option<Spanned<Template>>,
    /// The branch, tag or commit of a repository; its default branch otherwise.
    pub reference: Option<Spanned<Template>>,
    /// The directory of a repository that is copied; its root otherwise.
    pub subdir: Option<Template>,
    /// Whether the repository keeps its `.git`.
    pub keep_git: bool,
    /// Whether archives are unpacked; by default those of the context are, those of an URL are not.
    pub unpack: Option<bool>,
    /// As of `copy`.
    pub chown: Option<Spanned<Template>>,
    /// As of `copy`.
    pub chmod: Option<Spanned<u32>>,
    /// As of `copy`.
    pub exclude: Vec<Template>,
    /// As of `copy`.
    pub link: bool,
}

/// `file`.
#[derive(Clone, Debug)]
pub struct FileStep {
    /// Relative to the stage's directory.
    pub dest: Template,
    /// What is in it.
    pub content: Content,
    /// As of `copy`.
    pub chown: Option<Spanned<Template>>,
    /// Octal mode; 0644 by default.
    pub chmod: Option<Spanned<u32>>,
}

/// What is in a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// As it is written.
    Plain(String),
    /// With `${ARG}` replaced: `expand: true`.
    Expanded(Template),
}
