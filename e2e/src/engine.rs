use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};

use crate::{
    Build, Project,
    command::succeed,
    proxy::{Authority, Proxy},
};

/// The BuildKit that tests build with. While one is held, no other test of this process has it:
/// builds at the same time share layers, and one could see as run what the other ran.
pub struct Engine {
    registry: String,
    frontend: String,
    proxy: SocketAddr,
    authority: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Engine {
    /// The engine that the environment names:
    ///
    /// - `DOCKER_HOST` and `DOCKER_CONFIG`, for the docker command;
    /// - `LARDER_REGISTRY`, a registry that is Docker Hub's mirror for the engine;
    /// - `LARDER_FRONTEND`, the frontend image;
    /// - `LARDER_PROXY`, an address on this machine that containers reach, with the engine's
    ///   own proxy;
    /// - `LARDER_PROXY_CA`, the certificate of the [`Authority`] that base images trust, beside
    ///   its key.
    ///
    /// Waits for its turn.
    pub fn from_env() -> Result<Self> {
        let variable = |name: &str| {
            env::var(name).with_context(|| {
                format!(
                    "{name} is not set: start an engine with `cargo xtask engine up`, then run \
                     `eval \"$(cargo xtask engine env)\"`"
                )
            })
        };
        let certificate = PathBuf::from(variable("LARDER_PROXY_CA")?);
        Ok(Self {
            registry: variable("LARDER_REGISTRY")?,
            frontend: variable("LARDER_FRONTEND")?,
            proxy: variable("LARDER_PROXY")?
                .parse()
                .context("LARDER_PROXY is no address")?,
            authority: certificate.parent().unwrap_or(Path::new("/")).to_owned(),
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// The frontend image, as `# syntax=` names it.
    pub fn frontend(&self) -> &str {
        &self.frontend
    }

    /// Host and port of the registry.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// A docker command.
    pub fn docker(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(args);
        command
    }

    /// A build that asks a question in place of building, `outline` or `lint,format=json`, by the flag
    /// that this buildx has.
    pub fn question(&self, question: &str) -> Result<Command> {
        let help = self.docker_output(&["buildx", "build", "--help"])?;
        let mut docker = self.docker(&["buildx", "build"]);
        if help.contains("--call ") {
            docker.arg(format!("--call={question}"));
        } else {
            docker.env("BUILDX_EXPERIMENTAL", "1");
            docker.arg(format!("--print={question}"));
        }
        Ok(docker)
    }

    /// What a docker command prints; an error if it fails.
    pub fn docker_output(&self, args: &[&str]) -> Result<String> {
        succeed(&mut self.docker(args))
    }

    /// A proxy of one's own, that steps reach and trust.
    pub fn proxy(&self) -> Result<Proxy> {
        Proxy::start(
            SocketAddr::new(self.proxy.ip(), 0),
            Authority::load(&self.authority)?,
        )
    }

    /// A build of a project's `larder.yaml`.
    pub fn build<'a>(&'a self, project: &'a Project) -> Build<'a> {
        Build::new(self, project)
    }

    /// Makes an image of `from` and one file more, that no other test builds on.
    pub fn base(&self, from: &str) -> Result<Base<'_>> {
        self.base_with(from, "")
    }

    /// The same, with more lines of a Dockerfile.
    pub fn base_with(&self, from: &str, lines: &str) -> Result<Base<'_>> {
        let base = Base {
            engine: self,
            from: from.to_owned(),
            lines: lines.to_owned(),
            name: format!("larder-e2e/base:{}", unique()),
        };
        base.change()?;
        Ok(base)
    }
}

/// A base image of a test's own.
pub struct Base<'a> {
    engine: &'a Engine,
    from: String,
    lines: String,
    name: String,
}

impl Base<'_> {
    /// As `from:` names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Publishes another image under the same name: the digest changes.
    pub fn change(&self) -> Result<()> {
        let dir = tempfile::tempdir()?;
        let (from, lines) = (&self.from, &self.lines);
        let recipe = format!("FROM {from}\n{lines}\nCOPY mark /etc/larder-e2e\n");
        fs::write(dir.path().join("Dockerfile"), recipe)?;
        fs::write(dir.path().join("mark"), unique())?;
        let mut command = self
            .engine
            .docker(&["buildx", "build", "--provenance=false"]);
        command.arg("--output").arg(format!(
            "type=image,name={}/{},push=true,oci-mediatypes=true",
            self.engine.registry, self.name
        ));
        succeed(command.arg(dir.path()))?;
        Ok(())
    }
}

/// A word that is not used twice, in this run or another.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    format!("{:x}-{:x}-{count}", now.as_millis(), std::process::id())
}
