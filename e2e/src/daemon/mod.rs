//! A second dockerd beside the engine's, that has nothing yet.

mod first;
mod place;

use std::{
    fs,
    fs::File,
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use self::place::Place;
use crate::{
    Engine,
    command::{run, succeed},
};

/// How long it may take to answer. It takes a second.
const START: Duration = Duration::from_secs(60);

/// A dockerd of a test's own. It is the engine's in all but its folders, its socket and its bridge,
/// so the two share a registry and nothing else. There is one at a time.
///
/// Its steps have no network. What it has goes with it, and it goes with the process of the test,
/// however that ends.
pub struct Daemon {
    place: Place,
    guard: Child,
    dockerd: Option<Child>,
}

impl Daemon {
    /// Starts it, without images and without a cache.
    pub fn start(engine: &Engine) -> Result<Self> {
        let place = Place::beside_the_engine()?;
        succeed(&mut place.script("clean")).context("an earlier daemon is in the way")?;
        let guard = place
            .script("guard")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let mut daemon = Self {
            place,
            guard,
            dockerd: None,
        };
        daemon.place.make()?;
        daemon.launch(engine)?;
        Ok(daemon)
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub fn host(&self) -> String {
        self.place.host()
    }

    /// Ends all of its processes at once, in the middle of what they do.
    pub fn kill(&mut self) -> Result<()> {
        succeed(&mut self.place.script("end"))?;
        if let Some(mut dockerd) = self.dockerd.take() {
            dockerd.wait()?;
        }
        Ok(())
    }

    /// Takes away all that it has built and imported.
    pub fn forget(&self, engine: &Engine) -> Result<()> {
        let mut docker = engine.docker(&["builder", "prune", "--all", "--force"]);
        succeed(docker.env("DOCKER_HOST", self.host()))?;
        Ok(())
    }

    fn launch(&mut self, engine: &Engine) -> Result<()> {
        let log = self.place.log()?;
        let output = File::create(&log)?;
        let dockerd = self
            .place
            .dockerd()
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .context("cannot run dockerd")?;
        let dockerd = self.dockerd.insert(dockerd);
        let host = self.place.host();
        let answers = || {
            let mut docker = engine.docker(&["version"]);
            let output = run(docker.env("DOCKER_HOST", &host), START);
            output.is_ok_and(|output| output.status.success())
        };
        let end = Instant::now() + START;
        while !answers() {
            if dockerd.try_wait()?.is_some() || Instant::now() > end {
                let said = fs::read_to_string(&log).unwrap_or_default();
                let start = said.lines().count().saturating_sub(20);
                let last: Vec<&str> = said.lines().skip(start).collect();
                bail!(
                    "the second dockerd does not answer; the end of {}:\n{}",
                    log.display(),
                    last.join("\n")
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
        if let Some(mut dockerd) = self.dockerd.take() {
            drop(dockerd.wait());
        }
    }
}
