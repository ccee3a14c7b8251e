//! Programs that have to end.

use std::{
    io::Read,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// What a program came to.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A call of the command `larder`, which is compiled first if it has to be.
pub(crate) fn larder(args: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    cargo.args(["run", "--quiet", "--manifest-path", manifest]);
    cargo.args(["--package", "larder", "--bin", "larder", "--"]);
    cargo.args(args);
    cargo
}

/// Runs a program to its end, or ends it after `limit`.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            let said = stderr.join().unwrap_or_default();
            bail!("{program} did not end within {limit:?}; it said:\n{said}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// Runs a program that has to succeed; what it printed.
pub(crate) fn succeed(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = run(command, Duration::from_secs(1800))?;
    ensure!(
        output.status.success(),
        "{shown} failed:\n{}{}",
        output.stdout,
        output.stderr
    );
    Ok(output.stdout)
}

fn collect(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut from) = from {
            drop(from.read_to_end(&mut all));
        }
        String::from_utf8_lossy(&all).into_owned()
    })
}
