//! The pages of Dockerfiles beside specs, which are generated from the rows that end-to-end tests build.

use std::fmt::Write as _;

use anyhow::Result;
use larder_e2e::language::{Row, SECTIONS, rows};

use super::Pages;

/// The page that lists all features.
const INDEX: &str = "docs/dockerfile-to-spec.md";
/// Holds a page for each section, and nothing else.
pub(super) const FOLDER: &str = "docs/dockerfile-to-spec";

const INTRODUCTION: &str = "\
# From Dockerfile to spec

Whatever a Dockerfile builds, a spec builds too. Each row is a feature of Dockerfile or an option of the
client, how [a spec](spec.md) says it, and where both are written out. The tests build all of them both ways
and hold that the images are the same: every file with its content, mode and owner, and the config.

An ordinary Dockerfile needs no translation to get caches: [Larder reads it as it is](dockerfiles.md).
";

/// Paths and texts of all pages.
pub(super) fn pages() -> Result<Pages> {
    let rows = rows()?;
    let mut pages = Pages::from([(INDEX.to_owned(), index(&rows))]);
    for (section, heading) in SECTIONS {
        let of_it = rows.iter().filter(|row| row.about.section == *section);
        pages.insert(format!("{FOLDER}/{section}.md"), page(heading, of_it));
    }
    Ok(pages)
}

fn index(rows: &[Row]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (section, heading) in SECTIONS {
        let _ = write!(
            text,
            "\n## {heading}\n\n| Dockerfile or option | spec | written out |\n|---|---|---|\n"
        );
        for row in rows.iter().filter(|row| row.about.section == *section) {
            let about = &row.about;
            let place = format!(
                "[{}](dockerfile-to-spec/{section}.md#{})",
                about.title,
                anchor(&about.title)
            );
            for (feature, said) in &about.features {
                let _ = writeln!(text, "| `{}` | {} | {place} |", cell(feature), cell(said));
            }
            for (feature, why) in &about.none {
                let _ = writeln!(
                    text,
                    "| `{}` | Nothing. {} | {place} |",
                    cell(feature),
                    cell(why)
                );
            }
        }
    }
    text
}

fn page<'a>(heading: &str, rows: impl Iterator<Item = &'a Row>) -> String {
    let mut text = format!(
        "# {heading}\n\nEach Dockerfile is followed by the spec that comes to the same image. \
         [All features](../dockerfile-to-spec.md)\n"
    );
    for row in rows {
        let about = &row.about;
        let _ = write!(text, "\n## {}\n\n", about.title);
        if !about.notes.is_empty() {
            let _ = write!(text, "{}\n\n", about.notes.trim());
        }
        for (feature, why) in &about.none {
            let _ = write!(text, "No spec says `{feature}`. {why}\n\n");
        }
        if !about.options.is_empty() {
            let _ = write!(
                text,
                "Options of both builds: `{}`\n\n",
                about
                    .options
                    .join(" ")
                    .replace("FOLDER/", "")
                    .replace("=KEY", "")
            );
        }
        let files = [("dockerfile", &row.dockerfile), ("yaml", &row.spec)];
        for (language, file) in files {
            if let Some(file) = file {
                let _ = write!(text, "```{language}\n{}\n```\n\n", file.trim_end());
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.to_lowercase().replace(' ', "-");
    heading
        .chars()
        .filter(|one| one.is_alphanumeric() || *one == '-')
        .collect()
}

fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::{anchor, cell};

    #[test]
    fn headings_are_linked_as_github_does() {
        assert_eq!(
            anchor("Python: a service, that's new"),
            "python-a-service-thats-new"
        );
    }

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(cell(" a | b\n"), "a \\| b");
    }
}
