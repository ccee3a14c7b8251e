//! Build contexts that the client gives a name.

use std::collections::BTreeSet;

use buildkit_llb::{Image, ImageName, Platform, Source, git_url};
use larder_gateway::{Bridge, Capabilities, Failure, FileStat, Options, cap};
use larder_plan::{CACHE_CONTEXT, Context, Request};

use crate::origin::{from_web, is_archive, solve, solve_definition};

/// The context `larder-cache`, if the client gives one for this platform, or for all. Any other is an
/// error: a client that gives an image's name to a context wants it in place of the image.
pub(crate) async fn cache_context(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    platform: &Platform,
) -> Result<Option<Context>, Failure> {
    let mut names = options.named_contexts.keys();
    if let Some(name) = names.find(|name| name.split("::").next() != Some(CACHE_CONTEXT)) {
        let message =
            format!("specs cannot name a build context yet; `{CACHE_CONTEXT}` is the only one");
        return Err(Failure::option(format!("context:{name}"), message));
    }
    let of_platform = format!("{CACHE_CONTEXT}::{platform}");
    let given = [of_platform.as_str(), CACHE_CONTEXT]
        .into_iter()
        .find_map(|name| Some((name, options.named_contexts.get(name)?)));
    let Some((name, address)) = given else {
        return Ok(None);
    };
    let wrong = |message: String| Failure::option(format!("context:{name}"), message);
    let source = |source, archive| {
        Ok(Some(Context::Source {
            source: Box::new(source),
            archive,
            subdir: String::new(),
        }))
    };
    if let Some(git) = git_url::parse(address).map_err(wrong)? {
        return source(Source::Git(git), false);
    }
    match address.split_once(':') {
        Some(("local", name)) => Ok(Some(Context::Local {
            name: name.to_owned(),
            session: Some(options.session_of(name).to_owned()),
            exclude: Vec::new(),
        })),
        Some(("input", name)) => {
            capabilities.require(cap::INPUTS)?;
            let inputs = bridge.inputs().await?;
            let input = inputs
                .get(name)
                .ok_or_else(|| wrong(format!("the client gives no input `{name}`")))?;
            Ok(Some(Context::Input(input.clone())))
        }
        Some(("docker-image", reference)) => {
            let name = ImageName::parse(reference.trim_start_matches('/'))
                .map_err(|error| wrong(error.to_string()))?;
            let image = Image {
                resolve: options.resolve_mode,
                ..Image::new(&name)
            };
            source(Source::Image(image), false)
        }
        Some(("http" | "https", _)) => {
            let file = from_web(address);
            let what = format!("load {CACHE_CONTEXT} from {address}");
            let loaded = solve(bridge, capabilities, file.clone(), &what).await?;
            if !is_archive(bridge, &loaded.reference).await? {
                return Err(wrong(format!("`{address}` is no archive")));
            }
            source(file, true)
        }
        _ => Err(wrong(format!(
            "`{address}` is no directory, image, archive on the web, or repository"
        ))),
    }
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
