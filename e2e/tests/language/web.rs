//! A web server for what builds download.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};

/// Serves the files of a folder on this machine, as long as it lives.
pub(crate) struct Web {
    /// Its address, without a slash at the end.
    pub(crate) url: String,
    over: Arc<AtomicBool>,
}

impl Web {
    pub(crate) fn serve(folder: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                // A client that is gone gets nothing.
                drop(
                    stream
                        .map_err(Into::into)
                        .and_then(|one| answer(&one, &folder)),
                );
            }
        });
        Ok(Self {
            url: format!("http://{address}"),
            over,
        })
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
    }
}

fn answer(stream: &TcpStream, folder: &Path) -> Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let asked = lines.next().context("nothing is asked")??;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = asked.split(' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default().trim_start_matches('/');
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let body = inside.then(|| fs::read(folder.join(path)).ok()).flatten();
    let (status, body) = match body {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}
