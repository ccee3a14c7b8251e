//! The counting proxy, between clients and servers of this process.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use larder_e2e::proxy::{Authority, Proxy, Roots, Transfer, transfers};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// A server that gives `answers` of each request; `None` closes the connection.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(tls: Option<ServerConfig>, answers: fn(&str) -> Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let tls = tls.map(Arc::new);
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    match tls {
                        Some(tls) => {
                            let connection = ServerConnection::new(tls).unwrap();
                            talk(StreamOwned::new(connection, stream), answers);
                        }
                        None => talk(stream, answers),
                    }
                });
            }
        });
        Self {
            address,
            connections,
        }
    }
}

fn talk(mut stream: impl Stream, answers: fn(&str) -> Option<Vec<u8>>) {
    while let Some(head) = head(&mut stream) {
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let Some(answer) = answers(&(head + str::from_utf8(&body).unwrap())) else {
            return;
        };
        if stream
            .write_all(&answer)
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
    }
}

/// Reads through the empty line.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    Some(String::from_utf8(text).unwrap())
}

fn proxy() -> (tempfile::TempDir, Proxy) {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::create(dir.path()).unwrap();
    let roots = Roots::of_pem(authority.certificate()).unwrap();
    let proxy = Proxy::start_trusting("127.0.0.1:0".parse().unwrap(), authority, roots).unwrap();
    (dir, proxy)
}

/// Asks through the proxy, over plain HTTP, and reads to the end of the connection.
fn ask(proxy: &Proxy, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

fn get(server: &Server, path: &str) -> String {
    format!(
        "GET http://{0}{path} HTTP/1.1\r\nHost: {0}\r\nConnection: close\r\n\r\n",
        server.address
    )
}

fn sized(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn transfer(path: &str, status: u16, bytes: u64, complete: bool) -> Transfer {
    Transfer {
        method: "GET".to_owned(),
        host: "127.0.0.1".to_owned(),
        path: path.to_owned(),
        status,
        bytes,
        complete,
    }
}

/// A client of `host` through the proxy, over TLS, that trusts the proxy's authority alone.
fn tunnel(proxy: &Proxy, dir: &tempfile::TempDir, host: &str) -> impl Stream + use<> {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(stream, "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    assert!(head(&mut stream).unwrap().starts_with("HTTP/1.1 200 "));
    let pem = dir.path().join(Authority::CERTIFICATE);
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = host.rsplit_once(':').unwrap().0.to_owned();
    let connection =
        ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    StreamOwned::new(connection, stream)
}

/// A server's side of TLS, for the address 127.0.0.1, signed by `authority`.
fn certified(authority: &Authority) -> ServerConfig {
    let (certificate, key) = authority.mint("127.0.0.1").unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

#[test]
fn counts_a_plain_response_and_forgets_it_when_taken() {
    let server = Server::start(None, |_| Some(sized("hello")));
    let (_dir, proxy) = proxy();
    let answer = ask(&proxy, &get(&server, "/a?b=c"));
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_eq!(proxy.log(), [transfer("/a?b=c", 200, 5, true)]);
    assert_eq!(proxy.take(), [transfer("/a?b=c", 200, 5, true)]);
    assert_eq!(proxy.log(), []);
}

#[test]
fn keeps_connections_open_on_both_sides() {
    let server = Server::start(None, |_| Some(sized("hello")));
    let (_dir, proxy) = proxy();
    let open = get(&server, "/one").replace("Connection: close\r\n", "");
    let answer = ask(&proxy, &format!("{open}{}", get(&server, "/two")));
    assert_eq!(answer.matches("hello").count(), 2, "{answer}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(proxy.take().len(), 2);
}

#[test]
fn asks_again_where_upstream_had_closed_what_it_kept_open() {
    // Answers the first request of a connection only, without a word about closing it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            head(&mut stream).unwrap();
            stream.write_all(&sized("hello")).unwrap();
        }
    });
    let (_dir, proxy) = proxy();
    let open = format!("GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let last = open.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let answer = ask(&proxy, &format!("{open}{last}"));
    assert_eq!(answer.matches("hello").count(), 2, "{answer}");
}

#[test]
fn relays_chunks_and_counts_what_is_in_them() {
    let server = Server::start(None, |_| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        Some(format!("{head}5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n").into_bytes())
    });
    let (_dir, proxy) = proxy();
    let answer = ask(&proxy, &get(&server, "/"));
    assert!(
        answer.ends_with("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        "{answer}"
    );
    assert_eq!(proxy.take(), [transfer("/", 200, 11, true)]);
}

#[test]
fn passes_a_request_body_on_sized_or_in_chunks() {
    let server = Server::start(None, |request| {
        let chunked = request.contains("Transfer-Encoding: chunked");
        Some(sized(if chunked {
            "chunked"
        } else {
            request.rsplit("\r\n").next().unwrap()
        }))
    });
    let (_dir, proxy) = proxy();
    let post = get(&server, "/").replacen("GET", "POST", 1);
    let sized = post.replace(
        "\r\n\r\n",
        "\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    );
    let answer = ask(&proxy, &sized);
    assert!(
        answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nabc"), "{answer}");
    let chunked = post.replace(
        "\r\n\r\n",
        "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    let answer = ask(&proxy, &chunked);
    assert!(answer.ends_with("\r\n\r\nchunked"), "{answer}");
}

#[test]
fn a_304_has_no_body_whatever_its_length_says() {
    let server = Server::start(None, |_| {
        Some(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"x\"\r\n\r\n".to_vec())
    });
    let (_dir, proxy) = proxy();
    let answer = ask(&proxy, &get(&server, "/"));
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    assert_eq!(proxy.take(), [transfer("/", 304, 0, true)]);
}

#[test]
fn a_truncated_body_is_logged_as_such_and_not_passed_off_as_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = head(&mut stream).unwrap();
            let answer = match request.split(' ').nth(1).unwrap() {
                "/chunks" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                "/sized" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
                _ => "",
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let (_dir, proxy) = proxy();
    let get = |path| {
        ask(
            &proxy,
            &format!("GET http://{address}{path} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        )
    };
    let answer = get("/chunks");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(proxy.take(), [transfer("/chunks", 200, 3, false)]);
    get("/sized");
    assert_eq!(proxy.take(), [transfer("/sized", 200, 5, false)]);
    let answer = get("/nothing");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(proxy.take(), [transfer("/nothing", 502, 0, false)]);
}

#[test]
fn a_body_until_the_end_of_the_connection_arrives_in_chunks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        head(&mut stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
    });
    let (_dir, proxy) = proxy();
    let answer = ask(
        &proxy,
        &format!("GET http://{address}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    );
    assert!(answer.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    assert_eq!(proxy.take(), [transfer("/", 200, 5, true)]);
}

#[test]
fn packages_become_cacheable_and_nothing_else_does() {
    let server = Server::start(None, |request| {
        let own = if request.contains("/own") {
            "Cache-Control: no-store\r\n"
        } else {
            ""
        };
        Some(format!("HTTP/1.1 200 OK\r\n{own}Content-Length: 0\r\n\r\n").into_bytes())
    });
    let (_dir, proxy) = proxy();
    let added = |path| {
        let answer = ask(&proxy, &get(&server, path));
        answer.contains("Cache-Control: max-age=600\r\n") && answer.contains("ETag: \"")
    };
    assert!(added("/x-1.0-py3-none-any.whl"));
    assert!(added("/x-1.0.tar.gz?download=1"));
    assert!(!added("/simple/x/"));
    assert!(!added("/own/x-1.0.tgz"));
}

#[test]
fn ends_tls_and_verifies_upstream() {
    let (dir, proxy) = proxy();
    let authority = Authority::load(dir.path()).unwrap();
    let trusted = Server::start(Some(certified(&authority)), |_| Some(sized("secret")));
    let mut client = tunnel(&proxy, &dir, &trusted.address.to_string());
    for _ in 0..2 {
        client
            .write_all(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            .unwrap();
        assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 200 OK"));
        let mut body = [0; 6];
        client.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"secret");
    }
    let seen = transfer("/x", 200, 6, true);
    assert_eq!(proxy.take(), [seen.clone(), seen]);

    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = Authority::create(elsewhere.path()).unwrap();
    let untrusted = Server::start(Some(certified(&stranger)), |_| Some(sized("secret")));
    let mut client = tunnel(&proxy, &dir, &untrusted.address.to_string());
    client
        .write_all(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        .unwrap();
    assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 502 "));
}

#[test]
fn a_large_body_reaches_a_slow_client_whole() {
    let server = Server::start(None, |_| Some(sized(&"x".repeat(8 << 20))));
    let (_dir, proxy) = proxy();
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.write_all(get(&server, "/").as_bytes()).unwrap();
    head(&mut stream).unwrap();
    let mut total = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        if total < 1 << 20 {
            thread::sleep(Duration::from_millis(50));
        }
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        total += read;
    }
    assert_eq!(total, 8 << 20);
    assert_eq!(proxy.take(), [transfer("/", 200, 8 << 20, true)]);
}

#[test]
fn many_clients_at_once() {
    let server = Server::start(None, |_| Some(sized("hello")));
    let (_dir, proxy) = proxy();
    thread::scope(|scope| {
        for client in 0..100 {
            let (proxy, server) = (&proxy, &server);
            scope.spawn(move || {
                let answer = ask(proxy, &get(server, &format!("/{client}")));
                assert!(answer.ends_with("hello"), "{answer}");
            });
        }
    });
    assert_eq!(proxy.take().len(), 100);
}

#[test]
fn nonsense_and_itself_are_answered() {
    let (_dir, proxy) = proxy();
    assert_eq!(ask(&proxy, "what?\r\n\r\n"), "");
    let answer = ask(&proxy, "GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let answer = ask(&proxy, "GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let seen = transfers(proxy.address(), 0).unwrap();
    assert_eq!(seen, [transfer("/", 502, 0, false)]);
    assert_eq!(transfers(proxy.address(), seen.len()).unwrap(), []);
}

#[test]
fn ends_when_dropped_and_frees_its_address() {
    let (_dir, proxy) = proxy();
    let address = proxy.address();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    idle.write_all(b"GET http://127.0.0.1:1/ HTT").unwrap();
    drop(proxy);
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0);
    assert!(transfers(address, 0).is_err());
}
