//! `larder buildkitd-config`: configuration of the daemons that build.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Write buildkitd.toml, or daemon.json for dockerd, that keeps caches
#[derive(clap::Args)]
pub(crate) struct DaemonConfigCommand {}

impl DaemonConfigCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        bail!("not there yet")
    }
}
