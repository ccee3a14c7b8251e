//! Comments that silence warnings: `# larder: ignore=NAME[,NAME]`.

use larder_diagnostic::Spanned;

use crate::model::Ignore;
use crate::tree::span;

const MARK: &str = "# larder: ignore=";

/// Every such comment: at the end of a line it is about that line, on a line of its own about the next
/// one that says something.
pub(crate) fn ignores(text: &str) -> Vec<Ignore> {
    let mut found: Vec<Ignore> = Vec::new();
    // Those whose line is still to come.
    let mut waiting = 0;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end();
        let indent = line.len() - line.trim_start().len();
        let about = span(start + indent, start + line.len());
        if let Some(at) = mark(line) {
            found.push(Ignore {
                names: names(line, at + MARK.len(), start),
                about,
            });
        }
        let says_something = indent < line.len() && !line[indent..].starts_with('#');
        if says_something {
            for ignore in &mut found[waiting..] {
                ignore.about = about;
            }
            waiting = found.len();
        }
        start += whole.len();
    }
    found
}

/// Where the comment starts in a line.
fn mark(line: &str) -> Option<usize> {
    let at = line.find(MARK)?;
    (at == 0 || line[..at].ends_with([' ', '\t'])).then_some(at)
}

/// The names up to the next blank.
fn names(line: &str, from: usize, start: usize) -> Vec<Spanned<String>> {
    let list = line[from..].split_whitespace().next().unwrap_or_default();
    let mut at = start + from;
    let mut names = Vec::new();
    for name in list.split(',') {
        names.push(Spanned::new(name.to_owned(), span(at, at + name.len())));
        at += name.len() + 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is silenced, and the line that it is about.
    fn shown(text: &str) -> Vec<String> {
        let part = |span: larder_diagnostic::Span| &text[span.start as usize..span.end as usize];
        let show = |ignore: &Ignore| {
            let names: Vec<&str> = ignore.names.iter().map(|name| part(name.span)).collect();
            format!("{}: {}", names.join(" "), part(ignore.about))
        };
        ignores(text).iter().map(show).collect()
    }

    #[test]
    fn are_about_their_line_or_the_next() {
        let text = "from: a # larder: ignore=x\n# larder: ignore=y,é for a reason\n\n  # text\n  - run: é\n";
        assert_eq!(
            shown(text),
            ["x: from: a # larder: ignore=x", "y é: - run: é"]
        );
        assert_eq!(shown("a#larder: ignore=x\nb# larder: ignore=y"), [""; 0]);
        assert_eq!(shown("# larder: ignore=x"), ["x: # larder: ignore=x"]);
        assert_eq!(shown("# larder: ignore=\nb"), [": b"]);
    }
}
