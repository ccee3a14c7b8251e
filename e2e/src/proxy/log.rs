use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// One response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The request's method.
    pub method: String,
    /// Upstream's name or address, without the port.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// The response's status; 502 where upstream gave none.
    pub status: u16,
    /// Bytes of the body, as transferred.
    pub bytes: u64,
    /// Whether the body came to its end.
    pub complete: bool,
}

/// The transfers of a proxy.
#[derive(Default)]
pub(super) struct Log(Mutex<Vec<Transfer>>);

impl Log {
    pub(super) fn add(&self, transfer: Transfer) {
        self.transfers().push(transfer);
    }

    pub(super) fn since(&self, mark: usize) -> Vec<Transfer> {
        self.transfers().iter().skip(mark).cloned().collect()
    }

    pub(super) fn take(&self) -> Vec<Transfer> {
        std::mem::take(&mut self.transfers())
    }

    fn transfers(&self) -> MutexGuard<'_, Vec<Transfer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the proxy at `proxy`, of this or another process, for its transfers but the first `mark`.
/// A mark is the number of transfers read before.
pub fn transfers(proxy: SocketAddr, mark: usize) -> Result<Vec<Transfer>> {
    let mut stream = TcpStream::connect_timeout(&proxy, Duration::from_secs(5))
        .with_context(|| format!("no proxy answers at {proxy}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "GET /transfers?since={mark} HTTP/1.1\r\nHost: {proxy}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the proxy's answer has no body")?;
    ensure!(
        head.starts_with("HTTP/1.1 200 "),
        "the proxy answers: {}",
        head.lines().next().unwrap_or_default()
    );
    Ok(serde_json::from_str(body)?)
}
