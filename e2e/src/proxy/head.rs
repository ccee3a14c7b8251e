//! The first lines of requests and responses.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, Result, bail, ensure};

const MAX_BYTES: u64 = 128 << 10;
const MAX_HEADERS: usize = 256;

/// Headers that speak of one connection only, and those that we answer ourselves.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Headers in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| str::from_utf8(value).ok())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|(held, _)| held.eq_ignore_ascii_case(name))
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into_bytes()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(held, _)| !held.eq_ignore_ascii_case(name));
    }

    /// Whether a list-valued header names `word`, in any case.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.0
            .iter()
            .filter(|(held, _)| held.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| str::from_utf8(value).ok())
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(word))
    }

    /// Writes what the other side should see.
    fn write_end_to_end(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            let local = HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop));
            if local || self.lists("connection", name) {
                continue;
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    fn of(parsed: &[httparse::Header<'_>]) -> Self {
        let own = |header: &httparse::Header<'_>| (header.name.to_owned(), header.value.to_vec());
        Self(parsed.iter().map(own).collect())
    }
}

/// A request without its body.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    /// 0 or 1, of HTTP/1.
    pub(super) version: u8,
    pub(super) headers: Headers,
}

/// A response without its body.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) version: u8,
    pub(super) headers: Headers,
}

impl Request {
    /// `None` where the client has nothing more to ask.
    pub(super) fn read(from: &mut impl BufRead) -> Result<Option<Self>> {
        let Some(text) = lines(from)? else {
            return Ok(None);
        };
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let whole = parsed
            .parse(&text)
            .context("a client sends what is not HTTP")?;
        ensure!(whole.is_complete(), "a client sends half a request");
        Ok(Some(Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            version: parsed.version.unwrap_or_default(),
            headers: Headers::of(parsed.headers),
        }))
    }

    pub(super) fn write(&self, path: &str, framing: &str, to: &mut impl Write) -> Result<()> {
        let mut out = format!("{} {path} HTTP/1.1\r\n", self.method).into_bytes();
        self.headers.write_end_to_end(&mut out);
        out.extend_from_slice(framing.as_bytes());
        out.extend_from_slice(b"\r\n");
        to.write_all(&out)?;
        Ok(to.flush()?)
    }

    /// Whether the client wants to ask again over the same connection.
    pub(super) fn keeps_alive(&self) -> bool {
        let says = |word| {
            self.headers.lists("connection", word) || self.headers.lists("proxy-connection", word)
        };
        if self.version == 0 {
            says("keep-alive")
        } else {
            !says("close")
        }
    }
}

impl Response {
    /// `None` where upstream closed without a word.
    pub(super) fn read(from: &mut impl BufRead) -> Result<Option<Self>> {
        loop {
            let Some(text) = lines(from)? else {
                return Ok(None);
            };
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut parsed = httparse::Response::new(&mut headers);
            let whole = parsed
                .parse(&text)
                .context("upstream sends what is not HTTP")?;
            ensure!(whole.is_complete(), "upstream sends half a response");
            let status = parsed.code.unwrap_or_default();
            ensure!(status != 101, "upstream changes the protocol unasked");
            if (100..200).contains(&status) {
                continue;
            }
            return Ok(Some(Self {
                status,
                reason: parsed.reason.unwrap_or_default().to_owned(),
                version: parsed.version.unwrap_or_default(),
                headers: Headers::of(parsed.headers),
            }));
        }
    }

    pub(super) fn write(&self, framing: &str, to: &mut impl Write) -> Result<()> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason).into_bytes();
        self.headers.write_end_to_end(&mut out);
        out.extend_from_slice(framing.as_bytes());
        out.extend_from_slice(b"\r\n");
        to.write_all(&out)?;
        Ok(())
    }

    pub(super) fn keeps_alive(&self) -> bool {
        if self.version == 0 {
            self.headers.lists("connection", "keep-alive")
        } else {
            !self.headers.lists("connection", "close")
        }
    }
}

/// Reads through the empty line.
fn lines(from: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    let mut from = from.take(MAX_BYTES);
    loop {
        let start = text.len();
        let read = match from.read_until(b'\n', &mut text) {
            // A client that has nothing more to ask need not say so.
            Err(_) if text.is_empty() => return Ok(None),
            other => other?,
        };
        match &text[start..] {
            [] if start == 0 => return Ok(None),
            // Empty lines before a head are allowed.
            b"\r\n" | b"\n" if start == 0 => text.clear(),
            b"\r\n" | b"\n" => return Ok(Some(text)),
            _ if read == 0 => bail!("a head ends early, or is longer than {MAX_BYTES} bytes"),
            _ => {}
        }
    }
}
