//! Finding out what time `SOURCE_DATE_EPOCH` means, where it names a context.

use buildkit_llb::{Constraints, Definition, Graph, Meta};
use larder_diagnostic::{Diagnostic, quote};
use larder_gateway::{Bridge, Failure};
use larder_plan::epoch::{Epoch, SOURCE_DATE_EPOCH, asked};
use larder_plan::{Context, NamedContext, Request, named_context};
use larder_spec::model::Spec;

/// Puts the time into the request, and says what was found wrong. Steps that declare the arg see the
/// seconds, and nothing if nobody can tell them.
pub(crate) async fn settle(
    bridge: &impl Bridge,
    spec: &Spec,
    request: &mut Request,
) -> Result<Vec<Diagnostic>, Failure> {
    let (context, what) = match asked(spec, request) {
        // Planning reads numbers, and complains about what is none.
        Epoch::None | Epoch::At(_) => return Ok(Vec::new()),
        Epoch::Context => (Some(&request.context), "the build context".to_owned()),
        Epoch::Of(name) => {
            let what = format!("the context {}", quote(&name));
            match named_context(request, &name, &request.platform) {
                None => return Ok(Vec::new()),
                Some((_, NamedContext::Image(_))) => (None, what),
                Some((_, NamedContext::Files(files) | NamedContext::Built { files, .. })) => {
                    (Some(files), what)
                }
            }
        }
    };
    let definition = match context {
        None | Some(Context::Local { .. }) => None,
        Some(Context::Input(input)) => Some(input.clone()),
        Some(Context::Source { source, .. }) => {
            let mut graph = Graph::new();
            let any = Constraints::default();
            let vertex = graph.add((**source).clone(), &any, Meta::default());
            Some(graph.definition(vertex.only()))
        }
    };
    let time = match definition {
        Some(definition) => time(bridge, &definition, &what).await?,
        None => None,
    };
    let seconds = time.map(|seconds| seconds.to_string());
    request.epoch = time;
    request
        .build_args
        .insert(SOURCE_DATE_EPOCH.to_owned(), seconds.unwrap_or_default());
    if time.is_some() {
        return Ok(Vec::new());
    }
    let message = format!("`{SOURCE_DATE_EPOCH}`: nobody can tell when {what} was made");
    let hint = "give seconds since 1970; repositories and files of the web have a time, the client's \
                directories and images have none";
    Ok(vec![
        Diagnostic::warning(None, message)
            .lint("unknown-epoch")
            .hint(hint),
    ])
}

async fn time(
    bridge: &impl Bridge,
    definition: &Definition,
    what: &str,
) -> Result<Option<i64>, Failure> {
    let name = format!("[internal] resolve the time of {what}");
    bridge.source_time(definition, &name).await
}
