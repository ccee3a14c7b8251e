//! The first entrance: specs.

use buildkit_llb::caps::{self, since};
use buildkit_llb::{Definition, LinuxResources, Platform};
use larder_diagnostic::{Diagnostic, quote};
use larder_gateway::{
    AnnotatedPart, Annotation, Bridge, CacheImport, Capabilities, Failure, Image, Options, Outcome,
    SolveRequest, cap,
};
use larder_plan::layers::layer_cache as layers_of;
use larder_plan::lints::silence;
use larder_plan::{Plan, lower, outline as of_spec, with_all_stages};
use larder_spec::model::{AnnotationLevel, Spec};

use crate::ask::{self, Question, describe, lint, outline, targets};
use crate::locate::Found;
use crate::origin::Origin;
use crate::report::Report;
use crate::{epoch, facts, layers, named, request};

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
    let unknown = |name: &String| Failure::Subrequest { name: name.clone() };
    let request = options.request_id.as_ref();
    let question = request.map(|name| Question::of(name).ok_or_else(|| unknown(name)));
    let question = question.transpose()?;
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

    match question {
        Some(Question::Describe) => return Ok(Outcome::Raw(describe::answer())),
        Some(Question::Schema) => return Ok(Outcome::Raw(ask::schema::answer())),
        _ => {}
    }

    let origin = Origin::of(found, bridge, capabilities).await?;
    let mut report = Report::new(&origin);
    if question == Some(Question::LayerCache) {
        return layer_cache(bridge, options, &origin, report).await;
    }
    if question == Some(Question::Targets) {
        let parsed = larder_spec::parse(&origin.file);
        report.add(parsed.diagnostics);
        report.fail_on_errors()?;
        let spec = parsed.spec.ok_or_else(|| nothing(&origin))?;
        return Ok(Outcome::Raw(targets::answer(
            &of_spec::targets(&spec),
            &origin.file,
        )));
    }
    let all = question == Some(Question::Lint);
    let planned = plan(bridge, capabilities, options, &origin, &mut report, all).await;
    report.settle(options);
    if question == Some(Question::Lint) {
        return match planned {
            Err(failure) if failure.is_disconnected() => Err(failure),
            planned => Ok(Outcome::Raw(lint::answer(&report, planned.err().as_ref()))),
        };
    }
    let (spec, mut plans) = planned?;
    if capabilities.has(cap::WARNINGS) {
        report.send_warnings(bridge).await?;
    }
    report.fail_on_errors()?;
    for (_, plan) in &mut plans {
        plan.warnings = report.warnings();
    }
    let each: Vec<&Plan> = plans.iter().map(|(_, plan)| plan).collect();
    match (question, each.first()) {
        (_, None) => return Err(nothing(&origin)),
        (Some(Question::Plan), _) => {
            return Ok(Outcome::Raw(ask::plan::answer(&each, &origin.file)));
        }
        (Some(Question::Outline), Some(first)) => {
            return Ok(Outcome::Raw(outline::answer(
                &of_spec::outline(first),
                &origin.file,
            )));
        }
        _ => {}
    }

    let imports = imports(
        bridge,
        capabilities,
        options,
        &report,
        spec.as_ref(),
        &plans,
    )
    .await?;
    let mut images = Vec::new();
    for ((platform, plan), imports) in plans.into_iter().zip(imports) {
        images.push(solve(bridge, capabilities, &origin, platform, plan, imports).await?);
    }
    if options.multi_platform {
        return Ok(Outcome::List(images));
    }
    match images.pop() {
        Some(image) => Ok(Outcome::Single(Box::new(image))),
        None => Err(nothing(&origin)),
    }
}

fn nothing(origin: &Origin) -> Failure {
    Failure::mistake(format!("{}: there is nothing to build", origin.file.name))
}

/// Where layers are looked for, for each platform. What of it is not there is warned of.
async fn imports(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    report: &Report<'_>,
    spec: Option<&Spec>,
    plans: &[(Platform, Plan)],
) -> Result<Vec<Vec<CacheImport>>, Failure> {
    let wanted = plans.iter().map(|(_, plan)| &plan.layer_cache.imports);
    let wanted: Vec<_> = wanted
        .map(|of_spec| layers::wanted(&options.cache_imports, of_spec))
        .collect();
    let platform = request::own_platform(options);
    let (imports, mut found) = layers::available(bridge, &wanted, &platform).await?;
    if let Some(spec) = spec {
        silence(spec, &mut found);
    }
    if capabilities.has(cap::WARNINGS) {
        report.send_late(bridge, options, found).await?;
    }
    Ok(imports)
}

/// The answer to where layers come from and go to.
async fn layer_cache(
    bridge: &impl Bridge,
    options: &Options,
    origin: &Origin,
    mut report: Report<'_>,
) -> Result<Outcome, Failure> {
    let parsed = larder_spec::parse(&origin.file);
    report.add(parsed.diagnostics);
    let mut caches = Vec::new();
    if let Some(spec) = &parsed.spec {
        let nonce = request::nonce();
        for platform in request::platforms(options) {
            let request = request::request(options, &platform, origin, None, &nonce);
            let (cache, found) = layers_of(spec, &request);
            report.add(found);
            caches.push(cache);
        }
    }
    report.fail_on_errors()?;
    let platform = request::own_platform(options);
    let answer = ask::layercache::answered(bridge, &caches, &platform).await?;
    Ok(Outcome::Raw(answer))
}

/// What is in the file, and a plan for each platform; what is wrong goes into the report. With `all`, stages that the result does
/// not need are looked at as well, unless the client names a target.
async fn plan(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    options: &Options,
    origin: &Origin,
    report: &mut Report<'_>,
    all: bool,
) -> Result<(Option<Spec>, Vec<(Platform, Plan)>), Failure> {
    report.add(Vec::from_iter(request::ignored(options, capabilities)));
    let parsed = larder_spec::parse(&origin.file);
    report.add(parsed.diagnostics);
    let mut plans = Vec::new();
    let Some(spec) = &parsed.spec else {
        return Ok((None, plans));
    };
    let nonce = request::nonce();
    let mut files = origin.files();
    for platform in request::platforms(options) {
        let cache = named::cache_context(bridge, capabilities, options, &platform).await?;
        let mut request = request::request(options, &platform, origin, cache, &nonce);
        request.able = request::able(capabilities);
        if !capabilities.has_llb(caps::EXEC_LINUX_RESOURCES) {
            request.run.resources = LinuxResources::default();
        }
        named::contexts(bridge, capabilities, options, spec, &mut request).await?;
        report.add(epoch::settle(bridge, spec, &mut request).await?);
        let (mut plan, found) = facts::settle(bridge, origin, spec, &request, &mut files).await?;
        report.add(found);
        if let Some(plan) = &mut plan
            && !options.multi_platform
        {
            report.add(without_index(plan));
        }
        let left_out = plan
            .as_ref()
            .is_none_or(|it| it.stages.len() < spec.stages.len());
        if all && left_out && request.target.is_none() {
            let spec = with_all_stages(spec);
            let (_, found) = facts::settle(bridge, origin, &spec, &request, &mut files).await?;
            report.add(found);
        }
        plans.extend(plan.map(|plan| (platform, plan)));
    }
    Ok((parsed.spec, plans))
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
            .lint("annotation-without-index")
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

async fn solve(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    origin: &Origin,
    platform: Platform,
    plan: Plan,
    cache_imports: Vec<CacheImport>,
) -> Result<Image, Failure> {
    let lowered = lower(&plan, &origin.file)
        .map_err(|error| Failure::mistake(format!("the build context cannot be read: {error}")))?;
    let definition = checked(capabilities, lowered.definition)?;
    let reference = bridge
        .solve(SolveRequest {
            definition,
            cache_imports,
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
