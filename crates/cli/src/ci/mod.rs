//! `larder ci`: pipelines for GitHub and GitLab that need no program of Larder's.

mod actions;
mod cache;
mod github;
mod gitlab;
mod pipeline;
mod secrets;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use buildkit_llb::Platform;
use clap::ValueEnum;

use crate::build::Outcome;
use crate::{name_and_value, output, platform};
use pipeline::Pipeline;

/// Write a CI pipeline that builds a spec
#[derive(clap::Args)]
pub(crate) struct CiCommand {
    /// The system that runs the pipeline
    #[arg(value_enum, value_name = "SYSTEM")]
    system: System,
    /// The build context with larder.yaml in it, or a spec file in its context, from the repository's root
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// The spec; PATH is then the context
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The image's name, with its registry and without a tag [GitLab's default: the project's own]
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// The stage to build [default: the spec's `target`, or its last stage]
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// A value for a declared arg; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = name_and_value)]
    args: Vec<(String, String)>,
    /// What the image is for; several may be named, each is built by a runner of its own
    /// [default: linux/amd64]
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',', value_parser = platform)]
    platforms: Vec<Platform>,
    /// The label, or on GitLab the tag, of the runner for a platform; may be repeated
    #[arg(long = "runner", value_name = "PLATFORM=LABEL", value_parser = runner)]
    runners: Vec<(Platform, String)>,
    /// Where layers are kept [default: as the spec says, or beside the image in its registry]
    #[arg(long, value_enum)]
    cache: Option<CacheKind>,
    /// The default branch, whose cache the others fall back to
    #[arg(long, value_name = "NAME", default_value = "main")]
    branch: String,
    /// The frontend image, in place of that in the spec's `# syntax=` line
    #[arg(long, value_name = "IMAGE")]
    frontend: Option<String>,
}

/// A CI system.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum System {
    /// A workflow of GitHub Actions, for `.github/workflows/`
    GitHub,
    /// A pipeline of GitLab, for `.gitlab-ci.yml`
    GitLab,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CacheKind {
    /// An image registry
    Registry,
    /// The cache of GitHub Actions
    Gha,
}

fn runner(text: &str) -> Result<(Platform, String), String> {
    match text.split_once('=') {
        Some((name, label)) if words::is_label(label) => Ok((platform(name)?, label.to_owned())),
        _ => Err("write PLATFORM=LABEL, such as linux/arm64=my-arm-runner".to_owned()),
    }
}

impl CiCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let [_, _, ..] = self.paths[..] {
            bail!(
                "a pipeline builds one spec: run `larder ci` for each and keep each workflow in a file of \
                 its own, or build them together with `larder bake`"
            );
        }
        let system = self.system;
        let Outcome::Good(pipeline) = Pipeline::of(self)? else {
            return Ok(ExitCode::FAILURE);
        };
        let text = match system {
            System::GitHub => github::workflow(&pipeline),
            System::GitLab => gitlab::pipeline(&pipeline),
        };
        output::result(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests;
