//! The frontend: what `BuildKit` runs to build a spec. Wiring only; it decides nothing.
//!
//! ```text
//! origin (the file, the context) ─▶ spec::parse ─▶ plan ⇄ facts ─▶ lower ─▶ solve ─▶ the result
//! ```

mod facts;
mod named;
mod origin;
mod paths;
mod report;
mod request;
mod wrong_file;

use buildkit_llb::caps::since;
use buildkit_llb::{Definition, Platform};
use larder_gateway::{
    Bridge, Capabilities, Failure, Image, Options, Outcome, SolveRequest, WireDefinition, cap,
};
use larder_plan::{Plan, lower};

use crate::origin::Origin;
use crate::report::Report;

/// Builds what the environment of the process asks for, and returns the result or the error to the
/// daemon. The error is for the exit code: the daemon has been told, unless it cannot be reached.
pub async fn run(
    bridge: &impl Bridge,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Failure> {
    let built = match Options::from_env(variables) {
        Ok(options) => build(bridge, &options).await,
        Err(failure) => Err(failure),
    };
    match built {
        Ok(outcome) => bridge.return_outcome(outcome).await,
        Err(failure) => {
            if !failure.is_disconnected() {
                bridge.return_failure(&failure).await?;
            }
            Err(failure)
        }
    }
}

/// What a client may demand of a frontend, and this one has. The image's label says the same.
const FRONTEND_CAPS: [&str; 3] = [
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.gitquerystring",
];

/// Builds what the options ask for.
pub async fn build(bridge: &impl Bridge, options: &Options) -> Result<Outcome, Failure> {
    let capabilities = bridge.ping().await?;
    for needed in cap::NEEDED {
        capabilities.require(needed)?;
    }
    if let Some(name) = &options.request_id {
        return Err(Failure::Subrequest { name: name.clone() });
    }
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

    let origin = Origin::load(bridge, &capabilities, options).await?;
    wrong_file::refuse_dockerfile(&origin.file)?;
    let mut report = Report::new(&origin);
    report.add(request::ignored(options));
    let parsed = larder_spec::parse(&origin.file);
    report.add(parsed.diagnostics);

    let mut plans = Vec::new();
    if let Some(spec) = &parsed.spec {
        let nonce = request::nonce();
        let mut files = origin.files();
        for platform in request::platforms(options) {
            let cache = named::cache_context(bridge, &capabilities, options, &platform).await?;
            let request = request::request(options, &platform, &origin, cache, &nonce);
            let (plan, found) = facts::settle(bridge, &origin, spec, &request, &mut files).await?;
            report.add(found);
            plans.extend(plan.map(|plan| (platform, plan)));
        }
    }
    if capabilities.has(cap::WARNINGS) {
        report.send_warnings(bridge).await?;
    }
    report.fail_on_errors()?;

    let mut images = Vec::new();
    for (platform, plan) in plans {
        images.push(solve(bridge, &capabilities, options, &origin, platform, plan).await?);
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
    })
}

/// A definition that this daemon can solve.
fn checked(capabilities: &Capabilities, definition: Definition) -> Result<WireDefinition, Failure> {
    let needed = definition.required_caps();
    capabilities.require_llb(needed.iter().map(|id| (id.as_str(), since(id))))?;
    Ok(definition.into_proto())
}
