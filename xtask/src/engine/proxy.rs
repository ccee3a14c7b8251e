//! The counting proxy between the engine's containers and the package registries, as a process
//! of its own: it outlives the command that starts it.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use larder_e2e::proxy::{self, Authority, Proxy};

use super::network::Bridge;
use super::packages::Tools;
use super::state::State;
use crate::run;

const PIDFILE: &str = "proxy.pid";
const MARKER: &str = "larder-proxy";

/// The file of the authority's certificate.
pub(crate) fn certificate(state: &State) -> PathBuf {
    folder(state).join(Authority::CERTIFICATE)
}

fn folder(state: &State) -> PathBuf {
    state.dir.join("proxy")
}

/// Where the proxy listens, if it was ever started.
pub(crate) fn address(state: &State) -> Option<SocketAddr> {
    state.remembered("proxy-address")?.parse().ok()
}

/// Starts the proxy unless this version of it runs.
pub(crate) fn up(state: &State, tools: &Tools, bridge: &Bridge) -> Result<SocketAddr> {
    state.folder("proxy")?;
    if Authority::load(&folder(state)).is_err() {
        Authority::create(&folder(state)).context("cannot make the proxy's certificate")?;
    }
    // A copy, since cargo replaces the program while the proxy runs.
    // Cargo may have replaced it even now; this path still leads to what we are.
    let program = "/proc/self/exe";
    let meta = fs::metadata(program).context("cannot find this program")?;
    let age = meta
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let version = format!("{}-{}", meta.len(), age.as_nanos());
    let copy = folder(state).join(MARKER);
    let same = state
        .remembered("proxy/version")
        .is_some_and(|old| old == version);
    let running = same && state.process(PIDFILE, MARKER).is_some();
    if let (true, Some(address)) = (running, address(state))
        && address.ip() == bridge.gateway
        && answers(address)
    {
        return Ok(address);
    }
    down(state)?;
    let _ = fs::remove_file(&copy);
    fs::copy(program, &copy)?;
    let free = |port: &u16| TcpListener::bind((bridge.gateway, *port)).is_ok();
    let before = address(state).map(|address| address.port());
    let port = before
        .into_iter()
        .chain(3177..3277)
        .find(free)
        .context("no free port for the proxy")?;
    let address = SocketAddr::from((bridge.gateway, port));
    let mut command = tools.command(&copy.to_string_lossy());
    command
        .args(["proxy", &address.to_string()])
        .arg(folder(state));
    let mut child = run::background(&mut command, &state.log("proxy"))?;
    fs::write(state.run.join(PIDFILE), child.id().to_string())?;
    let mut ended = false;
    run::wait_until(Duration::from_secs(15), || {
        ended = child.try_wait().is_ok_and(|status| status.is_some());
        ended || answers(address)
    });
    if ended || !answers(address) {
        bail!(
            "the proxy does not start; its log:\n{}",
            run::tail_of(&state.log("proxy"))
        );
    }
    state.remember("proxy-address", &address.to_string())?;
    state.remember("proxy/version", &version)?;
    Ok(address)
}

/// A proxy in this process, that the images trust like the other.
pub(crate) fn another(state: &State, address: IpAddr) -> Result<Proxy> {
    Proxy::start(
        SocketAddr::new(address, 0),
        Authority::load(&folder(state))?,
    )
}

/// Stops the proxy.
pub(crate) fn down(state: &State) -> Result<()> {
    state.stop(PIDFILE, MARKER)
}

/// Is the proxy, until the process ends.
pub(crate) fn serve(address: SocketAddr, folder: &std::path::Path) -> Result<()> {
    match proxy::serve(address, Authority::load(folder)?)? {}
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
}
