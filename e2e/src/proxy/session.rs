use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result};
use rustls::{ServerConnection, StreamOwned};

use super::{
    Shared,
    body::{Body, Framing, Tally},
    head::{Request, Response},
    log::Transfer,
    upstream::{Origin, Stream, connect},
};

/// The end of paths of what package managers download and keep.
const PACKAGES: [&str; 8] = [
    ".whl",
    ".whl.metadata",
    ".tar.gz",
    ".tar.bz2",
    ".tgz",
    ".zip",
    ".crate",
    ".deb",
];

/// One client's connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    client: BufReader<Box<dyn Stream>>,
    /// Where every request goes; each names its own otherwise.
    fixed: Option<Origin>,
    /// The last upstream, if it can be asked again.
    upstream: Option<(Origin, BufReader<Box<dyn Stream>>)>,
}

impl<'a> Session<'a> {
    /// Answers a client until it has no more to ask.
    pub(super) fn serve(shared: &'a Shared, client: TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        client.set_read_timeout(Some(Duration::from_secs(600)))?;
        client.set_write_timeout(Some(Duration::from_secs(600)))?;
        // Nothing is read ahead: what follows a CONNECT is for TLS to read.
        let mut client = BufReader::with_capacity(1, client);
        let Some(first) = Request::read(&mut client)? else {
            return Ok(());
        };
        let mut client = client.into_inner();
        if first.method != "CONNECT" {
            return Self::new(shared, Box::new(client), None).run(Some(first));
        }
        let mut origin = Origin::parse(&first.target, true)?;
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let mut ahead = [0];
        if client.peek(&mut ahead)? == 0 {
            return Ok(());
        }
        // The type of TLS's handshake records.
        origin.tls = ahead == [22];
        let client: Box<dyn Stream> = if origin.tls {
            let connection = ServerConnection::new(shared.authority.server(&origin.host)?)?;
            Box::new(StreamOwned::new(connection, client))
        } else {
            Box::new(client)
        };
        Self::new(shared, client, Some(origin)).run(None)
    }

    fn new(shared: &'a Shared, client: Box<dyn Stream>, fixed: Option<Origin>) -> Self {
        let client = BufReader::with_capacity(16 << 10, client);
        Self {
            shared,
            client,
            fixed,
            upstream: None,
        }
    }

    fn run(mut self, first: Option<Request>) -> Result<()> {
        let mut next = first;
        loop {
            let request = match next.take() {
                Some(request) => request,
                None => match Request::read(&mut self.client)? {
                    Some(request) => request,
                    None => return Ok(()),
                },
            };
            if !self.answer(&request)? {
                self.client.get_mut().close();
                return Ok(());
            }
        }
    }

    /// Answers one request; `false` where it was the last. An error says that the client cannot
    /// be told any more.
    fn answer(&mut self, request: &Request) -> Result<bool> {
        let Some((origin, path)) = self.destination(request)? else {
            return self.control(request);
        };
        let mut tally = Tally {
            log: &self.shared.log,
            transfer: Transfer {
                method: request.method.clone(),
                host: origin.host.clone(),
                path: path.clone(),
                status: 502,
                bytes: 0,
                complete: false,
            },
        };
        let (mut upstream, mut response, framing) = match self.ask(request, &origin, &path) {
            Ok(asked) => asked,
            Err(error) => {
                drop(tally);
                return self.say(502, "text/plain", &format!("{error:#}\n"));
            }
        };
        tally.transfer.status = response.status;
        if request.method == "GET" && response.status == 200 {
            make_cacheable(&mut response, &origin, &path);
        }

        let sized = matches!(framing, Framing::Length(_));
        let chunked = !sized && request.version > 0;
        let last = !(request.keeps_alive() && (sized || chunked));
        let mut lines = String::new();
        if chunked {
            response.headers.remove("content-length");
            lines.push_str("Transfer-Encoding: chunked\r\n");
        }
        lines.push_str(if last {
            "Connection: close\r\n"
        } else {
            "Connection: keep-alive\r\n"
        });
        let client = self.client.get_mut();
        response.write(&lines, client)?;
        Body::new(&mut upstream, framing).relay(client, chunked, Some(tally))?;
        if response.keeps_alive() && framing != Framing::UntilClose {
            self.upstream = Some((origin, upstream));
        }
        Ok(!last)
    }

    /// Where a request goes; nowhere if it is for the proxy itself.
    fn destination(&self, request: &Request) -> Result<Option<(Origin, String)>> {
        let absolute = [("http://", false), ("https://", true)]
            .into_iter()
            .find_map(|(scheme, tls)| Some((request.target.strip_prefix(scheme)?, tls)));
        let Some((rest, tls)) = absolute else {
            return Ok(self
                .fixed
                .clone()
                .map(|origin| (origin, request.target.clone())));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        Ok(Some((Origin::parse(host, tls)?, path)))
    }

    /// Sends a request upstream and reads the head of the response.
    #[expect(
        clippy::type_complexity,
        reason = "it is taken apart at once, in one place"
    )]
    fn ask(
        &mut self,
        request: &Request,
        origin: &Origin,
        path: &str,
    ) -> Result<(BufReader<Box<dyn Stream>>, Response, Framing)> {
        let body = Framing::of_request(request)?;
        let held = self.upstream.take().filter(|(held, _)| held == origin);
        // An upstream may have closed what it kept open, so only what can be asked twice is.
        if let Some((_, mut upstream)) = held
            && body == Framing::Length(0)
            && request
                .write(path, "Connection: keep-alive\r\n", upstream.get_mut())
                .is_ok()
            && let Ok(Some(response)) = Response::read(&mut upstream)
        {
            let framing = Framing::of_response(&response, &request.method)?;
            return Ok((upstream, response, framing));
        }
        let mut upstream = connect(origin, &self.shared.roots)?;
        let chunked = body == Framing::Chunked;
        let framing = if chunked {
            "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"
        } else {
            "Connection: keep-alive\r\n"
        };
        request.write(path, framing, upstream.get_mut())?;
        if body != Framing::Length(0) {
            if request.headers.lists("expect", "100-continue") {
                self.client
                    .get_mut()
                    .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                self.client.get_mut().flush()?;
            }
            Body::new(&mut self.client, body).relay(upstream.get_mut(), chunked, None)?;
        }
        let response = Response::read(&mut upstream)?
            .with_context(|| format!("{} closes without an answer", origin.host))?;
        let framing = Framing::of_response(&response, &request.method)?;
        Ok((upstream, response, framing))
    }

    /// Requests to the proxy itself: `/transfers?since=N`.
    fn control(&mut self, request: &Request) -> Result<bool> {
        let mark = request
            .target
            .strip_prefix("/transfers?since=")
            .and_then(|mark| mark.parse().ok());
        match mark {
            Some(mark) => {
                let transfers = serde_json::to_string(&self.shared.log.since(mark))?;
                self.say(200, "application/json", &transfers)
            }
            None => self.say(
                404,
                "text/plain",
                "this is a proxy; it has /transfers?since=N\n",
            ),
        }
    }

    /// Answers with words of our own, and is done with the client.
    fn say(&mut self, status: u16, kind: &str, text: &str) -> Result<bool> {
        let reason = match status {
            200 => "OK",
            404 => "Not Found",
            _ => "Bad Gateway",
        };
        let length = text.len();
        let client = self.client.get_mut();
        write!(
            client,
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{text}"
        )?;
        client.flush()?;
        Ok(false)
    }
}

/// A mirror may strip what pip needs to see before it keeps a file.
fn make_cacheable(response: &mut Response, origin: &Origin, path: &str) {
    let file = path.split('?').next().unwrap_or_default();
    let headers = &mut response.headers;
    let package = PACKAGES.iter().any(|end| file.ends_with(end));
    if !package || headers.has("cache-control") || headers.has("etag") {
        return;
    }
    let mut hash = DefaultHasher::new();
    (&origin.host, file).hash(&mut hash);
    headers.set("Cache-Control", "max-age=600".to_owned());
    headers.set("ETag", format!("\"{:016x}\"", hash.finish()));
}
