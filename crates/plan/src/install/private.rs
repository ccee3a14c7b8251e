//! Secrets in files that are copied to the image. What is written as a variable is none.

use super::text::plain;
use super::xml::{self, Event};

/// Keys whose values are secrets, in any case.
const KEYS: [&str; 5] = ["apikey", "passwd", "password", "secret", "token"];

/// What other such keys end in. `jsonwebtoken` is a package, and no such key.
const ENDS: [&str; 16] = [
    "ApiKey",
    "AuthIdent",
    "Password",
    "Secret",
    "Token",
    "_PASSWORD",
    "_SECRET",
    "_TOKEN",
    "_auth",
    "_authToken",
    "_password",
    "_secret",
    "_token",
    ".password",
    ".secret",
    ".token",
];

/// The key of the first secret in a text of XML, or of lines `key=value` or `key: value`; also of an
/// address with a password.
pub(super) fn secret(text: &str) -> Option<String> {
    if plain(text).trim_start().starts_with('<') {
        return in_xml(text);
    }
    text.lines().find_map(|line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        if has_password(line) {
            return Some(ADDRESS.to_owned());
        }
        pair(line)
            .filter(|(key, value)| is_secret(key) && is_plain(value))
            .map(|(key, _)| key.to_owned())
    })
}

const ADDRESS: &str = "a password in an address";

/// `<key>value</key>`, `<add key="key" value="value" />`.
fn in_xml(text: &str) -> Option<String> {
    let mut found = None;
    xml::walk(&xml::events(text), |at, event| {
        let (key, value) = match event {
            Event::Start { attributes, .. } => (
                xml::attribute(attributes, "key").unwrap_or_default(),
                xml::attribute(attributes, "value").unwrap_or_default(),
            ),
            Event::Text(value) => (
                at.last().copied().unwrap_or_default().to_owned(),
                value.clone(),
            ),
            Event::End => return,
        };
        if found.is_none() && is_secret(&key) && is_plain(&value) {
            found = Some(key);
        } else if found.is_none() && has_password(&value) {
            found = Some(ADDRESS.to_owned());
        }
    });
    found
}

/// `https://user:password@host`.
fn has_password(line: &str) -> bool {
    line.match_indices("://").any(|(at, scheme)| {
        let rest = &line[at + scheme.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c));
        let host = &rest[..end.unwrap_or(rest.len())];
        let password = host
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'));
        password.is_some_and(|(_, password)| is_plain(password))
    })
}

fn pair(line: &str) -> Option<(&str, &str)> {
    // `//registry.example/:_authToken=…`, `BUNDLE_GEMS__EXAMPLE__COM: "…"`.
    let (key, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
    let key = key.rsplit(':').next().unwrap_or(key);
    Some((
        key.trim().trim_matches('"'),
        value.trim().trim_matches(['"', '\'', ',']),
    ))
}

fn is_secret(key: &str) -> bool {
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
        || ENDS.iter().any(|end| key.ends_with(end))
        || is_host(key)
}

/// What bundler logs in to: a host as the name of a variable, `BUNDLE_GEMS__EXAMPLE__COM`.
fn is_host(key: &str) -> bool {
    let name = key
        .strip_prefix("BUNDLE_")
        .filter(|name| name.contains("__"));
    let other = ["BUILD__", "MIRROR__", "LOCAL__"];
    name.is_some_and(|name| other.iter().all(|start| !name.starts_with(start)))
}

/// Whether a value is there, and is no variable: `${TOKEN}`, `%TOKEN%`.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && !value.contains('$') && !value.contains('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_variables_are_none() {
        for (line, expected) in [
            ("//registry.example/:_authToken=npm_abc", Some("_authToken")),
            ("//registry.example/:_authToken=${NPM_TOKEN}", None),
            ("; _authToken=abc", None),
            ("_auth = abc", Some("_auth")),
            ("always-auth=true", None),
            ("registry=https://registry.example/", None),
            (
                "registry=https://me:pw@registry.example/",
                Some("a password in an address"),
            ),
            ("registry=https://${USER}:${PW}@registry.example/", None),
            ("npmAuthToken: abc", Some("npmAuthToken")),
            ("npmAuthToken: \"${TOKEN-}\"", None),
            (
                "<add key=\"ClearTextPassword\" value=\"abc\" />",
                Some("ClearTextPassword"),
            ),
            ("<add key=\"ClearTextPassword\" value=\"%PW%\" />", None),
            (
                "<add key=\"nuget.org\" value=\"https://api.nuget.org/v3/index.json\" />",
                None,
            ),
            (
                "<server><password>abc</password></server>",
                Some("password"),
            ),
            ("<!-- <password>abc</password> -->", None),
            (
                "<url>https://me:pw@example.com/</url>",
                Some("a password in an address"),
            ),
            ("<password>${env.PW}</password>", None),
            (
                "BUNDLE_GEMS__EXAMPLE__COM: \"me:pw\"",
                Some("BUNDLE_GEMS__EXAMPLE__COM"),
            ),
            ("BUNDLE_PATH: \"vendor\"", None),
            ("BUNDLE_BUILD__PG: \"--with-x\"", None),
            ("token = \"abc\"", Some("token")),
            ("  jsonwebtoken: ^9.0.0", None),
            ("  'json-web-token': ^1.0.0", None),
            ("NEXUS_PASSWORD=abc", Some("NEXUS_PASSWORD")),
            ("signing.password=abc", Some("signing.password")),
            ("org.gradle.jvmargs=-Xmx2g", None),
            ("signingPassword=abc", Some("signingPassword")),
        ] {
            assert_eq!(secret(line).as_deref(), expected, "{line}");
        }
    }
}
