//! A running engine, as the commands and the tests use it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Context, Result};
use larder_e2e::proxy::Proxy;
use serde_json::json;

use super::packages::Tools;
use super::state::State;
use super::{Kind, daemon, proxy, registry};
use crate::run;

/// The frontend image's name, without a registry.
pub(crate) const FRONTEND: &str = "larder/frontend:1";

/// Variables that choose another engine, and would be obeyed instead.
const SELECTORS: &[&str] = &["BUILDX_BUILDER", "DOCKER_CONTEXT", "BUILDKIT_HOST"];

/// A running engine.
#[derive(Debug)]
pub(crate) struct Engine {
    state: State,
    kind: Kind,
    tools: Option<Tools>,
}

impl Engine {
    pub(super) fn own(state: State, tools: Tools) -> Result<Engine> {
        let kind = state
            .kind()
            .context("the engine's kind is unknown; run `cargo xtask engine up`")?;
        Ok(Engine {
            state,
            kind,
            tools: Some(tools),
        })
    }

    pub(super) fn host(state: State) -> Result<Engine> {
        run::output(Command::new("docker").args(["buildx", "version"]))
            .context("`--engine host` needs a docker command with buildx")?;
        run::output(Command::new("docker").args(["version"]))
            .context("no Docker answers; set DOCKER_HOST or choose a docker context")?;
        Ok(Engine {
            state,
            kind: Kind::Host,
            tools: None,
        })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &std::path::Path {
        &self.state.root
    }

    /// A docker command for this engine.
    pub(crate) fn docker(&self) -> Command {
        match &self.tools {
            Some(tools) => daemon::docker(&self.state, tools),
            None => Command::new("docker"),
        }
    }

    /// The name under which the frontend is pushed; with the user's own engine it is only loaded.
    pub(crate) fn frontend_push(&self) -> Option<String> {
        self.tools.as_ref()?;
        Some(format!("{}/{FRONTEND}", registry::address(&self.state)?))
    }

    /// The variables that make docker, buildx and the tests use this engine.
    pub(crate) fn variables(&self) -> BTreeMap<&'static str, String> {
        let mut all = BTreeMap::new();
        all.insert("LARDER_ENGINE", self.kind.name().to_owned());
        all.insert("LARDER_FRONTEND", FRONTEND.to_owned());
        let Some(tools) = &self.tools else { return all };
        all.insert(
            "DOCKER_HOST",
            format!("unix://{}", daemon::socket(&self.state).display()),
        );
        let config = self.state.dir.join("docker-config");
        all.insert("DOCKER_CONFIG", config.display().to_string());
        all.extend(registry::address(&self.state).map(|address| ("LARDER_REGISTRY", address)));
        if let Some(address) = self.proxy() {
            all.insert("LARDER_PROXY", address.to_string());
            let certificate = proxy::certificate(&self.state);
            all.insert("LARDER_PROXY_CA", certificate.display().to_string());
        }
        let mut path = tools.docker_dirs();
        let before = std::env::var_os("PATH").unwrap_or_default();
        path.extend(std::env::split_paths(&before).filter(|dir| !dir.starts_with(&self.state.dir)));
        if let Ok(path) = std::env::join_paths(path) {
            all.insert("PATH", path.to_string_lossy().into_owned());
        }
        all
    }

    /// Where the counting proxy listens; the user's own engine has none.
    fn proxy(&self) -> Option<SocketAddr> {
        self.tools.as_ref()?;
        proxy::address(&self.state)
    }

    /// Another proxy at the same address, for one user alone.
    pub(crate) fn own_proxy(&self) -> Result<Option<Proxy>> {
        let Some(address) = self.proxy() else {
            return Ok(None);
        };
        proxy::another(&self.state, address.ip()).map(Some)
    }

    /// Makes a program that calls docker use this engine.
    pub(crate) fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if self.tools.is_some() {
            for name in SELECTORS {
                command.env_remove(name);
            }
        }
        command.envs(self.variables())
    }

    /// The variables as lines for a shell.
    pub(crate) fn exports(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.variables() {
            let _ = writeln!(text, "export {name}={}", quote(&value));
        }
        if self.tools.is_some() {
            let _ = writeln!(text, "unset {}", SELECTORS.join(" "));
        }
        text
    }

    /// One line on what runs.
    pub(crate) fn describe(&self) -> Result<String> {
        let version =
            run::output(
                self.docker()
                    .args(["version", "--format", "{{.Server.Version}}"]),
            )?;
        let buildx = run::output(self.docker().args(["buildx", "version"]))?;
        let buildx = buildx.split(' ').nth(1).unwrap_or_default();
        Ok(format!(
            "engine: {}, Docker {}, buildx {buildx}",
            self.kind.name(),
            version.trim()
        ))
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Writes the docker command's settings: where its plugins are, and that builds use the proxy.
pub(super) fn write_docker_config(state: &State, tools: &Tools, proxy: SocketAddr) -> Result<()> {
    let dir = state.folder("docker-config")?;
    let plugins = dir.join("cli-plugins");
    fs::create_dir_all(&plugins)?;
    for (name, file) in tools.plugins() {
        let link = plugins.join(name);
        if fs::read_link(&link).ok().as_deref() != Some(&file) {
            let _ = fs::remove_file(&link);
            symlink(file, &link)?;
        }
    }
    let url = format!("http://{proxy}");
    let config = json!({
        "proxies": { "default": {
            "httpProxy": url,
            "httpsProxy": url,
            "noProxy": "localhost,127.0.0.1",
        } },
    });
    run::write_if_changed(
        &dir.join("config.json"),
        &(serde_json::to_string_pretty(&config)? + "\n"),
    )?;
    Ok(())
}
