//! `cargo deny`, installed into `.larder/tools` when the machine has none.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{run, test};

const VERSION: &str = "0.20.2";

/// Checks licences, sources and bans, and known vulnerabilities if their database can be had.
pub(crate) fn check() -> Result<()> {
    let deny = installed()?;
    let root = run::root()?;
    let command = |words: &[&str]| {
        let mut command = Command::new(&deny);
        command
            .current_dir(&root)
            .args(["--workspace", "--all-features"])
            .args(words);
        command
    };
    run::shown(&mut command(&[
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))?;
    if run::output(&mut command(&["fetch", "db"])).is_ok() {
        return run::shown(&mut command(&["check", "--disable-fetch", "advisories"]));
    }
    run::say("!! deny: the database of advisories cannot be fetched from here:");
    run::say("!! deny: KNOWN VULNERABILITIES WERE NOT CHECKED");
    Ok(())
}

fn installed() -> Result<PathBuf> {
    if run::on_path("cargo-deny") {
        return Ok("cargo-deny".into());
    }
    let tools = run::root()?.join(".larder/tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        fs::create_dir_all(&tools).context("cannot make .larder/tools")?;
        run::step(
            "installing cargo-deny into .larder/tools (some minutes, once)",
            || {
                let mut command =
                    test::cargo_command(&["install", "--locked", "--quiet", "--debug", "--root"])?;
                command.arg(&tools).arg(format!("cargo-deny@{VERSION}"));
                run::logged(&mut command, &tools.join("cargo-deny.log"))
            },
        )?;
    }
    Ok(program)
}
