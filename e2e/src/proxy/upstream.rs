use std::{
    env,
    io::{self, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

/// A connection, plain or over TLS.
pub(super) trait Stream: Read + Write + Send {
    /// Tells the other side that all was said.
    fn close(&mut self) {}
}

impl Stream for TcpStream {}

impl Stream for StreamOwned<ClientConnection, TcpStream> {}

impl Stream for StreamOwned<ServerConnection, TcpStream> {
    fn close(&mut self) {
        self.conn.send_close_notify();
        drop(self.flush());
    }
}

/// A server, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    /// Reads `host[:port]`.
    pub(super) fn parse(authority: &str, tls: bool) -> Result<Self> {
        let standard = if tls { 443 } else { 80 };
        let bracket = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority.rfind(':') {
            Some(colon) if colon > bracket || bracket == 0 => {
                let port = &authority[colon + 1..];
                let port = port
                    .parse()
                    .with_context(|| format!("`{port}` is not a port"))?;
                (&authority[..colon], port)
            }
            _ => (authority, standard),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        ensure!(!host.is_empty(), "a request names no host");
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

/// Whom to trust upstream.
#[derive(Clone)]
pub struct Roots(Arc<ClientConfig>);

impl Roots {
    /// The bundle that `SSL_CERT_FILE` names, or Debian's.
    pub fn of_system() -> Result<Self> {
        let path = env::var_os("SSL_CERT_FILE").map_or_else(
            || PathBuf::from("/etc/ssl/certs/ca-certificates.crt"),
            PathBuf::from,
        );
        let mut certificates = Vec::new();
        let bundle = CertificateDer::pem_file_iter(&path)
            .with_context(|| format!("cannot read the certificates of {}", path.display()))?;
        for certificate in bundle {
            certificates.push(certificate.with_context(|| format!("in {}", path.display()))?);
        }
        ensure!(
            !certificates.is_empty(),
            "{} holds no certificate",
            path.display()
        );
        Self::new(certificates)
    }

    /// The certificates in a PEM text.
    pub fn of_pem(pem: &str) -> Result<Self> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        Self::new(certificates?)
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self> {
        let mut store = RootCertStore::empty();
        // A bundle may hold certificates of forms that nobody uses any more: those are left out.
        store.add_parsable_certificates(certificates);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// Connects to an origin.
pub(super) fn connect(origin: &Origin, roots: &Roots) -> Result<BufReader<Box<dyn Stream>>> {
    let stream = dial(origin)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    stream.set_write_timeout(Some(Duration::from_secs(120)))?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = if origin.tls {
        let name = ServerName::try_from(origin.host.clone())?;
        let connection = ClientConnection::new(Arc::clone(&roots.0), name)?;
        Box::new(StreamOwned::new(connection, stream))
    } else {
        Box::new(stream)
    };
    Ok(BufReader::with_capacity(64 << 10, stream))
}

fn dial(origin: &Origin) -> Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let addresses = (origin.host.as_str(), origin.port)
        .to_socket_addrs()
        .with_context(|| format!("cannot resolve {}", origin.host))?;
    for address in addresses {
        match TcpStream::connect_timeout(&address, Duration::from_secs(20)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last).with_context(|| format!("cannot connect to {}:{}", origin.host, origin.port))
}
