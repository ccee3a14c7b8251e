//! What a spec says, before anything is looked up: names are not resolved, args not expanded.

use larder_diagnostic::{Span, Spanned};

use crate::template::Template;

/// A whole spec.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The project's name, part of the ids of caches that belong to one project.
    pub name: Option<Spanned<String>>,
    /// Args of every stage.
    pub args: Vec<Arg>,
    /// The user of every stage that names none.
    pub user: Option<Spanned<Template>>,
    /// Caches of every step.
    pub caches: Option<CacheChoice>,
    /// Where caches are mounted.
    pub layout: Layout,
    /// How they are named to BuildKit.
    pub cache_ids: CacheIds,
    /// Who shares them; `None` leaves it to the catalogue.
    pub scope: Option<Scope>,
    /// What the image keeps for running containers; `None` is nothing.
    pub runtime_caches: Option<RuntimeCaches>,
    /// At least one, in the order of the file. A spec with `from` at the top has one, called `default`.
    pub stages: Vec<Stage>,
    /// The stage that is built when the client names none; the last one otherwise.
    pub target: Option<Spanned<String>>,
    /// Comments that silence warnings, in the order of the file.
    pub ignores: Vec<Ignore>,
}

/// `# larder: ignore=NAME[,NAME]`.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Names of warnings, looked up by `plan`.
    pub names: Vec<Spanned<String>>,
    /// The line that it is about.
    pub about: Span,
}

/// A declared build argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value where the client gives none. Without one it is unset.
    pub default: Option<Template>,
}

/// A chain of steps from a base.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Unique in the spec.
    pub name: Spanned<String>,
    /// An earlier or later stage, `scratch`, or an image.
    pub from: Template,
    /// Args of this stage alone, and overriding those at the top.
    pub args: Vec<Arg>,
    /// Environment of its steps and of its image, in order.
    pub env: Vec<EnvVar>,
    /// Directory of its steps and of its image, made when missing.
    pub workdir: Option<Template>,
    /// User of its steps and of its image: name, uid, `uid:gid`, or `build`.
    pub user: Option<Spanned<Template>>,
    /// Caches of its steps.
    pub caches: Option<CacheChoice>,
    /// In order.
    pub steps: Vec<Step>,
    /// What the image says of itself.
    pub image: Image,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct EnvVar {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Template,
}

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
    Run(Run),
    /// Installs what a manifest names.
    Install(Install),
    /// Copies files.
    Copy(Copy),
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
    /// Variables of this step alone.
    pub env: Vec<EnvVar>,
    /// Caches of this step.
    pub caches: Option<CacheChoice>,
    /// What is copied out of its mounts once the command is done.
    pub outputs: Vec<Output>,
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
    /// For `/bin/sh -c`; not expanded by us.
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
}

/// A package manager that `install` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the tool of that name")]
pub enum Tool {
    Pip,
    Npm,
    Go,
    Cargo,
}

/// `copy`.
#[derive(Clone, Debug)]
pub struct Copy {
    /// A stage or an image; the build context otherwise.
    pub from: Option<Template>,
    /// At least one path or pattern.
    pub src: Vec<Template>,
    /// Relative to the stage's directory; a directory if it ends in `/`.
    pub dest: Template,
    /// `user[:group]`, by name or number; the stage's user otherwise.
    pub chown: Option<Spanned<Template>>,
    /// Octal mode.
    pub chmod: Option<Spanned<u32>>,
}

/// `image`: the OCI image config. What is not set is the base's.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Program that always runs.
    pub entrypoint: Option<Command>,
    /// Default program or arguments.
    pub cmd: Option<Command>,
    /// Variables of the image alone.
    pub env: Vec<EnvVar>,
    /// Ports, `8000` or `8000/udp`.
    pub expose: Vec<Template>,
    /// In order.
    pub labels: Vec<(Spanned<String>, Template)>,
    /// Overrides the stage's user.
    pub user: Option<Spanned<Template>>,
    /// Overrides the stage's directory.
    pub workdir: Option<Template>,
}

/// `caches`, at one level.
#[derive(Clone, Debug)]
pub struct CacheChoice {
    /// Whether what the commands use is mounted too; without it `entries` alone are.
    pub auto: bool,
    /// What is asked for, in order.
    pub entries: Vec<CacheEntry>,
    /// The whole value.
    pub span: Span,
}

/// An element of `caches`.
#[derive(Clone, Debug)]
pub enum CacheEntry {
    /// A catalogue name or group, looked up by `plan`.
    Named(Spanned<String>),
    /// A cache of the user's own.
    Own(OwnCache),
}

/// A cache that no catalogue names.
#[derive(Clone, Debug)]
pub struct OwnCache {
    /// Its name.
    pub id: Spanned<String>,
    /// Where it is mounted.
    pub target: Template,
    /// `shared` by default.
    pub sharing: Sharing,
    /// Owner; the step's user by default.
    pub uid: Option<u32>,
    /// Group; the step's by default.
    pub gid: Option<u32>,
    /// Octal mode; 0755 by default.
    pub mode: Option<u32>,
}

/// What happens when two steps want a cache at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Both get it.
    Shared,
    /// The second gets another one.
    Private,
    /// The second waits.
    Locked,
}

/// `runtime-caches`, turned on: caches of the tools that are used.
#[derive(Clone, Debug)]
pub struct RuntimeCaches {
    /// Names, tools and languages of the catalogue that come on top, looked up by `plan`.
    pub named: Vec<Spanned<String>>,
    /// The whole value.
    pub span: Span,
}

/// Where caches are mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `/cache/<tool>`.
    #[default]
    Cache,
    /// The tool's own place below the user's home.
    Home,
    /// Where the tool puts it without being told anything.
    Default,
}

/// How caches are named to BuildKit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheIds {
    /// By what they hold and who shares them.
    #[default]
    Larder,
    /// As Dockerfile's `RUN --mount=type=cache` names them: by target, or by the author's own id.
    Dockerfile,
}

/// Who shares a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every project.
    Shared,
    /// Specs of one `name`.
    Project,
}
