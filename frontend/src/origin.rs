//! Where a build comes from: the file to build, and the context.

use std::collections::BTreeMap;

use buildkit_llb::{
    Constraints, Copy, Definition, Differ, File, Git, Graph, Http, ImportError, Local, Meta, Source,
};
use larder_diagnostic::SourceFile;
use larder_gateway::options::{CONTEXT, ContextOption, DOCKERFILE};
use larder_gateway::{Bridge, Capabilities, Failure, Options, Ref, SolveRequest, cap};
use larder_plan::{Context, ContextFiles, ignore};

use crate::checked;
use crate::paths::Tree;

/// Where a build comes from.
pub(crate) struct Origin {
    /// The file to build.
    pub(crate) file: SourceFile,
    /// The digest of the operation that brought it in; warnings are shown there.
    pub(crate) vertex: String,
    /// Where the context is.
    pub(crate) context: Context,
    /// A context that is not the client's directory.
    remote: Option<Ref>,
    pub(crate) capabilities: Capabilities,
}

/// What the file is called when nobody says.
const DEFAULT_NAME: &str = "larder.yaml";
/// What it is called when its first line named the frontend: the client looked nowhere else.
const DEFAULT_NAMES_BY_SYNTAX_LINE: [&str; 2] = ["Dockerfile", "dockerfile"];
/// What a file from the web is called.
const FROM_WEB: &str = "context";

/// A filesystem that the daemon holds.
pub(crate) struct Loaded {
    pub(crate) reference: Ref,
    vertex: String,
}

impl Origin {
    /// Finds and reads the file, and finds the context.
    pub(crate) async fn load(
        bridge: &impl Bridge,
        capabilities: &Capabilities,
        options: &Options,
    ) -> Result<Origin, Failure> {
        let loader = Loader {
            bridge,
            capabilities,
            options,
        };
        match &options.context {
            ContextOption::Git { address, git } => loader.git(address, git).await,
            ContextOption::Http { url } => loader.web(url).await,
            ContextOption::Local => loader.inputs_or_local().await,
        }
    }

    /// No files of the context yet.
    pub(crate) fn files(&self) -> ContextFiles {
        ContextFiles {
            ignore: match &self.context {
                Context::Local { exclude, .. } => exclude.clone(),
                Context::Input(_) | Context::Source { .. } => Vec::new(),
            },
            ..ContextFiles::default()
        }
    }

    /// Answers what planning asks of the context.
    pub(crate) async fn gather(
        &self,
        bridge: &impl Bridge,
        wanted: Vec<String>,
        files: &mut ContextFiles,
    ) -> Result<(), Failure> {
        let sent;
        let reference = match (&self.remote, &self.context) {
            (None, Context::Local { name, session, .. }) => {
                let local = Local {
                    session: session.clone().unwrap_or_default(),
                    exclude: files.ignore.clone(),
                    follow: wanted.clone(),
                    shared_key_hint: format!("{name}-manifests"),
                    ..Local::new(name)
                };
                let what = match wanted.as_slice() {
                    [] => return Ok(()),
                    [one] => one.clone(),
                    [one, rest @ ..] => format!("{one} and {} more", rest.len()),
                };
                let name = format!("load {what}");
                sent = solve(bridge, &self.capabilities, Source::Local(local), &name).await?;
                &sent.reference
            }
            (Some(reference), _) => reference,
            (None, _) => &Ref::default(),
        };
        let tree = Tree {
            reference,
            subdir: match &self.context {
                Context::Source { subdir, .. } => subdir,
                Context::Local { .. } | Context::Input(_) => "",
            },
        };
        for path in &wanted {
            tree.gather(bridge, path, files).await?;
        }
        files.asked.extend(wanted);
        Ok(())
    }
}

struct Loader<'a, B> {
    bridge: &'a B,
    capabilities: &'a Capabilities,
    options: &'a Options,
}

impl<B: Bridge> Loader<'_, B> {
    async fn git(&self, address: &str, git: &Git) -> Result<Origin, Failure> {
        let source = Source::Git(git.clone());
        let loaded = self
            .solve(&source, &format!("load git source {address}"))
            .await?;
        let context = self.source(source, false);
        if self.options.dockerfile_forced {
            return self.with_local_file(context, Some(loaded.reference)).await;
        }
        let file = self.read(&loaded, address).await?;
        Ok(self.origin(file, loaded.vertex, context, Some(loaded.reference)))
    }

    async fn web(&self, url: &str) -> Result<Origin, Failure> {
        let source = from_web(url);
        let mut loaded = self.solve(&source, &format!("load {url}")).await?;
        let archive = is_archive(self.bridge, &loaded.reference).await?;
        if archive {
            loaded = unpack(self.bridge, self.capabilities, source.clone()).await?;
        }
        let context = self.source(source, archive);
        if self.options.dockerfile_forced {
            return self.with_local_file(context, Some(loaded.reference)).await;
        }
        let file = if archive {
            self.read(&loaded, url).await?
        } else {
            let limit = SourceFile::MAX_BYTES as u64 + 1;
            let data = self
                .bridge
                .read_file(&loaded.reference, FROM_WEB, limit)
                .await?;
            text(url.to_owned(), data)?
        };
        Ok(self.origin(file, loaded.vertex, context, Some(loaded.reference)))
    }

    /// Inputs stand in for the client's directories.
    async fn inputs_or_local(&self) -> Result<Origin, Failure> {
        let mut inputs = if self.capabilities.has(cap::INPUTS) {
            self.bridge.inputs().await?
        } else {
            BTreeMap::new()
        };
        let mut context = self.local_context(Vec::new());
        let mut remote = None;
        if let Some(input) = inputs.remove(CONTEXT) {
            let input = Definition::from_proto(&input);
            remote = Some(self.solve_input(input.clone()).await?.reference);
            context = Context::Input(input);
        }
        let file = inputs
            .remove(DOCKERFILE)
            .filter(|_| !self.options.dockerfile_forced);
        let Some(input) = file else {
            return self.with_local_file(context, remote).await;
        };
        let loaded = self.solve_input(Definition::from_proto(&input)).await?;
        let file = self.read(&loaded, "the input `dockerfile`").await?;
        let context = self.ignoring(context, &loaded, &file.name).await?;
        Ok(self.origin(file, loaded.vertex, context, remote))
    }

    /// The file is in a directory of the client's, whatever the context is.
    async fn with_local_file(
        &self,
        context: Context,
        remote: Option<Ref>,
    ) -> Result<Origin, Failure> {
        let name = &self.options.dockerfile_local;
        let candidates = self.candidates();
        let mut follow = Vec::new();
        for candidate in &candidates {
            follow.push(candidate.clone());
            follow.push(format!("{candidate}.dockerignore"));
        }
        let local = Source::Local(Local {
            session: self.options.session_of(name).to_owned(),
            follow,
            shared_key_hint: name.clone(),
            differ: Some(Differ::None),
            ..Local::new(name)
        });
        let progress = format!("load build definition from {}", candidates[0]);
        let loaded = self.solve(&local, &progress).await?;
        let file = self
            .read(&loaded, "the directory that the client gave for it")
            .await?;
        let context = self.ignoring(context, &loaded, &file.name).await?;
        Ok(self.origin(file, loaded.vertex, context, remote))
    }

    /// What the file may be called, the likeliest first.
    fn candidates(&self) -> Vec<String> {
        let usual = DEFAULT_NAMES_BY_SYNTAX_LINE;
        match &self.options.filename {
            Some(name) => vec![name.clone()],
            None if self.options.by_syntax_line => usual.map(str::to_owned).to_vec(),
            None => vec![DEFAULT_NAME.to_owned()],
        }
    }

    async fn read(&self, loaded: &Loaded, place: &str) -> Result<SourceFile, Failure> {
        let candidates = self.candidates();
        for name in &candidates {
            let limit = SourceFile::MAX_BYTES as u64 + 1;
            let data = self
                .bridge
                .read_file_if_any(&loaded.reference, name, limit)
                .await?;
            if let Some(data) = data {
                return text(name.clone(), data);
            }
        }
        let names: Vec<String> = candidates.iter().map(|name| format!("`{name}`")).collect();
        Err(Failure::mistake(format!(
            "there is no file {} in {place}\n  help: `-f` names the file to build",
            names.join(" or ")
        )))
    }

    /// Adds `.dockerignore` to a context that is the client's directory: the one beside the file, or
    /// the one in the context.
    async fn ignoring(
        &self,
        context: Context,
        loaded: &Loaded,
        file: &str,
    ) -> Result<Context, Failure> {
        const IGNORE: &str = ".dockerignore";
        let Context::Local { name, session, .. } = &context else {
            return Ok(context);
        };
        let limit = SourceFile::MAX_BYTES as u64 + 1;
        let beside = format!("{file}{IGNORE}");
        let own = self
            .bridge
            .read_file_if_any(&loaded.reference, &beside, limit)
            .await?;
        let data = if own.is_some() {
            own
        } else {
            let local = Source::Local(Local {
                session: session.clone().unwrap_or_default(),
                follow: vec![IGNORE.to_owned()],
                shared_key_hint: format!("{name}-{IGNORE}"),
                differ: Some(Differ::None),
                ..Local::new(name)
            });
            let sent = self.solve(&local, &format!("load {IGNORE}")).await?;
            self.bridge
                .read_file_if_any(&sent.reference, IGNORE, limit)
                .await?
        };
        let file = text(IGNORE.to_owned(), data.unwrap_or_default())?;
        Ok(self.local_context(ignore::parse(&file.text)))
    }

    fn local_context(&self, exclude: Vec<String>) -> Context {
        Context::Local {
            name: CONTEXT.to_owned(),
            session: Some(self.options.session_of(CONTEXT).to_owned()),
            exclude,
        }
    }

    fn source(&self, source: Source, archive: bool) -> Context {
        Context::Source {
            source: Box::new(source),
            archive,
            subdir: self.options.context_subdir.clone(),
        }
    }

    fn origin(
        &self,
        file: SourceFile,
        vertex: String,
        context: Context,
        remote: Option<Ref>,
    ) -> Origin {
        Origin {
            file,
            vertex,
            context,
            remote,
            capabilities: self.capabilities.clone(),
        }
    }

    async fn solve(&self, source: &Source, name: &str) -> Result<Loaded, Failure> {
        solve(self.bridge, self.capabilities, source.clone(), name).await
    }

    async fn solve_input(&self, input: Definition) -> Result<Loaded, Failure> {
        solve_definition(self.bridge, self.capabilities, input).await
    }
}

pub(crate) async fn solve(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    source: Source,
    name: &str,
) -> Result<Loaded, Failure> {
    let mut graph = Graph::new();
    let meta = Meta::named(format!("[internal] {name}"));
    let vertex = graph.add(source, &Constraints::default(), meta);
    solve_definition(bridge, capabilities, graph.definition(vertex.only())).await
}

async fn unpack(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    source: Source,
) -> Result<Loaded, Failure> {
    let mut graph = Graph::new();
    let any = Constraints::default();
    let archive = graph.add(source, &any, Meta::named("[internal] load build context"));
    let copy = Copy {
        unpack: true,
        ..Copy::new(Some(archive.only()), format!("/{FROM_WEB}"), "/")
    };
    let meta = Meta::named("[internal] unpack build context");
    let files = graph.add(File::on(None).copy(copy), &any, meta);
    solve_definition(bridge, capabilities, graph.definition(files.only())).await
}

pub(crate) async fn solve_definition(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    definition: Definition,
) -> Result<Loaded, Failure> {
    let unreadable =
        |error: ImportError| Failure::mistake(format!("an input cannot be read: {error}"));
    let head = definition.head().map_err(unreadable)?;
    let request = SolveRequest {
        definition: checked(capabilities, definition)?,
        ..SolveRequest::default()
    };
    Ok(Loaded {
        reference: bridge.solve(request).await?,
        vertex: head.map(|digest| digest.to_string()).unwrap_or_default(),
    })
}

fn text(name: String, data: Vec<u8>) -> Result<SourceFile, Failure> {
    if data.len() > SourceFile::MAX_BYTES {
        return Err(Failure::mistake(format!(
            "{name}: the file has more than {} bytes, and no more are read",
            SourceFile::MAX_BYTES
        )));
    }
    SourceFile::from_bytes(name, data).map_err(Failure::mistake)
}

/// A file from the web.
pub(crate) fn from_web(url: &str) -> Source {
    Source::Http(Http {
        filename: FROM_WEB.to_owned(),
        ..Http::new(url)
    })
}

/// Whether the file from the web starts as tar does, or as what tar is compressed with.
pub(crate) async fn is_archive(bridge: &impl Bridge, loaded: &Ref) -> Result<bool, Failure> {
    const MAGIC: [&[u8]; 4] = [
        b"BZh",
        &[0x1f, 0x8b, 0x08],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        &[0x28, 0xb5, 0x2f, 0xfd],
    ];
    let start = bridge.read_range(loaded, FROM_WEB, 0..512).await?;
    Ok(MAGIC.iter().any(|magic| start.starts_with(magic))
        || start.get(257..262).is_some_and(|at| at == b"ustar"))
}
