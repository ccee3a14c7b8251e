//! What a pipeline does, the same on every system.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use buildkit_llb::{ImageName, Platform};
use larder_plan::layers::{CACHE_MODE, CACHE_REGISTRY};
use larder_plan::outline::outline;

use super::cache::{BRANCH, Cache, Server, of_spec};
use super::secrets::{self, Secret};
use super::words::{inside, is_branch, is_line, is_variable};
use super::{CacheKind, CiCommand, System};
use crate::Build;
use crate::build::{Outcome, Session};
use crate::compose::may_hold_password;

/// The frontend image of specs that name none.
const FRONTEND: &str = "larder/frontend:1";
/// GitHub's own registry, where a job's token is good for the login.
const GITHUB_REGISTRY: &str = "ghcr.io";

/// A pipeline for one image.
pub(super) struct Pipeline {
    /// The project's name.
    pub(super) project: String,
    /// The build context, from the repository's root.
    pub(super) context: String,
    /// The spec, from there.
    pub(super) spec: String,
    /// The stage to build, if one was named.
    pub(super) target: Option<String>,
    /// Values of args.
    pub(super) args: BTreeMap<String, String>,
    /// Whether the spec takes the branch as an arg.
    pub(super) takes_branch: bool,
    /// In the order of the spec.
    pub(super) secrets: Vec<Secret>,
    /// Whether a step wants an SSH agent.
    pub(super) wants_ssh: bool,
    /// The image; `None` is the name that the system gives.
    pub(super) image: Option<Image>,
    /// The default branch.
    pub(super) branch: String,
    /// A runner for each platform, at least one.
    pub(super) runners: Vec<Runner>,
    /// Where layers are kept.
    pub(super) cache: Cache,
}

/// The name of an image.
pub(super) struct Image {
    /// As it was written.
    pub(super) name: String,
    /// Its registry, if that is not Docker Hub.
    pub(super) registry: Option<String>,
}

/// What builds for a platform.
pub(super) struct Runner {
    /// The platform.
    pub(super) platform: Platform,
    /// The label of the machine; `None` is any.
    pub(super) label: Option<String>,
}

impl Pipeline {
    /// Whether all branches have one place for layers, into which the default branch alone may write.
    pub(super) fn shares_place(&self) -> bool {
        matches!(self.cache, Cache::Spec { shared: true, .. })
    }
}

impl Image {
    fn parse(name: &str) -> Result<Image> {
        if may_hold_password(name) {
            bail!(
                "--image: the name has credentials, or is an address with `://`, and is not shown; write \
                 REGISTRY/NAME, and keep the login in secrets of the system"
            );
        }
        let parsed = ImageName::parse(name)
            .map_err(|error| anyhow!("--image {name}: {}", error.reason()))?;
        let last = name.rsplit('/').next().unwrap_or_default();
        if parsed.digest().is_some() || last.contains(':') {
            bail!("--image {name}: write the name alone; the pipeline makes the tags");
        }
        let registry = name
            .starts_with(&format!("{}/", parsed.registry()))
            .then(|| parsed.registry().to_owned());
        Ok(Image {
            name: name.to_owned(),
            registry,
        })
    }

    /// Whether a job on GitHub needs no other secret than its own token.
    pub(super) fn is_githubs(&self) -> bool {
        self.registry.as_deref() == Some(GITHUB_REGISTRY)
    }
}

impl Runner {
    /// The name of its platform in tags and names of files.
    pub(super) fn arch(&self) -> String {
        let name = self.platform.to_string().replace(['/', '(', ')'], "-");
        match name.strip_prefix("linux-") {
            Some(arch) => arch.chars().take(40).collect(),
            None => name.chars().take(40).collect(),
        }
    }

    fn of(system: System, platform: &Platform, given: &[(Platform, String)]) -> Result<Runner> {
        let label = match given.iter().rfind(|(one, _)| one == platform) {
            Some((_, label)) => Some(label.as_str()),
            None => match (system, platform.to_string().as_str()) {
                (System::GitHub, "linux/amd64") => Some("ubuntu-24.04"),
                (System::GitHub, "linux/arm64") => Some("ubuntu-24.04-arm"),
                (System::GitLab, "linux/amd64") => Some("saas-linux-small-amd64"),
                (System::GitLab, "linux/arm64") => Some("saas-linux-small-arm64"),
                (_, other) => bail!(
                    "--platform {other}: no runner for it is known; name one with --runner {other}=LABEL"
                ),
            },
        };
        Ok(Runner {
            platform: platform.clone(),
            label: label.map(str::to_owned),
        })
    }
}

/// A value, and what is wrong if there is none.
fn take<T>(result: Result<T>, mistakes: &mut Vec<String>) -> Option<T> {
    result
        .map_err(|mistake| mistakes.push(format!("{mistake:#}")))
        .ok()
}

impl Pipeline {
    /// Reads and plans the spec. Every mistake in what was asked for is in the error.
    pub(super) fn of(command: CiCommand) -> Result<Outcome<Pipeline>> {
        let mut mistakes = Vec::new();
        let image = command.image.as_deref().map(Image::parse);
        let image = image.and_then(|image| take(image, &mut mistakes));
        if command.image.is_none() && command.system == System::GitHub {
            mistakes.push(
                "give the image's name with its registry: --image REGISTRY/OWNER/NAME".to_owned(),
            );
        }
        if command.system == System::GitLab && command.cache == Some(CacheKind::Gha) {
            mistakes.push("--cache gha: only GitHub has that; take --cache registry".to_owned());
        }
        if !is_branch(&command.branch) {
            mistakes.push(format!(
                "--branch {:?}: a branch here has letters, digits, `_`, `.`, `-` and `/`, and no part of it \
                 starts with `.` or `-`",
                command.branch
            ));
        }
        if let Some(frontend) = &command.frontend
            && (may_hold_password(frontend) || ImageName::parse(frontend).is_err())
        {
            mistakes.push("--frontend: this is not the name of an image".to_owned());
        }
        for (name, value) in &command.args {
            if !is_variable(name) || !is_line(value) {
                mistakes.push(format!(
                    "--build-arg {name:?}: a pipeline takes letters, digits and `_` as a name, and one line \
                     without control characters as a value"
                ));
            }
        }
        let mut platforms = command.platforms.clone();
        if platforms.is_empty() {
            platforms.push(Platform::new("linux", "amd64", ""));
        }
        let mut runners: Vec<Runner> = Vec::new();
        for platform in &platforms {
            if runners.iter().any(|runner| runner.platform == *platform) {
                mistakes.push(format!("--platform {platform}: it is there twice"));
                continue;
            }
            let runner = Runner::of(command.system, platform, &command.runners);
            runners.extend(take(runner, &mut mistakes));
        }
        if let ([runner], System::GitLab, []) =
            (&mut runners[..], command.system, &command.runners[..])
            && runner.platform == Platform::new("linux", "amd64", "")
        {
            runner.label = None;
        }
        for (platform, _) in &command.runners {
            if !platforms.contains(platform) {
                mistakes.push(format!(
                    "--runner {platform}=…: this platform is not built; name it with --platform"
                ));
            }
        }
        let server = take(Server::find(&command.args), &mut mistakes).flatten();
        if !mistakes.is_empty() {
            bail!(mistakes.join("\nerror: "));
        }
        let asked = Asked {
            image,
            runners,
            server,
        };
        asked.read(command)
    }
}

/// What the options say, before the spec is read.
struct Asked {
    image: Option<Image>,
    runners: Vec<Runner>,
    server: Option<Server>,
}

impl Asked {
    fn read(self, command: CiCommand) -> Result<Outcome<Pipeline>> {
        let build = Build {
            path: command.paths.into_iter().next().unwrap_or_default(),
            file: command.file,
            target: command.target,
            args: command.args,
            cache_context: None,
            platform: self.runners.first().map(|runner| runner.platform.clone()),
        };
        let session = Session::open(&build)?;
        let Outcome::Good(plan) = session.plan()? else {
            return Ok(Outcome::Mistakes);
        };
        let (spec, context) = session.paths();
        let outside = "a pipeline starts in the root of the repository; run this command there, with paths that \
                       lead into it";
        let path = |path: &std::path::Path| {
            let found = inside(path).filter(|path| is_line(path));
            found.with_context(|| format!("{}: {outside}", path.display()))
        };
        let wanted = outline(&plan);
        let mut args: BTreeMap<String, String> = build.args.iter().cloned().collect();
        let mut takes_branch = session.declares(BRANCH) && !args.contains_key(BRANCH);
        let own = session.has_layer_cache();
        let project = session.name_of_file().unwrap_or(plan.project);
        let cache = match (command.cache, self.server) {
            (Some(CacheKind::Gha), _) => Cache::Actions,
            (_, Some(server)) => server.cache(&project),
            (None, None) if own => {
                let Outcome::Good((cache, of_branches)) =
                    of_spec(&session, command.system, &self.runners, takes_branch)?
                else {
                    return Ok(Outcome::Mistakes);
                };
                takes_branch &= of_branches;
                cache
            }
            (_, None) => Cache::Registry {
                repository: None,
                mode: "max".to_owned(),
            },
        };
        // The pipeline names places for every job; the frontend then needs no word of them.
        args.remove(CACHE_REGISTRY);
        args.remove(CACHE_MODE);
        if own && !matches!(cache, Cache::Spec { .. }) {
            args.insert(CACHE_REGISTRY.to_owned(), String::new());
        }
        let names_frontend = has_syntax(&session.source().text);
        let frontend = command.frontend.or_else(|| {
            let missing = !names_frontend && !args.contains_key("BUILDKIT_SYNTAX");
            missing.then(|| FRONTEND.to_owned())
        });
        args.extend(frontend.map(|image| ("BUILDKIT_SYNTAX".to_owned(), image)));
        let takes_branch = takes_branch && matches!(cache, Cache::Spec { .. });
        Ok(Outcome::Good(Pipeline {
            context: path(context)?,
            spec: path(spec)?,
            target: build.target,
            args,
            takes_branch,
            secrets: secrets::of(wanted.secrets.into_iter().map(|one| one.id))?,
            wants_ssh: !wanted.ssh.is_empty(),
            image: self.image,
            branch: command.branch,
            runners: self.runners,
            cache,
            project,
        }))
    }
}

/// Whether a file names its frontend in the directives that it starts with.
fn has_syntax(text: &str) -> bool {
    let directive = |line: &str| {
        let (name, value) = line.strip_prefix('#')?.split_once('=')?;
        let name = name.trim();
        let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        (word && !value.trim().is_empty()).then(|| name.to_ascii_lowercase())
    };
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut names = lines.map_while(directive);
    names.any(|name| name == "syntax")
}
