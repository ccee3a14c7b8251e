//! Finding out what planning asks for.

use std::collections::BTreeMap;

use buildkit_llb::{Constraints, Graph, ImageName, Meta, Platform};
use futures_util::future::join_all;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_gateway::{Bridge, Failure, ImageRequest, Ref, SolveRequest};
use larder_plan::{
    AccountFiles, ContextFiles, Facts, ImageConfig, ImageFact, ImageId, ImageNeed, NamedContext,
    Plan, Planned, Request, named_context, plan,
};
use larder_spec::model::{CacheChoice, CacheEntry, MountKind, Spec, Stage, StepKind};
use larder_spec::template::Template;

use crate::named;
use crate::origin::Origin;

/// Each answer may lead to one more question: a manifest names another. So many in a row, none does.
const MAX_ROUNDS: usize = 1000;
/// The size of the largest `/etc/passwd` and the like that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Asks planning until everything is known. Files of the context are the same for every platform, and
/// are kept.
pub(crate) async fn settle(
    bridge: &impl Bridge,
    origin: &Origin,
    spec: &Spec,
    request: &Request,
    files: &mut ContextFiles,
) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
    let mut facts = Facts {
        files: files.clone(),
        ..Facts::default()
    };
    let mut found = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let needs = match plan(spec, request, &facts) {
            Planned::Needs(needs) => needs,
            Planned::Plan(mut plan) => {
                found.append(&mut plan.warnings);
                files.clone_from(&facts.files);
                return Ok((Some(*plan), found));
            }
            Planned::Mistakes(mistakes) => {
                found.extend(mistakes);
                return Ok((None, found));
            }
        };
        let missing = images(bridge, request, &needs.images, &mut facts).await?;
        for (image, failure) in missing {
            found.extend(blame(spec, request, &image.reference, &failure));
        }
        for key in &needs.contexts {
            let fact = named::accounts(bridge, &origin.capabilities, request, key).await?;
            facts.contexts.insert(key.clone(), fact);
        }
        let wanted: Vec<String> = needs.files.into_iter().collect();
        if !wanted.is_empty() {
            origin.gather(bridge, wanted, &mut facts.files).await?;
        }
        if needs.cache_directories {
            let found = named::cache_directories(bridge, &origin.capabilities, request).await?;
            facts.cache_directories = Some(found);
        }
    }
    Err(Failure::mistake(
        "planning asks for more and more; please report this, with the spec",
    ))
}

/// Looks up images, all at the same time. For one that is not there a stand-in goes into the facts, so
/// that planning can look for more mistakes.
async fn images(
    bridge: &impl Bridge,
    request: &Request,
    needs: &BTreeMap<ImageId, ImageNeed>,
    facts: &mut Facts,
) -> Result<Vec<(ImageId, Failure)>, Failure> {
    let answers = join_all(needs.iter().map(async |(image, need)| {
        let known = facts.images.get(image);
        let fact = look_up(bridge, request, image, *need, known).await;
        (image.clone(), fact)
    }))
    .await;
    let mut missing = Vec::new();
    for (image, answer) in answers {
        let fact = match answer {
            Ok(fact) => fact,
            Err(failure) if failure.is_disconnected() => return Err(failure),
            Err(failure) => {
                missing.push((image.clone(), failure));
                ImageFact {
                    accounts: Some(AccountFiles::default()),
                    assumed: true,
                    ..ImageFact::default()
                }
            }
        };
        facts.images.insert(image, fact);
    }
    Ok(missing)
}

async fn look_up(
    bridge: &impl Bridge,
    request: &Request,
    image: &ImageId,
    need: ImageNeed,
    known: Option<&ImageFact>,
) -> Result<ImageFact, Failure> {
    let mut fact = match known {
        Some(fact) => fact.clone(),
        None => resolve(bridge, request, image).await?,
    };
    if need == ImageNeed::Accounts && fact.accounts.is_none() {
        fact.accounts = Some(accounts(bridge, request, image, &fact).await?);
    }
    Ok(fact)
}

/// What an image is for.
fn platform<'a>(request: &'a Request, image: &'a ImageId) -> &'a Platform {
    image.platform.as_ref().unwrap_or(&request.platform)
}

async fn resolve(
    bridge: &impl Bridge,
    request: &Request,
    id: &ImageId,
) -> Result<ImageFact, Failure> {
    let reference = id.reference.as_str();
    let image = bridge
        .resolve_image(&ImageRequest {
            reference: reference.to_owned(),
            platform: platform(request, id).clone(),
            mode: request.resolve_mode,
            log_name: format!("[internal] load metadata for {id}"),
            layout: None,
        })
        .await?;
    let config = ImageConfig::from_json(&image.config)
        .map_err(|error| Failure::mistake(format!("its config cannot be read: {error}")))?;
    // Where a policy of the daemon replaces the image, it does so again when it is pulled.
    let replaced = image.reference != reference;
    Ok(ImageFact {
        config,
        digest: Some(image.digest).filter(|digest| !digest.is_empty() && !replaced),
        ..ImageFact::default()
    })
}

/// Reads the files that tell who the users of an image are. The image is pulled for that.
async fn accounts(
    bridge: &impl Bridge,
    request: &Request,
    id: &ImageId,
    fact: &ImageFact,
) -> Result<AccountFiles, Failure> {
    let invalid = |error: &dyn std::fmt::Display| Failure::mistake(error.to_string());
    let mut name = ImageName::parse(&id.reference).map_err(|error| invalid(&error))?;
    let familiar = name.familiar();
    if let (None, Some(digest)) = (name.digest(), &fact.digest) {
        name = name
            .with_digest(digest.as_str())
            .map_err(|error| invalid(&error))?;
    }
    let mut graph = Graph::new();
    let image = buildkit_llb::Image {
        resolve: request.resolve_mode,
        ..buildkit_llb::Image::new(&name)
    };
    let meta = Meta::named(format!("[internal] load users of {familiar}"));
    let vertex = graph.add(image, &Constraints::on(platform(request, id).clone()), meta);
    let definition = graph.definition(vertex.only());
    let root = bridge
        .solve(SolveRequest {
            definition,
            ..SolveRequest::default()
        })
        .await?;
    account_files(bridge, &root, "").await
}

/// The files below a directory that tell who users are.
pub(crate) async fn account_files(
    bridge: &impl Bridge,
    files: &Ref,
    directory: &str,
) -> Result<AccountFiles, Failure> {
    let directory = directory.trim_end_matches('/');
    let read = async |path: &str| {
        let path = format!("{directory}{path}");
        let data = bridge.read_file_if_any(files, &path, MAX_BYTES).await?;
        Ok::<_, Failure>(data.map(|data| String::from_utf8_lossy(&data).into_owned()))
    };
    let os_release = match read("/etc/os-release").await? {
        None => read("/usr/lib/os-release").await?,
        found => found,
    };
    Ok(AccountFiles {
        passwd: read("/etc/passwd").await?,
        group: read("/etc/group").await?,
        os_release,
    })
}

/// An error at every place of the spec that names an image.
fn blame(spec: &Spec, request: &Request, reference: &str, failure: &Failure) -> Vec<Diagnostic> {
    let mut names: Vec<(String, Span)> = Vec::new();
    for stage in &spec.stages {
        for template in templates(spec, stage) {
            let lookup = |name: &str| Some(arg(spec, request, &stage.args, name));
            let Ok(written) = template.expand(&lookup) else {
                continue;
            };
            let replaced = named_context(request, &written, &request.platform);
            let image = match replaced {
                Some((_, NamedContext::Image(image))) => image,
                Some(_) => continue,
                None => &written,
            };
            let is_it = ImageName::parse(image).is_ok_and(|name| name.to_string() == reference);
            let seen = names.iter().any(|(_, span)| *span == template.span);
            if is_it && !seen {
                names.push((written, template.span));
            }
        }
    }
    let error = |name: &str, span: Option<Span>| {
        let error = Diagnostic::error(
            span,
            format!("the image {} cannot be used: {failure}", quote(name)),
        );
        if failure.is_not_found() || failure.to_string().contains("denied") {
            error.hint("check its name and tag; for a private one, log in first (`docker login`)")
        } else {
            error
        }
    };
    if names.is_empty() {
        return vec![error(reference, None)];
    }
    names
        .into_iter()
        .map(|(name, span)| error(&name, Some(span)))
        .collect()
}

/// Every `from` of a stage, and of the caches that all stages have.
fn templates<'s>(spec: &'s Spec, stage: &'s Stage) -> Vec<&'s Template> {
    fn of_caches(choice: &CacheChoice) -> impl Iterator<Item = &Template> {
        choice.entries.iter().filter_map(|entry| match entry {
            CacheEntry::Own(own) => own.from.as_ref(),
            CacheEntry::Named(_) => None,
        })
    }
    let mut found = vec![&stage.from];
    let outer = spec.caches.iter().chain(&stage.caches);
    found.extend(outer.flat_map(of_caches));
    for step in &stage.steps {
        let (options, caches) = match &step.kind {
            StepKind::Copy(copy) => {
                found.extend(&copy.from);
                continue;
            }
            StepKind::Run(run) => (&run.options, &run.caches),
            StepKind::Install(install) => (&install.options, &install.caches),
            StepKind::Add(_) | StepKind::File(_) => continue,
        };
        found.extend(caches.iter().flat_map(of_caches));
        found.extend(options.mounts.iter().filter_map(|mount| match &mount.kind {
            MountKind::Bind(bind) => bind.from.as_ref(),
            MountKind::Tmpfs { .. } => None,
        }));
    }
    found
}

/// The value of an arg, as far as it is plain to see.
fn arg(
    spec: &Spec,
    request: &Request,
    of_stage: &[larder_spec::model::Arg],
    name: &str,
) -> Option<String> {
    let declared = |arg: &&larder_spec::model::Arg| arg.name.value == name;
    let default = of_stage
        .iter()
        .find(declared)
        .or_else(|| spec.args.iter().find(declared))
        .and_then(|arg| arg.default.as_ref())
        .and_then(Template::literal)
        .map(std::borrow::Cow::into_owned);
    request.build_args.get(name).cloned().or(default)
}
