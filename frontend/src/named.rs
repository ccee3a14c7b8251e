//! Build contexts that the client gives a name.

use std::collections::BTreeSet;

use buildkit_llb::{Image, ImageName, Local, OciLayout, Platform, Source, git_url};
use larder_gateway::{Bridge, Capabilities, Failure, FileStat, ImageRequest, Layout, Options, cap};
use larder_plan::epoch::{self, Epoch};
use larder_plan::{
    AccountFiles, CACHE_CONTEXT, Context, ContextFact, ImageConfig, NamedContext, Request,
    context_files, context_name, contexts_used, ignore, named_context,
};
use larder_spec::model::Spec;

use crate::facts;
use crate::origin::{dockerignore, from_web, is_archive, solve, solve_definition};

/// The contexts that the client names, looked for where the result uses them; those that it does not
/// use are in the request too, so that their names mean what they mean.
pub(crate) async fn contexts(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    spec: &Spec,
    request: &mut Request,
) -> Result<(), Failure> {
    let keys = options.named_contexts.keys();
    let mut used = contexts_used(spec, request, keys.clone());
    for key in keys {
        let unused = NamedContext::Files(request.context.clone());
        request.contexts.insert(key.clone(), unused);
    }
    // Every image is found out about by planning, which knows whether it is needed.
    let images = options.named_contexts.iter();
    for (key, address) in images {
        if let Some(reference) = image(address) {
            let image = NamedContext::Image(reference.to_owned());
            request.contexts.insert(key.clone(), image);
        }
    }
    if let Epoch::Of(name) = epoch::asked(spec, request)
        && let Some((key, _)) = named_context(request, &name, &request.platform)
    {
        used.insert((key.clone(), request.platform.clone()));
    }
    for (key, platform) in used {
        let Some(address) = options.named_contexts.get(&key) else {
            continue;
        };
        if image(address).is_some() {
            continue;
        }
        let loader = Loader {
            bridge,
            capabilities,
            options,
            key: &key,
            platform: &platform,
        };
        let context = loader.load(address).await?;
        let name = key.split("::").next().unwrap_or_default();
        request
            .contexts
            .insert(format!("{name}::{platform}"), context);
    }
    Ok(())
}

/// The context `larder-cache`, if the client gives one for this platform, or for all.
pub(crate) async fn cache_context(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    platform: &Platform,
) -> Result<Option<Context>, Failure> {
    let of_platform = format!("{CACHE_CONTEXT}::{platform}");
    let given = [of_platform.as_str(), CACHE_CONTEXT]
        .into_iter()
        .find_map(|name| options.named_contexts.get_key_value(name));
    let Some((key, address)) = given else {
        return Ok(None);
    };
    let loader = Loader {
        bridge,
        capabilities,
        options,
        key,
        platform,
    };
    if let Some(name) = address.strip_prefix("local:") {
        return Ok(Some(loader.local(name, Vec::new())));
    }
    match loader.load(address).await? {
        NamedContext::Files(Context::Source {
            source,
            archive: false,
            ..
        }) if matches!(*source, Source::Http(_)) => {
            Err(loader.wrong(format!("`{address}` is no archive")))
        }
        NamedContext::Files(files) | NamedContext::Built { files, .. } => Ok(Some(files)),
        NamedContext::Image(reference) => {
            let name =
                ImageName::parse(&reference).map_err(|error| loader.wrong(error.to_string()))?;
            let image = Image {
                resolve: options.resolve_mode,
                ..Image::new(&name)
            };
            Ok(Some(of_source(Source::Image(image), false)))
        }
    }
}

/// The reference of an address that is an image's.
fn image(address: &str) -> Option<&str> {
    let reference = address.strip_prefix("docker-image:")?;
    Some(reference.strip_prefix("//").unwrap_or(reference))
}

fn of_source(source: Source, archive: bool) -> Context {
    Context::Source {
        source: Box::new(source),
        archive,
        subdir: String::new(),
    }
}

/// Finds out what an address stands for.
struct Loader<'a, B> {
    bridge: &'a B,
    capabilities: &'a Capabilities,
    options: &'a Options,
    /// The option's name behind `context:`.
    key: &'a str,
    platform: &'a Platform,
}

impl<B: Bridge> Loader<'_, B> {
    fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::option(format!("context:{}", self.key), message)
    }

    async fn load(&self, address: &str) -> Result<NamedContext, Failure> {
        if let Some(git) = git_url::parse(address).map_err(|error| self.wrong(error))? {
            let files = of_source(Source::Git(git), false);
            return Ok(NamedContext::Files(files));
        }
        if let Some(reference) = image(address) {
            return Ok(NamedContext::Image(reference.to_owned()));
        }
        match address.split_once(':') {
            Some(("local", name)) => {
                let local = Local {
                    session: self.options.session_of(name).to_owned(),
                    ..Local::new(name)
                };
                let file = dockerignore(self.bridge, self.capabilities, local).await?;
                Ok(NamedContext::Files(self.local(name, ignore::parse(&file))))
            }
            Some(("input", name)) => self.input(name).await,
            Some(("oci-layout", reference)) => {
                let reference = reference.strip_prefix("//").unwrap_or(reference);
                self.layout(reference).await
            }
            Some(("http" | "https", _)) => {
                let file = from_web(address);
                let what = format!("load {} from {address}", self.key);
                let loaded = solve(self.bridge, self.capabilities, file.clone(), &what).await?;
                let archive = is_archive(self.bridge, &loaded.reference).await?;
                Ok(NamedContext::Files(of_source(file, archive)))
            }
            _ => Err(self.wrong(format!(
                "`{address}` is no directory, image, archive on the web, or repository"
            ))),
        }
    }

    fn local(&self, name: &str, exclude: Vec<String>) -> Context {
        Context::Local {
            name: name.to_owned(),
            session: Some(self.options.session_of(name).to_owned()),
            exclude,
        }
    }

    async fn input(&self, name: &str) -> Result<NamedContext, Failure> {
        self.capabilities.require(cap::INPUTS)?;
        let inputs = self.bridge.inputs().await?;
        let input = inputs
            .get(name)
            .ok_or_else(|| self.wrong(format!("the client gives no input `{name}`")))?;
        let files = Context::Input(input.clone());
        match self.options.input_config(name)? {
            Some(config) => self.built(files, &config),
            None => Ok(NamedContext::Files(files)),
        }
    }

    /// `STORE@sha256:…`, in a layout of the client's.
    async fn layout(&self, reference: &str) -> Result<NamedContext, Failure> {
        let digest = reference.split_once('@');
        let (store, digest) = digest.ok_or_else(|| {
            self.wrong(format!(
                "`{reference}` says no digest, as in `NAME@sha256:…`"
            ))
        })?;
        // A tag says nothing beside a digest.
        let path = store.rfind('/').map_or(0, |at| at + 1);
        let store = match store[path..].find(':') {
            Some(at) => &store[..path + at],
            None => store,
        };
        // Shown alone: what is in the layout, the digest says.
        let shown = context_name(self.key.split("::").next().unwrap_or_default());
        let name = ImageName::parse(&format!("{shown}@{digest}"))
            .map_err(|error| self.wrong(error.to_string()))?;
        let session = self.options.session.clone();
        let image = self
            .bridge
            .resolve_image(&ImageRequest {
                reference: name.to_string(),
                platform: self.platform.clone(),
                mode: self.options.resolve_mode,
                log_name: format!("[internal] load metadata for {}", self.key),
                layout: Some(Layout {
                    session: session.clone(),
                    store: store.to_owned(),
                }),
            })
            .await?;
        let layout = OciLayout {
            session,
            store: store.to_owned(),
            ..OciLayout::new(name.to_string())
        };
        self.built(of_source(Source::OciLayout(layout), false), &image.config)
    }

    fn built(&self, files: Context, config: &[u8]) -> Result<NamedContext, Failure> {
        let config = ImageConfig::from_json(config)
            .map_err(|error| self.wrong(format!("its config cannot be read: {error}")))?;
        let config = Box::new(config);
        Ok(NamedContext::Built { files, config })
    }
}

/// The account files of a named context.
pub(crate) async fn accounts(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    request: &Request,
    key: &str,
) -> Result<ContextFact, Failure> {
    let files = match request.contexts.get(key) {
        Some(NamedContext::Files(files) | NamedContext::Built { files, .. }) => files,
        Some(NamedContext::Image(_)) | None => return Ok(ContextFact::default()),
    };
    let platform = key.split_once("::").map(|(_, name)| Platform::parse(name));
    let platform = platform.and_then(Result::ok);
    let platform = platform.as_ref().unwrap_or(&request.platform);
    let (definition, root) = context_files(files, platform, key)
        .map_err(|error| Failure::mistake(format!("{key} cannot be read: {error}")))?;
    if definition.is_scratch() {
        return Ok(ContextFact::default());
    }
    let loaded = solve_definition(bridge, capabilities, definition).await?;
    let accounts: AccountFiles = facts::account_files(bridge, &loaded.reference, &root).await?;
    Ok(ContextFact {
        accounts,
        assumed: false,
    })
}

/// The directories at the top of the context `larder-cache`.
pub(crate) async fn cache_directories(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    request: &Request,
) -> Result<BTreeSet<String>, Failure> {
    let context = larder_plan::cache_context(request)
        .map_err(|error| Failure::mistake(format!("{CACHE_CONTEXT} cannot be read: {error}")))?;
    let Some((definition, root)) = context.filter(|(definition, _)| !definition.is_scratch())
    else {
        return Ok(BTreeSet::new());
    };
    let loaded = solve_definition(bridge, capabilities, definition).await?;
    let entries = bridge.read_dir(&loaded.reference, &root, None).await?;
    let directories = entries.into_iter().filter(FileStat::is_dir);
    Ok(directories
        .map(|entry| entry.path.trim_matches('/').to_owned())
        .collect())
}
