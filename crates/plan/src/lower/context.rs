//! Files from outside the build.

use buildkit_llb::{
    Constraints, Copy, Definition, File, Graph, ImportError, Local, Meta, Mount, Output,
};

use super::{CACHE_CONTEXT_TARGET, Lowering};
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
    let Some(context) = &request.cache_context else {
        return Ok(None);
    };
    let mut graph = Graph::new();
    let here = Constraints::on(request.platform.clone());
    let loaded = load(&mut graph, &here, context, CACHE_CONTEXT, &[])?;
    let definition = match loaded.files {
        Some(files) => graph.definition(files),
        None => Definition::scratch(),
    };
    Ok(Some((definition, loaded.root)))
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
        Ok(())
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
