//! The folders and the bridge of a second dockerd.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::json;

use super::first::First;
use crate::command::succeed;

/// Ends the daemon when the script's input ends, which is when the process of the test does.
const SCRIPT: &str = include_str!("guard.sh");

/// What a second dockerd has for itself.
pub(super) struct Place {
    first: First,
    data: PathBuf,
    run: PathBuf,
    bridge: String,
}

impl Place {
    pub(super) fn beside_the_engine() -> Result<Self> {
        let first = First::find()?;
        Ok(Self {
            data: first.beside("data-root")?,
            run: first.beside("exec-root")?,
            bridge: first.bridge()?,
            first,
        })
    }

    /// `DOCKER_HOST`.
    pub(super) fn host(&self) -> String {
        format!("unix://{}", self.run.join("docker.sock").display())
    }

    /// What dockerd prints goes here, and stays.
    pub(super) fn log(&self) -> Result<PathBuf> {
        self.first.log()
    }

    /// A call of the script.
    pub(super) fn script(&self, word: &str) -> Command {
        // The folders are no arguments: the script's own command line would name them.
        let mut command = self.first.command(Path::new("sh"));
        command
            .env("DATA", &self.data)
            .env("RUN", &self.run)
            .env("BRIDGE", &self.bridge)
            .args(["-c", SCRIPT, "second", word]);
        command
    }

    /// A call of dockerd.
    pub(super) fn dockerd(&self) -> Command {
        let mut command = self.first.command(&self.first.program);
        command.arg("--config-file").arg(self.config());
        command
    }

    fn config(&self) -> PathBuf {
        self.run.join("daemon.json")
    }

    /// Makes the folders, the settings and the bridge.
    pub(super) fn make(&self) -> Result<()> {
        let mut config = self.first.config.clone();
        let own = json!({
            "data-root": self.data.join("docker"),
            "exec-root": self.run.join("exec"),
            "pidfile": self.run.join("docker.pid"),
            "hosts": [self.host()],
            "bridge": self.bridge,
            // The rules and the settings of the machine are the first one's.
            "iptables": false,
            "ip6tables": false,
            "ip-forward": false,
            "ip-masq": false,
        });
        let own = own.as_object().into_iter().flatten();
        config.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        fs::create_dir_all(&self.data)?;
        fs::create_dir_all(&self.run)?;
        fs::write(self.config(), serde_json::to_string_pretty(&config)?)?;
        self.add_bridge()
    }

    /// Adds a bridge like the engine's, with a fixed hardware address, in the next subnet that is free.
    fn add_bridge(&self) -> Result<()> {
        let ip = |words: &[&str]| succeed(self.first.command(Path::new("ip")).args(words));
        let [a, b, first, _] = self.first.gateway()?.octets();
        let free = |c: u8| {
            let subnet = format!("{a}.{b}.{c}.0/24");
            ["match", "root"].iter().all(|which| {
                let routes = ip(&["-4", "route", "show", which, &subnet]).unwrap_or_default();
                routes.lines().all(|route| route.starts_with("default"))
            })
        };
        let c = (first..=u8::MAX).skip(1).find(|c| free(*c));
        let c = c.context("there is no free subnet for a second daemon")?;
        let hardware = format!("02:4c:{a:02x}:{b:02x}:{c:02x}:01");
        let name = self.bridge.as_str();
        ip(&["link", "add", name, "address", &hardware, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{a}.{b}.{c}.1/24"), "dev", name])?;
        ip(&["link", "set", name, "up"])?;
        Ok(())
    }
}
