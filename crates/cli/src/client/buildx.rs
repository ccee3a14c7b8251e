//! The command line of `docker buildx build`.

use std::path::Path;

use super::{Frontend, Line, Wish};

/// The build.
pub(crate) fn build(wish: &Wish<'_>) -> Line {
    let options = wish.options;
    let mut line = Line::new(&["docker", "buildx", "build"]);
    start(&mut line, wish);
    line.options("--build-context", &options.build_contexts);
    line.options("--tag", &options.tags);
    line.flag("--push", options.push);
    line.flag("--load", options.load);
    line.options("--output", &options.outputs);
    line.options("--secret", &options.secrets);
    line.options("--ssh", &options.ssh);
    line.options("--label", &options.labels);
    line.options("--annotation", &options.annotations);
    line.flag("--no-cache", options.no_cache);
    line.options("--no-cache-filter", &options.no_cache_filter);
    line.flag("--pull", options.pull);
    line.options("--sbom", &options.sbom);
    line.options("--provenance", &options.provenance);
    line.options(
        "--cache-from",
        options.cache_from.iter().chain(&wish.imports),
    );
    let own = |export: &&String| !options.cache_to.contains(export);
    let exports = wish.exports.iter().filter(own);
    line.options("--cache-to", options.cache_to.iter().chain(exports));
    line.options("--progress", &options.progress);
    if let Some(file) = &options.metadata_file {
        line.option("--metadata-file", file.display().to_string());
    }
    line.rest(wish.rest);
    end(&mut line, wish);
    line
}

/// The question which registries answer, with the answer in a file.
pub(crate) fn question(wish: &Wish<'_>, answer: &Path) -> Line {
    // Older versions know no `--call`, and this as an experiment only; newer ones take it too.
    let mut line = Line::new(&[
        "docker",
        "buildx",
        "build",
        "--print=layercache,format=json",
    ]);
    start(&mut line, wish);
    line.option("--metadata-file", answer.display().to_string());
    end(&mut line, wish);
    line
}

fn start(line: &mut Line, wish: &Wish<'_>) {
    let options = wish.options;
    line.options("--builder", &options.builder);
    if let Frontend::Named(image) = &wish.frontend {
        line.option("--build-arg", format!("BUILDKIT_SYNTAX={image}"));
    }
    line.options("--build-arg", &wish.build_args);
    line.options("--target", &options.target);
    if !options.platforms.is_empty() {
        line.option("--platform", options.platforms.join(","));
    }
}

fn end(line: &mut Line, wish: &Wish<'_>) {
    line.option("--file", &wish.file);
    line.word(&wish.context);
}
