//! Finding out what planning asks for.

use std::collections::BTreeMap;

use buildkit_llb::{Constraints, Graph, ImageName, Meta};
use futures_util::future::join_all;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_gateway::{Bridge, Failure, ImageRequest, Ref, SolveRequest};
use larder_plan::{
    AccountFiles, ContextFiles, Facts, ImageConfig, ImageFact, ImageNeed, Plan, Planned, Request,
    plan,
};
use larder_spec::model::{Spec, StepKind};
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
        for (reference, failure) in missing {
            found.extend(blame(spec, request, &reference, &failure));
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
    needs: &BTreeMap<String, ImageNeed>,
    facts: &mut Facts,
) -> Result<Vec<(String, Failure)>, Failure> {
    let answers = join_all(needs.iter().map(async |(reference, need)| {
        let known = facts.images.get(reference);
        let fact = look_up(bridge, request, reference, *need, known).await;
        (reference.clone(), fact)
    }))
    .await;
    let mut missing = Vec::new();
    for (reference, answer) in answers {
        let fact = match answer {
            Ok(fact) => fact,
            Err(failure) if failure.is_disconnected() => return Err(failure),
            Err(failure) => {
                missing.push((reference.clone(), failure));
                ImageFact {
                    accounts: Some(AccountFiles::default()),
                    assumed: true,
                    ..ImageFact::default()
                }
            }
        };
        facts.images.insert(reference, fact);
    }
    Ok(missing)
}

async fn look_up(
    bridge: &impl Bridge,
    request: &Request,
    reference: &str,
    need: ImageNeed,
    known: Option<&ImageFact>,
) -> Result<ImageFact, Failure> {
    let mut fact = match known {
        Some(fact) => fact.clone(),
        None => resolve(bridge, request, reference).await?,
    };
    if need == ImageNeed::Accounts && fact.accounts.is_none() {
        fact.accounts = Some(accounts(bridge, request, reference, &fact).await?);
    }
    Ok(fact)
}

async fn resolve(
    bridge: &impl Bridge,
    request: &Request,
    reference: &str,
) -> Result<ImageFact, Failure> {
    let image = bridge
        .resolve_image(&ImageRequest {
            reference: reference.to_owned(),
            platform: request.platform.clone(),
            mode: request.resolve_mode,
            log_name: format!("[internal] load metadata for {reference}"),
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
    reference: &str,
    fact: &ImageFact,
) -> Result<AccountFiles, Failure> {
    let invalid = |error: &dyn std::fmt::Display| Failure::mistake(error.to_string());
    let mut name = ImageName::parse(reference).map_err(|error| invalid(&error))?;
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
    let vertex = graph.add(image, &Constraints::on(request.platform.clone()), meta);
    let definition = graph.definition(vertex.only());
    let root = bridge
        .solve(SolveRequest {
            definition,
            ..SolveRequest::default()
        })
        .await?;
    let os_release = match read(bridge, &root, "/etc/os-release").await? {
        None => read(bridge, &root, "/usr/lib/os-release").await?,
        found => found,
    };
    Ok(AccountFiles {
        passwd: read(bridge, &root, "/etc/passwd").await?,
        group: read(bridge, &root, "/etc/group").await?,
        os_release,
    })
}

async fn read(bridge: &impl Bridge, root: &Ref, path: &str) -> Result<Option<String>, Failure> {
    let data = bridge.read_file_if_any(root, path, MAX_BYTES).await?;
    Ok(data.map(|data| String::from_utf8_lossy(&data).into_owned()))
}

/// An error at every place of the spec that names an image.
fn blame(spec: &Spec, request: &Request, reference: &str, failure: &Failure) -> Vec<Diagnostic> {
    let mut names: Vec<(String, Span)> = Vec::new();
    for stage in &spec.stages {
        let copies = stage.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Copy(copy) => copy.from.as_ref(),
            _ => None,
        });
        for template in std::iter::once(&stage.from).chain(copies) {
            let lookup = |name: &str| Some(arg(spec, request, &stage.args, name));
            let Ok(written) = template.expand(&lookup) else {
                continue;
            };
            if ImageName::parse(&written).is_ok_and(|name| name.to_string() == reference) {
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
