//! Running other programs, and saying what is being waited for.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many lines of a failed program's output are shown.
const TAIL: usize = 25;

/// The repository's root: cargo says, or else it is above the working directory.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    if let Some(root) = manifest.as_deref().and_then(Path::parent) {
        return Ok(root.to_owned());
    }
    let here = std::env::current_dir().context("no working directory")?;
    here.ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file())
        .map(Path::to_owned)
        .context("run this inside the repository, as `cargo xtask`")
}

/// Says what happens now; standard output stays free for results.
pub(crate) fn say(message: impl AsRef<str>) {
    eprintln!("{}", message.as_ref());
}

/// Prints a result. Whoever reads it may have seen enough, as `head` does: then this ends.
pub(crate) fn print(text: impl AsRef<str>) {
    if writeln!(std::io::stdout(), "{}", text.as_ref()).is_err() {
        std::process::exit(1);
    }
}

/// Announces something that takes a while, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(format!("  {what} ..."));
    let start = Instant::now();
    let result = work().with_context(|| format!("{what} failed"))?;
    say(format!("  {what}: {}", seconds(start.elapsed())));
    Ok(result)
}

/// A duration as people read it.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(90) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// What the program printed on standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}{}",
            describe(command),
            output.status,
            tail(&String::from_utf8_lossy(&output.stdout)),
            tail(&String::from_utf8_lossy(&output.stderr))
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs the program with its output going to a log, whose end is shown should it fail.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    if !status.success() {
        bail!(
            "{} ended with {status}; the end of {}:\n{}",
            describe(command),
            log.display(),
            tail_of(log)
        );
    }
    Ok(())
}

/// Runs the program on our terminal.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", describe(command));
    }
    Ok(())
}

/// Starts a program that goes on when we end, its output in a log.
pub(crate) fn background(command: &mut Command, log: &Path) -> Result<std::process::Child> {
    use std::os::unix::process::CommandExt;
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", describe(command)))
}

/// Waits until something holds, at most so long.
pub(crate) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The last lines of a file, or nothing.
pub(crate) fn tail_of(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    tail(&String::from_utf8_lossy(&bytes))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
    if !tail.is_empty() {
        tail.push('\n');
    }
    tail
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    let mut text = words.join(" ");
    if text.len() > 200 {
        let end = (0..=200)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push_str(" …");
    }
    format!("`{text}`")
}

/// Whether a program of this name can be found.
pub(crate) fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

/// Writes a file only when its content differs; tells whether it did.
pub(crate) fn write_if_changed(file: &Path, content: &str) -> Result<bool> {
    if fs::read_to_string(file).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}
