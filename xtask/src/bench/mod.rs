//! Measurements, side by side in one run. Nothing here is asserted.

mod dockerfile;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::demo::copy_tree;
use crate::engine::{self, Engine, Kind};
use crate::{build, run, test};

/// How often each build is measured.
const TURNS: usize = 15;
/// What everything measured is built from.
const IMAGE: &str = "python:3.13-slim";

/// What the example's spec says, in the language of the built-in frontend.
const DOCKERFILE: &str = "\
FROM python:3.13-slim
RUN groupadd --gid 1000 build && useradd --uid 1000 --gid 1000 --create-home build
WORKDIR /app
RUN chown build:build /app
USER build
COPY --chown=build requirements.txt .
RUN --mount=type=cache,id=bench,target=/cache/pip,uid=1000,gid=1000 \\
    PIP_CACHE_DIR=/cache/pip pip install --requirement requirements.txt
COPY --chown=build . .
RUN python -m unittest
CMD [\"gunicorn\", \"--bind\", \"0.0.0.0:8000\", \"app:app\"]
";

/// Compiling specs, cached builds of a spec and of Dockerfiles, the frontend image's size.
pub(crate) fn measure(kind: Kind) -> Result<()> {
    run::say("== compiling specs (criterion)");
    run::shown(&mut test::cargo_command(&[
        "bench",
        "--package",
        "larder-plan",
        "--bench",
        "compile",
    ])?)?;
    run::say("== a spec in which everything is cached");
    let engine = engine::up(kind, &[IMAGE.to_owned()])?;
    engine::frontend::push(&engine, "frontend")?;
    cached_builds(&engine)?;
    run::say("== Dockerfiles in which everything is cached");
    dockerfile::measure(&engine)?;
    let compressed = frontend_size(&engine)?;
    run::print(format!("frontend image, compressed: {compressed} bytes"));
    Ok(())
}

fn cached_builds(engine: &Engine) -> Result<()> {
    let work = tempfile::tempdir().context("cannot make a folder")?;
    let app = work.path().join("app");
    copy_tree(&engine.root().join("examples/python"), &app)?;
    fs::write(app.join("Dockerfile"), DOCKERFILE)?;
    let larder = app.join("larder.yaml").to_string_lossy().into_owned();
    let docker = app.join("Dockerfile").to_string_lossy().into_owned();
    let once = |file: &str| {
        build::build(engine, &["--output=type=cacheonly", "-f", file], &app).map(|built| built.time)
    };
    run::step("building both once", || {
        once(&larder)?;
        once(&docker)
    })?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    run::step(
        &format!("building each {TURNS} times more, in turns"),
        || {
            for _ in 0..TURNS {
                ours.push(once(&larder)?);
                theirs.push(once(&docker)?);
            }
            Ok(())
        },
    )?;
    compare("cached build", median(ours), median(theirs));
    Ok(())
}

fn compare(what: &str, ours: Duration, theirs: Duration) {
    run::print(format!(
        "{what}, median of {TURNS}: larder {} ms, built-in dockerfile.v0 {} ms, ratio {:.2}",
        ours.as_millis(),
        theirs.as_millis(),
        ours.as_secs_f64() / theirs.as_secs_f64()
    ));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The sum of the image's layers, as they are pulled.
fn frontend_size(engine: &Engine) -> Result<u64> {
    let Some(name) = engine.frontend_push() else {
        run::say("the frontend was not pushed to a registry, so it has no compressed size");
        return Ok(0);
    };
    let mut command = engine.docker();
    let manifest = run::output(command.args(["buildx", "imagetools", "inspect", "--raw", &name]))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    let layers = manifest["layers"]
        .as_array()
        .context("the frontend image has no layers")?;
    Ok(layers
        .iter()
        .filter_map(|layer| layer["size"].as_u64())
        .sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let times = [5, 1, 3].map(Duration::from_millis);
        assert_eq!(median(times.to_vec()), Duration::from_millis(3));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
