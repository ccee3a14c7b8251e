//! Which stage stands on what, and in which order they are planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::Stage;

use crate::args::Args;
use crate::from::{From, Resolver, Taken};
use crate::planner::{Planner, Scope};
use crate::request::Request;
use crate::suggest;

/// Every `from` of a spec, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Stages {
    /// By stage.
    pub bases: Vec<From>,
    /// By stage: the platform that it names.
    pub platforms: Vec<Option<Platform>>,
    /// By stage: what its steps take from elsewhere.
    pub taken: Vec<Taken>,
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
    let mut platforms = Vec::with_capacity(spec.stages.len());
    let mut taken = Vec::with_capacity(spec.stages.len());
    let mut edges: Vec<Vec<(usize, Span)>> = Vec::with_capacity(spec.stages.len());
    for (stage, args) in spec.stages.iter().zip(args) {
        let platform = platform(planner, stage, args);
        let mut resolver = Resolver {
            planner,
            args,
            names: &names,
            edges: Vec::new(),
        };
        bases.push(resolver.base(&stage.from, platform.as_ref()));
        taken.push(resolver.taken(stage));
        edges.push(resolver.edges);
        platforms.push(platform);
    }
    let target = target(planner, &names);
    let mut visit = Visit {
        edges: &edges,
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
        platforms,
        taken,
        order,
        needed: if whole { needed } else { 0 },
    }
}

/// The platform that a stage names.
fn platform(planner: &mut Planner<'_>, stage: &Stage, args: &Args) -> Option<Platform> {
    let written = stage.platform.as_ref()?;
    let text = planner.expand(&written.value, Scope { args, env: None })?;
    let platform = Platform::parse(&text).ok();
    if platform.is_none() {
        planner.report(
            Diagnostic::error(written.span, format!("{} is no platform", quote(&text))).hint(
                "write an operating system and a processor, such as `linux/arm64`, or \
                 `$BUILDPLATFORM` for those of the machine that builds",
            ),
        );
    }
    platform
}

impl Stages {
    /// Keys of the named contexts that the result uses, and the platform that each is used on.
    pub(crate) fn contexts(&self, request: &Request) -> BTreeSet<(String, Platform)> {
        let mut used = BTreeSet::new();
        for &stage in &self.order[..self.needed] {
            if let From::Named(key) = &self.bases[stage] {
                let platform = self.platforms[stage].as_ref().unwrap_or(&request.platform);
                used.insert((key.clone(), platform.clone()));
            }
            let taken = self.taken[stage].contexts();
            used.extend(taken.map(|key| (key.clone(), request.platform.clone())));
        }
        used
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
