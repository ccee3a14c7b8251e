//! Everything that CI runs.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::engine::{self, Kind};
use crate::{deny, docs, e2e, run};

/// Runs every check, in the order in which they are cheap, and stops at the first that fails.
pub(crate) fn all(kind: Kind) -> Result<()> {
    if kind == Kind::Host {
        bail!(
            "the tests need an engine of their own, with base images and a registry that they \
             may change: use `--engine trixie` or `--engine forky`"
        );
    }
    let mut phases = Phases::default();
    phases.run("fmt", || cargo(&["fmt", "--all", "--check"]))?;
    phases.run("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ])
    })?;
    phases.run("unit", || {
        cargo(&[
            "test",
            "--no-fail-fast",
            "--workspace",
            "--exclude",
            "larder-e2e",
        ])
    })?;
    phases.run("docs", || docs::write(true))?;
    phases.run("deny", deny::check)?;
    let engine = phases.run("engine", || {
        let engine = engine::up(kind, &["all".to_owned()])?;
        run::say(engine.describe()?);
        Ok(engine)
    })?;
    phases.run("frontend", || {
        engine::frontend::push(&engine, "frontend").map(drop)
    })?;
    let unsteady = phases.run("e2e", || e2e::all(&engine))?;
    run::say(phases.summary());
    for test in unsteady {
        run::say(format!(
            "  unsteady: {test} failed, and passed when it was run again"
        ));
    }
    Ok(())
}

fn cargo(words: &[&str]) -> Result<()> {
    run::shown(&mut cargo_command(words)?)
}

/// Cargo in the repository, its tests seeing no more of our environment than a shell's would.
pub(crate) fn cargo_command(words: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .current_dir(run::root()?)
        .args(words)
        .env_remove("RUST_BACKTRACE");
    Ok(command)
}

/// What ran, and for how long.
#[derive(Default)]
struct Phases {
    done: Vec<(&'static str, Duration)>,
}

impl Phases {
    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        run::say(format!("== {name}"));
        let start = Instant::now();
        let result = work().with_context(|| {
            let before: Vec<&str> = self.done.iter().map(|(name, _)| *name).collect();
            let passed = if before.is_empty() {
                "nothing".to_owned()
            } else {
                before.join(", ")
            };
            format!(
                "test: {name} FAILED after {} (passed before it: {passed})",
                run::seconds(start.elapsed())
            )
        })?;
        self.done.push((name, start.elapsed()));
        Ok(result)
    }

    fn summary(&self) -> String {
        let total = self.done.iter().map(|(_, time)| *time).sum();
        let each: Vec<String> = self
            .done
            .iter()
            .map(|(name, time)| format!("{name} {}", run::seconds(*time)))
            .collect();
        format!(
            "test: all passed in {} ({})",
            run::seconds(total),
            each.join(", ")
        )
    }
}
