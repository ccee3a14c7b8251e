//! A git repository that git's own daemon serves.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::Project;

/// A repository, on branch `main` with the tag `v1`, as long as this lives.
pub struct Repository {
    /// Its address.
    pub url: String,
    daemon: Child,
    _dir: Project,
}

impl Repository {
    /// Makes it, with these files in it, and serves it. Needs git.
    pub fn serve(files: &[(&str, &str)]) -> Result<Self> {
        let dir = Project::empty()?;
        for (path, text) in files {
            dir.file(&format!("repository/{path}"), text)?;
        }
        let work = dir.path().join("repository");
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=e2e", "-c", "user.email=e2e@example.com"];
            let mut git = Command::new("git");
            git.current_dir(&work).args(identity).args(args);
            // The same files are the same commit.
            for date in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
                git.env(date, "2024-01-01T00:00:00Z");
            }
            let done = git.output().context("cannot run git; install it")?;
            ensure!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
            Ok(())
        };
        git(&["init", "--quiet", "--initial-branch=main"])?;
        git(&["add", "."])?;
        git(&["commit", "--quiet", "--message=first"])?;
        git(&["tag", "v1"])?;
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let daemon = Command::new("git")
            .args([
                "daemon",
                "--reuseaddr",
                "--export-all",
                "--listen=127.0.0.1",
            ])
            .arg(format!("--port={}", free.port()))
            .arg(format!("--base-path={}", dir.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        for _ in 0..100 {
            if TcpStream::connect(free).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self {
            url: format!("git://{free}/repository"),
            daemon,
            _dir: dir,
        })
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}
