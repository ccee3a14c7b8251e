//! What the tests of the layer cache build, and where they keep its layers.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use anyhow::{Context, Result};
use larder_e2e::{Base, Engine, Gate, Progress, Project, unique};

/// A base that comes quickly, as nothing is in it but a shell and what the steps need.
const SMALL: &str = "RUN mkdir /small && cp --parents -L /bin/sh /bin/cat /bin/head \\
  $(ldd /bin/sh /bin/cat /bin/head | grep -oE '/lib[^ ]*' | sort -u) /small
FROM scratch
COPY --from=full /small /";

/// The steps, as clients show them; sorted, as those that [`ran`] are.
pub(crate) const ALL: [&str; 7] = [
    "[app 1/5] workdir /app",
    "[app 2/5] run echo app > /base",
    "[app 3/5] copy main.txt to /app/",
    "[app 4/5] copy tools to /app/ from tools",
    "[app 5/5] run cat main.txt tools > built",
    "[tools 1/2] run echo tools > /tools",
    "[tools 2/2] run echo more >> /tools",
];

/// Those that a change of `main.txt` makes again.
pub(crate) const CHANGED: [&str; 3] = [ALL[2], ALL[3], ALL[4]];

/// Those of the stage of which only a file gets into the image.
pub(crate) const TOOLS: [&str; 2] = [ALL[5], ALL[6]];

/// A project whose steps no other has, and a registry that can be shut.
pub(crate) struct Scene<'a> {
    pub(crate) project: Project,
    pub(crate) gate: Gate,
    engine: &'a Engine,
    base: Base<'a>,
    id: String,
}

impl<'a> Scene<'a> {
    /// With these keys in its spec, in which `CACHE` is a reference without its tag.
    pub(crate) fn new(engine: &'a Engine, keys: &str) -> Result<Self> {
        let scene = Self {
            project: Project::empty()?,
            gate: Gate::open(engine.registry())?,
            engine,
            base: engine.base_with("debian:trixie-slim AS full", SMALL)?,
            id: unique(),
        };
        scene.spec(keys)?;
        scene.change("first")?;
        Ok(scene)
    }

    /// Where layers are kept: in a repository of this scene's own.
    pub(crate) fn repository(&self) -> String {
        format!("{}/larder-e2e/layers-{}", self.gate.address(), self.id)
    }

    /// A reference there.
    pub(crate) fn cache(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository())
    }

    /// The tags that there are in the repository.
    pub(crate) fn tags(&self) -> Result<Vec<String>> {
        let repository = self.repository();
        let (address, name) = repository.split_once('/').context("it has no registry")?;
        let mut registry = TcpStream::connect(address)?;
        write!(registry, "GET /v2/{name}/tags/list HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        registry.read_to_string(&mut answer)?;
        let (_, json) = answer.split_once("\r\n\r\n").context("no answer")?;
        let json: serde_json::Value = serde_json::from_str(json)?;
        Ok(serde_json::from_value(json["tags"].clone())?)
    }

    /// Writes the spec with other keys.
    pub(crate) fn spec(&self, keys: &str) -> Result<()> {
        let keys = keys.replace("CACHE", &self.repository());
        let base = self.base.name();
        self.project.spec(
            self.engine,
            &format!(
                "name: layers
{keys}
stages:
  tools:
    from: {base}
    steps:
      - run: echo tools > /tools
      - run: echo more >> /tools
  app:
    from: {base}
    workdir: /app
    steps:
      - run: echo app > /base
      - copy: main.txt
      - copy: {{from: tools, src: /tools}}
      - run: cat main.txt tools > built
"
            ),
        )
    }

    /// Changes the sources.
    pub(crate) fn change(&self, text: impl AsRef<[u8]>) -> Result<()> {
        self.project.file("main.txt", text)?;
        Ok(())
    }
}

/// Asks a client for an export, as `larder build` does.
pub(crate) fn export(reference: &str, mode: &str) -> String {
    format!("--cache-to=type=registry,ref={reference},mode={mode},ignore-error=true")
}

/// The steps that were carried out.
pub(crate) fn ran(progress: &Progress) -> Vec<&str> {
    let mut names = progress.ran();
    names.sort_unstable();
    names
}

/// Nothing but these steps ran, and nothing was warned of.
pub(crate) fn only(progress: &Progress, steps: &[&str]) {
    assert_eq!(ran(progress), steps);
    assert_eq!(progress.warnings, [""; 0]);
    for step in ALL.iter().filter(|step| !steps.contains(step)) {
        assert!(progress.cached().contains(step), "{step} is not shown");
    }
}

/// These steps ran, and there is one warning, about this reference and in these words.
pub(crate) fn with_a_warning(progress: &Progress, steps: &[&str], reference: &str, words: &str) {
    assert_eq!(ran(progress), steps);
    let [warning] = &progress.warnings[..] else {
        panic!("not one warning: {:#?}", progress.warnings);
    };
    for part in [reference, words, "layer-cache-unavailable"] {
        assert!(warning.contains(part), "no {part:?} in: {warning}");
    }
}
