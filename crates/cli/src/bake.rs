//! `larder bake`: a bake file for the specs of a repository.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Write a bake file for one or many specs
#[derive(clap::Args)]
pub(crate) struct BakeCommand {}

impl BakeCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        bail!("not there yet")
    }
}
