//! From a spec to a plan, and from the plan to LLB. Pure: no I/O, no clock, no chance.
//!
//! [`plan`] either decides everything, or says what it has to know first ([`Needs`]), or lists what is
//! wrong with the spec. The caller gathers [`Facts`] and asks again:
//!
//! ```text
//! plan(spec, request, facts) ─▶ Needs ─▶ the caller adds to facts ─▶ plan(…) ─▶ Plan ─▶ lower ─▶ Definition
//! ```
//!
//! [`show`] writes a plan for people.

pub mod epoch;
pub mod facts;
pub mod ignore;
pub mod image;
pub mod layers;
pub mod model;
pub mod outline;
pub mod request;

mod accounts;
mod add;
mod args;
mod base;
mod caches;
mod config;
mod copy;
mod env;
mod every;
mod file;
mod from;
mod install;
mod json;
mod link;
pub mod lints;
mod lower;
mod names;
mod options;
mod outputs;
mod paths;
mod planner;
mod run;
mod runtime;
mod show;
mod signals;
mod stage;
mod stages;
mod suggest;
mod users;
mod web;

pub use args::is_predefined;
pub use every::with_all_stages;
pub use facts::{
    AccountFiles, ContextFact, ContextFiles, Facts, ImageFact, ImageNeed, Needs, offline_facts,
};
pub use from::{context_name, named_context};
pub use image::ImageConfig;
pub use json::json;
pub use lower::{Lowered, cache_context, context_files, lower};
pub use model::{ImageId, Plan};
pub use request::{
    Able, CACHE_CONTEXT, CACHE_CONTEXT_TARGET, Context, NamedContext, NoCache, Request, RunOptions,
    platform_name,
};
pub use show::show;

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Severity, share_hidden};
use larder_spec::model::Spec;

use crate::from::From;
use crate::model::{Base, PlannedStage};
use crate::planner::Planner;
use crate::runtime::RuntimeCaches;
use crate::stages::Stages;

/// What [`plan`] comes to.
#[derive(Clone, Debug)]
pub enum Planned {
    /// Everything is decided.
    Plan(Box<Plan>),
    /// Something has to be found out first.
    Needs(Needs),
    /// The spec cannot be built: every mistake, and the warnings so far, in the order of the file.
    Mistakes(Vec<Diagnostic>),
}

/// Decides everything that a build does.
///
/// Mistakes are looked for in the whole spec, also in stages that the result does not need, and before
/// anything is asked for.
pub fn plan(spec: &Spec, request: &Request, facts: &Facts) -> Planned {
    let mut planner = Planner::new(spec, request, facts);
    let plan = all(&mut planner);
    let mut diagnostics = std::mem::take(&mut planner.diagnostics);
    diagnostics.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    // What several steps inherit is wrong once.
    diagnostics.dedup();
    lints::silence(spec, &mut diagnostics);
    share_hidden(&mut diagnostics, &spec.hidden);
    let wrong = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    match plan {
        _ if diagnostics.iter().any(wrong) => Planned::Mistakes(diagnostics),
        _ if !planner.needs.is_empty() => Planned::Needs(planner.needs),
        Some(mut plan) => {
            plan.warnings = diagnostics;
            plan.assumed = planner.assumed.into_iter().collect();
            Planned::Plan(Box::new(plan))
        }
        None => Planned::Mistakes(vec![Diagnostic::error(None, "the spec has no stages")]),
    }
}

fn all(planner: &mut Planner<'_>) -> Option<Plan> {
    let spec = planner.spec;
    let args = args::resolve(planner);
    let epoch = epoch::of(planner);
    let stages = stages::resolve(planner, &args);
    let runtime = RuntimeCaches::resolve(planner, &stages);
    let mut position = vec![0; spec.stages.len()];
    for (at, &index) in stages.order.iter().enumerate() {
        position[index] = at;
    }
    let mut done: Vec<Option<base::Ground>> = vec![None; spec.stages.len()];
    let mut out = Vec::with_capacity(stages.needed);
    let mut images = BTreeMap::new();
    for (at, &index) in stages.order.iter().enumerate() {
        planner.aside = at >= stages.needed;
        let stage = &spec.stages[index];
        let from = &stages.bases[index];
        if !planner.spend(4096, stage.name.span) {
            break;
        }
        let platform = stages.platforms[index].as_ref();
        let ground = base::ground(planner, from, stage, platform, &done);
        if !planner.spend(ground.size(), stage.name.span) {
            break;
        }
        let taken = &stages.taken[index];
        let installed = runtime.installed(index);
        let args = &args[index];
        let built = stage::build(planner, stage, args, taken, &position, ground, installed);
        let platform = built.ground.platform.clone();
        done[index] = Some(built.ground);
        if planner.aside {
            continue;
        }
        for (written, reference) in taken.images() {
            images.insert(written.clone(), base::pinned(planner, reference));
        }
        let base = base::base(planner, from, &platform, &position);
        if let (From::Image { written, .. }, Base::Image(image)) = (from, &base) {
            images.insert(written.clone(), image.reference.clone());
        }
        out.push(PlannedStage {
            name: stage.name.value.clone(),
            description: stage.description.as_ref().map(|text| text.value.clone()),
            base,
            platform: base::other(planner, &platform),
            span: stage.from.span,
            user: built.account,
            workdir: built.workdir,
            steps: built.steps,
            nonce: planner
                .request
                .no_cache
                .nonce(&stage.name.value)
                .map(str::to_owned),
        });
    }
    planner.aside = false;
    if planner.needs.is_empty() {
        lints::check(planner, &out);
    }
    let target = stages.order[..stages.needed].last()?;
    let result = done[*target].as_mut()?;
    runtime.keep(planner, &position, &mut out, result);
    let (config, base_config) = config::of_result(result, planner.request, epoch);
    let annotations = std::mem::take(&mut result.annotations).into_iter();
    let annotations = annotations
        .map(|((level, name), value)| (level, name, value))
        .collect();
    let name = spec.name.as_ref().map(|name| name.value.clone());
    Some(Plan {
        warnings: Vec::new(),
        assumed: Vec::new(),
        project: name.unwrap_or_else(|| planner.request.project.clone()),
        context_paths: copy::context_paths(&out),
        seeds: caches::seeds(planner, &out),
        args: args::planned(spec, &args, &stages.order[..stages.needed]),
        stages: out,
        images,
        contexts: contexts(planner.request, &stages),
        annotations,
        layer_cache: planner.layer_cache(),
        config,
        base_config,
        request: Request {
            epoch,
            ..planner.request.clone()
        },
    })
}

/// The named contexts that the result uses.
fn contexts(request: &Request, stages: &Stages) -> BTreeMap<String, Context> {
    let used = stages.contexts(request);
    let found = used.into_iter().filter_map(|(key, _)| {
        let files = match request.contexts.get(&key)? {
            NamedContext::Files(files) | NamedContext::Built { files, .. } => files.clone(),
            NamedContext::Image(_) => return None,
        };
        Some((key, files))
    });
    found.collect()
}

/// Which of the named contexts with these keys the result of a spec uses, and on which platforms, so
/// that only those are looked for. Mistakes are left for [`plan`] to find.
pub fn contexts_used<'k>(
    spec: &Spec,
    request: &Request,
    keys: impl IntoIterator<Item = &'k String>,
) -> BTreeSet<(String, Platform)> {
    let mut request = request.clone();
    for key in keys {
        let any = NamedContext::Files(request.context.clone());
        request.contexts.insert(key.clone(), any);
    }
    if request.contexts.is_empty() {
        return BTreeSet::new();
    }
    let facts = Facts::default();
    let mut planner = Planner::new(spec, &request, &facts);
    let args = args::resolve(&mut planner);
    stages::resolve(&mut planner, &args).contexts(&request)
}
