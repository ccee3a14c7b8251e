//! An HTTP proxy that sees what is downloaded, over TLS too, and counts it.
//!
//! A client trusts its [`Authority`] and is told to use it by `HTTP_PROXY` and `HTTPS_PROXY`. The
//! proxy ends the client's TLS with a certificate of its own, asks upstream over TLS that it
//! verifies against the system's bundle, and relays what comes.

mod authority;
mod body;
mod head;
mod log;
mod session;
mod upstream;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};

pub use self::{
    authority::Authority,
    log::{Transfer, transfers},
    upstream::Roots,
};
use self::{log::Log, session::Session};

/// A running proxy, in threads of this process. It ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// What all connections share.
struct Shared {
    authority: Authority,
    roots: Roots,
    log: Log,
    stopped: AtomicBool,
    clients: Mutex<BTreeMap<u64, TcpStream>>,
}

impl Proxy {
    /// Listens on `bind` (port 0 for any free one); trusts upstream what this machine trusts.
    pub fn start(bind: SocketAddr, authority: Authority) -> Result<Self> {
        Self::start_trusting(bind, authority, Roots::of_system()?)
    }

    /// Like [`Proxy::start`], with other roots of trust for upstream.
    pub fn start_trusting(bind: SocketAddr, authority: Authority, roots: Roots) -> Result<Self> {
        let listener =
            TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            authority,
            roots,
            log: Log::default(),
            stopped: AtomicBool::new(false),
            clients: Mutex::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value for `HTTP_PROXY` and `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every response so far, in the order in which they ended. A response is here before its
    /// client has seen the end of it.
    pub fn log(&self) -> Vec<Transfer> {
        self.shared.log.since(0)
    }

    /// Like [`Proxy::log`], and forgets them.
    pub fn take(&self) -> Vec<Transfer> {
        self.shared.log.take()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits in accept.
        drop(TcpStream::connect_timeout(
            &self.address,
            Duration::from_secs(5),
        ));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        for client in self.shared.clients().values() {
            drop(client.shutdown(Shutdown::Both));
        }
    }
}

/// Runs a proxy until the process ends. Others read its transfers with [`transfers`].
pub fn serve(bind: SocketAddr, authority: Authority) -> Result<Infallible> {
    let _proxy = Proxy::start(bind, authority)?;
    loop {
        thread::park();
    }
}

impl Shared {
    fn clients(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut next = 0_u64;
    for client in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else {
            // Out of file descriptors, most likely: they come back.
            thread::sleep(Duration::from_millis(20));
            continue;
        };
        let Ok(handle) = client.try_clone() else {
            continue;
        };
        let id = next;
        next += 1;
        shared.clients().insert(id, handle);
        let started = thread::Builder::new().spawn({
            let shared = Arc::clone(shared);
            move || {
                // An error is the client's going away, or has been answered and logged.
                drop(Session::serve(&shared, client));
                if let Some(client) = shared.clients().remove(&id) {
                    drop(client.shutdown(Shutdown::Both));
                }
            }
        });
        if started.is_err() {
            shared.clients().remove(&id);
        }
    }
}
