use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// Asks a registry, without TLS, for what is at a path; the body of its answer.
pub(super) fn get(registry: &str, path: &str) -> Result<Vec<u8>> {
    let mut stream =
        TcpStream::connect(registry).with_context(|| format!("no registry at {registry}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    // Of version 1.0, so that the body is neither in chunks nor followed by another answer.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {registry}\r\nAccept: {MANIFESTS}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .context("the registry's answer has no end of its head")?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.split(' ').nth(1);
    ensure!(
        status == Some("200"),
        "the registry says of {path}: {}",
        head.lines().next().unwrap_or_default()
    );
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.trim().parse::<usize>().ok())?
    });
    ensure!(
        length.is_none_or(|length| length == body.len()),
        "the registry's answer for {path} is cut short"
    );
    Ok(body)
}
