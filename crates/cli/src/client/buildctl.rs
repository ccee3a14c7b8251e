//! The command line of `buildctl build`: options of buildx as options of the frontend and of the daemon.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use buildkit_llb::Platform;

use super::{Line, Wish, csv, outputs};
use crate::run::resolved;

/// The build.
pub(crate) fn build(wish: &Wish<'_>) -> Result<Line> {
    let options = wish.options;
    let mut line = start(wish)?;
    for context in &options.build_contexts {
        named_context(&mut line, context)?;
    }
    for label in &options.labels {
        let equals = if label.contains('=') { "" } else { "=" };
        line.option("--opt", format!("label:{label}{equals}"));
    }
    line.flag("--no-cache", options.no_cache);
    if !options.no_cache_filter.is_empty() {
        line.option(
            "--opt",
            format!("no-cache={}", options.no_cache_filter.join(",")),
        );
    }
    if options.pull {
        line.option("--opt", "image-resolve-mode=pull");
    }
    attestation(&mut line, "sbom", options.sbom.as_deref());
    attestation(&mut line, "provenance", options.provenance.as_deref());
    for output in outputs::of(options)? {
        line.option("--output", output.to_string());
    }
    line.options("--secret", &options.secrets);
    line.options("--ssh", &options.ssh);
    for cache in &options.cache_from {
        line.options("--import-cache", &cache_entries("--cache-from", cache)?);
    }
    line.options("--import-cache", &wish.imports);
    let mut exports = Vec::new();
    for cache in &options.cache_to {
        exports.extend(cache_entries("--cache-to", cache)?);
    }
    for export in &wish.exports {
        if !exports.contains(export) {
            exports.push(export.clone());
        }
    }
    line.options("--export-cache", &exports);
    line.options("--progress", &options.progress);
    if let Some(file) = &options.metadata_file {
        line.option("--metadata-file", file.display().to_string());
    }
    line.rest(wish.rest);
    Ok(line)
}

/// The question which registries answer. Of the answer, some is in the file and some on stdout.
pub(crate) fn question(wish: &Wish<'_>, answer: &Path) -> Result<Line> {
    let mut line = start(wish)?;
    line.option("--opt", "requestid=frontend.layercache");
    line.option("--opt", "frontend.caps=moby.buildkit.frontend.subrequests");
    line.option("--metadata-file", answer.display().to_string());
    Ok(line)
}

fn start(wish: &Wish<'_>) -> Result<Line> {
    let options = wish.options;
    ensure!(
        options.builder.is_none(),
        "buildctl knows no --builder; name its daemon with the variable BUILDKIT_HOST"
    );
    let mut line = Line::new(&["buildctl", "build"]);
    line.option("--frontend", "gateway.v0");
    let command = wish.frontend.command_line();
    let image = command.split_whitespace().next().unwrap_or_default();
    ensure!(
        !image.is_empty(),
        "--build-arg BUILDKIT_SYNTAX: it names no image"
    );
    line.option("--opt", format!("source={image}"));
    if image != command {
        line.option("--opt", format!("cmdline={command}"));
    }
    line.option("--local", format!("context={}", wish.context));
    line.option("--local", format!("dockerfile={}", wish.directory));
    let name = Path::new(&wish.file).file_name();
    let name = name.map_or(wish.file.as_str().into(), |name| name.to_string_lossy());
    line.option("--opt", format!("filename={name}"));
    if let Some(target) = &options.target {
        line.option("--opt", format!("target={target}"));
    }
    for arg in &wish.build_args {
        if let Some((name, value)) = resolved(arg)? {
            line.option("--opt", format!("build-arg:{name}={value}"));
        }
    }
    if !options.platforms.is_empty() {
        // The frontend does not know where the client is.
        let host = Platform::host().to_string();
        let names = options.platforms.iter().map(|name| match name.as_str() {
            "local" => host.as_str(),
            name => name,
        });
        let names: Vec<&str> = names.collect();
        line.option("--opt", format!("platform={}", names.join(",")));
    }
    Ok(line)
}

/// What buildx does itself: a directory gets a name to be sent under, and its address goes to the frontend.
fn named_context(line: &mut Line, context: &str) -> Result<()> {
    let (name, value) = context.split_once('=').unwrap_or((context, ""));
    if let Some(layout) = value.strip_prefix("oci-layout://") {
        let Some((path, digest)) = layout.split_once('@') else {
            bail!(
                "--build-context {context}: for buildctl, name the image in the layout by its digest: \
                 oci-layout://DIR@sha256:…"
            );
        };
        let store = name.replace(['/', ':', '@'], "_");
        line.option("--oci-layout", format!("{store}={path}"));
        line.option(
            "--opt",
            format!("context:{name}=oci-layout://{store}@{digest}"),
        );
    } else if value.contains("://") || value.starts_with("git@") {
        line.option("--opt", format!("context:{name}={value}"));
    } else {
        ensure!(
            Path::new(value).is_dir(),
            "--build-context {context}: there is no directory `{value}`"
        );
        let under = match name {
            "context" | "dockerfile" => format!("_{name}"),
            _ => name.to_owned(),
        };
        line.option("--local", format!("{under}={value}"));
        line.option("--opt", format!("context:{name}=local:{under}"));
    }
    Ok(())
}

fn attestation(line: &mut Line, name: &str, value: Option<&str>) {
    match value {
        None | Some("false" | "0" | "False" | "FALSE" | "f" | "F") => {}
        Some("true" | "1" | "True" | "TRUE" | "t" | "T") => {
            line.option("--opt", format!("attest:{name}="));
        }
        Some(options) => line.option("--opt", format!("attest:{name}={options}")),
    }
}

/// A cache as buildctl takes it; buildx takes references as they are too.
fn cache_entries(option: &str, text: &str) -> Result<Vec<String>> {
    if text.contains('=') {
        return Ok(vec![text.to_owned()]);
    }
    let entry = |reference: String| csv::line([("type", "registry"), ("ref", &reference)]);
    Ok(csv::fields(option, text)?.into_iter().map(entry).collect())
}
