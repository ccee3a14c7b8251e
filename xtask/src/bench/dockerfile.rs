//! Dockerfiles in which everything is cached, through Larder and through the built-in frontend,
//! and beside them the same with one container more, which is what Larder may cost at most.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::{IMAGE, TURNS, compare, median};
use crate::engine::{Engine, FRONTEND};
use crate::{build, run};

/// How many RUNs the Dockerfiles have.
const SIZES: [usize; 3] = [5, 50, 500];
/// How many of them a stage has. A single filesystem cannot have 500 layers, and stages run at the
/// same time when nothing is cached yet.
const STAGE: usize = 50;
/// Each gets caches from Larder.
const COMMANDS: [&str; 4] = [
    "pip install",
    "apt-get install --yes",
    "npm install",
    "go build",
];

/// Measures every size. The Dockerfiles are the same ones each time, so an engine that has built
/// them before need not run their commands again.
pub(super) fn measure(engine: &Engine) -> Result<()> {
    let work = tempfile::tempdir().context("cannot make a folder")?;
    SIZES
        .into_iter()
        .try_for_each(|runs| cached(engine, work.path(), runs))
}

fn cached(engine: &Engine, context: &Path, runs: usize) -> Result<()> {
    let text = dockerfile(runs);
    let file = |name: &str| context.join(format!("{name}.{runs}"));
    let (larder, docker, more) = (file("larder"), file("docker"), file("more"));
    fs::write(&larder, format!("# syntax={FRONTEND}\n{text}"))?;
    fs::write(&docker, &text)?;
    run::step(&format!("building {runs} RUNs once with each"), || {
        once(engine, context, &larder)?;
        once(engine, context, &docker)
    })?;
    let (mut ours, mut theirs, mut containers) = (Vec::new(), Vec::new(), Vec::new());
    let what = format!("building each {TURNS} times more, and one RUN more as often, in turns");
    run::step(&what, || {
        for _ in 0..TURNS {
            ours.push(again(engine, context, &larder, 0)?);
            theirs.push(again(engine, context, &docker, 0)?);
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
            fs::write(&more, format!("{text}RUN true # {now}\n"))?;
            containers.push(again(engine, context, &more, 1)?);
        }
        Ok(())
    })?;
    let (ours, theirs, more) = (median(ours), median(theirs), median(containers));
    compare(&format!("{runs} cached RUNs"), ours, theirs);
    let (extra, container) = (ours.saturating_sub(theirs), more.saturating_sub(theirs));
    run::print(format!(
        "  larder adds {} ms, one RUN of `true` adds {} ms: the goal {}",
        extra.as_millis(),
        container.as_millis(),
        if extra <= container {
            "is met"
        } else {
            "is missed"
        }
    ));
    Ok(())
}

fn once(engine: &Engine, context: &Path, file: &Path) -> Result<build::Built> {
    let file = format!("--file={}", file.display());
    build::build(engine, &["--output=type=cacheonly", &file], context)
}

/// The time of a build in which no more than so many steps ran.
fn again(engine: &Engine, context: &Path, file: &Path, ran: usize) -> Result<Duration> {
    let built = once(engine, context, file)?;
    let steps = built.progress.ran();
    if steps.len() > ran {
        bail!("these were not cached any more: {}", steps.join(", "));
    }
    Ok(built.time)
}

/// So many RUNs that use caches, by the look of them. They do nothing, for the sake of the first
/// build.
fn dockerfile(runs: usize) -> String {
    let mut text = String::new();
    let stages = runs.div_ceil(STAGE);
    for run in 0..runs {
        if run % STAGE == 0 {
            let _ = writeln!(text, "FROM {IMAGE} AS stage-{}", run / STAGE);
        }
        let command = COMMANDS[run % COMMANDS.len()];
        let _ = writeln!(text, "RUN true || {command} package-{run}");
    }
    for stage in 1..stages {
        let from = stage - 1;
        let _ = writeln!(text, "COPY --from=stage-{from} /etc/passwd /stage-{from}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_needed_by_the_last_stage() {
        for runs in SIZES {
            let text = dockerfile(runs);
            let starts = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
            assert_eq!(starts("RUN "), runs);
            assert_eq!(starts("FROM "), starts("COPY ") + 1);
        }
    }
}
