//! Fields with commas between them, as the clients take outputs and caches.

use anyhow::{Result, bail};

/// The fields of a line; one with a comma or a quote in it is in quotes.
pub(crate) fn fields(text: &str) -> Result<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = if let Some(inside) = rest.strip_prefix('"') {
            in_quotes(text, inside)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                bail!("{text}: a quote is in the middle of `{field}`; put all of it in quotes");
            }
            (field.to_owned(), after)
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => bail!("{text}: after a quoted field there is no comma"),
        }
    }
}

fn in_quotes<'a>(text: &str, inside: &'a str) -> Result<(String, &'a str)> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            bail!("{text}: a quote has no end");
        };
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after)),
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
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for field in fields(text)? {
        match field.split_once('=') {
            Some((name, value)) => {
                pairs.push((name.trim().to_ascii_lowercase(), value.to_owned()));
            }
            None => bail!("{text}: `{field}` is no NAME=VALUE"),
        }
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
            assert_eq!(fields(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            line([("type", "image"), ("name", "a,b"), ("x", "\"")]),
            "type=image,\"name=a,b\",\"x=\"\"\""
        );
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("\"a", "\"a: a quote has no end"),
            ("\"a\"b", "\"a\"b: after a quoted field there is no comma"),
            (
                "a\"b",
                "a\"b: a quote is in the middle of `a\"b`; put all of it in quotes",
            ),
        ] {
            assert_eq!(fields(text).unwrap_err().to_string(), expected);
        }
        let error = pairs("type=local,dest").unwrap_err().to_string();
        assert_eq!(error, "type=local,dest: `dest` is no NAME=VALUE");
    }
}
