//! A Compose file for an image with caches, and the command that does the same.

use std::collections::BTreeMap;
use std::env::{self, VarError};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use buildkit_llb::{ImageName, Platform};
use larder_plan::CACHE_CONTEXT;
use larder_plan::layers::{CACHE_MODE, CACHE_REGISTRY, CacheEntry, LayerCache};

use crate::yaml::Yaml;

/// A service whose image is built from a spec, and whose caches are on a volume.
pub(crate) struct Service {
    /// The project's name.
    pub(crate) project: String,
    /// The image's name.
    pub(crate) image: String,
    /// The build context, from where the file is.
    pub(crate) context: String,
    /// The spec, from the context.
    pub(crate) spec: String,
    /// The stage to build, if one was named.
    pub(crate) target: Option<String>,
    /// Values of args, by name.
    pub(crate) args: BTreeMap<String, String>,
    /// The directory for the context `larder-cache`, from where the file is.
    pub(crate) cache_context: Option<String>,
    /// What the image is for, if that was said.
    pub(crate) platform: Option<Platform>,
    /// Where its layers are kept.
    pub(crate) layer_cache: LayerCache,
}

/// Where an image keeps its caches.
const TARGET: &str = "/cache";

impl Service {
    /// The Compose file.
    pub(crate) fn file(&self) -> String {
        let (name, volume) = (self.name(), self.volume());
        let mut out = Yaml::default();
        out.pair(0, "name", &name);
        out.key(0, "services");
        out.key(1, &name);
        out.pair(2, "image", &text(&self.image));
        if let Some(platform) = &self.platform {
            out.pair(2, "platform", &platform.to_string());
        }
        out.key(2, "build");
        out.pair(3, "context", &text(&self.context));
        out.pair(3, "dockerfile", &text(&self.spec));
        if let Some(target) = &self.target {
            out.pair(3, "target", &text(target));
        }
        if !self.args.is_empty() {
            out.key(3, "args");
            for (name, value) in &self.args {
                out.pair(4, name, &text(value));
            }
        }
        if let Some(directory) = &self.cache_context {
            out.key(3, "additional_contexts");
            out.pair(4, CACHE_CONTEXT, &text(directory));
        }
        for (key, entries) in [
            ("cache_from", &self.layer_cache.imports),
            ("cache_to", &self.layer_cache.exports),
        ] {
            if !entries.is_empty() {
                out.key(3, key);
                for option in entries.iter().map(CacheEntry::option) {
                    out.element(4, &text(&option));
                }
            }
        }
        out.key(2, "volumes");
        out.element(3, &format!("{volume}:{TARGET}"));
        out.key(0, "volumes");
        out.key(1, &volume);
        out.pair(2, "name", &volume);
        out.finish()
    }

    /// The command that runs the image with the same volume.
    pub(crate) fn run(&self) -> String {
        format!(
            "docker run --rm -v {}:{TARGET} {}\n",
            self.volume(),
            self.image
        )
    }

    fn volume(&self) -> String {
        format!("{}-cache", self.name())
    }

    /// The project's name in the letters that Compose takes.
    fn name(&self) -> String {
        let letter = |c: char| if c == '.' || c == '/' { '-' } else { c };
        let name: String = self.project.chars().map(letter).collect();
        match name.trim_start_matches(['-', '_']) {
            "" => "default".to_owned(),
            name => name.to_owned(),
        }
    }
}

/// What the environment says to every build of a server, behind which `--build-arg` comes.
pub(crate) fn with_environment(args: &mut Vec<(String, String)>) -> Result<()> {
    for name in [CACHE_MODE, CACHE_REGISTRY] {
        match env::var(name) {
            Ok(value) => args.insert(0, (name.to_owned(), value)),
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => bail!("the variable {name} is not UTF-8"),
        }
    }
    Ok(())
}

/// The name of an image, if it is one. What could hold a password is not shown.
pub(crate) fn image(given: Option<&str>, project: &str) -> Result<String> {
    let name = given.unwrap_or(project);
    if may_hold_password(name) {
        bail!(
            "--image: the name has credentials, or is an address with `://`, and is not shown; write \
             REGISTRY/NAME, and log in with `docker login`"
        );
    }
    match ImageName::parse(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(error) if given.is_some() => bail!("--image {name}: {}", error.reason()),
        Err(error) => bail!(
            "the project's name `{name}` is no name of an image: {}; give one with --image",
            error.reason()
        ),
    }
}

/// Whether a text has something in front of an `@`, as addresses have passwords; a digest comes behind one.
pub(crate) fn may_hold_password(name: &str) -> bool {
    let digest = |rest: &str| {
        ["sha256:", "sha384:", "sha512:"]
            .iter()
            .any(|kind| rest.starts_with(kind))
    };
    name.contains("://") || name.split_once('@').is_some_and(|(_, rest)| !digest(rest))
}

/// A path as Compose tells it from a name or an address: it starts with a slash or a dot.
pub(crate) fn path(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("{}: the path is not UTF-8", path.display()))?;
    let told = text == "." || text.starts_with('/') || text.starts_with("./");
    Ok(if told || text.starts_with("..") {
        text.to_owned()
    } else {
        format!("./{text}")
    })
}

/// A value, in which Compose replaces nothing.
fn text(value: &str) -> String {
    value.replace('$', "$$")
}
