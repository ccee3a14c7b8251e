//! What a spec says, before anything is looked up: names are not resolved, args not expanded.

use larder_diagnostic::{Span, Spanned};

use crate::template::Template;

mod layers;
mod step;

pub use layers::{BackendKind, CacheBackend, Direction, RegistryCache, WrongValue};
pub use step::{
    Add, Bind, Command, Content, Copy, FileStep, Install, Mount, MountKind, Network, Output, Run,
    RunOptions, Secret, Security, Ssh, Step, StepKind, Tool,
};

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
    /// Where layers are kept for other machines.
    pub registry_cache: Option<RegistryCache>,
    /// What the image keeps for running containers; `None` is nothing.
    pub runtime_caches: Option<RuntimeCaches>,
    /// At least one, in the order of the file. A spec with `from` at the top has one, called `default`.
    pub stages: Vec<Stage>,
    /// The stage that is built when the client names none; the last one otherwise.
    pub target: Option<Spanned<String>>,
    /// Comments that silence warnings, in the order of the file.
    pub ignores: Vec<Ignore>,
    /// Places with credentials, which no excerpt may show.
    pub hidden: Vec<Span>,
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
    /// What it is for, shown by `docker buildx build --call=outline`.
    pub description: Option<Spanned<String>>,
}

/// A chain of steps from a base.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Unique in the spec.
    pub name: Spanned<String>,
    /// What it is for, shown by `docker buildx build --call=targets`.
    pub description: Option<Spanned<String>>,
    /// A named context, an earlier or later stage, `scratch`, or an image.
    pub from: Template,
    /// The platform of the image that it stands on, and that its steps run on; the target's otherwise.
    pub platform: Option<Spanned<Template>>,
    /// Args of this stage alone, and overriding those at the top.
    pub args: Vec<Arg>,
    /// Environment of its steps and of its image, in order.
    pub env: Vec<EnvVar>,
    /// Directory of its steps and of its image, made when missing.
    pub workdir: Option<Template>,
    /// User of its steps and of its image: name, uid, `uid:gid`, or `build`.
    pub user: Option<Spanned<Template>>,
    /// What runs its command lines, before the line itself; the base image's otherwise.
    pub shell: Option<Spanned<Vec<String>>>,
    /// Caches of its steps.
    pub caches: Option<CacheChoice>,
    /// In order.
    pub steps: Vec<Step>,
    /// What the image says of itself.
    pub image: Image,
}

impl Stage {
    /// A stage on nothing, which does nothing.
    pub fn empty(name: Spanned<String>) -> Stage {
        let span = name.span;
        Stage {
            name,
            description: None,
            from: Template::text("scratch", span),
            platform: None,
            args: Vec::new(),
            env: Vec::new(),
            workdir: None,
            user: None,
            shell: None,
            caches: None,
            steps: Vec::new(),
            image: Image::default(),
        }
    }
}

/// A variable.
#[derive(Clone, Debug)]
pub struct EnvVar {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Template,
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
    /// How a container is found to be well.
    pub healthcheck: Option<Healthcheck>,
    /// Directories that hold data of running containers.
    pub volumes: Vec<Template>,
    /// The signal that ends a container: a name or a number.
    pub stop_signal: Option<Spanned<Template>>,
    /// What runs command lines of the image; the stage's otherwise.
    pub shell: Option<Spanned<Vec<String>>>,
    /// Dockerfile instructions for builds that start from the image.
    pub on_build: Vec<Spanned<String>>,
    /// In order.
    pub annotations: Vec<Annotation>,
}

/// `image.healthcheck`. Times are in nanoseconds; those that are not set are the daemon's defaults.
#[derive(Clone, Debug)]
pub struct Healthcheck {
    /// What runs; `None` turns off the base's check.
    pub test: Option<Command>,
    /// Between two checks.
    pub interval: Option<u64>,
    /// How long one may take.
    pub timeout: Option<u64>,
    /// How long a container may take to begin, in which failures do not count.
    pub start_period: Option<u64>,
    /// Between two checks in that time.
    pub start_interval: Option<u64>,
    /// How many failures in a row make a container unhealthy.
    pub retries: Option<u32>,
}

/// An element of `image.annotations`.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// What of the image it is put on, such as `index`; the manifest if it is not said.
    pub level: AnnotationLevel,
    /// Its key.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Template,
}

/// What an annotation is put on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnotationLevel {
    /// The manifest of each platform.
    #[default]
    Manifest,
    /// The descriptor of each manifest in the index.
    ManifestDescriptor,
    /// The index over all platforms.
    Index,
    /// The descriptor of the index in an OCI layout.
    IndexDescriptor,
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
    /// What it starts from: a named context, a stage or an image; nothing otherwise.
    pub from: Option<Template>,
    /// The directory of `from` that it starts from; its root otherwise.
    pub source: Option<Template>,
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
