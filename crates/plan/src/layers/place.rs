//! One place for layers: its options with all args filled in, and whether they can be.

use std::collections::BTreeMap;

use buildkit_llb::ImageName;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{BackendKind, CacheBackend, Direction};
use larder_spec::secrets;
use larder_spec::template::{Part, Template};

use super::CacheEntry;
use crate::args::{Args, Value};
use crate::planner::{Planner, Scope};

/// Options that say where a place is.
const PLACES: [&str; 15] = [
    "account_name",
    "account_url",
    "bucket",
    "container",
    "dest",
    "digest",
    "endpoint_url",
    "manifests_prefix",
    "name",
    "prefix",
    "region",
    "repository",
    "scope",
    "src",
    "tag",
];

impl Planner<'_> {
    /// A place with its args filled in; `None` if something is wrong with it, which is then reported.
    pub(super) fn cache_entry(
        &mut self,
        place: &CacheBackend,
        args: &Args,
        direction: Direction,
    ) -> Option<CacheEntry> {
        let mut options = BTreeMap::new();
        let mut good = true;
        for (name, template) in &place.options {
            match self.cache_option(place.kind, &name.value, template, args, direction) {
                Some(text) => {
                    options.insert(name.value.clone(), text);
                }
                None => good = false,
            }
        }
        if !good {
            return None;
        }
        let entry = CacheEntry {
            kind: place.kind,
            options,
            span: Some(place.span),
        };
        match contradiction(&entry) {
            Some((option, message, hint)) => {
                let mut written = place.options.iter();
                let at = written.find(|(name, _)| name.value == option);
                let span = at.map_or(place.span, |(_, value)| value.span);
                self.report(Diagnostic::error(span, message).hint(hint));
                None
            }
            None => Some(entry),
        }
    }

    fn cache_option(
        &mut self,
        kind: BackendKind,
        option: &str,
        template: &Template,
        args: &Args,
        direction: Direction,
    ) -> Option<String> {
        let text = self.expand(template, Scope { args, env: None })?;
        let checked = if option == "ref" {
            let reference = Reference {
                text: &text,
                name: option,
                direction,
                template: Some(template),
            };
            reference.check(args)
        } else {
            let wrong = kind.check(option, &text).map_err(|wrong| wrong.at(None));
            let in_wrong = wrong.is_err() && secrets::in_reference(&text);
            if secrets::in_text(&text) || in_wrong {
                let (message, hint) = secrets::refusal(&quote(option), &text);
                Err(Diagnostic::error(None, message)
                    .hint(hint)
                    .hide(template.span))
            } else {
                wrong
            }
        };
        match checked {
            Ok(()) => Some(text),
            Err(mut diagnostic) => {
                diagnostic.span = Some(template.span);
                if !diagnostic.hidden.is_empty() {
                    let defaults = self.defaults_in(template);
                    diagnostic = defaults.fold(diagnostic, Diagnostic::hide);
                }
                self.report(diagnostic);
                None
            }
        }
    }
}

impl Planner<'_> {
    /// Where the spec says what the args of a template are.
    fn defaults_in(&self, template: &Template) -> impl Iterator<Item = Span> {
        let declared = self.spec.args.iter().filter(|arg| {
            let mut parts = template.parts.iter();
            parts.any(|part| matches!(part, Part::Arg { name, .. } if *name == arg.name.value))
        });
        declared.filter_map(|arg| Some(arg.default.as_ref()?.span))
    }
}

/// A reference to be checked.
pub(super) struct Reference<'a> {
    pub(super) text: &'a str,
    /// The key or the variable that says it.
    pub(super) name: &'a str,
    pub(super) direction: Direction,
    /// What it came from.
    pub(super) template: Option<&'a Template>,
}

impl Reference<'_> {
    /// What is wrong with it, without a place. A text with credentials is not repeated.
    pub(super) fn check(&self, args: &Args) -> Result<(), Diagnostic> {
        let text = self.text;
        let subject = quote(self.name);
        if secrets::in_reference(text) || text.contains("://") {
            let (message, hint) = secrets::refusal(&subject, text);
            let diagnostic = Diagnostic::error(None, message).hint(hint);
            return Err(match self.template {
                Some(template) => diagnostic.hide(template.span),
                None => diagnostic,
            });
        }
        if text.trim().is_empty() {
            let hint = "write a default, as in `${NAME:-registry:5000/shop/cache}`";
            return Err(Diagnostic::error(None, format!("{subject} is empty")).hint(hint));
        }
        let name = match ImageName::parse(text) {
            Ok(name) => name,
            Err(error) => {
                let message = format!("{subject} is {}: {}", quote(text), error.reason());
                let hint = self.hint(args);
                return Err(Diagnostic::error(None, message).hint(hint));
            }
        };
        if self.direction == Direction::Import {
            return Ok(());
        }
        if name.digest().is_some() {
            let message = format!("{subject} has a digest, and nothing can be written to one");
            return Err(Diagnostic::error(None, message).hint("write a tag in place of it"));
        }
        let port = text.rsplit_once(':').filter(|(host, port)| {
            !host.contains('/')
                && (2..=5).contains(&port.len())
                && port.bytes().all(|c| c.is_ascii_digit())
        });
        if port.is_some() {
            let message = format!(
                "{subject} is {}, a registry without a repository",
                quote(text)
            );
            let hint = format!("name a repository in it, as in `{text}/cache`");
            return Err(Diagnostic::error(None, message).hint(hint));
        }
        Ok(())
    }

    /// What to do about a reference that does not parse: as a rule it is an arg.
    fn hint(&self, args: &Args) -> String {
        let parts = self
            .template
            .into_iter()
            .flat_map(|template| &template.parts);
        let named = parts.filter_map(|part| match part {
            Part::Arg { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        });
        let value = |name| match args.get(name) {
            Value::Set(value) => value,
            Value::Unset | Value::Unknown => "",
        };
        let tag = self.text.rsplit(':').next().unwrap_or_default();
        let named: Vec<&str> = named.collect();
        let slashed = named.iter().find(|name| {
            let value = value(name);
            value.contains('/') && tag.contains(value)
        });
        if let Some(name) = slashed {
            return format!(
                "a tag has no slashes: give `{name}` as {}, as GitLab has it in `CI_COMMIT_REF_SLUG`",
                quote(&value(name).replace('/', "-"))
            );
        }
        if let Some(name) = named.iter().find(|name| value(name).is_empty()) {
            return format!("`{name}` is empty: write a default, as in `${{{name}:-main}}`");
        }
        "write a registry, a repository and a tag, as in `registry:5000/shop/cache:main`".to_owned()
    }
}

/// What the place is, whatever is done there: two places of one identity are the same.
pub(super) fn identity(entry: &CacheEntry) -> Vec<String> {
    let mut out = vec![entry.kind.name().to_owned()];
    if let Some(reference) = entry.reference() {
        let name = ImageName::parse(reference).map(|name| name.to_string());
        out.push(name.unwrap_or_else(|_| reference.to_owned()));
        return out;
    }
    for (name, value) in &entry.options {
        if PLACES.contains(&name.as_str()) {
            out.push(format!("{name}={value}"));
        }
    }
    out
}

/// Whether two places are the same as they are written, whatever the args are.
pub(super) fn written_alike(one: &CacheBackend, other: &CacheBackend) -> bool {
    let place = |place: &CacheBackend| -> BTreeMap<String, String> {
        let options = place.options.iter();
        options
            .filter(|(name, _)| name.value == "ref" || PLACES.contains(&name.value.as_str()))
            .map(|(name, value)| (name.value.clone(), value.to_string()))
            .collect()
    };
    one.kind == other.kind && place(one) == place(other)
}

/// Options that do not go together: the one to point at, what is wrong, and what to do.
fn contradiction(entry: &CacheEntry) -> Option<(&'static str, String, &'static str)> {
    const LEVEL: &str = "compression-level";
    let option = |name: &str| entry.options.get(name).map(String::as_str);
    let compression = option("compression").unwrap_or("gzip");
    let level = option(LEVEL).and_then(|level| level.parse::<u32>().ok());
    match (compression, level) {
        ("uncompressed", Some(_)) => {
            let message = "`compression-level` of layers that are not compressed".to_owned();
            return Some((
                LEVEL,
                message,
                "leave it out, or write another `compression`",
            ));
        }
        ("gzip" | "estargz", Some(level)) if level > 9 => {
            let message =
                format!("`compression-level` of `{compression}` is 0 to 9, not `{level}`");
            return Some((LEVEL, message, "only `zstd` has levels up to 22"));
        }
        _ => {}
    }
    if option("oci-mediatypes") != Some("false") {
        return None;
    }
    if option("image-manifest") == Some("true") {
        let message = "`image-manifest` needs OCI's media types".to_owned();
        return Some(("image-manifest", message, "leave `oci-mediatypes` out"));
    }
    if matches!(compression, "estargz" | "zstd") {
        let message = format!("`{compression}` needs OCI's media types");
        return Some(("compression", message, "leave `oci-mediatypes` out"));
    }
    None
}
