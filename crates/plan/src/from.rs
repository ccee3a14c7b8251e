//! What `from` means: that of stages, and of what their steps copy, mount and start caches from.

use std::collections::BTreeMap;

use buildkit_llb::{ImageName, Platform};
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{CacheChoice, CacheEntry, MountKind, OwnCache, Run, Stage, StepKind};
use larder_spec::template::Template;

use crate::args::Args;
use crate::model::{CopyFrom, ImageId};
use crate::planner::{Planner, Scope};
use crate::request::{NamedContext, Request};
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
    /// The files of a named context, by its key in [`Request::contexts`].
    Named(String),
    /// It was wrong, and has been reported.
    Unclear,
}

/// What the steps of a stage take from elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// By step; none where the step copies from the context, or copies nothing.
    pub copies: BTreeMap<usize, From>,
    /// By step and mount; none where the mount has no `from`.
    pub mounts: BTreeMap<(usize, usize), From>,
    /// What own caches start from, by step and name.
    pub seeds: BTreeMap<usize, BTreeMap<String, SeedFrom>>,
}

/// What a cache starts from.
#[derive(Clone, Debug)]
pub(crate) struct SeedFrom {
    pub from: From,
    /// Below its root; empty for all of it.
    pub source: String,
}

impl Taken {
    fn all(&self) -> impl Iterator<Item = &From> {
        let seeds = self.seeds.values().flat_map(BTreeMap::values);
        let seeds = seeds.map(|seed| &seed.from);
        self.copies
            .values()
            .chain(self.mounts.values())
            .chain(seeds)
    }

    /// The images among them: as written, and normalised.
    pub(crate) fn images(&self) -> impl Iterator<Item = (&String, &String)> {
        self.all().filter_map(|from| match from {
            From::Image { written, reference } => Some((written, reference)),
            _ => None,
        })
    }

    /// The keys of the named contexts among them.
    pub(crate) fn contexts(&self) -> impl Iterator<Item = &String> {
        self.all().filter_map(|from| match from {
            From::Named(key) => Some(key),
            _ => None,
        })
    }
}

impl From {
    /// Where files come from, and what that is for people. Asks for images. `None` if there are none,
    /// which is reported already.
    pub(crate) fn files(
        &self,
        planner: &mut Planner<'_>,
        position: &[usize],
    ) -> Option<(CopyFrom, String)> {
        match self {
            From::Scratch | From::Unclear => None,
            From::Stage(index) => Some((
                CopyFrom::Stage(position[*index]),
                planner.spec.stages[*index].name.value.clone(),
            )),
            From::Image { written, reference } => {
                planner.image(reference);
                let image = ImageId {
                    reference: crate::base::pinned(planner, reference),
                    platform: None,
                };
                Some((CopyFrom::Image(image), written.clone()))
            }
            From::Named(key) => Some((CopyFrom::Named(key.clone()), shown(key).to_owned())),
        }
    }
}

/// The name of a context, without the platform that its key may have.
pub(crate) fn shown(key: &str) -> &str {
    key.split_once("::").map_or(key, |(name, _)| name)
}

/// What a client calls the context that a spec names by this text: as images are called for short, and
/// without `:latest`.
pub fn context_name(text: &str) -> String {
    match ImageName::parse(text) {
        Ok(name) => {
            let name = name.familiar();
            name.strip_suffix(":latest").unwrap_or(&name).to_owned()
        }
        Err(_) => text.to_owned(),
    }
}

/// The named context that this text means on a platform, and its key.
pub fn named_context<'r>(
    request: &'r Request,
    text: &str,
    platform: &Platform,
) -> Option<(&'r String, &'r NamedContext)> {
    if request.contexts.is_empty() {
        return None;
    }
    let name = context_name(text);
    let of_platform = request
        .contexts
        .get_key_value(&format!("{name}::{platform}"));
    of_platform.or_else(|| request.contexts.get_key_value(&name))
}

/// Resolves what one stage takes from elsewhere.
pub(crate) struct Resolver<'r, 'p, 'a> {
    pub planner: &'p mut Planner<'a>,
    pub args: &'r Args,
    /// Stages by name.
    pub names: &'r BTreeMap<&'a str, usize>,
    /// Stages that it needs, and where that is said.
    pub edges: Vec<(usize, Span)>,
}

impl<'a> Resolver<'_, '_, 'a> {
    /// What a stage stands on.
    pub(crate) fn base(&mut self, template: &Template, platform: Option<&Platform>) -> From {
        let from = self.from(template, platform);
        if let From::Stage(index) = from {
            self.edges.push((index, template.span));
        }
        from
    }

    /// What files are taken from. `nothing` says what is wrong with `scratch` there, and what to do.
    fn files(&mut self, template: &Template, nothing: (&str, &str)) -> From {
        let from = self.base(template, None);
        if from == From::Scratch {
            let error = Diagnostic::error(template.span, nothing.0).hint(nothing.1);
            self.planner.report(error);
        }
        from
    }

    /// What the steps of a stage take.
    pub(crate) fn taken(&mut self, stage: &'a Stage) -> Taken {
        let mut taken = Taken::default();
        let mut outer: Vec<&CacheChoice> = Vec::with_capacity(3);
        outer.extend(&self.planner.spec.caches);
        outer.extend(&stage.caches);
        let outer = own_caches(&outer, BTreeMap::new());
        let mut known: BTreeMap<Span, Option<SeedFrom>> = BTreeMap::new();
        for (index, step) in stage.steps.iter().enumerate() {
            let (options, caches) = match &step.kind {
                StepKind::Copy(copy) => {
                    if let Some(template) = &copy.from {
                        const NOTHING: (&str, &str) = (
                            "`scratch` holds nothing to copy",
                            "leave `from` out to copy from the build context",
                        );
                        let from = self.files(template, NOTHING);
                        taken.copies.insert(index, from);
                    }
                    continue;
                }
                StepKind::Run(run) => {
                    let Run {
                        options, caches, ..
                    } = &**run;
                    (options, caches)
                }
                StepKind::Install(install) => (&install.options, &install.caches),
                StepKind::Add(_) | StepKind::File(_) => continue,
            };
            for (at, mount) in options.mounts.iter().enumerate() {
                if let MountKind::Bind(bind) = &mount.kind
                    && let Some(template) = &bind.from
                {
                    const NOTHING: (&str, &str) = (
                        "`scratch` holds nothing to mount",
                        "for an empty directory, write `tmpfs`",
                    );
                    let from = self.files(template, NOTHING);
                    taken.mounts.insert((index, at), from);
                }
            }
            let own = match caches {
                Some(choice) => &own_caches(&[choice], outer.clone()),
                None => &outer,
            };
            let mut seeds = BTreeMap::new();
            for (&id, &cache) in own {
                let Some(from) = &cache.from else { continue };
                let seed = known
                    .entry(from.span)
                    .or_insert_with(|| self.seed(cache, from))
                    .clone();
                seeds.extend(seed.map(|seed| (id.to_owned(), seed)));
            }
            if !seeds.is_empty() {
                taken.seeds.insert(index, seeds);
            }
        }
        taken
    }

    fn seed(&mut self, cache: &OwnCache, from: &Template) -> Option<SeedFrom> {
        const NOTHING: (&str, &str) = (
            "`scratch` holds nothing to start from",
            "leave `from` out: a cache is empty at first",
        );
        let from = self.files(from, NOTHING);
        let source = match &cache.source {
            None => String::new(),
            Some(template) => {
                let (args, env) = (self.args, None);
                let written = self.planner.expand(template, Scope { args, env })?;
                let below = crate::paths::below(&written);
                if below.is_none() {
                    self.planner.report(outside(&written, template.span));
                }
                below?
            }
        };
        Some(SeedFrom { from, source })
    }

    fn from(&mut self, template: &Template, platform: Option<&Platform>) -> From {
        let (args, env) = (self.args, None);
        let Some(text) = self.planner.expand(template, Scope { args, env }) else {
            return From::Unclear;
        };
        if text == SCRATCH {
            return From::Scratch;
        }
        let request = self.planner.request;
        let platform = platform.unwrap_or(&request.platform);
        if let Some((key, context)) = named_context(request, &text, platform) {
            return match context {
                NamedContext::Image(reference) => self.replaced(text, reference, template.span),
                NamedContext::Files(_) | NamedContext::Built { .. } => From::Named(key.clone()),
            };
        }
        if let Some(&index) = self.names.get(text.as_str()) {
            return From::Stage(index);
        }
        self.image(text, template.span)
    }

    /// The image that a client gives in place of a name.
    fn replaced(&mut self, written: String, reference: &str, span: Span) -> From {
        if reference == SCRATCH {
            return From::Scratch;
        }
        match ImageName::parse(reference) {
            Ok(name) => From::Image {
                written,
                reference: name.to_string(),
            },
            Err(error) => {
                let message = format!(
                    "the build context {} is {}, which is no image: {}",
                    quote(&written),
                    quote(reference),
                    error.reason()
                );
                let error = Diagnostic::error(span, message).hint(
                    "an image is given with `--build-context NAME=docker-image://python:3.12`",
                );
                self.planner.report(error);
                From::Unclear
            }
        }
    }

    fn image(&mut self, text: String, span: Span) -> From {
        let contexts = self.planner.request.contexts.keys();
        let contexts = contexts.map(|key| shown(key));
        let near = if text.contains(['/', ':', '.', '@']) {
            None
        } else {
            suggest::closest(&text, self.names.keys().copied().chain(contexts))
        };
        let near = near.map(|near| {
            if self.names.contains_key(near) {
                format!("did you mean the stage `{near}`?")
            } else {
                format!("did you mean the build context `{near}`?")
            }
        });
        match ImageName::parse(&text) {
            Ok(name) => {
                if let Some(near) = near {
                    self.planner.report(
                        Diagnostic::warning(
                            span,
                            format!("no stage is called {}, so it is an image", quote(&text)),
                        )
                        .lint("image-like-stage")
                        .hint(near),
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
                let hint = near.unwrap_or_else(|| {
                    "an image is written like `python:3.12-slim` or \
                     `registry.example/team/app:1.0`"
                        .to_owned()
                });
                self.planner
                    .report(Diagnostic::error(span, message).hint(hint));
                From::Unclear
            }
        }
    }
}

/// The name of the empty filesystem.
const SCRATCH: &str = "scratch";

/// A path that climbs out of what it is in.
pub(crate) fn outside(written: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        span,
        format!("{} is outside of what it is taken from", quote(written)),
    )
    .hint("paths start at the root there")
}

/// The own caches that levels of `caches` come to, each inside of the one before, by name.
fn own_caches<'c>(
    levels: &[&'c CacheChoice],
    mut own: BTreeMap<&'c str, &'c OwnCache>,
) -> BTreeMap<&'c str, &'c OwnCache> {
    for choice in levels {
        if !choice.auto {
            own.clear();
        }
        own.extend(choice.entries.iter().filter_map(|entry| match entry {
            CacheEntry::Own(cache) => Some((cache.id.value.as_str(), cache)),
            CacheEntry::Named(_) => None,
        }));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_called_as_images_are_for_short() {
        for (text, name) in [
            ("alpine", "alpine"),
            ("alpine:latest", "alpine"),
            ("docker.io/library/alpine:3", "alpine:3"),
            ("ghcr.io/x/y", "ghcr.io/x/y"),
            ("Not An Image", "Not An Image"),
        ] {
            assert_eq!(context_name(text), name);
        }
    }
}
