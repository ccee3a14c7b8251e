//! A plan to LLB.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use buildkit_llb::{
    Access, Account, Constraints, Copy, CopyMode, Definition, Exec, File, FileInput, Graph,
    ImageName, Local, Meta, Mkdir, Mkfile, Mount, MountKind, Output, SourceId, SourceInfo,
};
use larder_diagnostic::{SourceFile, Span};
use larder_inject::{CacheMount, Sharing};

use crate::model::{
    Action, Base, CopyFrom, Manifests, Owner, Plan, PlannedCopy, PlannedRun, PlannedStage,
};
use crate::request::Context;

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
        images: BTreeMap::new(),
        directories: BTreeMap::new(),
        files: BTreeMap::new(),
        stages: Vec::with_capacity(plan.stages.len()),
    };
    lowering.context()?;
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
    /// The build context, if it is used, and the directory in it that counts.
    context: Option<(Option<Output>, String)>,
    images: BTreeMap<String, Output>,
    /// Empty directories that caches start from, by owner and mode.
    directories: BTreeMap<(u32, u32, u32), Output>,
    /// Filesystems with one file, by contents.
    files: BTreeMap<String, Output>,
    /// Results of the stages so far; `None` is the empty filesystem.
    stages: Vec<Option<Output>>,
}

/// Where an empty directory or a file is in a filesystem made for it.
const DIRECTORY: &str = "/cache";
const FILE: &str = "/file";

/// The variable that tells a step apart from the same step of another build.
const NONCE: &str = "LARDER_BUILD";

impl Lowering<'_> {
    fn context(&mut self) -> Result<(), buildkit_llb::ImportError> {
        let plan = self.plan;
        if plan.context_paths.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let meta = Meta::named("[internal] load build context");
        let (output, subdir) = match &plan.request.context {
            Context::Local {
                name,
                session,
                exclude,
            } => {
                let local = Local {
                    session: session.clone().unwrap_or_default(),
                    exclude: exclude.clone(),
                    follow: plan.context_paths.clone().unwrap_or_default(),
                    shared_key_hint: name.clone(),
                    ..Local::new(name)
                };
                (Some(self.graph.add(local, &self.here, meta).only()), "")
            }
            Context::Input(definition) => (self.graph.import(definition)?, ""),
            Context::Source {
                source,
                archive,
                subdir,
            } => {
                let source = (**source).clone();
                let mut output = self.graph.add(source, &self.here, meta).only();
                if *archive {
                    let copy = Copy {
                        unpack: true,
                        ..Copy::new(output, "/context", "/")
                    };
                    let meta = Meta::named("[internal] unpack build context");
                    let file = File::on(None).copy(copy);
                    output = self.graph.add(file, &self.here, meta).only();
                }
                (Some(output), subdir.as_str())
            }
        };
        self.context = Some((output, crate::paths::join("/", subdir)));
        Ok(())
    }

    fn stage(&mut self, stage: &PlannedStage) -> Option<Output> {
        let mut root = match &stage.base {
            Base::Scratch => None,
            Base::Stage(index) => self.stages.get(*index).copied().flatten(),
            Base::Image(reference) => {
                let name = format!("[{}] from {reference}", crate::names::line(&stage.name));
                self.image(reference, name, stage.span)
            }
        };
        for (index, step) in stage.steps.iter().enumerate() {
            let meta = Meta::named(stage.label(index));
            let vertex = match &step.action {
                Action::Run(run) => {
                    let exec = self.exec(run, root, stage.nonce.as_deref(), step.span);
                    self.graph.add(exec, &self.here, meta)
                }
                Action::Copy(copies) => {
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
                Some((output, root)) => (*output, root.clone()),
                None => return file,
            },
            CopyFrom::Stage(index) => (self.stages.get(*index).copied().flatten(), "/".to_owned()),
            CopyFrom::Image(reference) => {
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
    ) -> Exec {
        let decision = &run.decision;
        let options = &self.plan.request.run;
        let variables = run.env.iter().chain(&decision.env);
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
        if let Some(manifests) = &run.manifests {
            mounts.push(self.manifests(manifests, run.account.owner(), span));
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

    fn cache(&mut self, cache: &CacheMount) -> Mount {
        let sharing = match cache.sharing {
            Sharing::Shared => buildkit_llb::Sharing::Shared,
            Sharing::Private => buildkit_llb::Sharing::Private,
            Sharing::Locked => buildkit_llb::Sharing::Locked,
        };
        let mount = Mount::cache(cache.id.as_str(), cache.target.as_str(), sharing);
        let key = (cache.uid, cache.gid, cache.mode);
        if key == (0, 0, 0o755) {
            // What BuildKit makes by itself.
            return mount;
        }
        let input = if let Some(known) = self.directories.get(&key) {
            *known
        } else {
            let owner = Owner {
                uid: cache.uid,
                gid: cache.gid,
            };
            let file = File::on(None).mkdir(directory(DIRECTORY, cache.mode, owner));
            let meta = Meta::named(format!(
                "[internal] cache directory of {}:{}",
                cache.uid, cache.gid
            ));
            let output = self.graph.add(file, &self.here, meta).only();
            self.directories.insert(key, output);
            output
        };
        mount.with_input(input).select(DIRECTORY)
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

    fn manifests(&mut self, manifests: &Manifests, owner: Owner, span: Span) -> Mount {
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
            let copy = PlannedCopy {
                from: CopyFrom::Context,
                src: vec![path.clone()],
                dest: format!("/{path}"),
                owner,
                mode: None,
            };
            file = self.copies(file, &copy, span);
        }
        let vertex = self
            .graph
            .add(file, &self.here, Meta::named("[internal] manifests"));
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

/// Where lines start.
struct Lines(Vec<u32>);

impl Lines {
    fn of(text: &str) -> Lines {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = breaks.filter_map(|(at, _)| u32::try_from(at + 1).ok());
        Lines(starts.collect())
    }

    /// Counted from 1.
    fn line(&self, offset: u32) -> u32 {
        let before = self.0.partition_point(|&start| start <= offset);
        u32::try_from(before).unwrap_or(u32::MAX - 1) + 1
    }

    fn of_span(&self, span: Span) -> RangeInclusive<u32> {
        let last = span.end.saturating_sub(1).max(span.start);
        self.line(span.start)..=self.line(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let file = SourceFile::new("f", "ab\ncd\n\nef");
        let lines = Lines::of(&file.text);
        for start in 0..10 {
            for end in start..10 {
                let span = Span::new(start, end);
                assert_eq!(lines.of_span(span), file.lines(span), "{span:?}");
            }
        }
    }
}
