//! The JSON Schema, and the tables in the pages of the reference.
//!
//! A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`, and NAME is that of a
//! mapping. What is around them is written by hand.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use larder_spec::language::{ALL, Mapping};
use larder_spec::reference;

use super::{Pages, files};

const BEGIN: &str = "<!-- table: ";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- end of table -->";

/// The schema, and each page that has a table.
pub(super) fn pages(root: &Path) -> Result<Pages> {
    let written = files(root, "docs", "md")?;
    let mut pages = tables(&written)?;
    let schema = format!("{:#}\n", larder_spec::schema());
    pages.insert(larder_spec::SCHEMA_PATH.to_owned(), schema);
    Ok(pages)
}

/// Pages with their tables as they should be. Every mapping has one.
fn tables(pages: &[(String, String)]) -> Result<Pages> {
    let mut places = BTreeMap::new();
    for (path, text) in pages {
        for (name, heading) in headings(text) {
            let page = path.rsplit('/').next().unwrap_or(path);
            let place = (page.to_owned(), heading);
            if let Some((other, _)) = places.insert(name.clone(), place) {
                bail!("{path}: the table {name} is in {other} as well");
            }
        }
    }
    for mapping in ALL {
        ensure!(
            places.contains_key(mapping.name),
            "no page has the table {0}: write `{BEGIN}{0}{BEGIN_END}` and `{END}` where it belongs",
            mapping.name
        );
    }
    let mut out = Pages::new();
    for (path, text) in pages {
        if text.contains(BEGIN) {
            let page = path.rsplit('/').next().unwrap_or(path);
            let text = page_with_tables(text, page, &places).with_context(|| path.clone())?;
            out.insert(path.clone(), text);
        }
    }
    Ok(out)
}

/// The page, and the heading on it, of each table.
type Places = BTreeMap<String, (String, String)>;

/// The names of the tables of a page, each with the heading above it.
fn headings(text: &str) -> Vec<(String, String)> {
    let mut heading = "";
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
        }
        found.extend(begins(line).map(|name| (name.to_owned(), heading.to_owned())));
    }
    found
}

fn begins(line: &str) -> Option<&str> {
    line.strip_prefix(BEGIN)?.strip_suffix(BEGIN_END)
}

fn page_with_tables(text: &str, page: &str, places: &Places) -> Result<String> {
    let link = |mapping: &Mapping| {
        let name = mapping.name.replace('-', " ");
        match places.get(mapping.name) {
            Some((there, heading)) if there == page => format!("[{name}](#{})", anchor(heading)),
            Some((there, heading)) => format!("[{name}]({there}#{})", anchor(heading)),
            None => name,
        }
    };
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(name) = begins(line) else { continue };
        let mapping = ALL.into_iter().find(|mapping| mapping.name == name);
        let mapping = mapping.with_context(|| format!("no mapping is called {name}"))?;
        out.push_str(&reference::table(mapping, &link));
        ensure!(
            lines.by_ref().any(|line| line == END),
            "the table {name} has no end, `{END}`"
        );
        out.push_str(END);
        out.push('\n');
    }
    Ok(out)
}

/// What a heading is called in an address, as GitHub has it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let kept = heading.chars().filter(kept);
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_below_its_heading() {
        let text = "# A\n\n## On `b`: c\n\n```yaml\n# no heading\n<!-- table: x -->\n```\n<!-- table: run-step -->\n";
        assert_eq!(
            headings(text),
            [("run-step".to_owned(), "On `b`: c".to_owned())]
        );
        assert_eq!(anchor("On `b`: c"), "on-b-c");
    }

    #[test]
    fn what_is_between_the_marks_is_replaced() {
        let mapping = ALL[0];
        let text = format!(
            "before\n{BEGIN}{}{BEGIN_END}\nold\n\nold\n{END}\nafter\n",
            mapping.name
        );
        let new = page_with_tables(&text, "x.md", &Places::new()).expect("it has an end");
        assert!(new.starts_with("before\n<!-- table: "), "{new}");
        assert!(new.ends_with(" |\n<!-- end of table -->\nafter\n"), "{new}");
        assert!(!new.contains("old"), "{new}");
        for key in mapping.keys {
            assert!(new.contains(&format!("\n| `{}` | ", key.name)), "{new}");
        }
        let again = page_with_tables(&new, "x.md", &Places::new()).expect("it has an end");
        assert_eq!(again, new);
    }

    #[test]
    fn marks_that_fit_nothing_are_mistakes() {
        let wrong = |text: &str| {
            let error = page_with_tables(text, "x.md", &Places::new()).expect_err("it is wrong");
            error.to_string()
        };
        assert_eq!(
            wrong("<!-- table: nothing -->\n<!-- end of table -->\n"),
            "no mapping is called nothing"
        );
        let name = ALL[0].name;
        let open = format!("{BEGIN}{name}{BEGIN_END}\n");
        assert!(wrong(&open).ends_with("has no end, `<!-- end of table -->`"));
        let twice = [
            ("docs/a.md".to_owned(), open.clone()),
            ("docs/b.md".to_owned(), open),
        ];
        let error = tables(&twice).expect_err("it is there twice").to_string();
        assert_eq!(
            error,
            format!("docs/b.md: the table {name} is in a.md as well")
        );
        let error = tables(&[]).expect_err("there is none").to_string();
        assert!(error.starts_with("no page has the table "), "{error}");
    }
}
