//! Build args: declared in the spec, set by the client, or known from the platform.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, quote};
use larder_spec::model::{Arg, Spec};

use crate::accounts::{self, BUILD_ID, Problem};
use crate::layers::{CACHE_MODE, CACHE_REGISTRY};
use crate::model::{Owner, PlannedArg};
use crate::planner::{Planner, Scope};
use crate::request::{Request, platform_name};
use crate::suggest;
use buildkit_llb::Platform;

/// What is known of an arg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Set(&'a str),
    /// Declared, without a value.
    Unset,
    /// Nothing declares it.
    Unknown,
}

/// The args that a stage sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    /// In the order of declaration; `None` is declared and unset.
    declared: Vec<(String, Option<String>)>,
    /// Where in `declared` each name is.
    index: BTreeMap<String, usize>,
    /// Known without being declared.
    predefined: Arc<BTreeMap<String, String>>,
    /// Who the `build` user is, where one is made.
    pub build: Owner,
}

impl Args {
    /// A declared arg, or one of the platform's.
    pub(crate) fn get(&self, name: &str) -> Value<'_> {
        let known = match self.index.get(name) {
            Some(&at) => Some(self.declared[at].1.as_deref()),
            None => self.predefined.get(name).map(|value| Some(value.as_str())),
        };
        match known {
            Some(Some(value)) => Value::Set(value),
            Some(None) => Value::Unset,
            None => Value::Unknown,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let declared = self.declared.iter().map(|(name, _)| name.as_str());
        declared.chain(self.predefined.keys().map(String::as_str))
    }

    /// Those that reach a step's environment: declared, and with a value.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.declared
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        if let Some(&at) = self.index.get(name) {
            self.declared[at].1 = value;
        } else {
            self.index.insert(name.to_owned(), self.declared.len());
            self.declared.push((name.to_owned(), value));
        }
    }

    fn size(&self) -> usize {
        let sizes = self
            .declared
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len));
        sizes.sum::<usize>() + 96 * self.declared.len()
    }
}

/// The args at the top.
pub(crate) fn top(planner: &mut Planner<'_>) -> Args {
    let spec = planner.spec;
    let mut top = Args {
        declared: Vec::new(),
        index: BTreeMap::new(),
        predefined: Arc::new(predefined(spec, planner.request)),
        build: Owner::default(),
    };
    declare(planner, &mut top, &spec.args);
    top
}

/// The args at the top, and those of each stage.
pub(crate) fn resolve(planner: &mut Planner<'_>) -> Vec<Arc<Args>> {
    let spec = planner.spec;
    let top = Arc::new(top(planner));
    let stages = spec
        .stages
        .iter()
        .map(|stage| {
            if stage.args.is_empty() || !planner.spend(top.size(), stage.name.span) {
                return Arc::clone(&top);
            }
            let mut args = (*top).clone();
            declare(planner, &mut args, &stage.args);
            Arc::new(args)
        })
        .collect();
    undeclared(planner);
    stages
}

/// The args that stages see. The order is that of `Stages::order`, in which the result is last.
pub(crate) fn planned(spec: &Spec, args: &[Arc<Args>], order: &[usize]) -> Vec<PlannedArg> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    // The result's stage sees all that are declared at the top; the others add their own.
    let mut at_top = spec.args.as_slice();
    for &index in order.iter().rev() {
        let own = spec.stages[index].args.iter().rev();
        for arg in own.chain(std::mem::take(&mut at_top).iter().rev()) {
            let name = &arg.name.value;
            if !seen.insert(name) {
                continue;
            }
            out.push(PlannedArg {
                name: name.clone(),
                value: match args[index].get(name) {
                    Value::Set(value) => Some(value.to_owned()),
                    Value::Unset | Value::Unknown => None,
                },
                default: arg.default.as_ref().map(ToString::to_string),
                description: arg.description.as_ref().map(|text| text.value.clone()),
                span: arg.name.span,
            });
        }
    }
    out.sort_by_key(|arg| arg.span);
    out
}

fn declare(planner: &mut Planner<'_>, args: &mut Args, declared: &[Arg]) {
    for arg in declared {
        let name = &arg.name.value;
        let given = planner.request.build_args.get(name).cloned();
        let value = match (given, &arg.default) {
            (Some(given), _) => Some(given),
            (None, Some(default)) => {
                let scope = Scope { args, env: None };
                planner.expand(default, scope)
            }
            // Declared again without a default: what it was.
            (None, None) => match args.get(name) {
                Value::Set(value) => Some(value.to_owned()),
                Value::Unset | Value::Unknown => None,
            },
        };
        args.set(name, value);
    }
    let [uid, gid] = BUILD_IDS.map(|name| build_id(planner, args, name, declared));
    args.build = Owner { uid, gid };
}

/// The number that an arg gives the `build` user.
fn build_id(planner: &mut Planner<'_>, args: &Args, name: &str, declared: &[Arg]) -> u32 {
    let Value::Set(text) = args.get(name) else {
        return BUILD_ID;
    };
    match accounts::number(text) {
        Ok(Some(id)) => id,
        wrong => {
            let given = planner.request.build_args.contains_key(name);
            let arg = declared.iter().find(|arg| arg.name.value == name);
            let span = arg.filter(|_| !given).map(|arg| arg.name.span);
            let why = match wrong {
                Err(Problem::Malformed(why)) => why,
                _ => "it is no number",
            };
            planner.report(
                Diagnostic::error(span, format!("`{name}` is {}: {why}", quote(text)))
                    .hint(format!("give it a number, as in `--build-arg {name}=1000`")),
            );
            BUILD_ID
        }
    }
}

/// Args of the client's that nothing in the spec declares.
fn undeclared(planner: &mut Planner<'_>) {
    let spec = planner.spec;
    let stages = spec.stages.iter().flat_map(|stage| &stage.args);
    let args: BTreeSet<&str> = spec
        .args
        .iter()
        .chain(stages)
        .map(|arg| arg.name.value.as_str())
        .collect();
    for name in planner.request.build_args.keys() {
        if is_predefined(name) || args.contains(name.as_str()) {
            continue;
        }
        let mut warning =
            Diagnostic::warning(None, format!("the spec declares no arg called `{name}`"))
                .lint("unknown-build-arg");
        warning = match suggest::closest(name, args.iter().copied()) {
            Some(near) => warning.hint(format!("did you mean `--build-arg {near}=…`?")),
            None => warning.hint(format!("declare `{name}` under `args`, or leave it out")),
        };
        planner.report(warning);
    }
}

/// Args that mean something without being declared.
pub fn is_predefined(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(name, "SOURCE_DATE_EPOCH" | CACHE_REGISTRY | CACHE_MODE)
        || name.starts_with("BUILDKIT_")
        || PLATFORM_ARGS.contains(&name)
        || BUILD_IDS.contains(&name)
        || matches!(
            lower.as_str(),
            "http_proxy" | "https_proxy" | "ftp_proxy" | "no_proxy" | "all_proxy"
        )
}

/// What sets the uid and the gid of the `build` user.
const BUILD_IDS: [&str; 2] = ["USER_UID", "USER_GID"];

const PLATFORM_ARGS: [&str; 9] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

fn predefined(spec: &Spec, request: &Request) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    let mut add = |prefix: &str, platform: &Platform| {
        for (suffix, value) in [
            ("PLATFORM", platform_name(platform)),
            ("OS", platform.os.clone()),
            ("ARCH", platform.architecture.clone()),
            ("VARIANT", platform.variant.clone()),
        ] {
            args.insert(format!("{prefix}{suffix}"), value);
        }
    };
    add("BUILD", &request.build_platform);
    add("TARGET", &request.platform);
    let target = request.target.as_ref();
    let target = target.or(spec.target.as_ref().map(|target| &target.value));
    let stage = target.or(spec.stages.last().map(|stage| &stage.name.value));
    let stage = stage.cloned().unwrap_or_default();
    args.insert("TARGETSTAGE".to_owned(), stage);
    for name in PLATFORM_ARGS {
        if let Some(given) = request.build_args.get(name) {
            args.insert(name.to_owned(), given.clone());
        }
    }
    for name in BUILD_IDS {
        let given = request.build_args.get(name).cloned();
        let value = given.unwrap_or_else(|| BUILD_ID.to_string());
        args.insert(name.to_owned(), value);
    }
    args
}
