//! `larder build`: runs a client with the frontend and what the spec says for clients.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use buildkit_llb::Platform;
use larder_plan::Request;
use larder_plan::layers::{CACHE_MODE, CACHE_REGISTRY};

use crate::client::{
    BuildOptions, Builder, Client, FRONTEND, Frontend, Layers, Lost, SYNTAX, Wish, ask, buildctl,
    buildx, csv, layers,
};
use crate::input::{self, Input};
use crate::variable::variable;
use crate::{output, project};

/// Build the image with Docker's buildx or with buildctl
#[derive(clap::Args)]
pub(crate) struct RunCommand {
    /// The build context with larder.yaml in it, or a spec file in its context
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The spec; PATH is then the context
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    options: BuildOptions,
    /// Look for layers where the spec says, but write none, as for pull requests
    #[arg(long, conflicts_with_all = ["cache_to", "no_layer_cache"])]
    cache_read_only: bool,
    /// Neither look for layers where the spec says, nor write them
    #[arg(long)]
    no_layer_cache: bool,
    /// The image of Larder's frontend [default: `LARDER_FRONTEND` of the environment, or else what the spec's
    /// first line names, or else larder/frontend:1]
    #[arg(long, value_name = "IMAGE")]
    frontend: Option<String>,
    /// The program that builds [default: Docker with buildx, or else buildctl; buildctl first if
    /// `BUILDKIT_HOST` is set]
    #[arg(long, value_enum)]
    client: Option<Client>,
    /// Print the command in place of running it
    #[arg(long)]
    dry_run: bool,
    /// More options of the client, as they are
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

impl RunCommand {
    /// Becomes the client, so that progress, signals and the exit code are its own.
    pub(crate) fn run(self) -> Result<ExitCode> {
        self.refuse_what_no_file_is()?;
        let input = Input::read(&self.path, self.file.as_deref())?;
        let client = Client::find(self.client, self.options.builder.is_some())?;
        self.refuse_a_push_of_nothing()?;
        let mut build_args = self.build_args()?;
        let frontend = self.frontend(&input.shown.text, &build_args)?;
        let mut layers = Layers::default();
        if !self.no_layer_cache {
            let requests = self.requests(client, &project::of_file(&input), &build_args)?;
            match layers::of_spec(&input.shown, &requests) {
                Ok((cache, registry)) => {
                    layers = Layers::for_client(cache, client, layers::github());
                    if let Some(reference) = registry {
                        build_args.retain(|arg| name_of(arg) != CACHE_REGISTRY);
                        build_args.push(format!("{CACHE_REGISTRY}={reference}"));
                    }
                }
                Err(mistakes) => {
                    output::diagnostics(&mistakes, &input.shown);
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        if self.cache_read_only {
            layers.exports.clear();
        }
        let mut wish = Wish {
            context: path(&input.context)?,
            directory: path(input::parent(&input.spec))?,
            file: path(&input.spec)?,
            frontend,
            build_args,
            imports: Vec::new(),
            exports: Vec::new(),
            options: &self.options,
            rest: &self.rest,
        };
        if !self.dry_run {
            self.settle(client, &wish, &mut layers)?;
        }
        wish.imports = layers.imports();
        wish.exports = layers.exports();
        let line = match client {
            Client::Buildx => buildx::build(&wish),
            Client::Buildctl => buildctl::build(&wish)?,
        };
        if self.dry_run {
            output::result(line.to_string().as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        line.run()
    }

    /// Only a file here can be read before the build.
    fn refuse_what_no_file_is(&self) -> Result<()> {
        let shown = self.path.display().to_string();
        let remote = shown.contains("://") || shown.starts_with("git@");
        if remote || shown == "-" {
            bail!(
                "{shown}: PATH is a directory or a file here; build another context with `docker buildx \
                 build --build-arg BUILDKIT_SYNTAX={FRONTEND} {shown}`"
            );
        }
        if self
            .file
            .as_ref()
            .is_some_and(|file| file.as_os_str() == "-")
        {
            bail!("--file -: the spec is a file; write it to one first");
        }
        Ok(())
    }

    fn refuse_a_push_of_nothing(&self) -> Result<()> {
        let named = (self.options.outputs.iter()).any(|output| output.contains("name="));
        ensure!(
            !self.options.push || named || !self.options.tags.is_empty(),
            "--push: the image has no name; give it one with --tag REGISTRY/NAME:TAG"
        );
        Ok(())
    }

    /// `--build-arg`, and the variables for a server.
    fn build_args(&self) -> Result<Vec<String>> {
        let mut args = self.options.build_args.clone();
        let given = |args: &[String], name: &str| args.iter().any(|arg| name_of(arg) == name);
        if self.no_layer_cache {
            ensure!(
                !given(&args, CACHE_REGISTRY),
                "--no-layer-cache and --build-arg {CACHE_REGISTRY} contradict each other; leave one out"
            );
            args.push(format!("{CACHE_REGISTRY}="));
            return Ok(args);
        }
        for name in [CACHE_REGISTRY, CACHE_MODE] {
            if given(&args, name) {
                continue;
            }
            if let Some(value) = variable(name)? {
                args.push(format!("{name}={value}"));
            }
        }
        Ok(args)
    }

    fn frontend(&self, text: &str, build_args: &[String]) -> Result<Frontend> {
        // Of several, clients take the last.
        if let Some(argument) = build_args.iter().rfind(|arg| name_of(arg) == SYNTAX) {
            ensure!(
                self.frontend.is_none(),
                "--frontend and --build-arg BUILDKIT_SYNTAX name the same; leave one out"
            );
            let image = resolved(argument)?.map(|(_, image)| image);
            return Ok(Frontend::Argument(image.unwrap_or_default()));
        }
        let asked = Frontend::asked(self.frontend.as_deref())?;
        Ok(Frontend::of_spec(asked, text))
    }

    /// One for each platform, as the frontend will plan them.
    fn requests(
        &self,
        client: Client,
        project: &str,
        build_args: &[String],
    ) -> Result<Vec<Request>> {
        let mut names = self.options.platforms.clone();
        if names.is_empty()
            && client == Client::Buildx
            && let Some(name) = variable("DOCKER_DEFAULT_PLATFORM")?
        {
            let each = name.split(',').filter(|name| !name.is_empty());
            names.extend(each.map(str::to_owned));
        }
        let mut platforms = Vec::new();
        for name in &names {
            platforms.push(if name == "local" {
                Platform::host()
            } else {
                Platform::parse(name)?
            });
        }
        let any = platforms.is_empty();
        if any {
            platforms.push(Platform::host());
        }
        let mut args = Vec::new();
        for arg in build_args {
            args.extend(resolved(arg)?);
        }
        let request = |platform| {
            let mut request = Request::new(platform, project);
            request.any_platform = any;
            request.target.clone_from(&self.options.target);
            request.build_args = args.iter().cloned().collect();
            request
        };
        Ok(platforms.into_iter().map(request).collect())
    }

    /// Leaves out the exports that cannot be, or that would keep the build waiting.
    fn settle(&self, client: Client, wish: &Wish<'_>, layers: &mut Layers) -> Result<()> {
        let kind = |option: &String| match csv::kind(option) {
            "" => "registry".to_owned(),
            kind => kind.to_owned(),
        };
        let own: Vec<String> = self.options.cache_to.iter().map(kind).collect();
        let asked = layers.needs_exporter() || own.iter().any(|kind| kind != "inline");
        if client == Client::Buildx && asked {
            let name = self.options.builder.as_deref();
            let builder = ask::builder(name);
            if let Some(kind) = own.iter().find(|kind| !builder.writes(kind)) {
                bail!("--cache-to type={kind}: {}", Lost::Builder(builder));
            }
            tell(layers.only(builder).as_slice());
            if builder == Builder::Booting && layers.needs_registry() {
                ask::start(name);
            }
        }
        if layers.needs_registry() {
            let answer = ask::registries(client, wish)?;
            tell(&layers.answered(&answer)?);
        }
        Ok(())
    }
}

fn tell(warnings: &[String]) {
    for warning in warnings {
        output::say(&format!("warning: {warning}\n"));
    }
}

fn name_of(arg: &str) -> &str {
    arg.split_once('=').map_or(arg, |(name, _)| name)
}

/// `NAME=VALUE`, or `NAME` with its value in the environment; `None` if it has none.
pub(crate) fn resolved(arg: &str) -> Result<Option<(String, String)>> {
    Ok(match arg.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
        None => variable(arg)?.map(|value| (arg.to_owned(), value)),
    })
}

/// A path that no client takes for an option.
fn path(path: &std::path::Path) -> Result<String> {
    match path.to_str() {
        Some(text) if text.starts_with('-') => Ok(format!("./{text}")),
        Some(text) => Ok(text.to_owned()),
        None => bail!("{}: the path is not UTF-8", path.display()),
    }
}
