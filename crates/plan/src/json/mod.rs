//! Plans for programs.

mod layers;
mod sees;

use larder_diagnostic::{SourceFile, Span};
use larder_inject::Said;
use layers::Layers;
use sees::Sees;
use serde::Serialize;

use crate::image::ImageConfig;
use crate::model::{Account, Action, Base, Plan, PlannedRun, PlannedStage};
use crate::request::platform_name;
use crate::show::annotated;

/// What [`crate::show`] says of each plan, as JSON, indented: `plans`, each with its `stages`, and their
/// `steps`. A step that runs a program has `mounts`, `leftAlone` and so on, by the names that the plan of
/// a Dockerfile has. What is empty or not known is left out.
pub fn json<'a>(plans: impl IntoIterator<Item = &'a Plan>, file: &SourceFile) -> String {
    let plans = plans.into_iter().map(|plan| Whole::new(plan, file));
    let report = Report {
        plans: plans.collect(),
    };
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

#[derive(Serialize)]
struct Report<'a> {
    plans: Vec<Whole<'a>>,
}

#[derive(Serialize)]
struct Whole<'a> {
    project: &'a str,
    platform: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Arg<'a>>,
    #[serde(rename = "layerCache", skip_serializing_if = "Layers::is_empty")]
    layers: Layers<'a>,
    stages: Vec<Stage<'a>>,
    image: &'a ImageConfig,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotated<'a>>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    assumed: &'a [String],
}

#[derive(Serialize)]
struct Arg<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Annotated<'a> {
    on: &'static str,
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Warning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place<'a>>,
}

#[derive(Serialize)]
struct Stage<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    from: From<'a>,
    #[serde(flatten)]
    who: Who<'a>,
    workdir: &'a str,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum From<'a> {
    Scratch,
    Stage(&'a str),
    Image(&'a str),
    Context(&'a str),
}

#[derive(Serialize)]
struct Who<'a> {
    user: &'a str,
    uid: u32,
    gid: u32,
}

#[derive(Serialize)]
struct Step<'a> {
    name: String,
    location: Place<'a>,
    #[serde(flatten)]
    run: Option<Run<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    lines: [u32; 2],
}

#[derive(Serialize)]
struct Run<'a> {
    args: &'a [String],
    #[serde(flatten)]
    who: Who<'a>,
    workdir: &'a str,
    #[serde(flatten)]
    said: Said<'a>,
    #[serde(flatten)]
    sees: Sees<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    from: &'a str,
    to: &'a str,
}

impl<'a> Whole<'a> {
    fn new(plan: &'a Plan, file: &'a SourceFile) -> Whole<'a> {
        let stages = plan.stages.iter();
        Whole {
            project: &plan.project,
            platform: platform_name(&plan.request.platform),
            layers: Layers::new(&plan.layer_cache),
            stages: stages.map(|stage| Stage::new(plan, stage, file)).collect(),
            image: &plan.config,
            args: (plan.args.iter())
                .map(|arg| Arg {
                    name: &arg.name,
                    value: arg.value.as_deref(),
                    default: arg.default.as_deref(),
                    description: arg.description.as_deref(),
                    location: Place::new(file, arg.span),
                })
                .collect(),
            annotations: (plan.annotations.iter())
                .map(|(level, name, value)| Annotated {
                    on: annotated(*level),
                    name,
                    value,
                })
                .collect(),
            epoch: plan.epoch(),
            warnings: (plan.warnings.iter())
                .map(|warning| Warning {
                    lint: warning.lint,
                    message: &warning.message,
                    hint: warning.hint.as_deref(),
                    location: warning.span.map(|span| Place::new(file, span)),
                })
                .collect(),
            assumed: &plan.assumed,
        }
    }
}

impl<'a> Stage<'a> {
    fn new(plan: &'a Plan, stage: &'a PlannedStage, file: &'a SourceFile) -> Stage<'a> {
        let steps = stage.steps.iter().enumerate();
        Stage {
            name: &stage.name,
            description: stage.description.as_deref(),
            from: match &stage.base {
                Base::Scratch => From::Scratch,
                Base::Stage(index) => {
                    From::Stage(plan.stages.get(*index).map_or("", |stage| &stage.name))
                }
                Base::Image(image) => From::Image(&image.reference),
                Base::Context(name) => From::Context(name),
            },
            who: Who::new(&stage.user),
            workdir: &stage.workdir,
            steps: steps
                .map(|(index, step)| Step {
                    name: stage.label(index),
                    location: Place::new(file, step.span),
                    run: match &step.action {
                        Action::Run(run) => Some(Run::new(plan, run)),
                        _ => None,
                    },
                })
                .collect(),
        }
    }
}

impl<'a> Run<'a> {
    fn new(plan: &Plan, run: &'a PlannedRun) -> Run<'a> {
        let outputs = run.outputs.iter();
        Run {
            args: &run.args,
            who: Who::new(&run.account),
            workdir: &run.cwd,
            said: Said::new(&run.decision),
            sees: Sees::new(run, &|index| {
                let stage = plan.stages.get(index);
                stage.map(|stage| stage.name.clone()).unwrap_or_default()
            }),
            outputs: outputs
                .map(|output| Output {
                    from: &output.from,
                    to: &output.to,
                })
                .collect(),
        }
    }
}

impl<'a> Who<'a> {
    fn new(account: &'a Account) -> Who<'a> {
        let owner = account.owner();
        let written = account.written.as_str();
        Who {
            user: if written.is_empty() { "root" } else { written },
            uid: owner.uid,
            gid: owner.gid,
        }
    }
}

impl<'a> Place<'a> {
    fn new(file: &'a SourceFile, span: Span) -> Place<'a> {
        let lines = file.lines(span);
        Place {
            file: &file.name,
            lines: [*lines.start(), *lines.end()],
        }
    }
}
