//! `larder`: checks a build spec, shows what it comes to, and compiles it, and adds caches to what others
//! made. It needs no daemon, except where it asks one about a Dockerfile.
//!
//! The result goes to stdout, everything else to stderr. Exit codes: 0, 1 for a mistake in the
//! input, 2 for wrong usage.

mod bake;
mod build;
mod ci;
mod client;
mod compose;
mod daemon;
mod decisions;
mod docker;
mod facts;
mod inject;
mod input;
mod output;
mod project;
mod rewrite;
mod run;
mod variable;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use buildkit_llb::Platform;
use clap::{Args, Parser, Subcommand, ValueEnum};
use larder_plan::{CACHE_CONTEXT, json, lower, show};

use bake::BakeCommand;
use build::{Outcome, Session};
use ci::CiCommand;
use daemon::DaemonConfigCommand;
use inject::Inject;
use output::Format;
use rewrite::DockerfileCommand;
use run::RunCommand;

/// Caches for container builds: checks, shows and compiles build specs
#[derive(Parser)]
#[command(name = "larder", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find every mistake of a spec
    Check {
        #[command(flatten)]
        build: Build,
    },
    /// Show each stage and step, with its cache mounts and the reason for each
    Plan {
        /// Also show ids, variables and owners
        #[arg(short, long)]
        verbose: bool,
        /// What to write
        #[arg(long, value_enum, default_value = "text")]
        format: PlanFormat,
        #[command(flatten)]
        build: Build,
    },
    /// Write a Compose file that builds the image, and runs it with a volume for its caches
    Compose {
        /// The image's name [default: the project's]
        #[arg(long, value_name = "NAME")]
        image: Option<String>,
        /// Write the `docker run` command for such an image instead
        #[arg(long)]
        run: bool,
        #[command(flatten)]
        build: Build,
    },
    Build(Box<RunCommand>),
    Bake(BakeCommand),
    Ci(CiCommand),
    BuildkitdConfig(DaemonConfigCommand),
    /// Write LLB for `buildctl build`
    Compile {
        /// What to write
        #[arg(long, value_enum, default_value = "llb")]
        format: FormatName,
        #[command(flatten)]
        build: Build,
    },
    /// Write the JSON Schema of specs, for editors
    Schema,
    /// Add caches to LLB that another frontend made
    Inject(Inject),
    /// Work on Dockerfiles
    Dockerfile {
        #[command(subcommand)]
        command: DockerfileCommand,
    },
}

/// What is built.
#[derive(Args)]
struct Build {
    /// The build context with larder.yaml in it, or a spec file in its context
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The spec; PATH is then the context
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The stage to build [default: the spec's `target`, or its last stage]
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// A value for a declared arg; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = name_and_value)]
    args: Vec<(String, String)>,
    /// A directory with files for steps, and for caches to start from
    #[arg(long = "build-context", value_name = "larder-cache=DIR", value_parser = cache_context)]
    cache_context: Option<PathBuf>,
    /// What the image is for, such as linux/arm64 [default: Linux on this machine's processor]
    #[arg(long, value_name = "OS/ARCH", value_parser = platform)]
    platform: Option<Platform>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PlanFormat {
    /// For people
    Text,
    /// The same for programs, with all that `--verbose` shows
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// The bytes that buildctl reads
    Llb,
    /// Every operation, readable
    Json,
    /// The graph, for Graphviz
    Dot,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Llb => Format::Llb,
            FormatName::Json => Format::Json,
            FormatName::Dot => Format::Dot,
        }
    }
}

fn name_and_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE (the environment is not looked at)"),
    }
}

fn cache_context(text: &str) -> Result<PathBuf, String> {
    match text.split_once('=') {
        Some((CACHE_CONTEXT, at)) if at.contains("://") => Err(format!(
            "without a daemon, {CACHE_CONTEXT} can only be a directory"
        )),
        Some((CACHE_CONTEXT, at)) if !at.is_empty() => Ok(PathBuf::from(at)),
        _ => Err(format!(
            "write {CACHE_CONTEXT}=DIR; other contexts need a daemon"
        )),
    }
}

fn platform(text: &str) -> Result<Platform, String> {
    Platform::parse(text).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            output::say(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Check { build } => {
            let session = Session::open(&build)?;
            match session.check()? {
                Outcome::Mistakes => return Ok(ExitCode::FAILURE),
                Outcome::Good(summary) => output::result(summary.as_bytes())?,
            }
        }
        Command::Plan {
            verbose,
            format,
            build,
        } => {
            let session = Session::open(&build)?;
            let plan = match format {
                PlanFormat::Text => session.plan()?,
                PlanFormat::Json => session.plan_and_findings()?,
            };
            match plan {
                Outcome::Mistakes => return Ok(ExitCode::FAILURE),
                Outcome::Good(plan) => {
                    let text = match format {
                        PlanFormat::Text => show(&plan, verbose),
                        PlanFormat::Json => json([&plan], session.source()) + "\n",
                    };
                    output::result(text.as_bytes())?;
                }
            }
        }
        Command::Compose {
            image,
            run,
            mut build,
        } => {
            compose::with_environment(&mut build.args)?;
            match Session::open(&build)?.service(&build, image.as_deref())? {
                Outcome::Mistakes => return Ok(ExitCode::FAILURE),
                Outcome::Good(service) => {
                    let text = if run { service.run() } else { service.file() };
                    output::result(text.as_bytes())?;
                }
            }
        }
        Command::Compile { format, build } => {
            let format = Format::from(format);
            format.refuse_terminal()?;
            let session = Session::open(&build)?;
            match session.plan()? {
                Outcome::Mistakes => return Ok(ExitCode::FAILURE),
                Outcome::Good(plan) => {
                    let lowered = lower(&plan, session.source_in_context())?;
                    output::result(&format.write(&lowered)?)?;
                }
            }
        }
        Command::Build(command) => return command.run(),
        Command::Bake(command) => return command.run(),
        Command::Ci(command) => return command.run(),
        Command::BuildkitdConfig(command) => return command.run(),
        Command::Schema => output::result(format!("{:#}\n", larder_spec::schema()).as_bytes())?,
        Command::Inject(inject) => output::result(&inject.run()?)?,
        Command::Dockerfile {
            command: DockerfileCommand::Rewrite(rewrite),
        } => rewrite.run()?,
    }
    Ok(ExitCode::SUCCESS)
}
