use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{Daemon, Engine, Progress, Project, command, engine::unique, proxy::Proxy};

/// A build, before it starts.
#[must_use]
pub struct Build<'a> {
    engine: &'a Engine,
    project: &'a Project,
    file: PathBuf,
    args: Vec<String>,
    host: Option<String>,
    by_larder: bool,
    limit: Duration,
    output: Output,
}

enum Output {
    Nothing,
    Image,
    Files,
    Pushed(String),
}

impl<'a> Build<'a> {
    pub(crate) fn new(engine: &'a Engine, project: &'a Project) -> Self {
        Self {
            engine,
            project,
            file: project.path().join("larder.yaml"),
            args: Vec::new(),
            host: None,
            by_larder: false,
            limit: Duration::from_secs(900),
            output: Output::Nothing,
        }
    }

    /// Builds another file of the project.
    pub fn file(mut self, path: &str) -> Self {
        self.file = self.project.path().join(path);
        self
    }

    /// Builds on another daemon than the engine's. An image that it keeps cannot be run.
    pub fn on(mut self, daemon: &Daemon) -> Self {
        self.host = Some(daemon.host());
        self
    }

    /// Builds with `larder build` in place of `docker buildx build`: with the command as it is here.
    pub fn by_larder(mut self) -> Self {
        self.by_larder = true;
        self
    }

    /// Fails where it takes longer.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Adds an option of `docker buildx build`.
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.args.push(option.into());
        self
    }

    /// `--build-arg`.
    pub fn arg(self, name: &str, value: &str) -> Self {
        self.option(format!("--build-arg={name}={value}"))
    }

    /// Sends what steps download through a proxy.
    pub fn through(self, proxy: &Proxy) -> Self {
        let url = proxy.url();
        // The docker command's own settings are in both cases, too.
        ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
            .into_iter()
            .fold(self, |build, name| build.arg(name, &url))
    }

    /// Keeps its caches apart from those of other namespaces.
    pub fn namespace(self, name: &str) -> Self {
        self.arg("BUILDKIT_CACHE_MOUNT_NS", name)
    }

    /// Keeps the image, to be run.
    pub fn image(mut self) -> Self {
        self.output = Output::Image;
        self
    }

    /// Keeps the files of the image.
    pub fn files(mut self) -> Self {
        self.output = Output::Files;
        self
    }

    /// Pushes what is built to a repository of the engine's registry. Layers that are there are not
    /// sent again.
    pub fn pushed(mut self, repository: &str) -> Self {
        self.output = Output::Pushed(repository.to_owned());
        self
    }

    /// Builds, whatever comes of it.
    pub fn run(self) -> Result<Built<'a>> {
        let mut image = None;
        let mut files = None;
        let metadata = tempfile::NamedTempFile::new()?;
        let mut docker = if self.by_larder {
            command::larder(&["build"])
        } else {
            self.engine.docker(&["buildx", "build"])
        };
        docker
            .arg("--progress=rawjson")
            .arg("--file")
            .arg(&self.file)
            .args(&self.args);
        docker.envs(self.host.iter().map(|host| ("DOCKER_HOST", host)));
        match self.output {
            Output::Nothing => {
                docker.arg("--output=type=cacheonly");
            }
            Output::Image => {
                let name = format!("larder-e2e/result-{}", unique());
                docker.args(["--provenance=false", "--load", "--tag", &name]);
                image = Some(name);
            }
            Output::Files => {
                let dir = tempfile::tempdir()?;
                docker.arg(format!("--output=type=local,dest={}", dir.path().display()));
                files = Some(dir);
            }
            Output::Pushed(repository) => {
                let name = format!("{}/{repository}:{}", self.engine.registry(), unique());
                docker.arg("--provenance=false");
                docker.arg(format!(
                    "--output=type=image,name={name},push=true,oci-mediatypes=true"
                ));
                docker.arg("--metadata-file").arg(metadata.path());
                image = Some(name);
            }
        }
        docker.arg(self.project.path());
        let output = command::run(&mut docker, self.limit)?;
        let succeeded = output.status.success();
        // Written as another file of the same name.
        let told = fs::read(metadata.path()).unwrap_or_default();
        let progress = Progress::read(&output.stderr);
        Ok(Built {
            engine: self.engine,
            succeeded,
            progress,
            image: image.filter(|_| succeeded),
            files,
            metadata: serde_json::from_slice(&told).unwrap_or_default(),
        })
    }

    /// Builds; an error if that fails.
    pub fn succeed(self) -> Result<Built<'a>> {
        let built = self.run()?;
        ensure!(
            built.succeeded,
            "the build failed:\n{}{}",
            built.logs,
            built.text
        );
        Ok(built)
    }

    /// Builds; an error if that does not fail. What was said of it.
    pub fn fail(self) -> Result<String> {
        let built = self.run()?;
        ensure!(!built.succeeded, "the build did not fail:\n{}", built.logs);
        Ok(built.text.clone())
    }
}

/// What came of a build. Its image and files go when this does.
pub struct Built<'a> {
    engine: &'a Engine,
    /// Whether the docker command says so.
    pub succeeded: bool,
    progress: Progress,
    image: Option<String>,
    files: Option<tempfile::TempDir>,
    metadata: serde_json::Value,
}

impl Built<'_> {
    /// The image's name, of a build that kept it.
    pub fn image(&self) -> Result<&str> {
        self.image.as_deref().context("the build kept no image")
    }

    /// Runs the image with arguments, and returns what it prints.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        self.run_with(&[], args)
    }

    /// Like [`Built::run`], with options of `docker run`.
    pub fn run_with(&self, options: &[&str], args: &[&str]) -> Result<String> {
        let mut all = vec!["run", "--rm"];
        all.extend(options);
        all.push(self.image()?);
        all.extend(args);
        self.engine.docker_output(&all)
    }

    /// The image's config, as `docker image inspect` shows it.
    pub fn config(&self) -> Result<serde_json::Value> {
        let shown = self
            .engine
            .docker_output(&["image", "inspect", self.image()?])?;
        let mut shown: Vec<serde_json::Value> = serde_json::from_str(&shown)?;
        Ok(shown.pop().context("no image is shown")?["Config"].take())
    }

    /// The digest of what was pushed.
    pub fn digest(&self) -> Result<&str> {
        let digest = self.metadata["containerimage.digest"].as_str();
        digest.context("the build pushed nothing")
    }

    /// A path of the files that the build kept.
    pub fn path(&self, path: &str) -> Result<PathBuf> {
        let files = self.files.as_ref().context("the build kept no files")?;
        Ok(files
            .path()
            .join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path))))
    }

    /// A text file of those that the build kept.
    pub fn read(&self, path: &str) -> Result<String> {
        let path = self.path(path)?;
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

impl Deref for Built<'_> {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl Drop for Built<'_> {
    fn drop(&mut self) {
        if let Some(image) = &self.image {
            drop(
                self.engine
                    .docker_output(&["image", "rm", "--force", image]),
            );
        }
    }
}
