//! A Compose file for an image with caches, and the command that does the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use buildkit_llb::{ImageName, Platform};
use larder_plan::CACHE_CONTEXT;

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
        out.pair(2, "image", &self.image);
        if let Some(platform) = &self.platform {
            out.pair(2, "platform", &platform.to_string());
        }
        out.key(2, "build");
        out.pair(3, "context", &self.context);
        out.pair(3, "dockerfile", &self.spec);
        if let Some(target) = &self.target {
            out.pair(3, "target", target);
        }
        if !self.args.is_empty() {
            out.key(3, "args");
            for (name, value) in &self.args {
                out.pair(4, name, value);
            }
        }
        if let Some(directory) = &self.cache_context {
            out.key(3, "additional_contexts");
            out.pair(4, CACHE_CONTEXT, directory);
        }
        out.key(2, "volumes");
        out.element(3, &format!("{volume}:{TARGET}"));
        out.key(0, "volumes");
        out.key(1, &volume);
        out.pair(2, "name", &volume);
        out.0
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

/// The name of an image, if it is one.
pub(crate) fn image(given: Option<&str>, project: &str) -> Result<String> {
    let name = given.unwrap_or(project);
    match ImageName::parse(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(error) if given.is_some() => bail!("--image {name}: {}", error.reason()),
        Err(error) => bail!(
            "the project's name `{name}` is no name of an image: {}; give one with --image",
            error.reason()
        ),
    }
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

/// Block YAML of mappings and lists of text.
#[derive(Default)]
struct Yaml(String);

impl Yaml {
    fn key(&mut self, depth: usize, key: &str) {
        self.line(depth, &[&quoted(key), ":"]);
    }

    fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &[&quoted(key), ": ", &text(value)]);
    }

    fn element(&mut self, depth: usize, value: &str) {
        self.line(depth, &["- ", &text(value)]);
    }

    fn line(&mut self, depth: usize, parts: &[&str]) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.extend(parts.iter().copied());
        self.0.push('\n');
    }
}

/// A value, in which Compose replaces nothing.
fn text(value: &str) -> String {
    quoted(&value.replace('$', "$$"))
}

/// Plain where every reader of YAML takes it for text, and in quotes elsewhere.
fn quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    let first = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let dotted = text == "." || text.starts_with("./") || text.starts_with("../");
    if (text.starts_with(first) || dotted)
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !word
    {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
