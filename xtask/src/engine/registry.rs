//! A registry on a loopback port: the frontend image, the base images, layer cache.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::packages::Tools;
use super::state::State;
use crate::run;

const PIDFILE: &str = "registry.pid";
const MARKER: &str = "docker-registry";

/// Where the registry is, `127.0.0.1:PORT`, if it was ever started.
pub(crate) fn address(state: &State) -> Option<String> {
    Some(format!("127.0.0.1:{}", state.remembered("registry-port")?))
}

/// Whether it runs.
pub(crate) fn running(state: &State) -> bool {
    state.process(PIDFILE, MARKER).is_some()
}

/// Starts the registry unless it runs, and returns its address.
pub(crate) fn up(state: &State, tools: &Tools) -> Result<String> {
    if let (true, Some(address)) = (running(state), address(state)) {
        return Ok(address);
    }
    // The images' names hold the port, so it is kept as long as nobody else takes it.
    let port = match state
        .remembered("registry-port")
        .and_then(|port| port.parse().ok())
    {
        Some(port) if free(port) => port,
        _ => (5077..5177)
            .find(|port| free(*port))
            .context("no free port for the registry")?,
    };
    state.remember("registry-port", &port.to_string())?;
    let address = format!("127.0.0.1:{port}");
    let storage = state.folder("registry")?;
    let config = state.dir.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  \
         delete: {{enabled: true}}\nhttp:\n  addr: {address}\n",
        storage.display()
    );
    fs::write(&config, text)?;
    let mut command = tools.command("docker-registry");
    command
        .env("OTEL_TRACES_EXPORTER", "none")
        .arg("serve")
        .arg(&config);
    let child = run::background(&mut command, &state.log("registry"))?;
    fs::write(state.run.join(PIDFILE), child.id().to_string())?;
    let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    if !run::wait_until(Duration::from_secs(15), answers) {
        bail!(
            "the registry does not answer; its log:\n{}",
            run::tail_of(&state.log("registry"))
        );
    }
    Ok(address)
}

/// Stops the registry; its content stays.
pub(crate) fn down(state: &State) -> Result<()> {
    state.stop(PIDFILE, MARKER)
}

fn free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
