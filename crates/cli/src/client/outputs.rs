//! Where a result goes, in buildctl's words.

use std::fmt;

use anyhow::{Result, bail, ensure};

use super::{BuildOptions, csv};

/// One place for the result.
pub(crate) struct Output {
    kind: String,
    attributes: Vec<(String, String)>,
}

/// What buildx makes of `--output`, `--push`, `--tag` and `--annotation`.
pub(crate) fn of(options: &BuildOptions) -> Result<Vec<Output>> {
    if options.load {
        bail!("--load: {LOAD}");
    }
    let mut outputs = Vec::new();
    for text in &options.outputs {
        outputs.push(Output::read(text)?);
    }
    if options.push {
        if !outputs.iter().any(|output| output.kind == "image") {
            outputs.push(Output::new("image", &[]));
        }
        for image in outputs.iter_mut().filter(|output| output.kind == "image") {
            image.set("push", "true");
        }
    } else if outputs.is_empty() && !options.tags.is_empty() {
        outputs.push(Output::new("image", &[]));
    }
    outputs.retain(|output| output.kind != "cacheonly");
    for output in outputs.iter_mut().filter(|output| output.is_image()) {
        if !options.tags.is_empty() {
            output.set("name", &options.tags.join(","));
        }
        let annotations = options.annotations.iter();
        for (key, value) in annotations.flat_map(|text| annotation(text)) {
            output.set(&key, &value);
        }
    }
    ensure!(
        options.annotations.is_empty() || outputs.iter().any(Output::is_image),
        "--annotation: no image comes of this build; name it with --tag, or its place with --output"
    );
    Ok(outputs)
}

const LOAD: &str = "buildctl puts nothing into Docker; write the image to a file with `--output \
                    type=docker,dest=image.tar` and run `docker load --input image.tar`, or build with \
                    --client buildx";

impl Output {
    fn new(kind: &str, attributes: &[(&str, &str)]) -> Output {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Output {
            kind: kind.to_owned(),
            attributes: attributes.iter().map(owned).collect(),
        }
    }

    fn read(text: &str) -> Result<Output> {
        if text == "-" {
            return Ok(Output::new("tar", &[("dest", "-")]));
        }
        if !text.contains(['=', ',']) {
            return Ok(Output::new("local", &[("dest", text)]));
        }
        let mut output = Output::new("", &[]);
        for (name, value) in csv::pairs("--output", text)? {
            match name.as_str() {
                "type" => output.kind = value,
                _ => output.attributes.push((name, value)),
            }
        }
        if output.kind.is_empty() {
            bail!("--output: it has no type=…");
        }
        if output.kind == "registry" {
            "image".clone_into(&mut output.kind);
            output.set("push", "true");
        }
        let to_docker = output.kind == "docker" && output.get("dest").is_none();
        ensure!(!to_docker, "--output type=docker: {LOAD}");
        Ok(output)
    }

    fn is_image(&self) -> bool {
        ["image", "oci", "docker"].contains(&self.kind.as_str())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find_map(|(one, value)| (one == name).then_some(value.as_str()))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.attributes.retain(|(one, _)| one != name);
        self.attributes.push((name.to_owned(), value.to_owned()));
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| (name.as_str(), value.as_str()));
        let fields = std::iter::once(("type", self.kind.as_str())).chain(attributes);
        f.write_str(&csv::line(fields))
    }
}

/// `manifest,index:KEY=VALUE` as `annotation-manifest.KEY` and `annotation-index.KEY`.
fn annotation(text: &str) -> Vec<(String, String)> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match key.split_once(':') {
        None => vec![(format!("annotation.{key}"), value.to_owned())],
        Some((kinds, key)) => kinds
            .split(',')
            .map(|kind| (format!("annotation-{kind}.{key}"), value.to_owned()))
            .collect(),
    }
}
