//! Where the engine keeps what it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Kind;
use crate::run;

/// The engine's folders and the few facts that it remembers.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// `.larder/engine`.
    pub(crate) dir: PathBuf,
    /// Sockets and process ids: a short path (sockets allow 108 bytes) that a reboot empties.
    pub(crate) run: PathBuf,
    /// Eight letters of this checkout's own, for names that the whole machine shares.
    pub(crate) id: String,
}

impl State {
    /// Opens the state of this checkout and makes its folders.
    pub(crate) fn open() -> Result<State> {
        let root = fs::canonicalize(run::root()?).context("cannot find the repository")?;
        let id = format!("{:08x}", fold(root.to_string_lossy().as_bytes()));
        let dir = root.join(".larder/engine");
        let run = Path::new("/run").join(format!("larder-{id}"));
        fs::create_dir_all(dir.join("log"))
            .with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(State { root, dir, run, id })
    }

    /// A log's path.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.dir.join("log").join(format!("{name}.log"))
    }

    /// Makes a folder below the state and returns its path.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// A remembered word, such as a port.
    pub(crate) fn remembered(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.dir.join(name)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Remembers a word.
    pub(crate) fn remember(&self, name: &str, value: &str) -> Result<()> {
        run::write_if_changed(&self.dir.join(name), &format!("{value}\n")).map(drop)
    }

    /// Which engine was started last.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.remembered("kind")?.parse().ok()
    }

    /// A background process by the file that holds its id, if it still runs. The id alone would
    /// not do: after a reboot another process may have it, so its command line must name `marker`.
    pub(crate) fn process(&self, pidfile: &str, marker: &str) -> Option<u32> {
        let text = fs::read_to_string(self.run.join(pidfile)).ok()?;
        let pid: u32 = text.trim().parse().ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line)
            .contains(marker)
            .then_some(pid)
    }

    /// Ends a background process, kindly first.
    pub(crate) fn stop(&self, pidfile: &str, marker: &str) -> Result<()> {
        let Some(pid) = self.process(pidfile, marker) else {
            let _ = fs::remove_file(self.run.join(pidfile));
            return Ok(());
        };
        for (signal, limit) in [("-TERM", 30), ("-KILL", 5)] {
            let _ = run::output(Command::new("kill").args([signal, &pid.to_string()]));
            let limit = std::time::Duration::from_secs(limit);
            if run::wait_until(limit, || !alive(pid)) {
                let _ = fs::remove_file(self.run.join(pidfile));
                return Ok(());
            }
        }
        bail!("process {pid} ({marker}) does not end; end it by hand")
    }
}

fn alive(pid: u32) -> bool {
    // A zombie has ended; its parent just has not asked yet.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}

/// FNV-1a: short, and the same with every compiler.
pub(crate) fn fold(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
