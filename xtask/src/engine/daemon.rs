//! The engine's dockerd, with all that it keeps in folders of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Kind;
use super::network::Bridge;
use super::packages::Tools;
use super::state::State;
use crate::run;

const PIDFILE: &str = "docker.pid";

/// How long dockerd may take to answer. It takes a second; after a crash it cleans up first.
const START: Duration = Duration::from_secs(60);

/// The socket that dockerd listens on.
pub(crate) fn socket(state: &State) -> PathBuf {
    state.run.join("docker.sock")
}

fn config_file(state: &State) -> PathBuf {
    state.dir.join("daemon.json")
}

/// Whether dockerd runs and answers.
pub(crate) fn answers(state: &State, tools: &Tools) -> bool {
    running(state) && run::output(docker(state, tools).args(["version"])).is_ok()
}

fn running(state: &State) -> bool {
    state
        .process(PIDFILE, &config_file(state).to_string_lossy())
        .is_some()
}

/// A docker command that talks to the engine.
pub(crate) fn docker(state: &State, tools: &Tools) -> Command {
    let mut command = tools.command("docker");
    command
        .env("DOCKER_HOST", format!("unix://{}", socket(state).display()))
        .env("DOCKER_CONFIG", state.dir.join("docker-config"));
    command
}

/// Starts dockerd unless it runs as it should.
pub(crate) fn up(
    state: &State,
    tools: &Tools,
    kind: Kind,
    bridge: &Bridge,
    registry: &str,
) -> Result<()> {
    let config = json!({
        "data-root": state.folder(kind.name())?.join("docker"),
        "exec-root": state.run.join("exec"),
        "pidfile": state.run.join(PIDFILE),
        "hosts": [format!("unix://{}", socket(state).display())],
        "bridge": bridge.name,
        "features": { "containerd-snapshotter": true },
        // Cache mounts must outlive the build; that is what the tests are about.
        "builder": { "gc": { "enabled": false } },
        "registry-mirrors": [format!("http://{registry}")],
        "insecure-registries": [registry],
        "live-restore": false,
    });
    let text = serde_json::to_string_pretty(&config)? + "\n";
    let file = config_file(state);
    let same = fs::read_to_string(&file).is_ok_and(|old| old == text);
    if same && answers(state, tools) {
        return Ok(());
    }
    down(state)?;
    refuse_beside_another(state)?;
    fs::write(&file, text)?;
    run::step("starting dockerd", || start(state, tools, &file))
}

fn start(state: &State, tools: &Tools, config: &Path) -> Result<()> {
    let log = state.log("dockerd");
    let mut command = tools.command("dockerd");
    let mut child = run::background(command.arg("--config-file").arg(config), &log)?;
    let mut ended = None;
    run::wait_until(START, || {
        ended = child.try_wait().ok().flatten();
        ended.is_some() || answers(state, tools)
    });
    if ended.is_none() && answers(state, tools) {
        return Ok(());
    }
    let _ = down(state);
    bail!(
        "dockerd {}; the end of {}:\n{}\
         It needs root, overlayfs, bridges and iptables of the kernel; \
         with a Docker of your own, use `--engine host`",
        ended.map_or("does not answer".to_owned(), |status| format!(
            "ended with {status}"
        )),
        log.display(),
        run::tail_of(&log)
    )
}

/// A second dockerd would rewrite the first one's firewall rules.
fn refuse_beside_another(state: &State) -> Result<()> {
    let ours = state.dir.to_string_lossy().into_owned();
    for entry in fs::read_dir("/proc")
        .context("cannot read /proc")?
        .flatten()
    {
        let Ok(line) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let program = line.split(' ').next().unwrap_or_default();
        if program.rsplit('/').next() == Some("dockerd") && !line.contains(&ours) {
            bail!(
                "another dockerd runs on this machine (process {}: {}): use it with \
                 `--engine host`, or stop it first",
                entry.file_name().to_string_lossy(),
                line.trim()
            );
        }
    }
    Ok(())
}

/// Stops dockerd, and what an earlier one may have left behind; images and caches stay.
pub(crate) fn down(state: &State) -> Result<()> {
    state.stop(PIDFILE, &config_file(state).to_string_lossy())?;
    // Killed rather than stopped, dockerd leaves its containerd and its sockets.
    let exec = state.run.join("exec");
    let containerd = state.run.join("exec/containerd/containerd.pid");
    if containerd.exists() {
        state.stop("exec/containerd/containerd.pid", &exec.to_string_lossy())?;
    }
    let _ = fs::remove_file(socket(state));
    Ok(())
}

/// Unmounts whatever is still mounted below a folder, so that it can be removed.
pub(crate) fn unmount_below(folder: &Path) -> Result<()> {
    let mounts =
        fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    let mut targets: Vec<PathBuf> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(|target| PathBuf::from(target.replace("\\040", " ")))
        .filter(|target| target.starts_with(folder))
        .collect();
    targets.sort();
    for target in targets.iter().rev() {
        run::output(Command::new("umount").arg("-l").arg(target))?;
    }
    Ok(())
}
