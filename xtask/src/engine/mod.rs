//! A real BuildKit for the tests and the demo.

mod daemon;
mod env;
pub(crate) mod frontend;
mod images;
mod network;
mod packages;
pub(crate) mod proxy;
mod registry;
mod state;

use std::fs;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

pub(crate) use self::env::{Engine, FRONTEND};
use self::network::Bridge;
use self::packages::Tools;
use self::state::State;
use crate::run;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Docker 26 of Debian 13, the oldest that Larder supports.
    Trixie,
    /// Docker 28 of Debian's next release.
    Forky,
    /// The Docker that the caller uses anyway.
    Host,
}

impl Kind {
    /// The word for it on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Trixie => "trixie",
            Kind::Forky => "forky",
            Kind::Host => "host",
        }
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Kind> {
        [Kind::Trixie, Kind::Forky, Kind::Host]
            .into_iter()
            .find(|kind| kind.name() == word)
            .with_context(|| {
                format!("no engine is called {word}; there are trixie, forky and host")
            })
    }
}

/// Starts what does not run yet and makes the base images that are missing.
pub(crate) fn up(kind: Kind, images: &[String]) -> Result<Engine> {
    let state = State::open()?;
    if kind == Kind::Host {
        state.remember("kind", kind.name())?;
        return Engine::host(state);
    }
    let tools = Tools::unpack(&state, kind.name())?;
    if state.kind().is_some_and(|old| old != kind) {
        daemon::down(&state)?;
    }
    fs::create_dir_all(&state.run)
        .with_context(|| format!("cannot make {}; the engine needs root", state.run.display()))?;
    let bridge = Bridge::up(&state, &tools)?;
    let registry = registry::up(&state, &tools)?;
    let proxy = proxy::up(&state, &tools, &bridge)?;
    env::write_docker_config(&state, &tools, proxy)?;
    daemon::up(&state, &tools, kind, &bridge, &registry)?;
    state.remember("kind", kind.name())?;
    images::make(&state, &tools, &registry, images)?;
    Engine::own(state, tools)
}

/// Stops the engine. With `purge` all of `.larder` goes too.
pub(crate) fn down(purge: bool) -> Result<()> {
    let state = State::open()?;
    let suite = state.kind().unwrap_or(Kind::Trixie);
    let tools = Tools::of(&state, suite.name());
    daemon::down(&state)?;
    registry::down(&state)?;
    proxy::down(&state)?;
    if let Some(bridge) = Bridge::remembered(&state) {
        bridge.down(&tools)?;
    }
    daemon::unmount_below(&state.run)?;
    daemon::unmount_below(&state.dir)?;
    if state.run.exists() {
        fs::remove_dir_all(&state.run)
            .with_context(|| format!("cannot remove {}", state.run.display()))?;
    }
    if purge {
        // With the tools that the tests installed beside it.
        let all = state.root.join(".larder");
        fs::remove_dir_all(&all).with_context(|| format!("cannot remove {}", all.display()))?;
    }
    Ok(())
}

/// The engine that runs.
pub(crate) fn current() -> Result<Engine> {
    let state = State::open()?;
    match state.kind() {
        None => bail!("there is no engine yet; run `cargo xtask engine up`"),
        Some(Kind::Host) => Engine::host(state),
        Some(kind) => {
            let tools = Tools::of(&state, kind.name());
            if !daemon::answers(&state, &tools) {
                bail!("the engine does not run; run `cargo xtask engine up`");
            }
            Engine::own(state, tools)
        }
    }
}

/// Says what runs and what is kept.
pub(crate) fn status() -> Result<()> {
    let engine = current()?;
    run::print(engine.describe()?);
    for image in images::made(engine.state()) {
        run::print(format!("image: {image}"));
    }
    run::say(format!("state: {}", engine.state().dir.display()));
    Ok(())
}
