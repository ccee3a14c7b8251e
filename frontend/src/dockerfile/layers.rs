//! `CACHE_REGISTRY`: layers for a Dockerfile, beside what the client imports.

use buildkit_llb::{ImageName, Platform};
use larder_diagnostic::Diagnostic;
use larder_gateway::{Bridge, CacheImport, Failure, Given};
use larder_plan::layers::{CACHE_REGISTRY, with_tag};
use larder_plan::lints::rule;
use serde_json::json;

use super::{Build, args, lint};
use crate::layers::{self, Import, LINT};

/// The option that holds imports as JSON.
const IMPORTS: &str = "cache-imports";

impl<B: Bridge> Build<'_, B> {
    /// Adds what the operator of a server names to what the client imports, if it is there. What the
    /// client names stays as it came, and so does what the operator says in a way that makes no sense.
    pub(super) async fn add_layers(&mut self, given: &Given) -> Result<Vec<Diagnostic>, Failure> {
        let Some(registry) = given.option(&format!("build-arg:{CACHE_REGISTRY}")) else {
            return Ok(Vec::new());
        };
        let reference = with_tag(registry, given.option(args::PROJECT).unwrap_or_default());
        // What is no reference may hold a password, and is not shown.
        if ImageName::parse(&reference).is_err() {
            let message = format!("no layers are imported: `{CACHE_REGISTRY}` is not a reference");
            return Ok(vec![Diagnostic::warning(None, message).lint(LINT)]);
        }
        let import = CacheImport {
            kind: "registry".to_owned(),
            attrs: [("ref".to_owned(), reference)].into(),
        };
        let there = &self.request.cache_imports;
        if there
            .iter()
            .any(|it| layers::key(it) == layers::key(&import))
        {
            return Ok(Vec::new());
        }
        let wanted = Import {
            place: import,
            span: None,
            of_client: false,
        };
        let platform = given.worker_platform().ok().flatten();
        let platform = platform.unwrap_or_else(Platform::host);
        let (found, warnings) = layers::available(self.bridge, &[vec![wanted]], &platform).await?;
        for import in found.into_iter().flatten() {
            self.request.cache_imports.push(import);
            let all = self.request.cache_imports.iter();
            let all = all.map(|it| json!({ "Type": it.kind, "Attrs": it.attrs }));
            let all = json!(all.collect::<Vec<_>>()).to_string();
            self.request.options.insert(IMPORTS.to_owned(), all);
        }
        Ok(warnings)
    }

    /// Whether a warning that has nothing to do with the file is wanted.
    pub(super) fn wants(&self, warning: &Diagnostic) -> bool {
        let config = self.request.options.get(lint::CONFIG).map(String::as_str);
        let text = self.found.map(|found| found.data.as_slice());
        let wanted = lint::wanted(config, text.unwrap_or_default());
        !warning.lint.is_some_and(|name| wanted.skips(&rule(name)))
    }
}
