//! Turns titles into the last parts of URLs: `Crème brûlée!` becomes `creme-brulee`.

use std::error::Error;
use std::io::{self, BufRead, Write};

use lexopt::prelude::*;
use serde::Serialize;
use unicode_normalization::{char::is_combining_mark, UnicodeNormalization};

#[derive(Serialize)]
struct Entry<'a> {
    title: &'a str,
    slug: String,
}

fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut json = false;
    let mut titles = Vec::new();
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("json") => json = true,
            Value(title) => titles.push(title.string()?),
            _ => return Err(arg.unexpected().into()),
        }
    }
    if titles.is_empty() {
        titles = io::stdin().lock().lines().collect::<Result<_, _>>()?;
    }
    let mut out = io::stdout().lock();
    for title in &titles {
        let entry = Entry { title, slug: slug(title) };
        if json {
            writeln!(out, "{}", serde_json::to_string(&entry)?)?;
        } else {
            writeln!(out, "{}", entry.slug)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn accents_and_punctuation_go() {
        assert_eq!(slug("Crème brûlée!"), "creme-brulee");
        assert_eq!(slug("  10 % off — today"), "10-off-today");
    }
}
