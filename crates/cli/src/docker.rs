//! What the Docker command says of a build.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A question about a build.
pub(crate) struct Question<'a> {
    /// The image of Larder's frontend.
    pub(crate) frontend: &'a str,
    /// The file that is built.
    pub(crate) file: &'a Path,
    /// The build context.
    pub(crate) context: &'a Path,
    /// More options of `docker buildx build`.
    pub(crate) options: &'a [String],
}

impl Question<'_> {
    /// The decisions for the build, as JSON, with mounts at the tools' own places, and ids as in
    /// Dockerfiles. Nothing is built.
    pub(crate) fn plan(&self) -> Result<String> {
        let directory =
            tempfile::tempdir().context("cannot make a directory for Docker's answer")?;
        let answer = directory.path().join("answer.json");
        let status = Command::new("docker")
            // Older versions know no `--call`, and this as an experiment only; newer ones take it too.
            .env("BUILDX_EXPERIMENTAL", "1")
            .args(["buildx", "build", "--print=plan,format=json"])
            .args(["--build-arg", &format!("BUILDKIT_SYNTAX={}", self.frontend)])
            .args(["--build-arg", "LARDER_CACHE_IDS=dockerfile"])
            .args(["--build-arg", "LARDER_CACHE_LAYOUT=default"])
            .arg("--metadata-file")
            .arg(&answer)
            .args(self.options)
            .arg("--file")
            .arg(self.file)
            .arg(self.context)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context("cannot run `docker`; name LLB of the file with --llb, or install Docker")?;
        if !status.success() {
            bail!("`docker buildx build` failed; with --llb it is not needed");
        }
        let answer = fs::read_to_string(answer).context("Docker's answer")?;
        let answer: Value = serde_json::from_str(&answer).context("Docker's answer")?;
        match answer.get("result.json") {
            // As older versions write it.
            Some(Value::String(json)) => Ok(json.clone()),
            Some(json) => Ok(json.to_string()),
            None => bail!(
                "`{}` did not answer; is it Larder's frontend?",
                self.frontend
            ),
        }
    }
}
