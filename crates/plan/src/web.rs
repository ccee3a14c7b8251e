//! Addresses on the web and checksums, as text.

use std::borrow::Cow;

use buildkit_llb::{Git, Source};
use larder_diagnostic::quote;

/// What is wrong, and what to do about it.
pub(crate) type Wrong = (String, &'static str);

/// Whether a text can be meant for nothing but a repository.
pub(crate) fn means_git(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    match address.split_once("://") {
        Some((scheme, _)) => match scheme {
            "git" | "ssh" => true,
            "http" | "https" => path.strip_suffix(".git").is_some(),
            _ => false,
        },
        None => address.starts_with("git@"),
    }
}

/// Whether a text is an URL of a file.
pub(crate) fn is_url(url: &str) -> bool {
    let Some(("http" | "https", rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    !host.is_empty()
        && !host.starts_with(':')
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The last part of the path of an URL; `None` if it has none.
pub(crate) fn file_name(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split(['?', '#']).next()?.split_once('/')?;
    let last = unescape(path.trim_end_matches('/').rsplit('/').next()?)?;
    let name = last.rsplit('/').next()?;
    let fits = !matches!(name, "" | "." | "..") && !name.contains(char::is_control);
    fits.then(|| name.to_owned())
}

/// `%41` is `A`.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? << 4 | digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// An address for people: without a user's name and password, and without a query, which may hold a
/// token.
pub(crate) fn shown(url: &str) -> String {
    let url = without_broken_password(url);
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = match rest.split_once('/') {
                Some((host, path)) => (host, Some(path)),
                None => (rest, None),
            };
            let host = host.rsplit('@').next().unwrap_or_default();
            match path {
                Some(path) => format!("{scheme}://{host}/{path}"),
                None => format!("{scheme}://{host}"),
            }
        }
        None => url.to_owned(),
    }
}

/// An address without a password that holds what ends a host's name: what looks like a port is no number.
fn without_broken_password(url: &str) -> Cow<'_, str> {
    let found = url.split_once("://").and_then(|(scheme, rest)| {
        let host = rest.split(['/', '?', '#']).next()?;
        let (_, port) = host.rsplit_once(':')?;
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        let broken = !is_port && !host.contains(['@', ']']);
        let (_, after) = rest.rsplit_once('@').filter(|_| broken)?;
        Some(format!("{scheme}://{after}"))
    });
    found.map_or(Cow::Borrowed(url), Cow::Owned)
}

/// A repository for people, in the form `address#reference:subdirectory`.
pub(crate) fn shown_git(git: &Git) -> String {
    let mut out = shown(&git.url);
    if !git.reference.is_empty() || !git.subdir.is_empty() {
        out.push('#');
        out.push_str(&git.reference);
    }
    if !git.subdir.is_empty() {
        out.push(':');
        out.push_str(&git.subdir);
    }
    out
}

/// What is fetched, for people, on one line, with its checksum.
pub(crate) fn shown_source(source: &Source) -> String {
    let (address, checksum) = match source {
        Source::Http(http) => (shown(&http.url), &http.checksum),
        Source::Git(git) => (shown_git(git), &git.checksum),
        Source::Image(image) => (image.reference.clone(), &image.checksum),
        Source::Local(local) => (local.name.clone(), &None),
        Source::OciLayout(layout) => (layout.reference.clone(), &None),
    };
    let address = crate::names::line(&address);
    match checksum {
        Some(checksum) => format!("{address} ({checksum})"),
        None => address,
    }
}

/// The checksum of a file, as the daemon takes it.
pub(crate) fn sha256(written: &str) -> Result<String, Wrong> {
    const HINT: &str = "`sha256sum` prints the digits; write `sha256:` before them";
    let Some(digits) = written.strip_prefix("sha256:") else {
        let message = match written.split_once(':') {
            Some((algorithm, _)) => format!(
                "checksums of files are SHA-256 ones, not {}",
                quote(algorithm)
            ),
            None => format!("{} does not say which checksum it is", quote(written)),
        };
        return Err((message, HINT));
    };
    if digits.len() != 64 || !is_hex(digits) {
        return Err((
            format!("{} is not 64 hexadecimal digits", quote(digits)),
            HINT,
        ));
    }
    Ok(written.to_ascii_lowercase())
}

/// The checksum of a repository: a commit.
pub(crate) fn commit(written: &str) -> Result<String, Wrong> {
    if matches!(written.len(), 40 | 64) && is_hex(written) {
        return Ok(written.to_ascii_lowercase());
    }
    Err((
        format!("{} is not a commit", quote(written)),
        "write the whole commit, 40 digits from 0 to f",
    ))
}

/// Whether the parser has nothing to say of a checksum, though it may be wrong: it takes every
/// algorithm, and knows nothing of the address.
pub(crate) fn parser_takes(written: &str, git: bool) -> bool {
    let (digits, lengths) = match written.split_once(':') {
        None if git => (written, [40, 64]),
        Some(("sha384" | "sha512", digits)) if !git => (digits, [96, 128]),
        _ => return false,
    };
    lengths.contains(&digits.len()) && is_hex(digits) && *digits == digits.to_ascii_lowercase()
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_the_last_part() {
        for (url, name) in [
            ("https://example.org/a/b.tgz", Some("b.tgz")),
            ("https://example.org/a/b.tgz?x=/y#z/w", Some("b.tgz")),
            ("https://example.org/a/", Some("a")),
            ("https://example.org/a%20b", Some("a b")),
            ("https://example.org/a%2Fb", Some("b")),
            ("https://example.org/%2e%2e", None),
            ("https://example.org/%zz", None),
            ("https://example.org/a%0ab", None),
            ("https://example.org/", None),
            ("https://example.org?x=/y", None),
            ("https://example.org", None),
        ] {
            assert_eq!(file_name(url).as_deref(), name, "{url}");
        }
    }

    #[test]
    fn urls_have_a_host() {
        assert!(is_url("https://me:secret@example.org:1/x"));
        for url in [
            "https://",
            "http:///x",
            "https://a b/",
            "https://me@/x",
            "http://:80/",
        ] {
            assert!(!is_url(url), "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for (url, expected) in [
            (
                "https://me:secret@example.org/x?token=secret#f",
                "https://example.org/x",
            ),
            ("https://example.org?secret", "https://example.org"),
            ("https://me:pa#ss@example.org/x", "https://example.org/x"),
            ("https://me:pa/ss@example.org/x", "https://example.org/x"),
            ("https://me:pa?ss@example.org/x?y", "https://example.org/x"),
            (
                "https://example.org:80/x@1.2/y",
                "https://example.org:80/x@1.2/y",
            ),
            ("git@example.org:x.git", "git@example.org:x.git"),
        ] {
            assert_eq!(shown(url), expected);
        }
        let mut git = Git::new("https://secret@example.org/x.git");
        assert_eq!(shown_git(&git), "https://example.org/x.git");
        git.subdir = "d".to_owned();
        assert_eq!(shown_git(&git), "https://example.org/x.git#:d");
    }

    #[test]
    fn checksums_are_read_or_refused() {
        let digits = "0123456789ABCDEF".repeat(4);
        let lower = digits.to_ascii_lowercase();
        assert_eq!(
            sha256(&format!("sha256:{digits}")),
            Ok(format!("sha256:{lower}"))
        );
        for wrong in [
            &digits,
            "sha256:",
            "sha256:00",
            "sha512:00",
            "",
            "SHA256:00",
        ] {
            assert!(sha256(wrong).is_err(), "{wrong}");
        }
        assert_eq!(commit(&digits), Ok(lower.clone()));
        assert_eq!(commit(&lower[..40]), Ok(lower[..40].to_owned()));
        for wrong in ["", "abcdef0", "v1.2.3.4", &format!("sha256:{digits}")] {
            assert!(commit(wrong).is_err(), "{wrong}");
        }
        for (written, git, takes) in [
            (format!("sha512:{lower}{lower}"), false, true),
            (format!("sha512:{lower}"), false, false),
            (format!("sha256:{lower}"), false, false),
            (lower.clone(), true, true),
            (digits, true, false),
            (lower, false, false),
        ] {
            assert_eq!(parser_takes(&written, git), takes, "{written}");
        }
    }
}
