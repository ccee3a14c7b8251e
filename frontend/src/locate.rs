//! Finding the file to build.

use buildkit_llb::{Differ, Git, Local, Source};
use larder_diagnostic::SourceFile;
use larder_gateway::options::{CONTEXT, ContextOption, DOCKERFILE};
use larder_gateway::{Bridge, Capabilities, Failure, Options, Ref, cap};
use larder_plan::Context;

use crate::origin::{FROM_WEB, Loaded, from_web, is_archive, solve, solve_definition, unpack};

/// What a spec is called when nobody says.
const SPEC: &str = "larder.yaml";
/// What a Dockerfile is called when nobody says; the name in lower case will do.
const USUAL: &str = "Dockerfile";

/// How much is read of the file, in bytes.
const LIMIT: u64 = SourceFile::MAX_BYTES as u64 + 1;

/// The file to build, as it was found.
pub(crate) struct Found {
    /// The path as the user knows it.
    pub(crate) name: String,
    /// What is in it: at most one byte more than is read of a spec.
    pub(crate) data: Vec<u8>,
    /// The digest of the operation that brought it in; warnings are shown there.
    pub(crate) vertex: String,
    /// What it was found in.
    pub(crate) beside: Ref,
    /// The path there of the `.dockerignore` that goes with it, if there is one.
    pub(crate) ignore: String,
    /// Where the context is, before anything in it is ignored.
    pub(crate) context: Context,
    /// A context that is not the client's directory, if it was solved already.
    pub(crate) remote: Option<Ref>,
}

/// Finds and reads the file, and finds the context.
pub(crate) async fn locate(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
) -> Result<Found, Failure> {
    let locator = Locator {
        bridge,
        capabilities,
        options,
    };
    match &options.context {
        ContextOption::Git { address, git } => locator.git(address, git).await,
        ContextOption::Http { url } => locator.web(url).await,
        ContextOption::Local => locator.inputs_or_local().await,
    }
}

/// What the file may be called.
struct Candidate {
    file: String,
    ignore: String,
}

struct Locator<'a, B> {
    bridge: &'a B,
    capabilities: &'a Capabilities,
    options: &'a Options,
}

impl<B: Bridge> Locator<'_, B> {
    async fn git(&self, address: &str, git: &Git) -> Result<Found, Failure> {
        let source = Source::Git(git.clone());
        let loaded = self
            .solve(&source, &format!("load git source {address}"))
            .await?;
        let context = self.source(source, false);
        if self.options.dockerfile_forced {
            return self.in_local(context, Some(loaded.reference)).await;
        }
        let remote = Some(loaded.reference.clone());
        self.read(loaded, address, context, remote).await
    }

    async fn web(&self, url: &str) -> Result<Found, Failure> {
        let source = from_web(url);
        let mut loaded = self.solve(&source, &format!("load {url}")).await?;
        let archive = is_archive(self.bridge, &loaded.reference).await?;
        if archive {
            loaded = unpack(self.bridge, self.capabilities, source.clone()).await?;
        }
        let context = self.source(source, archive);
        let remote = Some(loaded.reference.clone());
        if self.options.dockerfile_forced {
            return self.in_local(context, remote).await;
        }
        if archive {
            return self.read(loaded, url, context, remote).await;
        }
        let data = self
            .bridge
            .read_file(&loaded.reference, FROM_WEB, LIMIT)
            .await?;
        Ok(Found {
            name: url.to_owned(),
            data,
            vertex: loaded.vertex,
            beside: loaded.reference,
            ignore: String::new(),
            context,
            remote,
        })
    }

    /// Inputs stand in for the client's directories.
    async fn inputs_or_local(&self) -> Result<Found, Failure> {
        let mut context = Context::Local {
            name: CONTEXT.to_owned(),
            session: Some(self.options.session_of(CONTEXT).to_owned()),
            exclude: Vec::new(),
        };
        if !self.capabilities.has(cap::INPUTS) {
            return self.in_local(context, None).await;
        }
        let mut inputs = self.bridge.inputs().await?;
        if let Some(input) = inputs.remove(CONTEXT) {
            context = Context::Input(input);
        }
        match inputs.remove(DOCKERFILE) {
            Some(input) if !self.options.dockerfile_forced => {
                let loaded = solve_definition(self.bridge, self.capabilities, input).await?;
                self.read(loaded, "the input `dockerfile`", context, None)
                    .await
            }
            _ => self.in_local(context, None).await,
        }
    }

    /// The file is in a directory of the client's, whatever the context is.
    async fn in_local(&self, context: Context, remote: Option<Ref>) -> Result<Found, Failure> {
        let name = &self.options.dockerfile_local;
        // In the order of Dockerfiles' own frontend: it asks for the same, and gets what was sent.
        let mut follow = Vec::new();
        for Candidate { file, ignore } in self.candidates() {
            follow.push(file);
            if !follow.contains(&ignore) {
                follow.push(ignore);
            }
        }
        let progress = format!("load build definition from {}", follow[0]);
        let local = Source::Local(Local {
            session: self.options.session_of(name).to_owned(),
            follow,
            shared_key_hint: name.clone(),
            differ: Some(Differ::None),
            ..Local::new(name)
        });
        let loaded = self.solve(&local, &progress).await?;
        let place = "the directory that the client gave for it";
        self.read(loaded, place, context, remote).await
    }

    /// What the file may be called, the likeliest first.
    fn candidates(&self) -> Vec<Candidate> {
        let names = match &self.options.filename {
            Some(name) => vec![name.as_str()],
            None if self.options.by_syntax_line => vec![USUAL],
            None => vec![SPEC, USUAL],
        };
        let mut candidates = Vec::new();
        for name in names {
            let ignore = format!("{name}.dockerignore");
            candidates.push(Candidate {
                file: name.to_owned(),
                ignore: ignore.clone(),
            });
            let directory = name.strip_suffix(USUAL);
            if let Some(directory) = directory.filter(|it| it.is_empty() || it.ends_with('/')) {
                let file = format!("{directory}{}", USUAL.to_ascii_lowercase());
                candidates.push(Candidate { file, ignore });
            }
        }
        candidates
    }

    async fn read(
        &self,
        loaded: Loaded,
        place: &str,
        context: Context,
        remote: Option<Ref>,
    ) -> Result<Found, Failure> {
        let candidates = self.candidates();
        for Candidate { file, ignore } in &candidates {
            let data = self
                .bridge
                .read_file_if_any(&loaded.reference, file, LIMIT)
                .await?;
            if let Some(data) = data {
                return Ok(Found {
                    name: file.clone(),
                    data,
                    vertex: loaded.vertex,
                    beside: loaded.reference,
                    ignore: ignore.clone(),
                    context,
                    remote,
                });
            }
        }
        let names: Vec<String> = candidates
            .iter()
            .map(|candidate| format!("`{}`", candidate.file))
            .collect();
        Err(Failure::mistake(format!(
            "there is no file {} in {place}\n  help: `-f` names the file to build",
            names.join(" or ")
        )))
    }

    fn source(&self, source: Source, archive: bool) -> Context {
        Context::Source {
            source: Box::new(source),
            archive,
            subdir: self.options.context_subdir.clone(),
        }
    }

    async fn solve(&self, source: &Source, name: &str) -> Result<Loaded, Failure> {
        solve(self.bridge, self.capabilities, source.clone(), name).await
    }
}
