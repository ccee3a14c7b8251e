//! Where the layers of a build are looked for: what the client names, and then what the spec does. A
//! registry that does not answer costs a warning, and a wait with an end.

pub(crate) mod answer;
pub(crate) mod probe;

use std::collections::BTreeMap;

use buildkit_llb::{ImageName, Platform};
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_gateway::{Bridge, CacheImport, Failure};
use larder_plan::layers::CacheEntry;
use larder_spec::model::BackendKind;

use answer::Answer;
use probe::Said;

/// The name of the warning.
pub(crate) const LINT: &str = "layer-cache-unavailable";
/// The attribute of a registry without TLS, or with a certificate that nobody knows.
const INSECURE: &str = "registry.insecure";

/// One place to look for layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Import {
    /// What the daemon gets.
    pub(crate) place: CacheImport,
    /// Where the spec says so.
    pub(crate) span: Option<Span>,
    /// Whether the client names it: it is left out only if the daemon would wait for it for ever.
    pub(crate) of_client: bool,
}

/// What a build has: the client's first, then those of the spec, each place once.
pub(crate) fn wanted(client: &[CacheImport], spec: &[CacheEntry]) -> Vec<Import> {
    let mut found: Vec<Import> = Vec::new();
    let of_client = client.iter().map(|import| Import {
        place: import.clone(),
        span: None,
        of_client: true,
    });
    let of_spec = spec.iter().filter(|entry| of_daemon(entry.kind));
    let of_spec = of_spec.map(|entry| Import {
        place: CacheImport {
            kind: entry.kind.name().to_owned(),
            attrs: entry.options.clone(),
        },
        span: entry.span,
        of_client: false,
    });
    for one in of_client.chain(of_spec) {
        let same = |it: &&mut Import| key(&it.place) == key(&one.place);
        match found.iter_mut().find(same) {
            Some(there) => there.span = there.span.or(one.span),
            None => found.push(one),
        }
    }
    found
}

/// Whether a daemon can import it by itself. The others need what only a client has: its files, or the
/// token of a pipeline.
fn of_daemon(kind: BackendKind) -> bool {
    match kind {
        BackendKind::Registry | BackendKind::S3 | BackendKind::Azblob => true,
        BackendKind::Inline | BackendKind::Local | BackendKind::Gha => false,
    }
}

/// What makes two the same for a daemon: of a registry, the reference alone.
pub(crate) fn key(import: &CacheImport) -> (String, BTreeMap<String, String>) {
    let attrs = match name(import) {
        Some(name) => [("ref".to_owned(), name.to_string())].into(),
        None => import.attrs.clone(),
    };
    (import.kind.clone(), attrs)
}

/// What is asked for; none where nothing is, or where the daemon will say what is wrong.
fn name(import: &CacheImport) -> Option<ImageName> {
    let reference = import
        .attrs
        .get("ref")
        .filter(|_| import.kind == "registry");
    reference.and_then(|reference| ImageName::parse(reference).ok())
}

fn insecure(attrs: &BTreeMap<String, String>) -> bool {
    let value = attrs.get(INSECURE).map(String::as_str);
    value.is_some_and(|it| matches!(it, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// What of them can be had, and a warning for each of the others; the names that warnings are about are
/// those of the spec or the client.
pub(crate) async fn available(
    bridge: &impl Bridge,
    wanted: &[Vec<Import>],
    platform: &Platform,
) -> Result<(Vec<Vec<CacheImport>>, Vec<Diagnostic>), Failure> {
    let names = wanted.iter().flatten().filter_map(|it| name(&it.place));
    let said = probe::ask(bridge, names, platform).await?;
    let mut warnings: Vec<Diagnostic> = Vec::new();
    let mut kept = Vec::new();
    for list in wanted {
        let mut keep = Vec::new();
        for one in list {
            let warning = warning(one, &said);
            let silent = warning
                .as_ref()
                .is_some_and(|(answer, _)| *answer == Answer::Silent);
            if warning.is_none() || one.of_client && !silent {
                keep.push(one.place.clone());
            }
            let warning = warning.map(|(_, diagnostic)| diagnostic);
            warnings.extend(warning.filter(|it| !warnings.contains(it)));
        }
        kept.push(keep);
    }
    Ok((kept, warnings))
}

fn warning(one: &Import, said: &BTreeMap<String, Said>) -> Option<(Answer, Diagnostic)> {
    let name = name(&one.place)?;
    let answer = answer(said, &name, &one.place.attrs);
    let why = answer.against_import()?;
    let reference = quote(&name.familiar());
    let message = format!("no layers are imported from {reference}: {why}");
    let diagnostic = Diagnostic::warning(one.span, message)
        .lint(LINT)
        .hint(answer.hint(&name));
    Some((answer, diagnostic))
}

/// What is under a name that was asked for.
pub(crate) fn answer(
    said: &BTreeMap<String, Said>,
    name: &ImageName,
    attrs: &BTreeMap<String, String>,
) -> Answer {
    let said = said.get(&name.to_string());
    said.map_or(Answer::There, |said| {
        Answer::of(said, name, insecure(attrs))
    })
}

#[cfg(test)]
mod tests {
    use larder_gateway::fake::{FakeBridge, Script};

    use super::*;

    fn entry(kind: BackendKind, options: &[(&str, &str)], span: Option<Span>) -> CacheEntry {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        CacheEntry {
            kind,
            options: options.iter().map(owned).collect(),
            span,
        }
    }

    fn client(reference: &str) -> CacheImport {
        CacheImport {
            kind: "registry".to_owned(),
            attrs: [("ref".to_owned(), reference.to_owned())].into(),
        }
    }

    #[test]
    fn what_needs_the_client_is_left_to_it() {
        let spec = [
            entry(BackendKind::Gha, &[("scope", "x")], None),
            entry(BackendKind::Local, &[("src", "x")], None),
            entry(BackendKind::Inline, &[], None),
            entry(BackendKind::S3, &[("bucket", "x")], None),
            entry(BackendKind::Azblob, &[("account_url", "x")], None),
        ];
        let wanted = wanted(&[client("r.test/a")], &spec);
        let kinds: Vec<&str> = wanted.iter().map(|it| it.place.kind.as_str()).collect();
        assert_eq!(kinds, ["registry", "s3", "azblob"]);
    }

    #[tokio::test]
    async fn warnings_stand_where_the_spec_names_the_place() {
        let (first, second) = (Some(Span::new(1, 2)), Some(Span::new(3, 4)));
        let options = [("ref", "r.test/b"), (INSECURE, "true")];
        let spec = [
            entry(BackendKind::Registry, &[("ref", "r.test/a:latest")], first),
            entry(BackendKind::Registry, &options, second),
        ];
        let wanted = wanted(&[client("r.test/a")], &spec);
        let fake = FakeBridge::new(Script::new());
        let all = [wanted.clone(), wanted];
        let platform = Platform::host();
        let (kept, found) = available(&fake, &all, &platform).await.unwrap();
        assert_eq!(kept, [[client("r.test/a")], [client("r.test/a")]]);
        let spans: Vec<_> = found.iter().map(|it| it.span).collect();
        assert_eq!(spans, [first, second]);
        assert_eq!(fake.seen().resolved.len(), 2);
    }
}
