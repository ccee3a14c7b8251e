//! The registries that builds talk to: mirrors, and those without TLS that can be trusted.

use std::collections::BTreeMap;

/// The registry of names without a host.
pub(super) const HUB: &str = "docker.io";

/// What is said of one registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Registry {
    /// Where its images are looked for first, in order.
    pub(super) mirrors: Vec<Mirror>,
    /// It speaks HTTP.
    pub(super) http: bool,
    /// Its certificate is not looked at, and HTTP will do.
    pub(super) insecure: bool,
}

/// A copy of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) http: bool,
    pub(super) host: String,
    /// Empty, or it starts with a slash.
    pub(super) path: String,
}

/// What is said of registries, by their hosts.
#[derive(Debug, Default)]
pub(super) struct Registries(pub(super) BTreeMap<String, Registry>);

impl Registries {
    /// Reads the options; every mistake goes to `mistakes`. None of them has a secret in it.
    pub(super) fn read(
        mirrors: &[String],
        insecure: &[String],
        http: &[String],
        mistakes: &mut Vec<String>,
    ) -> Self {
        let mut all = Self::default();
        let mut schemes: BTreeMap<String, bool> = BTreeMap::new();
        for (at, text) in mirrors.iter().enumerate() {
            match mirror(text) {
                Err(reason) => mistakes.push(name("--mirror", at, mirrors.len(), text) + &reason),
                Ok((of, mirror)) => {
                    let shown = format!("--mirror {text}: ");
                    let known = schemes.insert(mirror.host.clone(), mirror.http);
                    let registry = all.0.entry(of.clone()).or_default();
                    if known.is_some_and(|http| http != mirror.http) {
                        let host = &mirror.host;
                        mistakes.push(format!("{shown}{host} is given with http:// and https://"));
                    } else if registry.mirrors.contains(&mirror) {
                        mistakes.push(format!("{shown}this mirror of {of} is given twice"));
                    } else if mirror.host == of && mirror.path.is_empty() {
                        mistakes.push(format!("{shown}a registry is no mirror of itself"));
                    } else {
                        registry.mirrors.push(mirror);
                    }
                }
            }
        }
        for (host, _) in schemes.into_iter().filter(|(_, http)| *http) {
            all.0.entry(host).or_default().http = true;
        }
        all.hosts("--insecure-registry", insecure, mistakes, |registry| {
            registry.http = true;
            registry.insecure = true;
        });
        all.hosts("--cache-registry", http, mistakes, |registry| {
            registry.http = true;
        });
        all
    }

    fn hosts(
        &mut self,
        option: &str,
        given: &[String],
        mistakes: &mut Vec<String>,
        mark: impl Fn(&mut Registry),
    ) {
        let mut seen: Vec<String> = Vec::new();
        for (at, text) in given.iter().enumerate() {
            match host(text) {
                Err(reason) => mistakes.push(name(option, at, given.len(), text) + &reason),
                Ok(host) if seen.contains(&host) => {
                    mistakes.push(format!("{option} {text}: this registry is given twice"));
                }
                Ok(host) => {
                    mark(self.0.entry(host.clone()).or_default());
                    seen.push(host);
                }
            }
        }
    }
}

/// What a mistake starts with. A text that may have a secret in it is named by its place alone.
fn name(option: &str, at: usize, of: usize, text: &str) -> String {
    if !text.contains(['@', '?', '#']) {
        return format!("{option} {text}: ");
    }
    match of {
        1 => format!("{option}: "),
        _ => format!("{option} (number {}): ", at + 1),
    }
}

/// Whose mirror, and which.
fn mirror(text: &str) -> Result<(String, Mirror), String> {
    const HOW: &str = "write URL for a mirror of Docker Hub, or HOST=URL";
    if text.contains('@') {
        return Err(
            "a mirror's URL must have no user name or password; clients log in with `docker login`, \
             and a mirror that is asked by a daemon has to answer without"
                .to_owned(),
        );
    }
    if text.contains(['?', '#']) {
        return Err("a mirror's URL has nothing behind `?` or `#`".to_owned());
    }
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    let (of, url) = match text.split_once('=') {
        Some((of, url)) if !is_url => (host(of)?, url),
        _ => (HUB.to_owned(), text),
    };
    let (http, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(format!("a URL starts with https:// or http://; {HOW}")),
    };
    let (at, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let path = path.trim_end_matches('/');
    let letter = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    if !path.chars().all(letter) || path.contains("//") || path.split('/').any(|it| it == "..") {
        return Err("its path has letters, digits, `-`, `.`, `_` and single slashes".to_owned());
    }
    let host = host(at)?;
    Ok((
        if of == "index.docker.io" {
            HUB.to_owned()
        } else {
            of
        },
        Mirror {
            http,
            host,
            path: path.to_owned(),
        },
    ))
}

/// A host, and a port if there is one.
pub(super) fn host(text: &str) -> Result<String, String> {
    const HOW: &str = "write HOST or HOST:PORT";
    if text.contains('@') {
        return Err(format!("a host has no user name or password; {HOW}"));
    }
    if text.contains("://") {
        return Err(format!("a host has no scheme; {HOW}"));
    }
    if text.contains('/') {
        return Err(format!("a host has no path; {HOW}"));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err(format!("it is no host; {HOW}")),
            };
            (is_address, port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (is_name(name), Some(port)),
            None => (is_name(text), None),
        },
    };
    if !host {
        return Err(format!("it is no host; {HOW}"));
    }
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if !port.is_none_or(is_port) {
        return Err("a port is a number from 1 to 65535".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}

fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !label.is_empty()
            && label.len() < 64
            && label.chars().all(letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() < 254 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{Mirror, Registries, host, mirror};

    #[test]
    fn hosts_are_read() {
        for good in [
            "registry",
            "registry:5000",
            "10.0.0.1:80",
            "[::1]:5000",
            "[fd00::1]",
            "a-b.example",
        ] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        assert_eq!(host("Registry:5000").as_deref(), Ok("registry:5000"));
        for bad in [
            "",
            ":5000",
            "a b",
            "a:",
            "a:0",
            "a:65536",
            "a:+5",
            "a:b",
            "-a",
            "a-",
            "a..b",
            "[::1",
            "[::1]5",
            "[x]:5",
            "http://a",
            "a/b",
            "me:secret@a",
            "ä",
            "a\nb",
        ] {
            host(bad).expect_err(bad);
        }
    }

    #[test]
    fn mirrors_are_read() {
        let read = mirror("https://mirror:5000/hub/").expect("it is one");
        let expected = Mirror {
            http: false,
            host: "mirror:5000".to_owned(),
            path: "/hub".to_owned(),
        };
        assert_eq!(read, ("docker.io".to_owned(), expected));
        assert_eq!(
            mirror("index.docker.io=http://m").expect("one").0,
            "docker.io"
        );
        assert_eq!(mirror("r:5000=http://m").expect("one").0, "r:5000");
        for bad in [
            "",
            "m",
            "=http://m",
            "r=",
            "r=m",
            "ftp://m",
            "http://",
            "http:///a",
            "http://m/a b",
            "http://m//a",
            "http://m/../a",
        ] {
            mirror(bad).expect_err(bad);
        }
    }

    #[test]
    fn secrets_are_not_repeated() {
        let texts = [
            "https://me:hunter2@m",
            "r=https://hunter2@m/a",
            "https://m/?token=hunter2",
            "https://m#hunter2",
        ];
        let mirrors = texts.map(str::to_owned);
        let hosts = ["me:hunter2@r:5000".to_owned()];
        let mut mistakes = Vec::new();
        Registries::read(&mirrors, &hosts, &hosts, &mut mistakes);
        assert_eq!(mistakes.len(), 6);
        assert!(!mistakes.join("\n").contains("hunter2"), "{mistakes:?}");
        assert!(mistakes[1].starts_with("--mirror (number 2): "));
    }
}
