//! The engine's dockerd: what a second one takes from it.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    net::Ipv4Addr,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// The dockerd that `DOCKER_HOST` names.
pub(super) struct First {
    /// Its program.
    pub(super) program: PathBuf,
    /// Its settings.
    pub(super) config: Map<String, Value>,
    file: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl First {
    /// Looks for it among the processes of this machine.
    pub(super) fn find() -> Result<Self> {
        let host = env::var("DOCKER_HOST").unwrap_or_default();
        let mut processes = fs::read_dir("/proc")?.flatten();
        processes
            .find_map(|process| Self::read(&process.path(), &host))
            .with_context(|| {
                format!(
                    "no dockerd with a settings file listens on this machine at {host:?}: a second \
                     one is made after the engine's own (`cargo xtask engine up`), not after one \
                     that was there before (`--engine host`)"
                )
            })
    }

    fn read(process: &Path, host: &str) -> Option<Self> {
        let line = fs::read(process.join("cmdline")).ok()?;
        let mut words = line.split(|&byte| byte == 0).map(OsStr::from_bytes);
        let program = Path::new(words.next()?);
        if program.file_name()? != "dockerd" {
            return None;
        }
        words.find(|word| *word == "--config-file")?;
        let file = PathBuf::from(words.next()?);
        let config: Map<String, Value> = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        let hosts = config.get("hosts")?.as_array()?;
        hosts.iter().find(|one| one.as_str() == Some(host))?;
        let environment = fs::read(process.join("environ")).ok()?;
        let variables = environment.split(|&byte| byte == 0).filter_map(|variable| {
            let at = variable.iter().position(|&byte| byte == b'=')?;
            let own = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((own(&variable[..at]), own(&variable[at + 1..])))
        });
        Some(Self {
            program: program.to_owned(),
            config,
            file,
            environment: variables.collect(),
        })
    }

    /// A program with the environment of this dockerd: its own `runc` and `ip`, and their libraries.
    pub(super) fn command(&self, program: &Path) -> Command {
        let path = self.environment.iter().find(|(name, _)| name == "PATH");
        let found = path
            .into_iter()
            .flat_map(|(_, path)| env::split_paths(path))
            .map(|folder| folder.join(program))
            .find(|file| file.is_file());
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A folder beside one of its own, so on the same disk: overlayfs cannot stand on every one.
    pub(super) fn beside(&self, setting: &str) -> Result<PathBuf> {
        let folder = self.text(setting)?;
        let above = Path::new(folder).parent();
        Ok(above.context("a folder has one above")?.join("second"))
    }

    /// An interface's name after its own: of 15 letters at most.
    pub(super) fn bridge(&self) -> Result<String> {
        let name = self.text("bridge")?;
        let id = name.rsplit('-').next().unwrap_or_default();
        Ok(format!("second-{id}").chars().take(15).collect())
    }

    /// The machine's address on its bridge.
    pub(super) fn gateway(&self) -> Result<Ipv4Addr> {
        let name = self.text("bridge")?;
        let shown = self
            .command(Path::new("ip"))
            .args(["-4", "-o", "addr", "show", "dev", name])
            .output()?;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let mut words = shown.split_whitespace();
        let address = words.find_map(|word| word.split_once('/')?.0.parse().ok());
        address.with_context(|| format!("the bridge {name} has no address: {shown}"))
    }

    /// Where the second one's log goes: beside its own.
    pub(super) fn log(&self) -> Result<PathBuf> {
        let folder = self.file.parent().unwrap_or(Path::new("/")).join("log");
        fs::create_dir_all(&folder)?;
        Ok(folder.join("second.log"))
    }

    fn text(&self, setting: &str) -> Result<&str> {
        let value = self.config.get(setting).and_then(Value::as_str);
        value.with_context(|| format!("{} has no {setting}", self.file.display()))
    }
}
