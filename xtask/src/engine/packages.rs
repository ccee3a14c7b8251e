//! The engine's programs: Debian packages, fetched by apt and unpacked into a private folder.
//!
//! Docker comes from the suite asked for; what must fit the machine's C library (runc, iptables,
//! the libraries that Docker loads, mmdebstrap) from the machine's own release, and only as far
//! as the machine lacks it. Nothing is installed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::state::State;
use crate::run;

const DOCKER: &[&str] = &[
    "docker.io",
    "docker-cli",
    "docker-buildx",
    "containerd",
    "docker-registry",
];
/// Plugins of the docker command beside buildx. They have a folder of their own, for engines that were unpacked
/// before there was one.
const PLUGINS: &[&str] = &["docker-compose"];
const MACHINE: &[&str] = &[
    "runc",
    "iptables",
    "iproute2",
    "kmod",
    "libsystemd0",
    "libdevmapper1.02.1",
    "libseccomp2",
    "libnftables1",
    "mmdebstrap",
    "zstd",
];

/// The machine's Debian mirror.
#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    /// The URI of the archive.
    pub(crate) uri: String,
    /// The keyring's path, if the machine's list names one.
    pub(crate) signed_by: Option<String>,
}

impl Mirror {
    /// The mirror that this machine's apt uses for its own release.
    pub(crate) fn find() -> Result<Mirror> {
        let release = codename()?;
        let targets = run::output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)",
            "Created-By: Packages",
        ]))
        .context("this needs Debian's apt; on another system use `--engine host`")?;
        targets
            .lines()
            .find_map(|line| {
                let [uri, suite, component, key] =
                    <[&str; 4]>::try_from(line.split('|').collect::<Vec<_>>()).ok()?;
                let signed_by = Some(key.to_owned()).filter(|key| key.starts_with('/'));
                (suite == release && component == "main").then(|| Mirror {
                    uri: uri.to_owned(),
                    signed_by,
                })
            })
            .ok_or_else(|| {
                anyhow!("no source of {release} main in this machine's apt lists; is this Debian?")
            })
    }

    /// A line for a sources list.
    pub(crate) fn line(&self, suite: &str) -> String {
        let key = self
            .signed_by
            .as_ref()
            .map(|key| format!("[signed-by={key}] "));
        format!("deb {}{} {suite} main\n", key.unwrap_or_default(), self.uri)
    }
}

fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.map(|name| name.trim_matches('"').to_owned())
        .ok_or_else(|| {
            anyhow!("/etc/os-release names no release; on this system use `--engine host`")
        })
}

/// The unpacked programs.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    docker: PathBuf,
    plugins: PathBuf,
    machine: PathBuf,
}

impl Tools {
    /// The programs of a suite, which may not be there yet.
    pub(crate) fn of(state: &State, suite: &str) -> Tools {
        let packages = state.dir.join("packages");
        Tools {
            docker: packages.join(suite),
            plugins: packages.join(format!("{suite}-plugins")),
            machine: packages.join("machine"),
        }
    }

    /// Fetches what is missing.
    pub(crate) fn unpack(state: &State, suite: &str) -> Result<Tools> {
        let tools = Tools::of(state, suite);
        state.folder("packages")?;
        if !tools.machine.exists() {
            run::step(
                "fetching runc, iptables and mmdebstrap of this machine's release",
                || tools.unpack_machine(state),
            )?;
        }
        if !tools.docker.exists() {
            run::step(&format!("fetching Docker of Debian {suite}"), || {
                unpack_of_suite(state, suite, DOCKER, &tools.docker)
            })?;
        }
        if !tools.plugins.exists() {
            run::step(&format!("fetching Compose of Debian {suite}"), || {
                unpack_of_suite(state, suite, PLUGINS, &tools.plugins)
            })?;
        }
        Ok(tools)
    }

    fn unpack_machine(&self, state: &State) -> Result<()> {
        let apt = Apt::new(state, "machine", None)?;
        apt.run(&["update"])?;
        let mut words = vec![
            "install",
            "--download-only",
            "--no-install-recommends",
            "-y",
        ];
        words.extend(MACHINE);
        apt.run(&words)?;
        apt.unpack(&self.machine, |root| {
            // Debian makes these links when the package is installed.
            let sbin = root.join("usr/sbin");
            if sbin.join("xtables-nft-multi").exists() {
                for name in ["iptables", "ip6tables", "iptables-save", "ip6tables-save"] {
                    let _ = fs::remove_file(sbin.join(name));
                    symlink("xtables-nft-multi", sbin.join(name))?;
                }
            }
            Ok(())
        })
    }

    /// `PATH` with the engine's programs first.
    pub(crate) fn path(&self) -> OsString {
        let mut dirs = self.docker_dirs();
        for name in ["usr/sbin", "usr/bin", "sbin", "bin"] {
            dirs.push(self.machine.join(name));
        }
        dirs.extend(
            [
                "/usr/local/sbin",
                "/usr/local/bin",
                "/usr/sbin",
                "/usr/bin",
                "/sbin",
                "/bin",
            ]
            .map(PathBuf::from),
        );
        std::env::join_paths(dirs).unwrap_or_default()
    }

    /// Where the docker command is.
    pub(crate) fn docker_dirs(&self) -> Vec<PathBuf> {
        ["usr/bin", "usr/sbin", "usr/libexec/docker"]
            .map(|name| self.docker.join(name))
            .into()
    }

    /// The plugins of the docker command: names and files.
    pub(crate) fn plugins(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("docker-buildx", plugin(&self.docker, "docker-buildx")),
            ("docker-compose", plugin(&self.plugins, "docker-compose")),
        ]
    }

    /// A program of the engine, with the environment that it needs and no other: whoever calls
    /// may have proxies and certificates of his own, which must not matter here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let path = self.path();
        let found = std::env::split_paths(&path)
            .map(|dir| dir.join(program))
            .find(|file| file.is_file())
            .unwrap_or_else(|| PathBuf::from(program));
        let mut command = Command::new(found);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8");
        let libraries = self.libraries();
        if !libraries.is_empty() {
            command.env(
                "LD_LIBRARY_PATH",
                std::env::join_paths(&libraries).unwrap_or_default(),
            );
            for dir in &libraries {
                if dir.join("xtables").is_dir() {
                    command.env("XTABLES_LIBDIR", dir.join("xtables"));
                }
            }
        }
        let perl = self.machine.join("usr/share/perl5");
        if perl.is_dir() {
            command.env("PERL5LIB", perl);
        }
        command
    }

    fn libraries(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for dir in ["usr/lib", "lib"] {
            let Ok(entries) = fs::read_dir(self.machine.join(dir)) else {
                continue;
            };
            found.extend(
                entries
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|path| path.is_dir() && path.to_string_lossy().contains("-linux-gnu")),
            );
        }
        found.sort();
        found
    }
}

/// A plugin of the docker command in a folder of unpacked packages.
fn plugin(root: &Path, name: &str) -> PathBuf {
    let [usual, other] = [
        "usr/libexec/docker/cli-plugins",
        "usr/lib/docker/cli-plugins",
    ]
    .map(|dir| root.join(dir).join(name));
    if other.exists() { other } else { usual }
}

/// Packages of a suite, without what they depend on.
fn unpack_of_suite(state: &State, suite: &str, packages: &[&str], into: &Path) -> Result<()> {
    let mirror = Mirror::find()?;
    let apt = Apt::new(state, suite, Some(&mirror.line(suite)))?;
    apt.run(&["update"])?;
    let mut words = vec!["download"];
    words.extend(packages);
    apt.run(&words)?;
    apt.unpack(into, |_| Ok(()))
}

/// apt with lists, state and cache of its own.
struct Apt {
    dir: PathBuf,
    options: Vec<String>,
    log: PathBuf,
}

impl Apt {
    /// With no `source`, the machine's own sources and its knowledge of what is installed.
    fn new(state: &State, name: &str, source: Option<&str>) -> Result<Apt> {
        let dir = state.dir.join("apt").join(name);
        for folder in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        let mut options = vec![
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            format!("Dir::State::Lists={}", dir.join("lists").display()),
            format!("Dir::Cache={}", dir.display()),
        ];
        if let Some(line) = source {
            let list = dir.join("sources.list");
            fs::write(&list, line)?;
            fs::write(dir.join("status"), "")?;
            options.push(format!("Dir::Etc::SourceList={}", list.display()));
            options.push("Dir::Etc::SourceParts=/dev/null".to_owned());
            options.push("Dir::Etc::Preferences=/dev/null".to_owned());
            options.push("Dir::Etc::PreferencesParts=/dev/null".to_owned());
            options.push(format!(
                "Dir::State::status={}",
                dir.join("status").display()
            ));
        }
        Ok(Apt {
            dir,
            options,
            log: state.log(&format!("apt-{name}")),
        })
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command
            .current_dir(self.dir.join("archives"))
            .env("DEBIAN_FRONTEND", "noninteractive");
        for option in &self.options {
            command.args(["-o", option]);
        }
        run::logged(command.args(words), &self.log)
    }

    /// Unpacks what was fetched, and forgets the archives and lists.
    fn unpack(self, into: &Path, finish: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        // The folder gets its name when it is complete.
        let partial = into.with_extension("partial");
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial)?;
        for entry in fs::read_dir(self.dir.join("archives"))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "deb") {
                run::output(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&partial))?;
            }
        }
        finish(&partial)?;
        if into.exists() {
            bail!(
                "{} appeared meanwhile; is another xtask running?",
                into.display()
            );
        }
        fs::rename(&partial, into)?;
        fs::remove_dir_all(&self.dir)?;
        Ok(())
    }
}
