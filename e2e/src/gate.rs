//! A way to a registry that can be shut while builds use it.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

/// How often a thread looks whether the gate has changed.
const LOOK: Duration = Duration::from_millis(5);

/// What a gate does with those who come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They reach the registry.
    Open,
    /// Nobody listens.
    Closed,
    /// They are let in and get no answer, ever.
    Silent,
    /// As `Silent`, but those who come with TLS are told at once that this is HTTP, as a registry
    /// without TLS tells them: a daemon's patience with TLS does not count then.
    SilentHttp,
    /// They get an answer: that they may not.
    Forbidden,
    /// They reach the registry until so many bytes came from them in all; then everything stands still.
    StandsStill(usize),
}

/// A loopback address through which a registry is reached, or not.
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    registry: String,
    state: Mutex<State>,
    stopped: Condvar,
}

struct State {
    mode: Mode,
    /// Counts the changes: a connection of an earlier mode ends.
    turn: usize,
    ended: bool,
    listens: bool,
    /// How often somebody came since the last change.
    visits: usize,
    /// How many bytes came since.
    bytes: usize,
}

impl Gate {
    /// An open gate to a registry, `HOST:PORT`.
    pub fn open(registry: &str) -> Result<Self> {
        let listener = listen(0)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            registry: registry.to_owned(),
            state: Mutex::new(State {
                mode: Mode::Open,
                turn: 0,
                ended: false,
                listens: true,
                visits: 0,
                bytes: 0,
            }),
            stopped: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || of_thread.accept(address.port(), listener));
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Host and port, for references.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes what it does, and ends all connections that there are.
    pub fn set(&self, mode: Mode) -> Result<()> {
        {
            let mut state = self.shared.state();
            state.mode = mode;
            state.turn += 1;
            state.visits = 0;
            state.bytes = 0;
        }
        let end = Instant::now() + Duration::from_secs(10);
        while self.shared.state().listens == (mode == Mode::Closed) {
            ensure!(Instant::now() < end, "{} cannot be {mode:?}", self.address);
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// How many connections were made since the last change.
    pub fn visits(&self) -> usize {
        self.shared.state().visits
    }

    /// Waits until everything stands still.
    pub fn wait_until_it_stands(&self, limit: Duration) -> Result<()> {
        let stands = |state: &mut State| !state.stands();
        let state = self.shared.state();
        let (state, _) = self
            .shared
            .stopped
            .wait_timeout_while(state, limit, stands)
            .unwrap_or_else(PoisonError::into_inner);
        let bytes = state.bytes;
        ensure!(state.stands(), "only {bytes} bytes came within {limit:?}");
        Ok(())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

impl State {
    fn stands(&self) -> bool {
        matches!(self.mode, Mode::StandsStill(after) if self.bytes >= after)
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, port: u16, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            let closed = {
                let mut state = self.state();
                if state.ended {
                    return;
                }
                state.listens = listener.is_some();
                state.mode == Mode::Closed
            };
            match &listener {
                Some(_) if closed => listener = None,
                None if !closed => listener = listen(port).ok(),
                Some(open) => {
                    if let Ok((client, _)) = open.accept() {
                        let shared = Arc::clone(&self);
                        thread::spawn(move || shared.serve(&client));
                        continue;
                    }
                    thread::sleep(LOOK);
                }
                None => thread::sleep(LOOK),
            }
        }
    }

    /// Whether a connection may go on.
    fn holds(&self, turn: usize) -> bool {
        let state = self.state();
        state.turn == turn && !state.ended
    }

    fn serve(&self, client: &TcpStream) {
        let (mode, turn) = {
            let mut state = self.state();
            state.visits += 1;
            (state.mode, state.turn)
        };
        let served = match mode {
            Mode::Closed => Ok(()),
            Mode::Silent => {
                self.wait(turn);
                Ok(())
            }
            Mode::SilentHttp => self.answer(client, turn, None),
            Mode::Forbidden => self.answer(client, turn, Some(FORBIDDEN)),
            Mode::Open | Mode::StandsStill(_) => self.pass(client, turn),
        };
        // Whoever was here is gone already where that fails.
        drop(served);
        drop(client.shutdown(Shutdown::Both));
    }

    fn wait(&self, turn: usize) {
        while self.holds(turn) {
            thread::sleep(LOOK);
        }
    }

    /// Reads one request, and answers it or not.
    fn answer(&self, mut client: &TcpStream, turn: usize, with: Option<&str>) -> io::Result<()> {
        client.set_nonblocking(false)?;
        client.set_read_timeout(Some(LOOK))?;
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while self.holds(turn) {
            match client.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => request.extend(&piece[..read]),
                Err(error) if is_only_late(&error) => continue,
                Err(error) => return Err(error),
            }
            if request.starts_with(&TLS) {
                return client.write_all(NO_TLS.as_bytes());
            }
            if let Some(with) = with
                && request.windows(4).any(|end| end == b"\r\n\r\n")
            {
                return client.write_all(with.as_bytes());
            }
        }
        Ok(())
    }

    fn pass(&self, client: &TcpStream, turn: usize) -> io::Result<()> {
        let registry = TcpStream::connect(&self.registry)?;
        client.set_nonblocking(false)?;
        for stream in [client, &registry] {
            stream.set_read_timeout(Some(LOOK))?;
            stream.set_nodelay(true)?;
        }
        thread::scope(|scope| {
            let there = scope.spawn(|| self.copy(client, &registry, turn, true));
            let back = self.copy(&registry, client, turn, false);
            for stream in [client, &registry] {
                drop(stream.shutdown(Shutdown::Both));
            }
            there.join().unwrap_or(Ok(())).and(back)
        })
    }

    fn copy(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        turn: usize,
        counted: bool,
    ) -> io::Result<()> {
        let mut piece = [0; 16384];
        while self.holds(turn) {
            if self.state().stands() {
                thread::sleep(LOOK);
                continue;
            }
            let read = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if is_only_late(&error) => continue,
                Err(error) => return Err(error),
            };
            if counted {
                let mut state = self.state();
                state.bytes += read;
                if state.stands() {
                    self.stopped.notify_all();
                    continue;
                }
            }
            to.write_all(&piece[..read])?;
        }
        to.shutdown(Shutdown::Write)
    }
}

fn is_only_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// What a client's first words of TLS begin with.
const TLS: [u8; 1] = [0x16];

const NO_TLS: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request";

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\
    Connection: close\r\n\r\n\
    {\"errors\":[{\"code\":\"DENIED\",\"message\":\"requested access is denied\"}]}";

#[cfg(test)]
mod tests {
    use super::*;

    /// A registry that says `yes` to whatever it is asked.
    fn registry() -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut piece = [0; 4096];
                    while client.read(&mut piece).is_ok_and(|read| read > 0) {
                        client.write_all(b"yes").unwrap();
                    }
                });
            }
        });
        address
    }

    /// What somebody hears who says this; nothing if nobody answers soon.
    fn ask(gate: &Gate, with: &[u8]) -> io::Result<String> {
        let mut client = TcpStream::connect(gate.address())?;
        client.set_read_timeout(Some(Duration::from_millis(200)))?;
        client.write_all(with)?;
        let mut piece = [0; 4096];
        let read = client.read(&mut piece)?;
        Ok(String::from_utf8_lossy(&piece[..read]).into_owned())
    }

    #[test]
    fn it_does_what_it_is_set_to() {
        const REQUEST: &[u8] = b"GET /v2/ HTTP/1.1\r\n\r\n";
        const HELLO: &[u8] = &[0x16, 3, 1];
        let gate = Gate::open(&registry()).unwrap();
        let kind = |gate: &Gate, with| ask(gate, with).map_err(|error| error.kind());
        assert_eq!(kind(&gate, REQUEST).unwrap(), "yes");
        gate.set(Mode::Closed).unwrap();
        let refused = kind(&gate, REQUEST).unwrap_err();
        assert_eq!(refused, io::ErrorKind::ConnectionRefused);
        for (mode, of_hello) in [
            (Mode::Silent, None),
            (Mode::SilentHttp, Some("HTTP/1.1 400")),
        ] {
            gate.set(mode).unwrap();
            let late = kind(&gate, REQUEST).unwrap_err();
            assert_eq!(late, io::ErrorKind::WouldBlock, "{mode:?}");
            let heard = kind(&gate, HELLO).ok();
            let heard = heard.as_deref().and_then(|heard| heard.get(..12));
            assert_eq!(heard, of_hello, "{mode:?}");
            assert_eq!(gate.visits(), 2);
        }
        gate.set(Mode::Forbidden).unwrap();
        assert!(kind(&gate, REQUEST).unwrap().starts_with("HTTP/1.1 403 "));
        gate.set(Mode::Open).unwrap();
        assert_eq!(kind(&gate, REQUEST).unwrap(), "yes");
    }

    #[test]
    fn it_stands_still_in_the_middle() {
        let gate = Gate::open(&registry()).unwrap();
        gate.set(Mode::StandsStill(6)).unwrap();
        assert_eq!(ask(&gate, b"four").unwrap(), "yes");
        let soon = Duration::from_millis(50);
        let error = gate.wait_until_it_stands(soon).unwrap_err().to_string();
        assert_eq!(error, "only 4 bytes came within 50ms");
        assert!(ask(&gate, b"more").is_err());
        gate.wait_until_it_stands(Duration::from_secs(10)).unwrap();
        assert!(ask(&gate, b"").is_err());
        gate.set(Mode::Open).unwrap();
        assert_eq!(ask(&gate, b"four").unwrap(), "yes");
    }
}
