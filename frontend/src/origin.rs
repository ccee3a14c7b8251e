//! Where a build comes from: the file to build, and the context.

use buildkit_llb::{
    Constraints, Copy, Definition, Differ, File, Graph, Http, ImportError, Local, Meta, Source,
};
use larder_diagnostic::SourceFile;
use larder_gateway::{Bridge, Capabilities, Failure, Ref, SolveRequest};
use larder_plan::{Context, ContextFiles, ignore};

use crate::locate::Found;
use crate::paths::Tree;
use crate::spec::checked;

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

/// What a file from the web is called.
pub(crate) const FROM_WEB: &str = "context";

/// A filesystem that the daemon holds.
pub(crate) struct Loaded {
    pub(crate) reference: Ref,
    pub(crate) vertex: String,
}

impl Origin {
    /// The origin of a spec.
    pub(crate) async fn of(
        found: Found,
        bridge: &impl Bridge,
        capabilities: &Capabilities,
    ) -> Result<Origin, Failure> {
        let file = text(found.name, found.data)?;
        let mut context = found.context;
        let mut remote = found.remote;
        match &mut context {
            Context::Input(input) => {
                let loaded = solve_definition(bridge, capabilities, input.clone()).await?;
                remote = Some(loaded.reference);
            }
            Context::Local {
                name,
                session,
                exclude,
            } => {
                let beside = (&found.beside, found.ignore.as_str());
                let local = Local {
                    session: session.clone().unwrap_or_default(),
                    ..Local::new(name.as_str())
                };
                *exclude = ignored(bridge, capabilities, beside, local).await?;
            }
            Context::Source { .. } => {}
        }
        Ok(Origin {
            file,
            vertex: found.vertex,
            context,
            remote,
            capabilities: capabilities.clone(),
        })
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

/// What `.dockerignore` keeps out of a directory of the client's: the file beside the one to build, or
/// the one in the directory.
async fn ignored(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    (beside, own): (&Ref, &str),
    local: Local,
) -> Result<Vec<String>, Failure> {
    let beside = bridge.read_file_if_any(beside, own, IGNORE_LIMIT).await?;
    let text = if let Some(data) = beside {
        text(IGNORE.to_owned(), data)?.text
    } else {
        dockerignore(bridge, capabilities, local).await?
    };
    Ok(ignore::parse(&text))
}

const IGNORE: &str = ".dockerignore";
/// One byte more than is read of it.
const IGNORE_LIMIT: u64 = SourceFile::MAX_BYTES as u64 + 1;

/// The `.dockerignore` at the top of a directory of the client's; empty if there is none.
pub(crate) async fn dockerignore(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    local: Local,
) -> Result<String, Failure> {
    let local = Source::Local(Local {
        follow: vec![IGNORE.to_owned()],
        shared_key_hint: format!("{}-{IGNORE}", local.name),
        differ: Some(Differ::None),
        ..local
    });
    let sent = solve(bridge, capabilities, local, &format!("load {IGNORE}")).await?;
    let data = bridge
        .read_file_if_any(&sent.reference, IGNORE, IGNORE_LIMIT)
        .await?;
    Ok(text(IGNORE.to_owned(), data.unwrap_or_default())?.text)
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

pub(crate) async fn unpack(
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
