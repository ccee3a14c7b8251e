//! `larder buildkitd-config`: configuration of the daemons that build.

mod gc;
mod json;
mod registries;
mod size;
mod toml;
mod wish;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::output;
use wish::{Wish, Worker};

/// Write buildkitd.toml, or daemon.json for dockerd, that keeps caches
#[derive(clap::Args)]
pub(crate) struct DaemonConfigCommand {
    /// Whose configuration
    #[arg(
        long = "for",
        value_enum,
        default_value = "buildkitd",
        value_name = "DAEMON"
    )]
    daemon: Daemon,
    /// How much of the disk BuildKit may use: 100GB, 500GiB, or 80% of the disk that its data is on
    #[arg(long, value_name = "SIZE")]
    disk: Option<String>,
    /// How much of the disk stays free, whoever fills it; 0 for nothing [default: a tenth of --disk]
    #[arg(long, value_name = "SIZE")]
    keep_free: Option<String>,
    /// A mirror of Docker Hub, or of HOST; may be repeated, and is asked in this order
    #[arg(long = "mirror", value_name = "[HOST=]URL")]
    mirrors: Vec<String>,
    /// A registry with any certificate, or without TLS; may be repeated
    #[arg(long = "insecure-registry", value_name = "HOST[:PORT]")]
    insecure: Vec<String>,
    /// A registry without TLS, such as one for layer caches; may be repeated
    #[arg(long = "cache-registry", value_name = "HOST[:PORT]")]
    caches: Vec<String>,
    /// Who runs the steps
    #[arg(long, value_enum, default_value = "oci")]
    worker: Worker,
    /// For a daemon without root, in a user namespace
    #[arg(long)]
    rootless: bool,
    /// How layers are kept [default: what fits the machine]
    #[arg(long, value_name = "NAME")]
    snapshotter: Option<String>,
    /// How many steps run at once, of all builds [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    max_parallelism: Option<String>,
    /// A platform that it builds for; may be repeated [default: what the machine can run]
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',')]
    platforms: Vec<String>,
    /// Listen on a port too, beside the socket
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// The CA that signed the certificates of clients
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<String>,
    /// The daemon's certificate
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The key of that
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Let everyone use the daemon who reaches the port
    #[arg(long)]
    without_tls: bool,
    /// The socket, if there is a port [default: the one of the daemon's image]
    #[arg(long, value_name = "PATH")]
    socket: Option<String>,
    /// A daemon.json to add to
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Daemon {
    /// buildkitd.toml
    Buildkitd,
    /// daemon.json
    Dockerd,
}

/// The exit code for wrong usage.
const USAGE: u8 = 2;

impl DaemonConfigCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut mistakes = Vec::new();
        let wish = Wish::read(&self, &mut mistakes);
        let text = match self.daemon {
            Daemon::Buildkitd => toml::file(&wish),
            Daemon::Dockerd => self.daemon_json(&wish, &mut mistakes),
        };
        if mistakes.is_empty() {
            output::result(text.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        for mistake in mistakes {
            output::say(&format!("error: {mistake}\n"));
        }
        Ok(ExitCode::from(USAGE))
    }

    fn daemon_json(&self, wish: &Wish, mistakes: &mut Vec<String>) -> String {
        let mut all = json::settings(wish);
        if let Some(path) = &self.merge {
            let name = path.display().to_string();
            match fs::read_to_string(path) {
                Ok(file) => all = json::merge(&file, &name, all, mistakes),
                Err(error) => mistakes.push(format!("{name}: {error}")),
            }
        }
        format!("{:#}\n", Value::from(all))
    }
}
