//! Files from outside the build.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{
    Constraints, Copy, Definition, File, Graph, ImportError, Local, Meta, Mount, Output, Platform,
};
use larder_diagnostic::Span;

use super::{CACHE_CONTEXT_TARGET, Lowering};
use crate::model::{Action, Base, CopyFrom, Plan, PlannedMountKind, PlannedStep};
use crate::request::{CACHE_CONTEXT, Context, Request};

/// Files, and where among them those are that count.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// `None` is the empty filesystem.
    pub(super) files: Option<Output>,
    /// A directory, absolute.
    pub(super) root: String,
}

/// What loads the context [`CACHE_CONTEXT`], and the directory in it that counts: the same operations
/// as those of [`super::lower`]. `None` if the client gives none.
///
/// Fails only if the context came as a definition of its own that cannot be read.
pub fn cache_context(request: &Request) -> Result<Option<(Definition, String)>, ImportError> {
    let context = request.cache_context.as_ref();
    context
        .map(|context| alone(context, &request.platform, CACHE_CONTEXT))
        .transpose()
}

/// What loads the files of a named context, all of them, and the directory in them that counts.
///
/// Fails only if the context came as a definition of its own that cannot be read.
pub fn context_files(
    context: &Context,
    platform: &Platform,
    key: &str,
) -> Result<(Definition, String), ImportError> {
    alone(context, platform, &named(key))
}

fn named(key: &str) -> String {
    format!("context {}", crate::names::line(crate::from::shown(key)))
}

fn alone(
    context: &Context,
    platform: &Platform,
    what: &str,
) -> Result<(Definition, String), ImportError> {
    let mut graph = Graph::new();
    let here = Constraints::on(platform.clone());
    let loaded = load(&mut graph, &here, context, what, &[])?;
    let definition = match loaded.files {
        Some(files) => graph.definition(files),
        None => Definition::scratch(),
    };
    Ok((definition, loaded.root))
}

impl Lowering<'_> {
    pub(super) fn contexts(&mut self) -> Result<(), ImportError> {
        let (plan, here) = (self.plan, &self.here);
        if plan
            .context_paths
            .as_ref()
            .is_none_or(|paths| !paths.is_empty())
        {
            let context = &plan.request.context;
            let paths = plan.context_paths.as_deref().unwrap_or_default();
            let loaded = load(&mut self.graph, here, context, "build context", paths)?;
            self.context = Some(loaded);
        }
        if let Some(context) = &plan.request.cache_context {
            let loaded = load(&mut self.graph, here, context, CACHE_CONTEXT, &[])?;
            self.cache_context = Some(loaded);
        }
        for ((key, platform), paths) in used(plan) {
            let Some(context) = plan.contexts.get(key) else {
                continue;
            };
            let here = Constraints::on(platform.unwrap_or(&plan.request.platform).clone());
            let what = named(key);
            let paths: Vec<String> = match paths {
                Some(paths) => paths.into_iter().cloned().collect(),
                None => Vec::new(),
            };
            let loaded = load(&mut self.graph, &here, context, &what, &paths)?;
            self.named.insert((key.clone(), platform.cloned()), loaded);
        }
        Ok(())
    }

    /// Files that steps take, and the directory in them that is their root.
    pub(super) fn files_of(&mut self, from: &CopyFrom, span: Span) -> (Option<Output>, String) {
        let whole = |files| (files, "/".to_owned());
        let loaded = match from {
            CopyFrom::Context => self.context.as_ref(),
            CopyFrom::Named(key) => self.named.get(&(key.clone(), None)),
            CopyFrom::Stage(index) => {
                return whole(self.stages.get(*index).copied().flatten());
            }
            CopyFrom::Image(image) => {
                let name = format!("[internal] from {image}");
                return whole(self.image(image, name, span));
            }
            CopyFrom::Source(_) | CopyFrom::Text(_) => None,
        };
        loaded.map_or_else(|| whole(None), |loaded| (loaded.files, loaded.root.clone()))
    }

    /// The files of a named context as a filesystem of their own.
    pub(super) fn rooted(
        &mut self,
        key: &str,
        platform: Option<&Platform>,
        span: Span,
    ) -> Option<Output> {
        let loaded = self.named.get(&(key.to_owned(), platform.cloned()))?;
        let (files, root) = (loaded.files?, loaded.root.clone());
        if root == "/" {
            return Some(files);
        }
        let copy = Copy {
            contents_only: true,
            ..Copy::new(files, root, "/")
        };
        let name = crate::names::line(crate::from::shown(key));
        let meta = Meta::named(format!("[internal] files of context {name}"));
        let vertex = self.graph.add(File::on(None).copy(copy), &self.here, meta);
        self.locate(vertex, span);
        Some(vertex.only())
    }
}

/// Named contexts by key and platform, with the paths that steps take; `None` where all is taken.
type Used<'p> = BTreeMap<(&'p String, Option<&'p Platform>), Option<BTreeSet<&'p String>>>;

fn used(plan: &Plan) -> Used<'_> {
    let mut used = Used::new();
    for stage in &plan.stages {
        if let Base::Context(key) = &stage.base {
            used.insert((key, stage.platform.as_ref()), None);
        }
        for (from, path) in stage.steps.iter().flat_map(taken) {
            if let CopyFrom::Named(key) = from {
                let paths = used
                    .entry((key, None))
                    .or_insert_with(|| Some(BTreeSet::new()));
                if path.is_empty() {
                    *paths = None;
                }
                if let Some(paths) = paths {
                    paths.insert(path);
                }
            }
        }
    }
    used
}

/// What a step takes from elsewhere: from where, and which path there.
fn taken(step: &PlannedStep) -> Vec<(&CopyFrom, &String)> {
    match &step.action {
        Action::Copy(copies) | Action::Link(copies) => copies
            .iter()
            .flat_map(|copy| copy.src.iter().map(|path| (&copy.from, path)))
            .collect(),
        Action::Run(run) => {
            let mounts = run.options.mounts.iter();
            let mounts = mounts.filter_map(|mount| match &mount.kind {
                PlannedMountKind::Bind { from, source, .. } => Some((from, source)),
                PlannedMountKind::Tmpfs { .. } => None,
            });
            let seeds = run.seeds.values().map(|seed| (&seed.from, &seed.source));
            mounts.chain(seeds).collect()
        }
        Action::Directories { .. } | Action::Account { .. } | Action::Runtime(_) => Vec::new(),
    }
}

impl Loaded {
    /// The files at [`CACHE_CONTEXT_TARGET`], for one step.
    pub(super) fn mount(&self) -> Option<Mount> {
        let mount = Mount::bind(self.files?, CACHE_CONTEXT_TARGET);
        Some(match self.root.as_str() {
            "/" => mount,
            root => mount.select(root),
        })
    }

    /// A directory of these files.
    pub(super) fn path(&self, name: &str) -> String {
        crate::paths::join(&self.root, name)
    }
}

/// Of a client's directory, only the paths to `follow`, or everything if there are none.
fn load(
    graph: &mut Graph,
    here: &Constraints,
    context: &Context,
    what: &str,
    follow: &[String],
) -> Result<Loaded, ImportError> {
    let meta = Meta::named(format!("[internal] load {what}"));
    let (files, subdir) = match context {
        Context::Local {
            name,
            session,
            exclude,
        } => {
            let local = Local {
                session: session.clone().unwrap_or_default(),
                exclude: exclude.clone(),
                follow: follow.to_vec(),
                shared_key_hint: name.clone(),
                ..Local::new(name)
            };
            (Some(graph.add(local, here, meta).only()), "")
        }
        Context::Input(definition) => (graph.import(definition)?, ""),
        Context::Source {
            source,
            archive,
            subdir,
        } => {
            let mut files = graph.add((**source).clone(), here, meta).only();
            if *archive {
                let copy = Copy {
                    unpack: true,
                    ..Copy::new(files, "/context", "/")
                };
                let meta = Meta::named(format!("[internal] unpack {what}"));
                files = graph.add(File::on(None).copy(copy), here, meta).only();
            }
            (Some(files), subdir.as_str())
        }
    };
    let root = crate::paths::join("/", subdir);
    Ok(Loaded { files, root })
}
