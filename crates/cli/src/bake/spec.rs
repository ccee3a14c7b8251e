//! A spec that becomes a target.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Span};
use larder_plan::Request;
use larder_plan::layers::{LayerCache, layer_cache};
use larder_plan::lints::Wanted;
use larder_spec::model::Spec;
use larder_spec::parse;

use crate::input::Input;
use crate::{output, project};

use super::{Given, for_every_spec, name};

/// A spec, what it is called, and what is wrong with it.
pub(super) struct BakedSpec {
    pub(super) input: Input,
    /// What could be read of it.
    pub(super) spec: Option<Spec>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Its `name`, or that of its folder or file.
    pub(super) name: String,
    /// What bake calls it.
    pub(super) target: String,
}

impl BakedSpec {
    pub(super) fn read(input: Input) -> BakedSpec {
        let parsed = parse(&input.shown);
        let own = parsed.spec.as_ref().and_then(|spec| spec.name.as_ref());
        let name = match own {
            Some(name) => name.value.clone(),
            None => project::of_file(&input),
        };
        BakedSpec {
            target: name::target(&name),
            name,
            spec: parsed.spec,
            diagnostics: parsed.diagnostics,
            input,
        }
    }

    /// Its `name`.
    pub(super) fn named(&self) -> Option<&str> {
        let name = self.spec.as_ref()?.name.as_ref()?;
        Some(&name.value)
    }

    /// Where its `name` is.
    pub(super) fn place(&self) -> Option<Span> {
        Some(self.spec.as_ref()?.name.as_ref()?.span)
    }

    /// The names of its args.
    pub(super) fn declared(&self) -> impl Iterator<Item = &str> {
        self.spec.iter().flat_map(|spec| {
            let stages = spec.stages.iter().flat_map(|stage| &stage.args);
            let args = spec.args.iter().chain(stages);
            args.map(|arg| arg.name.value.as_str())
        })
    }

    /// Of the args that are given, those that mean something to it.
    pub(super) fn args(&self, given: &Given) -> BTreeMap<String, String> {
        let takes = |name: &str| for_every_spec(name) || self.declared().any(|own| own == name);
        let args = given.args.iter().filter(|(name, _)| takes(name));
        args.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// A build of it.
    pub(super) fn request(&self, given: &Given, platform: &Platform) -> Request {
        Request {
            build_platform: given.host.clone(),
            any_platform: given.platforms.is_empty(),
            build_args: self.args(given),
            ..Request::new(platform.clone(), self.name.clone())
        }
    }

    /// Where its layers come from and go to. What is wrong with what was given to all is told once.
    pub(super) fn layer_cache(
        &mut self,
        given: &Given,
        platform: &Platform,
        told: &mut BTreeSet<String>,
    ) -> LayerCache {
        let Some(spec) = &self.spec else {
            return LayerCache::default();
        };
        let (cache, wrong) = layer_cache(spec, &self.request(given, platform));
        let new = |wrong: &Diagnostic| wrong.span.is_some() || told.insert(wrong.message.clone());
        self.diagnostics.extend(wrong.into_iter().filter(new));
        cache
    }

    /// Shows what there is to say of it; whether any of that is a mistake.
    pub(super) fn report(&mut self) -> bool {
        match Wanted::of(None, &self.input.shown) {
            Ok(wanted) => wanted.apply(&mut self.diagnostics),
            Err(mistake) => self.diagnostics.push(mistake),
        }
        (self.diagnostics).sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        self.diagnostics.dedup();
        output::diagnostics(&self.diagnostics, &self.input.shown);
        self.diagnostics.iter().any(Diagnostic::is_error) || self.spec.is_none()
    }
}
