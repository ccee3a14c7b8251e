//! Chores: `cargo xtask engine`, `demo`, `test`, `bench`, `docs`.

#![expect(clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod build;
mod demo;
mod deny;
mod docs;
mod e2e;
mod engine;
mod rows;
mod run;
mod test;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use engine::Kind;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Larder's chores",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run a real BuildKit in a private folder
    Engine {
        #[command(subcommand)]
        command: EngineChore,
    },
    /// Build a real application three times, counting what is downloaded
    Demo(Which),
    /// Run everything that CI runs
    Test(Which),
    /// Measure: compiling specs, cached builds, the frontend image's size
    Bench(Which),
    /// Write the generated documentation
    Docs {
        /// Fail when it is not up to date, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Be the counting proxy; the engine starts this
    #[command(hide = true)]
    Proxy {
        /// Where to listen
        address: SocketAddr,
        /// The folder of the proxy's authority
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
enum EngineChore {
    /// Start it, and make the base images that are missing
    Up {
        #[command(flatten)]
        which: Which,
        /// A base image to make, such as `python:3.13-slim`, or `all`; may be repeated
        #[arg(long = "image", value_name = "NAME")]
        images: Vec<String>,
    },
    /// Stop it
    Down {
        /// Also remove its programs, images and caches: all of `.larder`
        #[arg(long)]
        purge: bool,
    },
    /// Say what runs
    Status,
    /// Print shell exports: eval "$(cargo xtask engine env)"
    Env,
    /// Build the frontend, and push its image to the engine's registry
    Frontend {
        /// The cargo profile; `dev` and `release` build faster and weigh more
        #[arg(long, default_value = "frontend")]
        profile: String,
    },
}

#[derive(Args)]
struct Which {
    /// trixie (Docker 26), forky (Docker 28), or host (your own)
    #[arg(long, default_value = "trixie")]
    engine: Kind,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(format!(
                "error: {}",
                error
                    .chain()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n  ")
            ));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Engine { command } => match command {
            EngineChore::Up { which, images } => {
                let engine = engine::up(which.engine, &images)?;
                run::say(engine.describe()?);
                Ok(())
            }
            EngineChore::Down { purge } => engine::down(purge),
            EngineChore::Status => engine::status(),
            EngineChore::Env => {
                run::print(engine::current()?.exports().trim_end());
                Ok(())
            }
            EngineChore::Frontend { profile } => {
                let size = engine::frontend::push(&engine::current()?, &profile)?;
                run::say(format!("{}: a binary of {size} bytes", engine::FRONTEND));
                Ok(())
            }
        },
        Chore::Demo(which) => demo::show(which.engine),
        Chore::Test(which) => test::all(which.engine),
        Chore::Bench(which) => bench::measure(which.engine),
        Chore::Docs { check } => docs::write(check),
        Chore::Proxy { address, folder } => engine::proxy::serve(address, &folder),
    }
}
