//! Addresses of Git repositories, as people write them.

use crate::Git;

/// The repository that an address means, or nothing if it is no Git address.
///
/// Git are `git://…`, `ssh://…`, `user@host:path`, `github.com/…`, and `http(s)://….git`. The
/// part after `#` is `reference:subdirectory`; the part after `?` names `ref`, `tag`, `branch`,
/// `subdir`, `checksum` (or `commit`), `keep-git-dir`, `submodules` and `mtime`.
///
/// ```
/// let git = buildkit_llb::git_url::parse("https://example.org/shop.git#v2:api").unwrap().unwrap();
/// assert_eq!((git.reference.as_str(), git.subdir.as_str()), ("v2", "api"));
/// assert_eq!(buildkit_llb::git_url::parse("https://example.org/shop.tar.gz"), Ok(None));
/// ```
pub fn parse(address: &str) -> Result<Option<Git>, String> {
    let (rest, fragment) = cut(address, '#');
    let (url, query) = cut(rest, '?');
    let url = if url.starts_with("github.com/") {
        format!("https://{url}")
    } else if is_git(url) {
        url.to_owned()
    } else {
        return Ok(None);
    };
    let mut git = Git::new(url);
    if let Some(fragment) = fragment {
        let (reference, subdir) = cut(fragment, ':');
        reference.clone_into(&mut git.reference);
        subdir.unwrap_or_default().clone_into(&mut git.subdir);
    }
    if let Some(query) = query {
        read_query(&mut git, query)?;
    }
    Ok(Some(git))
}

/// Whether the part of an address before `?` and `#` is a repository's.
fn is_git(url: &str) -> bool {
    if let Some((scheme, rest)) = url.split_once("://") {
        return match scheme {
            "git" | "ssh" => !rest.is_empty(),
            "http" | "https" => rest.contains('/') && rest.strip_suffix(".git").is_some(),
            _ => false,
        };
    }
    // user@host:path
    let Some((before, path)) = url.split_once(':') else {
        return false;
    };
    let Some((user, host)) = before.split_once('@') else {
        return false;
    };
    let plain = |text: &str| !text.is_empty() && !text.contains(['/', '@', ' ']);
    plain(user) && plain(host) && !path.is_empty()
}

fn read_query(git: &mut Git, query: &str) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = cut(pair, '=');
        let key = unescape(key)?;
        let value = value.map(unescape).transpose()?.filter(|v| !v.is_empty());
        if seen.contains(&key) {
            return Err(format!("`{key}` is given twice"));
        }
        let needed = || value.clone().ok_or(format!("`{key}` has no value"));
        match key.as_str() {
            "ref" => agree(&mut git.reference, needed()?, "reference")?,
            "tag" => agree(
                &mut git.reference,
                prefixed("refs/tags/", needed()?),
                "reference",
            )?,
            "branch" => agree(
                &mut git.reference,
                prefixed("refs/heads/", needed()?),
                "reference",
            )?,
            "subdir" => agree(&mut git.subdir, needed()?, "subdirectory")?,
            "checksum" | "commit" => git.checksum = Some(needed()?),
            "keep-git-dir" => git.keep_git_dir = yes(&key, value)?,
            "submodules" => git.skip_submodules = !yes(&key, value)?,
            "mtime" => match needed()?.as_str() {
                "commit" => git.commit_time = true,
                "checkout" => git.commit_time = false,
                other => return Err(format!("`mtime` is `commit` or `checkout`, not `{other}`")),
            },
            _ => {
                return Err(format!(
                    "`{key}` is not known in the address of a repository"
                ));
            }
        }
        seen.push(key);
    }
    Ok(())
}

fn agree(slot: &mut String, value: String, what: &str) -> Result<(), String> {
    if slot.is_empty() || *slot == value {
        *slot = value;
        return Ok(());
    }
    Err(format!("two different {what}s, `{slot}` and `{value}`"))
}

fn prefixed(prefix: &str, value: String) -> String {
    if value.starts_with(prefix) {
        value
    } else {
        format!("{prefix}{value}")
    }
}

fn yes(key: &str, value: Option<String>) -> Result<bool, String> {
    let Some(value) = value else {
        return Ok(true);
    };
    boolean(&value).ok_or(format!("`{key}` is true or false, not `{value}`"))
}

/// As Go's `strconv.ParseBool` has it.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let malformed = || format!("`{text}` has a `%` that no two hexadecimal digits follow");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let digit = rest.next().and_then(|byte| char::from(byte).to_digit(16));
                    digit.and_then(|digit| u8::try_from(digit).ok())
                };
                let high = digit().ok_or_else(malformed)?;
                let low = digit().ok_or_else(malformed)?;
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Option<[String; 3]> {
        let git = parse(address).unwrap()?;
        Some([git.url, git.reference, git.subdir])
    }

    #[test]
    fn git_addresses() {
        const HTTPS: &str = "https://example.org/a/b.git";
        for (address, url, reference, subdir) in [
            (HTTPS.to_owned(), HTTPS, "", ""),
            (format!("{HTTPS}#main"), HTTPS, "main", ""),
            (format!("{HTTPS}#:sub/dir"), HTTPS, "", "sub/dir"),
            (
                format!("{HTTPS}?tag=v1&subdir=x%2Fy"),
                HTTPS,
                "refs/tags/v1",
                "x/y",
            ),
            (
                "git@example.org:a/b.git#v1:x".to_owned(),
                "git@example.org:a/b.git",
                "v1",
                "x",
            ),
            (
                "github.com/a/b#v1".to_owned(),
                "https://github.com/a/b",
                "v1",
                "",
            ),
            (
                "ssh://git@example.org:2222/a".to_owned(),
                "ssh://git@example.org:2222/a",
                "",
                "",
            ),
        ] {
            let expected = [url, reference, subdir].map(str::to_owned);
            assert_eq!(read(&address), Some(expected), "{address}");
        }
    }

    #[test]
    fn what_is_not_git() {
        for address in [
            "",
            "context",
            "./a@b:c",
            "https://example.org/a.tar.gz",
            "https://example.org.git",
            "file:///a.git",
            "a:b",
            "@:",
        ] {
            assert_eq!(read(address), None, "{address}");
        }
    }

    #[test]
    fn queries_are_read_or_refused() {
        let with = |query: &str| parse(&format!("https://example.org/a.git?{query}"));
        let git = with("keep-git-dir&submodules=false&commit=abc&mtime=commit")
            .unwrap()
            .unwrap();
        assert!(git.keep_git_dir && git.skip_submodules && git.commit_time);
        assert_eq!(git.checksum.as_deref(), Some("abc"));
        for (query, error) in [
            ("ref", "`ref` has no value"),
            (
                "ref=a&branch=b",
                "two different references, `a` and `refs/heads/b`",
            ),
            ("ref=a&ref=b", "`ref` is given twice"),
            ("submodules=no", "`submodules` is true or false, not `no`"),
            (
                "depth=1",
                "`depth` is not known in the address of a repository",
            ),
            ("mtime=now", "`mtime` is `commit` or `checkout`, not `now`"),
        ] {
            assert_eq!(with(query), Err(error.to_owned()));
        }
        assert!(with("ref=%zz").is_err());
        assert!(with("ref=%f").is_err());
    }
}
