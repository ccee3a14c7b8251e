//! `larder bake`: a bake file for the specs of a repository.

mod file;
mod find;
mod links;
pub(crate) mod name;
mod results;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_plan::layers::{CACHE_MODE, CACHE_REGISTRY};
use larder_plan::{CACHE_CONTEXT, context_name, is_predefined};

use crate::output;
use file::{BakeFile, Target};
use links::Links;
use results::Results;
use spec::BakedSpec;

/// Write a bake file for one or many specs
#[derive(clap::Args)]
pub(crate) struct BakeCommand {
    /// Build contexts with larder.yaml in them, or spec files in their contexts
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Search each PATH for every larder.yaml below it
    #[arg(long)]
    all: bool,
    /// The build context of every spec [default: the directory that each is in]
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// What the images are for, such as linux/amd64,linux/arm64 [default: the builder's own]
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',', value_parser = crate::platform)]
    platforms: Vec<Platform>,
    /// A value for every spec that declares the arg; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = crate::name_and_value)]
    args: Vec<(String, String)>,
    /// A build context for every spec that uses it; may be repeated
    #[arg(long = "build-context", value_name = "NAME=WHERE", value_parser = named)]
    contexts: Vec<(String, String)>,
    #[command(flatten)]
    results: Results,
    /// A secret for every spec, as buildx takes it; may be repeated
    #[arg(long = "secret", value_name = "OPTION")]
    secrets: Vec<String>,
    /// An SSH agent or key for every spec, as buildx takes it; may be repeated
    #[arg(long, value_name = "OPTION")]
    ssh: Vec<String>,
    /// Read the layer cache, and never write it: for builds of pull requests
    #[arg(long)]
    no_export: bool,
    /// The image of Larder's frontend [default: `LARDER_FRONTEND`, or what `# syntax=` of a spec names]
    #[arg(long, value_name = "IMAGE")]
    frontend: Option<String>,
}

/// The image of Larder's frontend where nothing names one.
const FRONTEND: &str = "larder/frontend:1";
/// The build arg that names the image of a frontend.
const SYNTAX: &str = "BUILDKIT_SYNTAX";

impl BakeCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let given = Given::of(&self)?;
        let (inputs, unread) = find::specs(&self.paths, self.all, self.context.as_deref());
        let mut specs: Vec<BakedSpec> = inputs.into_iter().map(BakedSpec::read).collect();
        self.results.check(specs.len())?;
        name::check(&mut specs);
        let links = Links::find(&mut specs, &given);
        let mut told = BTreeSet::new();
        let caches: Vec<Caches> = (specs.iter_mut())
            .map(|spec| caches(spec, &given, &mut told, self.no_export))
            .collect();
        overwritten(&mut specs, &caches);
        let tags: Vec<Vec<String>> = specs
            .iter_mut()
            .map(|spec| self.results.tags(spec))
            .collect();
        let mut wrong = !unread.is_empty();
        for error in unread {
            output::say(&format!("error: {error:#}\n"));
        }
        for spec in &mut specs {
            wrong |= spec.report();
        }
        if wrong {
            return Ok(ExitCode::FAILURE);
        }
        unused(&specs, &links, &given);
        let mut file = BakeFile::default();
        for (at, ((spec, caches), tags)) in specs.iter().zip(caches).zip(tags).enumerate() {
            let mut contexts = links.contexts(at, &specs, &given);
            let cache_context = given.contexts.get_key_value(CACHE_CONTEXT);
            contexts.extend(cache_context.map(|(name, at)| (name.clone(), at.clone())));
            let target = Target {
                context: find::written(&spec.input)?,
                dockerfile: spec.input.spec_from_context()?,
                contexts: file::texts(contexts),
                args: file::texts(args(spec, &given, &caches)),
                platforms: file::list(self.platforms.iter().map(ToString::to_string)),
                tags: file::list(tags),
                cache_from: file::list(caches.from),
                cache_to: file::list(caches.to),
                secret: file::list(self.secrets.iter().cloned()),
                ssh: file::list(self.ssh.iter().cloned()),
                output: file::list(self.results.outputs(spec)),
            };
            file.add(spec.target.clone(), target);
        }
        output::result(file.json()?.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The args of a target.
fn args(spec: &BakedSpec, given: &Given, caches: &Caches) -> BTreeMap<String, String> {
    let mut args = spec.args(given);
    // The frontend knows no name of a spec that has none, and the name is the tag.
    if spec.named().is_none()
        && let Some(registry) = args.get_mut(CACHE_REGISTRY).filter(|text| !text.is_empty())
        && let Some(reference) = &caches.registry
    {
        registry.clone_from(reference);
    }
    if !args.contains_key(SYNTAX) {
        let usual = || (!spec.has_syntax_line()).then(|| FRONTEND.to_owned());
        let frontend = given.frontend.clone().or_else(usual);
        args.extend(frontend.map(|image| (SYNTAX.to_owned(), image)));
    }
    args
}

/// What the command line and the environment give to every spec.
struct Given {
    args: BTreeMap<String, String>,
    /// By the name that a spec knows them by, or by that and a platform.
    contexts: BTreeMap<String, String>,
    platforms: Vec<Platform>,
    host: Platform,
    frontend: Option<String>,
}

impl Given {
    fn of(command: &BakeCommand) -> Result<Given> {
        let mut args = BTreeMap::new();
        for name in [CACHE_REGISTRY, CACHE_MODE] {
            args.extend(variable(name)?.map(|value| (name.to_owned(), value)));
        }
        args.extend(command.args.iter().cloned());
        let mut contexts = BTreeMap::new();
        for (name, at) in &command.contexts {
            let name = match name.split_once("::") {
                Some((name, platform)) => format!("{}::{platform}", context_name(name)),
                None => context_name(name),
            };
            contexts.insert(name, at.clone());
        }
        let frontend = match &command.frontend {
            Some(image) => Some(image.clone()),
            None => variable("LARDER_FRONTEND")?,
        };
        Ok(Given {
            args,
            contexts,
            platforms: command.platforms.clone(),
            host: Platform::host(),
            frontend: frontend.filter(|image| !image.is_empty()),
        })
    }

    /// What is built for; the builder is presumed to be like this machine.
    fn platforms(&self) -> &[Platform] {
        match self.platforms.as_slice() {
            [] => std::slice::from_ref(&self.host),
            platforms => platforms,
        }
    }
}

fn variable(name: &str) -> Result<Option<String>> {
    let value = env::var_os(name).map(|value| {
        let text = value.into_string();
        text.map_err(|_| anyhow!("the variable {name} is not UTF-8"))
    });
    value.transpose()
}

fn named(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, at)) if !name.is_empty() && !at.is_empty() => {
            Ok((name.to_owned(), at.to_owned()))
        }
        _ => Err("write NAME=WHERE, as for `docker buildx build`"),
    }
}

/// The layer cache of a target, as options of clients.
#[derive(Default)]
struct Caches {
    from: Vec<String>,
    to: Vec<String>,
    /// The first reference that layers come from.
    registry: Option<String>,
    /// The references that layers go to, and where the spec says so.
    written: BTreeMap<String, Option<Span>>,
}

/// That of every platform, each place once.
fn caches(
    spec: &mut BakedSpec,
    given: &Given,
    told: &mut BTreeSet<String>,
    no_export: bool,
) -> Caches {
    let mut caches = Caches::default();
    let add = |to: &mut Vec<String>, option: String| {
        if !to.contains(&option) {
            to.push(option);
        }
    };
    for platform in given.platforms() {
        let cache = spec.layer_cache(given, platform, told);
        for entry in &cache.imports {
            let reference = entry.reference().map(str::to_owned);
            caches.registry = caches.registry.or(reference);
            add(&mut caches.from, entry.option());
        }
        for entry in cache.exports.iter().filter(|_| !no_export) {
            let reference = entry.reference().map(str::to_owned);
            caches
                .written
                .extend(reference.map(|name| (name, entry.span)));
            add(&mut caches.to, entry.option());
        }
    }
    caches
}

/// Warns of layers that several targets write to one place.
fn overwritten(specs: &mut [BakedSpec], caches: &[Caches]) {
    let mut writers: BTreeMap<&str, Vec<(usize, Option<Span>)>> = BTreeMap::new();
    for (at, caches) in caches.iter().enumerate() {
        for (reference, span) in &caches.written {
            writers.entry(reference).or_default().push((at, *span));
        }
    }
    for (reference, writers) in writers {
        let [(first, span), others @ ..] = writers.as_slice() else {
            continue;
        };
        if others.is_empty() {
            continue;
        }
        let place = quote(reference);
        if span.is_none() {
            output::say(&format!(
                "warning: {} targets write their layers to {place}, and the last one wins; leave the tag out \
                 of CACHE_REGISTRY, and each spec's name is the tag\n",
                writers.len()
            ));
            continue;
        }
        let other = specs[*first].input.shown.name.clone();
        for (at, span) in others {
            let message =
                format!("{other} writes its layers to {place} too, and the last one wins");
            let warning = Diagnostic::warning(*span, message);
            (specs[*at].diagnostics).push(warning.hint("give each spec a reference of its own"));
        }
    }
}

/// Warns of what was given and no spec takes.
fn unused(specs: &[BakedSpec], links: &Links, given: &Given) {
    let declared: BTreeSet<&str> = specs.iter().flat_map(BakedSpec::declared).collect();
    for name in given.args.keys() {
        if !declared.contains(name.as_str()) && !for_every_spec(name) {
            output::say(&format!(
                "warning: no spec declares an arg called `{name}`\n"
            ));
        }
    }
    for name in given.contexts.keys() {
        if name != CACHE_CONTEXT && !links.uses(name) {
            output::say(&format!(
                "warning: no spec uses the build context `{name}`\n"
            ));
        }
    }
}

/// Args that mean something without being declared.
fn for_every_spec(name: &str) -> bool {
    is_predefined(name) || [CACHE_REGISTRY, CACHE_MODE].contains(&name)
}
