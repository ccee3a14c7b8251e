//! The first entrance: specs.

use buildkit_llb::caps::since;
use buildkit_llb::{Definition, Platform};
use larder_diagnostic::{Diagnostic, quote};
use larder_gateway::{
    AnnotatedPart, Annotation, Bridge, Capabilities, Failure, Image, Options, Outcome, RawResult,
    SolveRequest, cap,
};
use larder_plan::{Plan, lower, show};
use larder_spec::model::AnnotationLevel;

use crate::locate::Found;
use crate::origin::Origin;
use crate::report::Report;
use crate::{PLAN, PLAN_VERSION, epoch, facts, named, request};

/// What a client may demand of a frontend, and this one has. The image's label says the same.
const FRONTEND_CAPS: [&str; 4] = [
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.gitquerystring",
    "moby.buildkit.frontend.subrequests",
];

/// Builds a spec.
pub(crate) async fn build(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    found: Found,
) -> Result<Outcome, Failure> {
    for needed in cap::NEEDED {
        capabilities.require(needed)?;
    }
    let only_plan = match options.request_id.as_deref() {
        None => false,
        Some(PLAN) => true,
        Some(name) => {
            return Err(Failure::Subrequest {
                name: name.to_owned(),
            });
        }
    };
    let lacking = |wanted: &&String| {
        let name = wanted.split('+').next().unwrap_or_default();
        !FRONTEND_CAPS.contains(&name)
    };
    if let Some(name) = options.frontend_caps.iter().find(lacking) {
        return Err(Failure::FrontendCap { name: name.clone() });
    }
    if options.multi_platform {
        capabilities.require(cap::RETURN_MAP)?;
    }

    let origin = Origin::of(found, bridge, capabilities).await?;
    let mut report = Report::new(&origin);
    let plans = plan(bridge, capabilities, options, &origin, &mut report).await?;
    if capabilities.has(cap::WARNINGS) {
        report.send_warnings(bridge).await?;
    }
    report.fail_on_errors()?;
    if only_plan {
        return Ok(Outcome::Raw(shown(&plans)));
    }

    let mut images = Vec::new();
    for (platform, plan) in plans {
        images.push(solve(bridge, capabilities, options, &origin, platform, plan).await?);
    }
    if options.multi_platform {
        return Ok(Outcome::List(images));
    }
    match images.pop() {
        Some(image) => Ok(Outcome::Single(Box::new(image))),
        None => Err(Failure::mistake(format!(
            "{}: there is nothing to build",
            origin.file.name
        ))),
    }
}

/// A plan for each platform; what is wrong goes into the report.
async fn plan(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    origin: &Origin,
    report: &mut Report<'_>,
) -> Result<Vec<(Platform, Plan)>, Failure> {
    report.add(request::ignored(options));
    let parsed = larder_spec::parse(&origin.file);
    report.add(parsed.diagnostics);
    let mut plans = Vec::new();
    let Some(spec) = &parsed.spec else {
        return Ok(plans);
    };
    let nonce = request::nonce();
    let mut files = origin.files();
    for platform in request::platforms(options) {
        let cache = named::cache_context(bridge, capabilities, options, &platform).await?;
        let mut request = request::request(options, &platform, origin, cache, &nonce);
        request.able = request::able(capabilities);
        named::contexts(bridge, capabilities, options, spec, &mut request).await?;
        report.add(epoch::settle(bridge, spec, &mut request).await?);
        let (mut plan, found) = facts::settle(bridge, origin, spec, &request, &mut files).await?;
        report.add(found);
        if let Some(plan) = &mut plan
            && !options.multi_platform
        {
            report.add(without_index(plan));
        }
        plans.extend(plan.map(|plan| (platform, plan)));
    }
    Ok(plans)
}

/// Takes away what is said of an index: a single image has none, and a daemon would refuse to export it.
fn without_index(plan: &mut Plan) -> Vec<Diagnostic> {
    let (kept, dropped) = std::mem::take(&mut plan.annotations)
        .into_iter()
        .partition(|(level, ..)| part(*level).is_of_a_platform());
    plan.annotations = kept;
    let dropped: Vec<_> = dropped;
    let warning = |(_, key, _): (AnnotationLevel, String, String)| {
        let message = format!(
            "the annotation {} is left out: the result has no index",
            quote(&key)
        );
        Diagnostic::warning(None, message)
            .hint("build for several platforms, or put it on the manifest")
    };
    dropped.into_iter().map(warning).collect()
}

fn part(level: AnnotationLevel) -> AnnotatedPart {
    match level {
        AnnotationLevel::Manifest => AnnotatedPart::Manifest,
        AnnotationLevel::ManifestDescriptor => AnnotatedPart::ManifestDescriptor,
        AnnotationLevel::Index => AnnotatedPart::Index,
        AnnotationLevel::IndexDescriptor => AnnotatedPart::IndexDescriptor,
    }
}

/// What `larder plan` would print.
fn shown(plans: &[(Platform, Plan)]) -> RawResult {
    let texts: Vec<String> = plans.iter().map(|(_, plan)| show(plan, false)).collect();
    RawResult::answer([
        ("result.txt", texts.join("\n").into_bytes()),
        ("version", PLAN_VERSION.as_bytes().to_vec()),
    ])
}

async fn solve(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    origin: &Origin,
    platform: Platform,
    plan: Plan,
) -> Result<Image, Failure> {
    let lowered = lower(&plan, &origin.file)
        .map_err(|error| Failure::mistake(format!("the build context cannot be read: {error}")))?;
    let definition = checked(capabilities, lowered.definition)?;
    let reference = bridge
        .solve(SolveRequest {
            definition,
            cache_imports: options.cache_imports.clone(),
            evaluate: false,
        })
        .await?;
    Ok(Image {
        platform,
        reference,
        config: lowered.config,
        base_config: lowered.base_config,
        epoch: plan.epoch(),
        annotations: (plan.annotations.into_iter())
            .map(|(level, key, value)| Annotation {
                on: part(level),
                key,
                value,
            })
            .collect(),
    })
}

/// A definition that this daemon can solve.
pub(crate) fn checked(
    capabilities: &Capabilities,
    definition: Definition,
) -> Result<Definition, Failure> {
    let needed = definition.required_caps();
    capabilities.require_llb(needed.iter().map(|id| (id.as_str(), since(id))))?;
    Ok(definition)
}
