//! The command, run on a context of a test's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory with these files.
pub(crate) fn context(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("below the directory")).expect("made");
        fs::write(path, text).expect("written");
    }
    directory
}

/// A context with an application in two stages.
pub(crate) fn application() -> TempDir {
    context(&[
        ("larder.yaml", APPLICATION),
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "print('hello')\n"),
        (".dockerignore", "*.log\n"),
    ])
}

const APPLICATION: &str = "\
# syntax=larder/frontend:1
name: shop
args: {GREETING: hello}
stages:
  tools:
    from: debian:13-slim
    steps:
      - run: apt-get update && apt-get install -y --no-install-recommends libpq5
  api:
    from: python:3.13-slim
    user: build
    workdir: /app
    steps:
      - install: pip
      - copy: .
      - copy: {from: tools, src: /usr/lib, dest: ./lib/}
      - run: echo \"$GREETING\"
    image:
      cmd: [python, app.py]
";

/// The command in a directory, with nothing of this process's environment.
pub(crate) fn larder(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_larder"));
    command.current_dir(directory).env_clear();
    command
}

/// Its exit code, stdout and stderr.
pub(crate) fn run(directory: &Path, args: &[&str]) -> (i32, String, String) {
    texts(&larder(directory).args(args).output().expect("it starts"))
}

/// Exit code, stdout and stderr.
pub(crate) fn texts(output: &Output) -> (i32, String, String) {
    (
        output.status.code().expect("no signal ended it"),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
