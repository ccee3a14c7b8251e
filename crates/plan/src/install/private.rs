//! Secrets in files that are copied to the image. What is written as a variable is none.

use toml::{Table, Value};

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

/// The key of the first secret in a text of XML, of TOML, or of lines `key=value`, `key: value` or
/// `key value`; also of an address with a password.
pub(super) fn secret(text: &str) -> Option<String> {
    let text = plain(text);
    if text.trim_start().starts_with('<') {
        return in_xml(text);
    }
    let lines = || {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.starts_with(['#', ';']))
    };
    if lines().any(has_password) {
        return Some(ADDRESS.to_owned());
    }
    match text.parse::<Table>() {
        Ok(table) => table
            .iter()
            .find_map(|(key, value)| in_toml(key, value, false)),
        Err(_) => lines().find_map(in_line),
    }
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
        if found.is_none() && is_secret(&key) && is_plain(&key, &value) && !is_percent(&value) {
            found = Some(key);
        } else if found.is_none() && has_password(&value) {
            found = Some(ADDRESS.to_owned());
        }
    });
    found
}

/// `key = "value"`, `key = { other = "value" }`; below a key that is secret, `value` is so too, as in the
/// variables of cargo's settings.
fn in_toml(key: &str, value: &Value, below: bool) -> Option<String> {
    let key = last_part(key);
    let found = below || is_secret(key);
    let text = match value {
        Value::Table(table) => {
            return table.iter().find_map(|(name, value)| {
                if found && name == "value" {
                    in_toml(key, value, true)
                } else {
                    in_toml(name, value, false)
                }
            });
        }
        Value::Array(list) => return list.iter().find_map(|value| in_toml(key, value, found)),
        Value::Boolean(_) => return None,
        Value::String(text) if has_password(text) => return Some(ADDRESS.to_owned()),
        Value::String(text) => text,
        Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => "0",
    };
    (found && is_plain(key, text)).then(|| key.to_owned())
}

/// A line, and what is in its `{…}`.
fn in_line(line: &str) -> Option<String> {
    let mut parts = vec![line];
    parts.extend(pieces(line));
    parts.iter().find_map(|part| {
        let mut pairs = [pair(part), pair_at_blank(part)].into_iter().flatten();
        pairs
            .find(|(key, value)| is_secret(key) && is_plain(key, value))
            .map(|(key, _)| key.to_owned())
    })
}

/// `a = { b = "c", d = "e" }` at its braces, brackets and commas: those in no quotes and no `${…}`.
fn pieces(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(c) = line[at..].chars().next() {
        let next = at + c.len_utf8();
        let rest = &line[next..];
        at = match c {
            '"' | '\'' => rest.find(c).map_or(next, |end| next + end + 1),
            '$' if rest.starts_with('{') => {
                closing(&rest[1..]).map_or(next + 1, |end| next + 1 + end + 1)
            }
            '{' | '}' | '[' | ']' | ',' => {
                out.push(&line[start..at]);
                start = next;
                next
            }
            _ => next,
        };
    }
    if start > 0 {
        out.push(&line[start..]);
    }
    out
}

/// `https://user:password@host`.
fn has_password(line: &str) -> bool {
    line.match_indices("://").any(|(at, scheme)| {
        let rest = &line[at + scheme.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c));
        let host = &rest[..end.unwrap_or(rest.len())];
        host.rsplit_once('@').is_some_and(|(user, _)| {
            let password = user.split_once(':').map(|(_, password)| password);
            password.is_some_and(|password| !password.is_empty() && !is_references(password))
                && !is_references(user)
        })
    })
}

/// `//registry.example/:_authToken=…`, `BUNDLE_GEMS__EXAMPLE__COM: "…"`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (at, length) = [("=", 1), (": ", 2)]
        .into_iter()
        .filter_map(|(sign, length)| Some((line.find(sign)?, length)))
        .min()?;
    Some((last_part(&line[..at]), unquote(&line[at + length..])))
}

/// `"//registry.example/:_authToken" "…"`.
fn pair_at_blank(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once(char::is_whitespace)?;
    let value = value.trim_start();
    (!key.contains('=') && !value.starts_with(['=', ':'])).then(|| (last_part(key), unquote(value)))
}

/// The key itself: what is after the last colon.
fn last_part(key: &str) -> &str {
    let key = key.rsplit(':').next().unwrap_or(key);
    key.trim().trim_matches(['"', '\''])
}

/// A value without its quotes, and without what is said of it behind it.
fn unquote(value: &str) -> &str {
    let value = value.trim();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        if let Some((inside, rest)) = value[1..].split_once(quote)
            && (rest.is_empty() || rest.starts_with([' ', '\t', ',', '}', ']']))
        {
            return inside;
        }
    } else if let Some(at) = value.find(" #").or_else(|| value.find(" ;")) {
        return value[..at].trim_end();
    }
    value.trim_matches(['"', '\'', ','])
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

/// Whether a value is there, and is no variable: `${TOKEN}`, `$TOKEN`. Of yarn's `user:password`, the
/// password is meant.
fn is_plain(key: &str, value: &str) -> bool {
    let password = match value.split_once(':') {
        Some((_, password)) if key.ends_with("AuthIdent") => password,
        _ => value,
    };
    !value.is_empty()
        && !value.strip_prefix('$').is_some_and(is_name)
        && !is_references(value)
        && !is_references(password)
}

/// `${USER}`, `${USER}:${PASSWORD}`, and nothing else.
fn is_references(value: &str) -> bool {
    let mut rest = value;
    loop {
        let Some(inside) = rest.strip_prefix("${") else {
            return false;
        };
        let Some(end) = closing(inside).filter(|end| *end > 0) else {
            return false;
        };
        rest = &inside[end + 1..];
        rest = rest.strip_prefix(':').unwrap_or(rest);
        if rest.is_empty() {
            return true;
        }
    }
}

/// Where the `}` is that ends a `${`; others may be in it.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `%TOKEN%`, a variable in `NuGet`'s settings.
fn is_percent(value: &str) -> bool {
    let name = value.strip_prefix('%').and_then(|v| v.strip_suffix('%'));
    name.is_some_and(is_name)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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

    fn check(rows: &[(&str, Option<&str>)]) {
        for (text, expected) in rows {
            assert_eq!(secret(text).as_deref(), *expected, "{text}");
        }
    }

    #[test]
    fn only_whole_references_are_variables() {
        check(&[
            (
                "registry=https://me:p%40ss@registry.example/",
                Some(ADDRESS),
            ),
            ("registry=https://me:%PW%@registry.example/", Some(ADDRESS)),
            ("registry=https://me:p$ss@registry.example/", Some(ADDRESS)),
            (
                "registry=https://me:ab${PW}@registry.example/",
                Some(ADDRESS),
            ),
            ("registry=https://me:${PW}@registry.example/", None),
            (
                "<url>https://me:p%40ss@registry.example/</url>",
                Some(ADDRESS),
            ),
            ("_authToken=ab$cd", Some("_authToken")),
            ("_authToken=$ab-cd", Some("_authToken")),
            ("_authToken=ab${CD}", Some("_authToken")),
            ("_authToken=${AB}cd", Some("_authToken")),
            ("_authToken=${AB", Some("_authToken")),
            ("_authToken=%40ab%", Some("_authToken")),
            ("_authToken=%TOKEN%", Some("_authToken")),
            ("_authToken=$TOKEN", None),
            ("_authToken=${USER}:${PW}", None),
            ("npmAuthToken: ${TOKEN:-${OTHER}} # of CI", None),
            ("npmAuthToken: \"${TOKEN-}\" # of CI", None),
            ("npmAuthIdent: \"me:${PW}\"", None),
            ("npmAuthIdent: \"me:p$w\"", Some("npmAuthIdent")),
            ("<password>a%b%c</password>", Some("password")),
            ("<password>%%</password>", Some("password")),
            ("<password>%PW%</password>", None),
        ]);
    }

    #[test]
    fn secrets_are_found_in_tables() {
        check(&[
            (
                "[install.scopes]\n\"@org\" = { token = \"abc\", url = \"https://registry.example/\" }",
                Some("token"),
            ),
            (
                "\"@org\" = { url = \"https://registry.example/\", token = \"$TOKEN\" } # of CI",
                None,
            ),
            (
                "a = [{ name = \"a\" }, { b = { password = \"abc\" } }]",
                Some("password"),
            ),
            (
                "http-basic.a = { username = \"me\", password = \"a$b\" }",
                Some("password"),
            ),
            ("[a]\ntoken = \"\"\"\nabc\"\"\"", Some("token")),
            (
                "[env]\nA_TOKEN = { value = \"abc\", force = true }",
                Some("A_TOKEN"),
            ),
            ("a_password = 1234", Some("a_password")),
            ("a = \"https://me:pw@registry.example/\"", Some(ADDRESS)),
            ("a = { b = \"token = c\" }", None),
            // No TOML.
            (
                "; a\n\"@org\" = { url = \"a\", token = \"abc\" }",
                Some("token"),
            ),
            (
                "; a\n\"@org\" = { url = \"a\", token = \"${TOKEN}\" }",
                None,
            ),
            (
                "npmScopes: { org: { npmAuthToken: abc } }",
                Some("npmAuthToken"),
            ),
            ("npmScopes: { org: { npmAuthToken: \"${TOKEN}\" } }", None),
        ]);
    }

    #[test]
    fn secrets_are_found_after_a_blank() {
        check(&[
            (
                "\"//registry.example/:_authToken\" \"abc\"",
                Some("_authToken"),
            ),
            ("\"//registry.example/:_authToken\" \"${TOKEN}\"", None),
            ("_authToken \"abc\"", Some("_authToken")),
            ("_authToken \"abc==\"", Some("_authToken")),
            ("_authToken = ${TOKEN}", None),
            ("npmAuthIdent: \"YWJj=\"", Some("npmAuthIdent")),
            ("registry \"https://registry.example/\"", None),
            ("\"@org:registry\" \"https://registry.example/\"", None),
            ("export A_TOKEN=abc", Some("export A_TOKEN")),
        ]);
    }
}
