//! The program itself, started as a daemon starts it.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use larder_gateway::fake::{FakeBridge, Returned, serve};
use tokio::net::UnixStream;

use crate::support::{daemon, variables};

const SPEC: &str = "from: python:3.13-slim\nsteps:\n  - run: make\n";

fn start(input: impl Into<Stdio>, output: impl Into<Stdio>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_larder-frontend"))
        .env_clear()
        .envs(variables(&[]))
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the end, and fails the test if it does not come.
async fn end(child: &mut Child) -> (ExitStatus, String) {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            let stderr = child.stderr.as_mut().unwrap();
            stderr.read_to_string(&mut said).unwrap();
            return (status, said);
        }
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("the program does not end");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn socket() -> (OwnedFd, OwnedFd, UnixStream) {
    let (theirs, ours) = StdUnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let input = OwnedFd::from(theirs.try_clone().unwrap());
    (input, theirs.into(), UnixStream::from_std(ours).unwrap())
}

#[tokio::test]
async fn builds_and_ends() {
    let fake = FakeBridge::new(daemon(SPEC, &[]));
    let (input, output, ours) = socket();
    tokio::spawn(serve(fake.clone(), ours));
    let (status, said) = end(&mut start(input, output)).await;
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    fake.returned_outcome();
}

#[tokio::test]
async fn reports_a_mistake_and_ends() {
    let fake = FakeBridge::new(daemon("from: []\n", &[]));
    let (input, output, ours) = socket();
    tokio::spawn(serve(fake.clone(), ours));
    let (status, said) = end(&mut start(input, output)).await;
    assert_eq!((status.code(), said.as_str()), (Some(1), ""));
    assert!(matches!(fake.seen().returned, Some(Returned::Error(_))));
}

#[tokio::test]
async fn a_daemon_that_is_gone_is_a_quiet_end() {
    let (input, output, ours) = socket();
    let mut child = start(input, output);
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(ours);
    let (status, said) = end(&mut child).await;
    assert_eq!((status.code(), said.as_str()), (Some(1), ""));
}

#[tokio::test]
async fn broken_pipes_are_a_quiet_end() {
    let (input, to_program) = io::pipe().unwrap();
    let (from_program, output) = io::pipe().unwrap();
    drop((to_program, from_program));
    let (status, said) = end(&mut start(input, output)).await;
    assert_eq!(said, "");
    assert!(!status.success());
}

#[tokio::test]
async fn started_by_hand_it_says_what_it_is() {
    let (status, said) = end(&mut start(Stdio::null(), Stdio::null())).await;
    assert_eq!(status.code(), Some(2));
    assert!(said.contains("BuildKit starts this program"), "{said}");
}
