//! Which stage stands on what, and in which order they are planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::ImageName;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::StepKind;
use larder_spec::template::Template;

use crate::args::Args;
use crate::planner::{Planner, Scope};
use crate::suggest;

/// What `from` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Scratch,
    /// A stage of the spec, by index.
    Stage(usize),
    /// An image: as written, and normalised.
    Image {
        written: String,
        reference: String,
    },
    /// It was wrong, and has been reported.
    Unclear,
}

/// Every `from` of a spec, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Stages {
    /// By stage.
    pub bases: Vec<From>,
    /// By stage, then by step; `None` where the step copies from the context, or copies nothing.
    pub copies: Vec<BTreeMap<usize, From>>,
    /// Every stage, each after those it needs.
    pub order: Vec<usize>,
    /// How many at the front of `order` the result needs; the last of them is the target. None, if
    /// there is no result to be had.
    pub needed: usize,
}

/// Resolves every `from`, and orders the stages.
pub(crate) fn resolve(planner: &mut Planner<'_>, args: &[Arc<Args>]) -> Stages {
    let spec = planner.spec;
    let mut names = BTreeMap::new();
    for (index, stage) in spec.stages.iter().enumerate() {
        names.entry(stage.name.value.as_str()).or_insert(index);
    }
    let mut bases = Vec::with_capacity(spec.stages.len());
    let mut copies = Vec::with_capacity(spec.stages.len());
    let mut spans: Vec<Vec<(usize, Span)>> = Vec::with_capacity(spec.stages.len());
    for (stage, args) in spec.stages.iter().zip(args) {
        let mut edges = Vec::new();
        let base = from(planner, &stage.from, args, &names);
        if let From::Stage(index) = base {
            edges.push((index, stage.from.span));
        }
        bases.push(base);
        let mut from_of_step = BTreeMap::new();
        for (index, step) in stage.steps.iter().enumerate() {
            let StepKind::Copy(copy) = &step.kind else {
                continue;
            };
            let Some(template) = &copy.from else { continue };
            let resolved = from(planner, template, args, &names);
            if resolved == From::Scratch {
                planner.report(
                    Diagnostic::error(template.span, "`scratch` holds nothing to copy")
                        .hint("leave `from` out to copy from the build context"),
                );
            }
            if let From::Stage(stage) = resolved {
                edges.push((stage, template.span));
            }
            from_of_step.insert(index, resolved);
        }
        copies.push(from_of_step);
        spans.push(edges);
    }
    let target = target(planner, &names);
    let mut visit = Visit {
        edges: &spans,
        state: vec![State::New; spec.stages.len()],
        order: Vec::with_capacity(spec.stages.len()),
        whole: true,
    };
    if let Some(target) = target {
        visit.from(planner, target);
    }
    let needed = visit.order.len();
    for stage in 0..spec.stages.len() {
        visit.from(planner, stage);
    }
    let (order, whole) = (visit.order, visit.whole);
    Stages {
        bases,
        copies,
        order,
        needed: if whole { needed } else { 0 },
    }
}

fn from(
    planner: &mut Planner<'_>,
    template: &Template,
    args: &Args,
    names: &BTreeMap<&str, usize>,
) -> From {
    let Some(text) = planner.expand(template, Scope { args, env: None }) else {
        return From::Unclear;
    };
    if text == "scratch" {
        return From::Scratch;
    }
    if let Some(&index) = names.get(text.as_str()) {
        return From::Stage(index);
    }
    let near = if text.contains(['/', ':', '.', '@']) {
        None
    } else {
        suggest::closest(&text, names.keys().copied())
    };
    match ImageName::parse(&text) {
        Ok(name) => {
            if let Some(near) = near {
                planner.report(
                    Diagnostic::warning(
                        template.span,
                        format!("no stage is called {}, so it is an image", quote(&text)),
                    )
                    .lint("image-like-stage")
                    .hint(format!("did you mean the stage `{near}`?")),
                );
            }
            From::Image {
                reference: name.to_string(),
                written: text,
            }
        }
        Err(error) => {
            let message = if text.is_empty() {
                "`from` is empty".to_owned()
            } else {
                format!(
                    "{} is neither a stage nor an image: {}",
                    quote(&text),
                    error.reason()
                )
            };
            let hint = match near {
                Some(near) => format!("did you mean the stage `{near}`?"),
                None => "an image is written like `python:3.12-slim` or \
                         `registry.example/team/app:1.0`"
                    .to_owned(),
            };
            planner.report(Diagnostic::error(template.span, message).hint(hint));
            From::Unclear
        }
    }
}

fn target(planner: &mut Planner<'_>, names: &BTreeMap<&str, usize>) -> Option<usize> {
    let spec = planner.spec;
    let (wanted, span) = match (&planner.request.target, &spec.target) {
        (Some(asked), _) => (asked.as_str(), None),
        (None, Some(target)) => (target.value.as_str(), Some(target.span)),
        (None, None) => return spec.stages.len().checked_sub(1),
    };
    let found = names.get(wanted).copied();
    if found.is_none() {
        let hint = suggest::hint("stages", wanted, names.keys().copied());
        let message = format!("no stage is called {}", quote(wanted));
        planner.report(Diagnostic::error(span, message).hint(hint));
    }
    found
}

/// A depth-first walk, without recursion: a spec may have any number of stages.
struct Visit<'e> {
    edges: &'e [Vec<(usize, Span)>],
    state: Vec<State>,
    order: Vec<usize>,
    whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

impl Visit<'_> {
    fn from(&mut self, planner: &mut Planner<'_>, start: usize) {
        if self.state[start] != State::New {
            return;
        }
        // Stages on the way, and which of their edges comes next.
        let mut path = vec![(start, 0)];
        self.state[start] = State::Open;
        while let Some((stage, next)) = path.last_mut() {
            let Some(&(to, span)) = self.edges[*stage].get(*next) else {
                self.state[*stage] = State::Done;
                self.order.push(*stage);
                path.pop();
                continue;
            };
            *next += 1;
            match self.state[to] {
                State::Done => {}
                State::New => {
                    self.state[to] = State::Open;
                    path.push((to, 0));
                }
                State::Open => {
                    self.whole = false;
                    let stages = path.iter().map(|&(stage, _)| stage);
                    let cycle: Vec<usize> = stages.skip_while(|&stage| stage != to).collect();
                    report_cycle(planner, &cycle, span);
                }
            }
        }
    }
}

fn report_cycle(planner: &mut Planner<'_>, cycle: &[usize], span: Span) {
    const MOST_SHOWN: usize = 8;
    let name = |stage: &usize| planner.spec.stages[*stage].name.value.as_str();
    let diagnostic = if let [stage] = cycle {
        let name = name(stage);
        Diagnostic::error(span, format!("the stage `{name}` needs itself")).hint(format!(
            "if the image `{name}` is meant, give the stage another name"
        ))
    } else {
        let mut path: Vec<&str> = cycle.iter().take(MOST_SHOWN).map(name).collect();
        if cycle.len() > MOST_SHOWN {
            path.push("…");
        }
        path.extend(cycle.first().map(name));
        Diagnostic::error(
            span,
            format!("the stages need each other: {}", path.join(" → ")),
        )
        .hint("move what both need into a stage of its own")
    };
    planner.report(diagnostic);
}
