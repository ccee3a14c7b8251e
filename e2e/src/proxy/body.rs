//! How bodies are framed, read and passed on.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, Result, bail, ensure};

use super::{
    head::{Headers, Request, Response},
    log::{Log, Transfer},
};

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(super) fn of_request(request: &Request) -> Result<Self> {
        Ok(Self::declared(&request.headers)?.unwrap_or(Self::Length(0)))
    }

    pub(super) fn of_response(response: &Response, method: &str) -> Result<Self> {
        if method == "HEAD" || matches!(response.status, 204 | 304) {
            return Ok(Self::Length(0));
        }
        Ok(Self::declared(&response.headers)?.unwrap_or(Self::UntilClose))
    }

    fn declared(headers: &Headers) -> Result<Option<Self>> {
        if headers.lists("transfer-encoding", "chunked") {
            return Ok(Some(Self::Chunked));
        }
        ensure!(
            !headers.has("transfer-encoding"),
            "a transfer encoding is unknown"
        );
        let Some(length) = headers.get("content-length") else {
            return Ok(None);
        };
        let length = length.trim().parse();
        Ok(Some(Self::Length(
            length.context("a content length is no number")?,
        )))
    }
}

/// A body that is being read.
pub(super) struct Body<'a, R> {
    from: &'a mut R,
    framing: Framing,
    /// Bytes left, of the body or of the current chunk.
    left: u64,
    /// Whether a chunk was read, whose line end is still to come.
    within: bool,
    ended: bool,
}

impl<'a, R: BufRead> Body<'a, R> {
    pub(super) fn new(from: &'a mut R, framing: Framing) -> Self {
        let left = if let Framing::Length(length) = framing {
            length
        } else {
            0
        };
        let ended = framing == Framing::Length(0);
        Self {
            from,
            framing,
            left,
            within: false,
            ended,
        }
    }

    /// Reads some bytes; none at the end. A body that is cut short is an error.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.ended {
            return Ok(0);
        }
        if self.framing == Framing::UntilClose {
            let read = self.from.read(buffer)?;
            self.ended = read == 0;
            return Ok(read);
        }
        if self.framing == Framing::Chunked && self.left == 0 {
            self.left = self.next_chunk()?;
            if self.left == 0 {
                self.ended = true;
                return Ok(0);
            }
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.from.read(&mut buffer[..most])?;
        ensure!(read > 0, "a body ends early");
        self.left -= read as u64;
        self.ended = self.left == 0 && self.framing != Framing::Chunked;
        Ok(read)
    }

    fn next_chunk(&mut self) -> Result<u64> {
        if self.within {
            ensure!(self.line()?.is_empty(), "a chunk is longer than it says");
        }
        self.within = true;
        let line = self.line()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).context("a chunk says no size")?;
        if size == 0 {
            // Trailers.
            while !self.line()?.is_empty() {}
        }
        Ok(size)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.from
            .by_ref()
            .take(8 << 10)
            .read_until(b'\n', &mut line)?;
        let Some(b'\n') = line.pop() else {
            bail!("a body ends early")
        };
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8(line)?)
    }

    /// Passes the whole body on. `tally` knows the end before `to` does.
    pub(super) fn relay(
        mut self,
        to: &mut impl Write,
        chunked: bool,
        mut tally: Option<Tally<'_>>,
    ) -> Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = self.read(&mut buffer)?;
            if let Some(tally) = &mut tally {
                tally.transfer.bytes += read as u64;
            }
            if self.ended {
                tally.take().into_iter().for_each(Tally::complete);
            }
            if read > 0 {
                if chunked {
                    write!(to, "{read:x}\r\n")?;
                }
                to.write_all(&buffer[..read])?;
                if chunked {
                    to.write_all(b"\r\n")?;
                }
            }
            if self.ended {
                break;
            }
            // What comes slowly should not wait for more.
            to.flush()?;
        }
        if chunked {
            to.write_all(b"0\r\n\r\n")?;
        }
        Ok(to.flush()?)
    }
}

/// Counts one response; when dropped, it goes into the log.
pub(super) struct Tally<'a> {
    pub(super) log: &'a Log,
    pub(super) transfer: Transfer,
}

impl Tally<'_> {
    fn complete(mut self) {
        self.transfer.complete = true;
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.log.add(self.transfer.clone());
    }
}
