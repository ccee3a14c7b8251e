//! A plan to LLB.

mod caches;
mod context;
mod copy;
mod lines;
mod options;
mod progress;

use std::collections::BTreeMap;

use buildkit_llb::{
    Access, Constraints, Definition, Exec, File, Graph, ImageName, Meta, Mkfile, Mount, MountKind,
    Output, Platform, ProgressGroup, SourceId, SourceInfo,
};
use larder_diagnostic::{SourceFile, Span};
use larder_inject::Beginnings;

use context::Loaded;
pub use context::{cache_context, context_files};
use copy::{directory, numeric, plain_file};
use lines::Lines;

use crate::model::{
    Action, Base, CopyFrom, ImageId, Manifests, Owner, Plan, PlannedCopy, PlannedRun, PlannedStage,
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
        named: BTreeMap::new(),
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
    /// What the stage at hand runs on.
    here: Constraints,
    /// The build context, if it is used.
    context: Option<Loaded>,
    /// The named contexts that are used, by key and platform.
    named: BTreeMap<(String, Option<Platform>), Loaded>,
    /// The context `larder-cache`, if there is one.
    cache_context: Option<Loaded>,
    images: BTreeMap<ImageId, Output>,
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
        self.here = self.on(stage.platform.as_ref());
        let mut root = match &stage.base {
            Base::Scratch => None,
            Base::Stage(index) => self.stages.get(*index).copied().flatten(),
            Base::Context(key) => self.rooted(key, stage.platform.as_ref(), stage.span),
            Base::Image(image) => {
                let name = format!("[{}] from {image}", crate::names::line(&stage.name));
                self.image(image, name, stage.span)
            }
        };
        for (index, step) in stage.steps.iter().enumerate() {
            let mut meta = progress::step(stage, index);
            let vertex = match &step.action {
                Action::Run(run) => {
                    let group = progress::group(self.plan, step, &meta);
                    let nonce = stage.nonce.as_deref();
                    let mut exec = self.exec(run, root, nonce, step.span, group.as_ref());
                    self.options(&run.options, &mut exec, step.span);
                    meta.progress_group = group;
                    meta.linux_resources = self.resources();
                    self.graph.add(exec, &self.here, meta)
                }
                Action::Copy(copies) => {
                    let Some(vertex) = self.copy(root, copies, stage.label(index), step.span)
                    else {
                        continue;
                    };
                    vertex
                }
                Action::Link(copies) => {
                    let Some(vertex) = self.link(root, stage, index, copies) else {
                        continue;
                    };
                    vertex
                }
                Action::Directories { paths, owner } => {
                    let mut file = File::on(root);
                    for path in paths {
                        file = file.mkdir(self.directory(path, 0o755, *owner));
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
                        file = file.mkdir(self.directory("/etc", 0o755, Owner::default()));
                    }
                    for (path, text) in [("/etc/passwd", passwd), ("/etc/group", group)] {
                        if let Some(text) = text {
                            file = file.mkfile(Mkfile {
                                time: self.time(),
                                ..plain_file(path, text)
                            });
                        }
                    }
                    let file = file.mkdir(self.directory(home, 0o755, *owner));
                    self.graph.add(file, &self.here, meta)
                }
                Action::Runtime(runtime) => {
                    let mut file = File::on(root);
                    for path in &runtime.directories {
                        file = file.mkdir(self.directory(path, 0o755, runtime.owner));
                    }
                    for (path, (text, owner)) in &runtime.files {
                        let above = crate::paths::parent(path);
                        file = file
                            .mkdir(self.directory(above, 0o755, *owner))
                            .mkfile(Mkfile {
                                owner: Some(numeric(*owner)),
                                time: self.time(),
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

    fn image(&mut self, image: &ImageId, name: String, span: Span) -> Option<Output> {
        if let Some(known) = self.images.get(image) {
            return Some(*known);
        }
        // Planning let only good names through.
        let source = buildkit_llb::Image {
            resolve: self.plan.request.resolve_mode,
            ..buildkit_llb::Image::new(&ImageName::parse(&image.reference).ok()?)
        };
        let here = self.on(image.platform.as_ref());
        let vertex = self.graph.add(source, &here, Meta::named(name));
        self.locate(vertex, span);
        self.images.insert(image.clone(), vertex.only());
        Some(vertex.only())
    }

    /// A platform, or the one which the build is for.
    fn on(&self, platform: Option<&Platform>) -> Constraints {
        let platform = platform.unwrap_or(&self.plan.request.platform);
        Constraints::on(platform.clone())
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
            let mount = self.cache(cache, run.seeds.get(&cache.cache), span);
            mounts.push(mount);
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
        let copies: Vec<PlannedCopy> = manifests
            .copied
            .iter()
            .map(|path| {
                let dest = match (crate::ignore::is_pattern(path), crate::paths::parent(path)) {
                    (false, _) => format!("/{path}"),
                    (true, "") => "/".to_owned(),
                    (true, parent) => format!("/{parent}/"),
                };
                PlannedCopy::new(CopyFrom::Context, vec![path.clone()], dest, owner)
            })
            .collect();
        if let Some(with_copies) = self.copies(file.clone(), &copies, span) {
            file = with_copies;
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
