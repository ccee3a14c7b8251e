//! The frontend image, packed around a binary that cargo built here.
//!
//! What `Dockerfile.frontend` says of the final image (labels, entry point) is read from it, so
//! that the two ways to build the image cannot differ.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Engine;
use crate::run;

/// The target whose C library can be linked into the binary on any Linux.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The name of the binary's cargo package.
const PACKAGE: &str = "larder-frontend";

/// Builds the binary with a cargo profile, packs it, and pushes it to the engine's registry.
/// Returns the size of the binary.
pub(crate) fn push(engine: &Engine, profile: &str) -> Result<u64> {
    let binary = run::step(
        &format!("building the frontend (profile {profile})"),
        || build(engine.root(), profile),
    )?;
    let size = fs::metadata(&binary)?.len();
    run::step("packing and pushing the frontend image", || {
        pack(engine, Path::new(&binary))
    })?;
    Ok(size)
}

fn build(root: &Path, profile: &str) -> Result<String> {
    // Cargo's messages name the binary, wherever the target folder may be.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .current_dir(root)
        .args([
            "build",
            "--locked",
            "--package",
            PACKAGE,
            "--profile",
            profile,
        ])
        .args([
            "--target",
            TARGET,
            "--message-format=json-render-diagnostics",
        ])
        // Replaces rather than adds to the caller's flags: the image depends on the code alone.
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .stderr(std::process::Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the frontend does not build");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(str::to_owned))
        .next_back()
        .context("cargo built no frontend binary")
}

fn pack(engine: &Engine, binary: &Path) -> Result<()> {
    let recipe = fs::read_to_string(engine.root().join("Dockerfile.frontend"))
        .context("cannot read Dockerfile.frontend")?;
    let folder = engine.state().folder("frontend")?;
    fs::write(folder.join("Dockerfile"), final_stage(&recipe)?)?;
    fs::copy(binary, folder.join(PACKAGE))?;
    let mut command = engine.docker();
    command
        .args(["buildx", "build", "--progress=plain", "--provenance=false"])
        .arg(&folder);
    match engine.frontend_push() {
        Some(name) => command.arg("--output").arg(format!(
            "type=image,name={name},push=true,oci-mediatypes=true"
        )),
        None => command.args(["--load", "--tag", super::env::FRONTEND]),
    };
    run::logged(&mut command, &engine.state().log("frontend"))
}

/// The last stage of the frontend's Dockerfile, copying the binary from the context instead of
/// from the stage that compiles it.
fn final_stage(recipe: &str) -> Result<String> {
    let lines: Vec<&str> = recipe.lines().collect();
    let from = lines
        .iter()
        .rposition(|line| line.starts_with("FROM "))
        .context("Dockerfile.frontend has no stage")?;
    let mut text = String::new();
    let mut copies = 0;
    for line in &lines[from..] {
        if let Some(words) = line.strip_prefix("COPY ") {
            let target = words.split_whitespace().last();
            let target = target.context("a COPY without a target")?;
            let _ = writeln!(text, "COPY {PACKAGE} {target}");
            copies += 1;
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    if copies != 1 {
        bail!("the last stage of Dockerfile.frontend copies {copies} things, not the binary alone");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_takes_the_binary_from_the_context() {
        let recipe = "FROM rust AS build\nRUN cargo build\nCOPY . .\n\nFROM scratch\nLABEL a=b\n\
                      COPY --link --from=build /out/x /bin/x\nENTRYPOINT [\"/bin/x\"]\n";
        assert_eq!(
            final_stage(recipe).ok().as_deref(),
            Some("FROM scratch\nLABEL a=b\nCOPY larder-frontend /bin/x\nENTRYPOINT [\"/bin/x\"]\n")
        );
        assert!(final_stage("FROM scratch\nLABEL a=b\n").is_err());
        assert!(final_stage("").is_err());
    }
}
