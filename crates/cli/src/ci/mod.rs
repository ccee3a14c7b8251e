//! `larder ci`: pipelines for GitHub and GitLab.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Write a CI pipeline that builds a spec
#[derive(clap::Args)]
pub(crate) struct CiCommand {}

impl CiCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        bail!("not there yet")
    }
}
