//! Credentials that do not belong into a spec: which they are, without ever repeating them.

use crate::language::Mapping;

/// Keys that hold credentials, of whichever kind of layer cache.
const KEYS: [&str; 11] = [
    "access_key_id",
    "auth",
    "ghtoken",
    "password",
    "sas_token",
    "secret",
    "secret_access_key",
    "session_token",
    "token",
    "user",
    "username",
];

/// Whether a key is for credentials.
pub(crate) fn is_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    KEYS.contains(&key.as_str())
}

/// Whether a text has credentials in it: `user:password@host/…`, or an address with a user, a password or a
/// query.
pub fn in_text(text: &str) -> bool {
    if let Some((_, rest)) = text.split_once("://") {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        return authority.contains('@') || authority.contains('?') || path.contains(['?', '@']);
    }
    let Some((before, after)) = text.split_once('@') else {
        return false;
    };
    !is_digest(after) && before.contains(':')
}

/// Whether a reference has credentials in it: before any `@` without a digest behind it. What is no reference may
/// have an `@` of its own.
pub fn in_reference(text: &str) -> bool {
    let mut behind = text.match_indices('@').map(|(at, _)| &text[at + 1..]);
    in_text(text) || behind.any(|rest| !is_digest(rest))
}

/// `algorithm:hex`, with or without an arg for the latter.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    let of_arg = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let arg = hex.strip_prefix("${").and_then(|arg| arg.strip_suffix('}'));
    let is_hex = !hex.is_empty() && hex.bytes().all(|c| c.is_ascii_hexdigit());
    matches!(algorithm, "sha256" | "sha384" | "sha512")
        && (is_hex || arg.is_some_and(|arg| arg.chars().all(of_arg)))
}

/// What is wrong with a value that has credentials in it, or is an address where a reference belongs, and what to
/// do about it.
pub fn refusal(subject: &str, text: &str) -> (String, &'static str) {
    if in_reference(text) {
        (
            format!("{subject} has credentials in it, which are not shown here"),
            "leave them out: the client sends its own, such as those of `docker login`; and renew them, since \
             others may have read this file",
        )
    } else {
        (
            format!("{subject} is an address, and no reference"),
            "write the host, its port and the repository alone, as in `registry:5000/shop/cache`",
        )
    }
}

/// What to do about a key for credentials.
pub(crate) fn advice(mapping: &Mapping) -> &'static str {
    match mapping.name {
        "gha-cache" => {
            "remove it, and renew it: inside a job the client sends `$ACTIONS_RUNTIME_TOKEN` by itself"
        }
        "s3-cache" => {
            "remove it, and renew it: the client sends `$AWS_ACCESS_KEY_ID` and its kin, or the builder has its own"
        }
        "azblob-cache" => {
            "remove it, and renew it: the builder has its own in its environment, as Azure's tools know them"
        }
        _ => "remove it, and renew it: the client sends what `docker login` has stored",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found() {
        for text in [
            "user:pass@registry:5000/x",
            "https://user:pass@host/x",
            "https://user@host/x",
            "https://acme.blob.core.windows.net/?sv=1&sig=x",
            "https://host?sig=x",
            "user:p@ss@host/x",
            "user:p/ss@host/x",
        ] {
            assert!(in_text(text), "{text}");
        }
        for text in [
            "registry:5000/x:main",
            "https://host/x",
            "@acme/shop",
            "me@example.com",
            "registry:5000/x@sha256:12",
            "host:5000/x:t@sha256:12",
        ] {
            assert!(!in_text(text), "{text}");
        }
        for text in [
            "ghp_x@r:5000/x",
            "ghp_x@r.example/x/y:z",
            "r/x@sha256:12@r/x",
            "x@sha256:12/x",
            "x@sha256:",
            "a:b@r/x://",
            "x@${REST}",
        ] {
            assert!(in_reference(text), "{text}");
        }
        for text in ["r:5000/x:y", "r:5000/x@sha256:0a", "r/x@sha512:${HEX}"] {
            assert!(!in_reference(text), "{text}");
        }
        assert!(is_key("secret_access_key") && is_key("Secret-Access-Key") && !is_key("scope"));
    }
}
