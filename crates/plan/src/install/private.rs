//! Secrets in files that are copied to the image. What is written as a variable is none.

use super::text::plain;
use super::xml::{self, Event};

/// What keys end in whose values are secrets.
const KEYS: [&str; 11] = [
    "_auth",
    "_authtoken",
    "_password",
    "apikey",
    "authident",
    "authtoken",
    "cleartextpassword",
    "passwd",
    "password",
    "secret",
    "token",
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
    // `//registry.npmjs.org/:_authToken=…`, `BUNDLE_GEMS__EXAMPLE__COM: "…"`.
    let (key, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
    let key = key.rsplit(':').next().unwrap_or(key);
    Some((
        key.trim().trim_matches('"'),
        value.trim().trim_matches(['"', '\'', ',']),
    ))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "");
    KEYS.iter().any(|end| key.ends_with(end))
        // What bundler logs in with: a host as the name of a variable.
        || (key.starts_with("bundle_") && key.contains("__") && !key.starts_with("bundle_build"))
            && !key.starts_with("bundle_mirror")
            && !key.starts_with("bundle_local")
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
            (
                "//registry.npmjs.org/:_authToken=npm_abc",
                Some("_authToken"),
            ),
            ("//registry.npmjs.org/:_authToken=${NPM_TOKEN}", None),
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
            ("org.gradle.jvmargs=-Xmx2g", None),
            ("signingPassword=abc", Some("signingPassword")),
        ] {
            assert_eq!(secret(line).as_deref(), expected, "{line}");
        }
    }
}
