//! `larder build`: runs a client with the frontend and what the spec says for clients.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Build the image with Docker's buildx or with buildctl
#[derive(clap::Args)]
pub(crate) struct RunCommand {}

impl RunCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        bail!("not there yet")
    }
}
