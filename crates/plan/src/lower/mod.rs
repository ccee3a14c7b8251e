//! A plan to LLB.

mod caches;
mod context;
mod lines;
mod progress;

use std::collections::BTreeMap;

use buildkit_llb::{
    Access, Account, Constraints, Copy, CopyMode, Definition, Exec, File, FileInput, Graph,
    ImageName, Meta, Mkdir, Mkfile, Mount, MountKind, Output, ProgressGroup, SourceId, SourceInfo,
};
use larder_diagnostic::{SourceFile, Span};
use larder_inject::Beginnings;

use context::Loaded;
pub use context::cache_context;
use lines::Lines;

use crate::model::{
    Action, Base, CopyFrom, Manifests, Owner, Plan, PlannedCopy, PlannedRun, PlannedStage,
};
use crate::request::CACHE_CONTEXT_TARGET;

/// What a client gets.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The graph; [`Definition::scratch`] if the result is an empty filesystem.
    pub definition: Definition,
    /// JSON of the image config, for the result's `containerimage.config`.
    pub config: Vec<u8>,
    /// JSON of the base image's config, for `containerimage.base.config`.
    pub base_config: Option<Vec<u8>>,
}

/// Builds the graph. Operations point at their lines of `source`, the file that the spec was read from.
///
/// Fails only if a context that came as a definition of its own ([`Context::Input`]) cannot be read.
pub fn lower(plan: &Plan, source: &SourceFile) -> Result<Lowered, buildkit_llb::ImportError> {
    let steps: usize = plan.stages.iter().map(|stage| stage.steps.len() + 1).sum();
    let mut graph = Graph::with_capacity(steps + 8);
    let file = graph.source_file(SourceInfo {
        filename: source.name.clone(),
        data: source.text.clone().into_bytes(),
        language: "YAML".to_owned(),
    });
    let mut lowering = Lowering {
        plan,
        graph,
        file,
        lines: Lines::of(&source.text),
        here: Constraints::on(plan.request.platform.clone()),
        context: None,
        cache_context: None,
        images: BTreeMap::new(),
        beginnings: Beginnings::default(),
        files: BTreeMap::new(),
        stages: Vec::with_capacity(plan.stages.len()),
    };
    lowering.contexts()?;
    for stage in &plan.stages {
        let output = lowering.stage(stage);
        lowering.stages.push(output);
    }
    let result = lowering.stages.last().copied().flatten();
    Ok(Lowered {
        definition: match result {
            Some(result) => lowering.graph.definition(result),
            None => Definition::scratch(),
        },
        config: plan.config.to_json(),
        base_config: plan.base_config.as_ref().map(crate::ImageConfig::to_json),
    })
}

struct Lowering<'p> {
    plan: &'p Plan,
    graph: Graph,
    file: SourceId,
    lines: Lines,
    here: Constraints,
    /// The build context, if it is used.
    context: Option<Loaded>,
    /// The context `larder-cache`, if there is one.
    cache_context: Option<Loaded>,
    images: BTreeMap<String, Output>,
    /// What caches start from.
    beginnings: Beginnings,
    /// Filesystems with one file, by contents.
    files: BTreeMap<String, Output>,
    /// Results of the stages so far; `None` is the empty filesystem.
    stages: Vec<Option<Output>>,
}

/// Where a file is in a filesystem made for it.
const FILE: &str = "/file";

/// The variable that tells a step apart from the same step of another build.
const NONCE: &str = "LARDER_BUILD";

impl Lowering<'_> {
    fn stage(&mut self, stage: &PlannedStage) -> Option<Output> {
        let mut root = match &stage.base {
            Base::Scratch => None,
            Base::Stage(index) => self.stages.get(*index).copied().flatten(),
            Base::Context(_) => None,
            Base::Image(image) => {
                let reference = &image.reference;
                let name = format!("[{}] from {reference}", crate::names::line(&stage.name));
                self.image(reference, name, stage.span)
            }
        };
        for (index, step) in stage.steps.iter().enumerate() {
            let mut meta = progress::step(stage, index);
            let vertex = match &step.action {
                Action::Run(run) => {
                    let group = progress::group(self.plan, step, &meta);
                    let nonce = stage.nonce.as_deref();
                    let exec = self.exec(run, root, nonce, step.span, group.as_ref());
                    meta.progress_group = group;
                    self.graph.add(exec, &self.here, meta)
                }
                Action::Copy(copies) | Action::Link(copies) => {
                    let mut file = File::on(root);
                    for copy in copies {
                        file = self.copies(file, copy, step.span);
                    }
                    if file.is_empty() {
                        continue;
                    }
                    self.graph.add(file, &self.here, meta)
                }
                Action::Directories { paths, owner } => {
                    let mut file = File::on(root);
                    for path in paths {
                        file = file.mkdir(directory(path, 0o755, *owner));
                    }
                    self.graph.add(file, &self.here, meta)
                }
                Action::Account {
                    passwd,
                    group,
                    home,
                    owner,
                } => {
                    let mut file = File::on(root);
                    if passwd.is_some() || group.is_some() {
                        file = file.mkdir(directory("/etc", 0o755, Owner::default()));
                    }
                    for (path, text) in [("/etc/passwd", passwd), ("/etc/group", group)] {
                        if let Some(text) = text {
                            file = file.mkfile(plain_file(path, text));
                        }
                    }
                    let file = file.mkdir(directory(home, 0o755, *owner));
                    self.graph.add(file, &self.here, meta)
                }
                Action::Runtime(runtime) => {
                    let mut file = File::on(root);
                    for path in &runtime.directories {
                        file = file.mkdir(directory(path, 0o755, runtime.owner));
                    }
                    for (path, (text, owner)) in &runtime.files {
                        let above = crate::paths::parent(path);
                        file = file.mkdir(directory(above, 0o755, *owner)).mkfile(Mkfile {
                            owner: Some(numeric(*owner)),
                            ..plain_file(path, text)
                        });
                    }
                    self.graph.add(file, &self.here, meta)
                }
            };
            self.locate(vertex, step.span);
            root = Some(vertex.only());
        }
        root
    }

    fn locate(&mut self, vertex: buildkit_llb::Vertex, span: Span) {
        let lines = self.lines.of_span(span);
        self.graph.locate(vertex, self.file, &[lines]);
    }

    fn image(&mut self, reference: &str, name: String, span: Span) -> Option<Output> {
        if let Some(known) = self.images.get(reference) {
            return Some(*known);
        }
        // Planning let only good names through.
        let image = buildkit_llb::Image {
            resolve: self.plan.request.resolve_mode,
            ..buildkit_llb::Image::new(&ImageName::parse(reference).ok()?)
        };
        let vertex = self.graph.add(image, &self.here, Meta::named(name));
        self.locate(vertex, span);
        self.images.insert(reference.to_owned(), vertex.only());
        Some(vertex.only())
    }

    fn copies(&mut self, mut file: File, copy: &PlannedCopy, span: Span) -> File {
        let (from, root) = match &copy.from {
            CopyFrom::Context => match &self.context {
                Some(loaded) => (loaded.files, loaded.root.clone()),
                None => return file,
            },
            CopyFrom::Named(_) | CopyFrom::Source(_) | CopyFrom::Text(_) => return file,
            CopyFrom::Stage(index) => (self.stages.get(*index).copied().flatten(), "/".to_owned()),
            CopyFrom::Image(image) => {
                let reference = &image.reference;
                let name = format!("[internal] from {reference}");
                (self.image(reference, name, span), "/".to_owned())
            }
        };
        for src in &copy.src {
            let mut source = root.clone();
            if !src.is_empty() {
                if source != "/" {
                    source.push('/');
                }
                source.push_str(src);
            }
            file = file.copy(Copy {
                owner: Some(numeric(copy.owner)),
                mode: copy.mode.map(CopyMode::Bits),
                follow_symlink: true,
                contents_only: true,
                create_target: true,
                allow_wildcard: crate::ignore::is_pattern(src),
                allow_empty_wildcard: crate::ignore::is_pattern(src),
                ..Copy::new(FileInput::from(from), source, copy.dest.as_str())
            });
        }
        file
    }

    fn exec(
        &mut self,
        run: &PlannedRun,
        root: Option<Output>,
        nonce: Option<&str>,
        span: Span,
        group: Option<&ProgressGroup>,
    ) -> Exec {
        let decision = &run.decision;
        let options = &self.plan.request.run;
        let kept = run.env.iter();
        let kept = kept.filter(|(name, _)| !decision.without.contains(name));
        let variables = kept.chain(&decision.env);
        let mut env = Vec::with_capacity(run.env.len() + decision.env.len() + 1);
        env.extend(variables.map(|(name, value)| variable(name, value)));
        env.extend(nonce.map(|nonce| variable(NONCE, nonce)));
        let mut mounts = Vec::with_capacity(decision.mounts.len() + 2);
        mounts.push(Mount::root(root));
        for cache in &decision.mounts {
            mounts.push(self.cache(cache));
        }
        for (target, contents) in &decision.files {
            let file = self.one_file(contents);
            mounts.push(Mount::bind(file, target).select(FILE));
        }
        mounts.extend(decision.tmpfs.iter().map(Mount::tmpfs));
        if let Some(files) = self.cache_context.as_ref().and_then(Loaded::mount) {
            mounts.push(files);
        }
        if let Some(manifests) = &run.manifests {
            mounts.push(self.manifests(manifests, run.account.owner(), span, group));
        }
        if options.shm_size.is_some() {
            mounts.push(Mount {
                target: "/dev/shm".to_owned(),
                kind: MountKind::Tmpfs {
                    size: options.shm_size,
                },
            });
        }
        Exec {
            args: run.args.clone(),
            env,
            cwd: run.cwd.to_string(),
            user: run.account.written.clone(),
            mounts,
            network: options.network,
            proxy_env: options.proxy.clone(),
            extra_hosts: options.extra_hosts.clone(),
            ulimits: options.ulimits.clone(),
            cgroup_parent: options.cgroup_parent.clone(),
            hostname: options.hostname.clone(),
            ..Exec::default()
        }
    }

    /// A filesystem with one file.
    fn one_file(&mut self, contents: &str) -> Output {
        if let Some(known) = self.files.get(contents) {
            return *known;
        }
        let file = File::on(None).mkfile(plain_file(FILE, contents));
        let meta = Meta::named("[internal] settings of a tool");
        let output = self.graph.add(file, &self.here, meta).only();
        self.files.insert(contents.to_owned(), output);
        output
    }

    fn manifests(
        &mut self,
        manifests: &Manifests,
        owner: Owner,
        span: Span,
        group: Option<&ProgressGroup>,
    ) -> Mount {
        let mut file = File::on(None);
        let mut parents: Vec<&str> = manifests
            .stubs
            .keys()
            .map(|path| crate::paths::parent(path))
            .filter(|parent| !parent.is_empty())
            .collect();
        parents.dedup();
        for parent in parents {
            file = file.mkdir(directory(&format!("/{parent}"), 0o755, owner));
        }
        for (path, text) in &manifests.stubs {
            file = file.mkfile(Mkfile {
                owner: Some(numeric(owner)),
                ..plain_file(&format!("/{path}"), text)
            });
        }
        for path in &manifests.copied {
            let copy = PlannedCopy::new(
                CopyFrom::Context,
                vec![path.clone()],
                format!("/{path}"),
                owner,
            );
            file = self.copies(file, &copy, span);
        }
        let meta = progress::helper("[internal] manifests", group);
        let vertex = self.graph.add(file, &self.here, meta);
        self.locate(vertex, span);
        let access = if manifests.writable {
            Access::Discarded
        } else {
            Access::ReadOnly
        };
        let mut mount = Mount::bind(vertex.only(), manifests.target.as_str());
        if let MountKind::Bind { access: slot, .. } = &mut mount.kind {
            *slot = access;
        }
        mount
    }
}

fn variable(name: &str, value: &str) -> String {
    let mut out = String::with_capacity(name.len() + value.len() + 1);
    out.push_str(name);
    out.push('=');
    out.push_str(value);
    out
}

fn numeric(owner: Owner) -> buildkit_llb::Owner {
    buildkit_llb::Owner {
        user: Some(Account::Id(owner.uid)),
        group: Some(Account::Id(owner.gid)),
    }
}

fn directory(path: &str, mode: u32, owner: Owner) -> Mkdir {
    Mkdir {
        path: path.to_owned(),
        mode,
        parents: true,
        owner: Some(numeric(owner)),
        time: None,
    }
}

fn plain_file(path: &str, text: &str) -> Mkfile {
    Mkfile {
        path: path.to_owned(),
        mode: 0o644,
        data: text.as_bytes().to_vec(),
        owner: None,
        time: None,
    }
}
