//! The end-to-end tests, one file after another.
//!
//! They fetch packages from registries all over the world. A test that fails is run once more by itself,
//! so that one lost connection does not cost an hour's run; one that passes only then is named at the
//! end, since nothing says that it was the network.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::engine::Engine;
use crate::run;
use crate::test::cargo_command;

/// Runs all of them on an engine. Gives those that passed the second time only, as `file::test`.
pub(crate) fn all(engine: &Engine) -> Result<Vec<String>> {
    for what in ["--lib", "--no-run"] {
        run::shown(&mut cargo_command(&[
            "test",
            "--package",
            "larder-e2e",
            what,
        ])?)?;
    }
    let mut unsteady = Vec::new();
    let mut broken = Vec::new();
    for file in files()? {
        let Some(first) = failures(engine, &file, &[])? else {
            continue;
        };
        run::say(format!("== once more: {file} {}", first.join(" ")));
        let still = failures(engine, &file, &first)?;
        let of_file = |tests: Vec<String>| tests.into_iter().map(|test| format!("{file}::{test}"));
        match still {
            None => unsteady.extend(of_file(first)),
            Some(tests) if tests.is_empty() => broken.push(file),
            Some(tests) => broken.extend(of_file(tests)),
        }
    }
    if !broken.is_empty() {
        bail!("these failed twice: {}", broken.join(", "));
    }
    Ok(unsteady)
}

/// The names of the test programs, sorted.
fn files() -> Result<Vec<String>> {
    let folder = run::root()?.join("e2e/tests");
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).context("no end-to-end tests")? {
        let path = entry?.path();
        let program =
            path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").is_file();
        let name = path.file_stem().and_then(|name| name.to_str());
        files.extend(name.filter(|_| program).map(str::to_owned));
    }
    files.sort();
    Ok(files)
}

/// Runs the tests of a file, or those named, and gives those that failed; `None` if the program is content,
/// and no names if it ended before it could say.
///
/// They run one at a time: builds side by side that share a base image can lose each other's cached steps,
/// and most scenarios are about what was cached.
fn failures(engine: &Engine, file: &str, names: &[String]) -> Result<Option<Vec<String>>> {
    let mut command = cargo_command(&["test", "--package", "larder-e2e", "--test", file])?;
    command.args(["--", "--test-threads=1"]);
    if !names.is_empty() {
        command.arg("--exact").args(names);
    }
    let (passed, said) = watched(engine.prepare(&mut command))?;
    Ok((!passed).then(|| failed(&said)))
}

/// Runs a program with its output shown. Whether it succeeded, and its standard output.
fn watched(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut said = String::new();
    let output = child.stdout.take().context("no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the output of the tests")?;
        let line = String::from_utf8_lossy(&line);
        run::print(&line);
        said.push_str(&line);
        said.push('\n');
    }
    Ok((child.wait()?.success(), said))
}

/// The tests that failed, by what their program says of them; none if it does not say as much of each as
/// it counts in the end.
fn failed(said: &str) -> Vec<String> {
    let counted = said.lines().find_map(|line| {
        let (_, rest) = line
            .split_once("test result: FAILED. ")?
            .1
            .split_once("passed; ")?;
        rest.split_once(" failed")?.0.parse::<usize>().ok()
    });
    let lines = said.lines().filter_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.trim_end_matches(" - should panic").to_owned())
    });
    let names: Vec<String> = lines.collect();
    if counted == Some(names.len()) {
        names
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::failed;

    #[test]
    fn failures_are_found_in_what_a_test_program_says() {
        let said = "running 3 tests\ntest a ... ok\ntest b::c ... FAILED\ntest d - should panic ... FAILED\n\n\
                    failures:\n\n---- b::c stdout ----\ntest x ... \n\nfailures:\n    b::c\n    d\n\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored\n";
        assert_eq!(failed(said), ["b::c", "d"]);
        let (cut, _) = said.split_once("test d").unwrap();
        assert_eq!(failed(cut), [""; 0]);
    }
}
