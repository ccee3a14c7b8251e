//! The programs that build: their command lines, and what is asked of them first.

pub(crate) mod ask;
pub(crate) mod buildctl;
pub(crate) mod buildx;
pub(crate) mod csv;
mod frontend;
pub(crate) mod layers;
mod line;
mod options;
mod outputs;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::ValueEnum;

pub(crate) use ask::Builder;
pub(crate) use frontend::{FRONTEND, Frontend, SYNTAX};
pub(crate) use layers::{Layers, Lost};
pub(crate) use line::Line;
pub(crate) use options::BuildOptions;

/// A program that builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// `docker buildx build`
    Buildx,
    /// `buildctl build`, with the daemon that `BUILDKIT_HOST` names
    Buildctl,
}

/// A build, as either client is told of it.
pub(crate) struct Wish<'a> {
    /// The path of the build context.
    pub(crate) context: String,
    /// The path of the spec.
    pub(crate) file: String,
    /// The path of the directory that the spec is in.
    pub(crate) directory: String,
    /// Who reads the spec.
    pub(crate) frontend: Frontend,
    /// Each as `NAME=VALUE`, or as `NAME` with its value in the environment.
    pub(crate) build_args: Vec<String>,
    /// What the spec says of layers to look for, as far as the frontend cannot do it.
    pub(crate) imports: Vec<String>,
    /// Where the spec says that layers go.
    pub(crate) exports: Vec<String>,
    /// Everything that the clients do not differ in.
    pub(crate) options: &'a BuildOptions,
    /// For the client as it is.
    pub(crate) rest: &'a [String],
}

impl Client {
    /// The one that was asked for, or one that is there.
    pub(crate) fn find(asked: Option<Client>, with_builder: bool) -> Result<Client> {
        let found = match asked {
            Some(client) => client,
            None if with_builder => Client::Buildx,
            None => Client::first()?,
        };
        if found == Client::Buildctl && with_builder {
            bail!("buildctl knows no --builder; name its daemon with the variable BUILDKIT_HOST");
        }
        Ok(found)
    }

    fn first() -> Result<Client> {
        let buildctl = on_path(Client::Buildctl.program()).is_some();
        if buildctl && env::var_os("BUILDKIT_HOST").is_some_and(|host| !host.is_empty()) {
            return Ok(Client::Buildctl);
        }
        let docker = on_path(Client::Buildx.program()).is_some();
        if docker && has_buildx() {
            return Ok(Client::Buildx);
        }
        match (buildctl, docker) {
            (true, _) => Ok(Client::Buildctl),
            (false, true) => bail!(
                "Docker is here without its plugin buildx, and there is no buildctl; install one of them \
                 (the package is docker-buildx-plugin or docker-buildx)"
            ),
            (false, false) => bail!(
                "there is no client to build with; install Docker with its plugin buildx, or BuildKit's \
                 buildctl, and name its daemon with the variable BUILDKIT_HOST"
            ),
        }
    }

    /// The program's name.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Client::Buildx => "docker",
            Client::Buildctl => "buildctl",
        }
    }
}

fn has_buildx() -> bool {
    let mut docker = Command::new("docker");
    docker.args(["buildx", "version"]).stdin(Stdio::null());
    let said = docker.stdout(Stdio::null()).stderr(Stdio::null()).status();
    said.is_ok_and(|status| status.success())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut paths = env::split_paths(&path).map(|directory| directory.join(program));
    paths.find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.with_extension("exe").is_file()
}

#[cfg(test)]
mod tests;
