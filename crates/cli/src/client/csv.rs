//! Fields with commas between them, as the clients take outputs and caches.

use anyhow::{Result, anyhow};

/// What kind of place the value of an option is. All else in it may be a secret.
pub(crate) fn kind(text: &str) -> &str {
    let mut kinds = text.split(',').filter_map(|field| {
        let (name, value) = field.trim_matches('"').split_once('=')?;
        let name = name.trim();
        name.eq_ignore_ascii_case("type").then_some(value.trim())
    });
    let plain = |kind: &&str| kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    kinds.next_back().filter(plain).unwrap_or_default()
}

/// What is wrong with an option, without its value.
pub(crate) fn mistake(option: &str, text: &str, what: &str) -> anyhow::Error {
    match kind(text) {
        "" => anyhow!("{option}: {what}"),
        kind => anyhow!("{option} type={kind}: {what}"),
    }
}

/// The fields of an option's value; one with a comma or a quote in it is in quotes.
pub(crate) fn fields(option: &str, text: &str) -> Result<Vec<String>> {
    let mistake = |at: usize, what| mistake(option, text, &format!("field {at} {what}"));
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let at = fields.len() + 1;
        let (field, after) = if let Some(inside) = rest.strip_prefix('"') {
            let Some(read) = in_quotes(inside) else {
                return Err(mistake(at, "has a quote without an end"));
            };
            read
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                return Err(mistake(
                    at,
                    "has a quote in its middle; put all of it in quotes",
                ));
            }
            (field.to_owned(), after)
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(mistake(at, "is in quotes, with no comma after it")),
        }
    }
}

fn in_quotes(inside: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, after)),
        }
    }
}

/// The line of fields.
pub(crate) fn line<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let quoted = |(name, value): (&str, &str)| {
        let field = format!("{name}={value}");
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    };
    let fields: Vec<String> = fields.into_iter().map(quoted).collect();
    fields.join(",")
}

/// Names and values; names are in small letters.
pub(crate) fn pairs(option: &str, text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (at, field) in fields(option, text)?.into_iter().enumerate() {
        let Some((name, value)) = field.split_once('=') else {
            let what = format!("field {} is no NAME=VALUE", at + 1);
            return Err(mistake(option, text, &what));
        };
        pairs.push((name.trim().to_ascii_lowercase(), value.to_owned()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back() {
        for (text, expected) in [
            ("type=image,name=a", &["type=image", "name=a"][..]),
            (
                "type=image,\"name=a,b\",push=true",
                &["type=image", "name=a,b", "push=true"],
            ),
            ("\"a\"\"b\"", &["a\"b"]),
            ("", &[""]),
            ("a,", &["a", ""]),
        ] {
            assert_eq!(fields("--x", text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            line([("type", "image"), ("name", "a,b"), ("x", "\"")]),
            "type=image,\"name=a,b\",\"x=\"\"\""
        );
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("\"a", "--x: field 1 has a quote without an end"),
            (
                "type=s3,\"a\"b",
                "--x type=s3: field 2 is in quotes, with no comma after it",
            ),
            (
                "a\"b",
                "--x: field 1 has a quote in its middle; put all of it in quotes",
            ),
        ] {
            assert_eq!(fields("--x", text).unwrap_err().to_string(), expected);
        }
        let error = pairs("--x", "type=local,dest").unwrap_err().to_string();
        assert_eq!(error, "--x type=local: field 2 is no NAME=VALUE");
    }

    #[test]
    fn kinds_are_all_that_is_shown() {
        for (text, expected) in [
            ("type=s3,secret_access_key=hunter2", "s3"),
            ("secret_access_key=hunter2, TYPE=gha", "gha"),
            ("\"type=s3\",x=y", "s3"),
            ("type=hunter/2", ""),
            ("r.test/own", ""),
            ("", ""),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
