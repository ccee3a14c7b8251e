//! From arguments to a plan.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, SourceFile};
use larder_plan::layers::{LayerCache, layer_cache};
use larder_plan::lints::{CHECK, Wanted};
use larder_plan::{
    CACHE_CONTEXT, Context, ContextFiles, Facts, Plan, Planned, Request, offline_facts, plan,
    with_all_stages,
};
use larder_spec::model::Spec;
use larder_spec::parse;

use crate::compose::Service;
use crate::input::Input;
use crate::project::of_file;
use crate::{Build, compose, facts, output};

/// Each answer may lead to one more question: a manifest names another. So many in a row, none does.
const MAX_ROUNDS: usize = 1000;

/// A spec that was read, and what is asked of it.
pub(crate) struct Session {
    input: Input,
    request: Request,
    /// The context `larder-cache`.
    cache_context: Option<PathBuf>,
    spec: Option<Spec>,
    /// Of reading it.
    diagnostics: Vec<Diagnostic>,
}

/// What a command comes to, unless it cannot go on at all.
pub(crate) enum Outcome<T> {
    /// A result.
    Good(T),
    /// Mistakes, which the user has been shown.
    Mistakes,
}

/// What planning came to.
struct Findings {
    plan: Option<Plan>,
    diagnostics: Vec<Diagnostic>,
    assumptions: Vec<String>,
}

impl Session {
    /// Reads the spec.
    pub(crate) fn open(build: &Build) -> Result<Session> {
        let input = Input::read(&build.path, build.file.as_deref())?;
        let platform = build.platform.clone().unwrap_or_else(Platform::host);
        let mut request = Request::new(platform, "default");
        request.build_args = build.args.iter().cloned().collect();
        let namespace = request.build_args.get("BUILDKIT_CACHE_MOUNT_NS");
        request.cache_namespace = namespace.filter(|name| !name.is_empty()).cloned();
        request.target.clone_from(&build.target);
        request.context = Context::Local {
            name: "context".to_owned(),
            session: None,
            exclude: input.ignore.clone(),
        };
        if let Some(directory) = &build.cache_context {
            ensure!(
                directory.is_dir(),
                "{}: there is no such directory",
                directory.display()
            );
            request.cache_context = Some(Context::Local {
                name: CACHE_CONTEXT.to_owned(),
                session: None,
                exclude: Vec::new(),
            });
        }
        let parsed = parse(&input.shown);
        Ok(Session {
            input,
            request,
            cache_context: build.cache_context.clone(),
            spec: parsed.spec,
            diagnostics: parsed.diagnostics,
        })
    }

    /// The spec under its path in the context.
    pub(crate) fn source_in_context(&self) -> &SourceFile {
        &self.input.in_context
    }

    /// The spec as the user knows it.
    pub(crate) fn source(&self) -> &SourceFile {
        &self.input.shown
    }

    /// What a spec without a name is called: as its folder.
    pub(crate) fn name_of_file(&self) -> Option<String> {
        let named = self.spec.as_ref().is_some_and(|spec| spec.name.is_some());
        (!named).then(|| of_file(&self.input))
    }

    /// The paths of the spec and of its context, as the user knows them.
    pub(crate) fn paths(&self) -> (&Path, &Path) {
        (&self.input.spec, &self.input.context)
    }

    /// Whether the spec says where its layers are kept.
    pub(crate) fn has_layer_cache(&self) -> bool {
        self.spec
            .as_ref()
            .is_some_and(|spec| spec.registry_cache.is_some())
    }

    /// Whether the spec declares an arg.
    pub(crate) fn declares(&self, arg: &str) -> bool {
        let mut args = self.spec.iter().flat_map(|spec| &spec.args);
        args.any(|one| one.name.value == arg)
    }

    /// Where layers of a build for a platform are kept, with more args.
    pub(crate) fn layer_cache(
        &self,
        platform: &Platform,
        args: &[(String, String)],
    ) -> Outcome<LayerCache> {
        let Some(spec) = &self.spec else {
            return Outcome::Mistakes;
        };
        let mut request = self.request.clone();
        request.platform = platform.clone();
        request.build_args.extend(args.iter().cloned());
        let (cache, diagnostics) = layer_cache(spec, &request);
        self.report(diagnostics, Vec::new(), Some(cache))
    }

    /// Plans the target, and shows what there is to say of it.
    pub(crate) fn plan(&self) -> Result<Outcome<Plan>> {
        self.planned(false)
    }

    /// The same, and puts what there is to say into the plan as well.
    pub(crate) fn plan_and_findings(&self) -> Result<Outcome<Plan>> {
        self.planned(true)
    }

    fn planned(&self, findings_too: bool) -> Result<Outcome<Plan>> {
        let mut diagnostics = self.diagnostics.clone();
        let Some(spec) = &self.spec else {
            return Ok(self.report(diagnostics, Vec::new(), None));
        };
        let findings = self.find(spec, &self.request)?;
        diagnostics.extend(findings.diagnostics);
        let mut assumptions = findings.assumptions;
        let mut plan = findings.plan;
        if let Some(plan) = &mut plan {
            assumptions.extend(plan.assumed.iter().cloned());
            if findings_too {
                self.settle(&mut diagnostics);
                plan.warnings.clone_from(&diagnostics);
                plan.assumed.clone_from(&assumptions);
            }
        }
        Ok(self.report(diagnostics, assumptions, plan))
    }

    /// Plans the target, and every stage if none is named, and shows what there is to say of them.
    /// The result is a line for stdout.
    pub(crate) fn check(&self) -> Result<Outcome<String>> {
        let mut diagnostics = self.diagnostics.clone();
        let mut assumptions = Vec::new();
        let mut good = false;
        if let Some(spec) = &self.spec {
            let mut planned = self.find(spec, &self.request)?;
            if let Some(plan) = &planned.plan
                && self.request.target.is_none()
                && plan.stages.len() < spec.stages.len()
            {
                diagnostics.append(&mut planned.diagnostics);
                planned = self.find(&with_all_stages(spec), &self.request)?;
            }
            diagnostics.extend(planned.diagnostics);
            assumptions.extend(planned.assumptions);
            good = planned.plan.is_some();
            assumptions.extend(planned.plan.into_iter().flat_map(|plan| plan.assumed));
        }
        let line = format!("{}: no mistakes\n", self.input.shown.name);
        Ok(self.report(diagnostics, assumptions, good.then_some(line)))
    }

    /// Plans the target, and describes the service that it is the image of. That the image keeps no
    /// caches is a mistake.
    pub(crate) fn service(&self, build: &Build, image: Option<&str>) -> Result<Outcome<Service>> {
        let plan = match self.plan()? {
            Outcome::Good(plan) => plan,
            Outcome::Mistakes => return Ok(Outcome::Mistakes),
        };
        if self.spec.iter().all(|spec| spec.runtime_caches.is_none()) {
            let message = "the image keeps no caches that a volume could hold";
            let mistake = Diagnostic::error(None, message)
                .hint("write `runtime-caches: true` at the top of the spec");
            return Ok(self.report(vec![mistake], Vec::new(), None));
        }
        let cache_context = self.cache_context.as_deref();
        Ok(Outcome::Good(Service {
            image: compose::image(image, &plan.project)?,
            project: plan.project,
            context: compose::path(&self.input.context)?,
            spec: self.input.spec_from_context()?,
            target: build.target.clone(),
            args: self.request.build_args.clone(),
            cache_context: cache_context.map(compose::path).transpose()?,
            platform: build.platform.clone(),
            layer_cache: plan.layer_cache,
        }))
    }

    /// Asks until everything is known.
    fn find(&self, spec: &Spec, request: &Request) -> Result<Findings> {
        let mut facts = Facts {
            files: ContextFiles {
                ignore: self.input.ignore.clone(),
                ..ContextFiles::default()
            },
            ..Facts::default()
        };
        let mut assumptions = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let (plan, diagnostics) = match plan(spec, request, &facts) {
                Planned::Needs(needs) => {
                    assumptions.extend(offline_facts(&needs, &mut facts));
                    for wanted in &needs.files {
                        facts::gather(&self.input.root, wanted, &mut facts.files)?;
                    }
                    if needs.cache_directories
                        && let Some(directory) = &self.cache_context
                    {
                        facts.cache_directories = Some(facts::directories(directory)?);
                    }
                    continue;
                }
                Planned::Plan(mut plan) => {
                    let warnings = std::mem::take(&mut plan.warnings);
                    (Some(*plan), warnings)
                }
                Planned::Mistakes(mistakes) => (None, mistakes),
            };
            return Ok(Findings {
                plan,
                diagnostics,
                assumptions,
            });
        }
        bail!("planning asks for more and more; please report this, with the spec")
    }

    /// Shows what there is to say. The result counts only if none of it is an error.
    fn report<T>(
        &self,
        mut diagnostics: Vec<Diagnostic>,
        mut assumptions: Vec<String>,
        good: Option<T>,
    ) -> Outcome<T> {
        self.settle(&mut diagnostics);
        let wrong = diagnostics.iter().any(Diagnostic::is_error);
        output::diagnostics(&diagnostics, &self.input.shown);
        match good {
            Some(good) if !wrong => {
                assumptions.sort();
                assumptions.dedup();
                output::notes(&assumptions);
                Outcome::Good(good)
            }
            _ => Outcome::Mistakes,
        }
    }

    /// Puts them in the order of the file, without those that nobody wants to hear of.
    fn settle(&self, diagnostics: &mut Vec<Diagnostic>) {
        let check = self.request.build_args.get(CHECK).map(String::as_str);
        match Wanted::of(check, &self.input.shown) {
            Ok(wanted) => wanted.apply(diagnostics),
            Err(mistake) => diagnostics.push(mistake),
        }
        diagnostics.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        diagnostics.dedup();
    }
}
