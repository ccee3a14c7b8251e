//! As much of XML as manifests are written in: elements, attributes and text. What is not
//! well-formed is read as far as it goes.

/// Something in an XML file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'t> {
    /// `<name a="b">`; `<name/>` is an end as well.
    Start { name: &'t str, attributes: &'t str },
    /// `</name>`.
    End,
    /// What is between them, trimmed; never empty.
    Text(String),
}

/// Elements may be in each other so deep; those further down are left out.
const DEPTH: usize = 64;

/// Everything in a file, in order.
pub(super) fn events(text: &str) -> Vec<Event<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        push_text(&mut out, &rest[..at]);
        rest = &rest[at..];
        let skip = [("<!--", "-->"), ("<?", "?>"), ("<!", ">")];
        if let Some(inside) = rest.strip_prefix("<![CDATA[") {
            let end = inside.find("]]>").unwrap_or(inside.len());
            let text = inside[..end].trim();
            if !text.is_empty() {
                out.push(Event::Text(text.to_owned()));
            }
            rest = inside.get(end + 3..).unwrap_or_default();
            continue;
        }
        if let Some((start, end)) = skip.iter().find(|(start, _)| rest.starts_with(start)) {
            let inside = &rest[start.len()..];
            rest = match inside.find(end) {
                Some(at) => &inside[at + end.len()..],
                None => "",
            };
            continue;
        }
        let Some(end) = end_of_tag(rest) else { break };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('/') {
            out.push(Event::End);
            continue;
        }
        let (tag, empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        out.push(Event::Start { name, attributes });
        if empty {
            out.push(Event::End);
        }
    }
    out
}

fn push_text(out: &mut Vec<Event<'_>>, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        out.push(Event::Text(unescape(text)));
    }
}

/// Where the `>` of a tag is: not in quotes.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// An attribute's value.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(unescape(value));
        }
        rest = next;
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// Calls with each event and the names of the elements that it is in, from the outermost on; of a start,
/// its own too.
pub(super) fn walk<'t>(events: &'t [Event<'t>], mut each: impl FnMut(&[&'t str], &'t Event<'t>)) {
    let mut at: Vec<&str> = Vec::new();
    let mut deeper = 0_usize;
    for event in events {
        match event {
            Event::Start { name, .. } => {
                if at.len() == DEPTH {
                    deeper += 1;
                    continue;
                }
                at.push(name);
            }
            Event::End if deeper > 0 => {
                deeper -= 1;
                continue;
            }
            Event::End => {
                at.pop();
            }
            Event::Text(_) => {}
        }
        if deeper == 0 {
            each(&at, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the elements at a path: `project/modules/module`.
    fn texts(events: &[Event<'_>], path: &str) -> Vec<String> {
        let mut out = Vec::new();
        walk(events, |at, event| {
            if let Event::Text(text) = event
                && at.iter().copied().eq(path.split('/'))
            {
                out.push(text.clone());
            }
        });
        out
    }

    #[test]
    fn elements_and_attributes_are_read() {
        let text = "\u{feff}<?xml version='1.0'?><!DOCTYPE x>\n<project a='>' b=\"c &amp; d\">\n\
            <!-- <modules><module>no</module></modules> -->\n<modules>\n<module> a </module>\n\
            <module><![CDATA[b]]></module><empty/></modules><other><modules><module>c</module></modules>\n\
            </other></project>";
        let events = events(text);
        assert_eq!(texts(&events, "project/modules/module"), ["a", "b"]);
        let mut starts = Vec::new();
        walk(&events, |at, event| {
            if let Event::Start { attributes, .. } = event {
                starts.push((at.len(), attribute(attributes, "b")));
            }
        });
        assert_eq!(starts[0], (1, Some("c & d".to_owned())));
        assert_eq!(starts.len(), 8);
    }

    #[test]
    fn what_is_broken_ends_the_file() {
        for text in [
            "<",
            "<a",
            "<a b='",
            "</a></a></a>",
            "<![CDATA[",
            "<!--",
            "<a><b>x",
            "<é>ö</é",
        ] {
            texts(&events(text), "a/b");
        }
        assert_eq!(texts(&events("<a><b>x"), "a/b"), ["x"; 0]);
        assert_eq!(texts(&events("<a><b>x<"), "a/b"), ["x"]);
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000) + "<b>x</b>";
        assert_eq!(texts(&events(&deep), "b"), ["x"]);
    }
}
