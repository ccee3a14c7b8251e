use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use larder_e2e::{Project, unique};

/// A repository, on branch `main`, that a git daemon serves.
pub(crate) struct Repository {
    /// Its address.
    pub(crate) url: String,
    daemon: Child,
    _dir: Project,
}

impl Repository {
    /// Makes it, with a file `part/file` in it, and serves it.
    pub(crate) fn serve() -> Self {
        let dir = Project::empty().unwrap();
        dir.file("repository/part/file", unique()).unwrap();
        let work = dir.path().join("repository");
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=e2e", "-c", "user.email=e2e@example.com"];
            let done = Command::new("git")
                .current_dir(&work)
                .args(identity)
                .args(args)
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        };
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message=first"]);
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
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
            .spawn()
            .unwrap();
        for _ in 0..100 {
            if TcpStream::connect(free).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Self {
            url: format!("git://{free}/repository"),
            daemon,
            _dir: dir,
        }
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}
