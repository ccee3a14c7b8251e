use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, Severity, SourceFile, Span, masked};

/// Longer lines are cut around what is pointed at, in bytes.
const LONGEST_LINE: usize = 160;
/// What is shown before the place in a line that is cut, in bytes.
const BEFORE: usize = 40;
/// A label that is at most this many lines away shares the excerpt.
const NEAR: u32 = 10;
/// Wider than any line that is left, so that the renderer cuts none.
const TERM_WIDTH: usize = 4 * LONGEST_LINE;
/// Longer messages, hints and labels are cut, in bytes.
const LONGEST_TEXT: usize = 1000;

/// Every diagnostic with `file:line:column`, the line, a caret and the hint, without colours,
/// a blank line between them.
pub fn render(diagnostics: &[Diagnostic], file: &SourceFile) -> String {
    let mut out = String::new();
    let file = &*masked(diagnostics, file);
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&render_one(diagnostic, file));
        out.push('\n');
    }
    out
}

fn render_one(diagnostic: &Diagnostic, file: &SourceFile) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title = level.primary_title(shorten(&diagnostic.message));
    if let Some(lint) = diagnostic.lint {
        title = title.id(lint);
    }
    let mut report = Group::with_title(title);
    let mut groups: Vec<Vec<Mark>> = Vec::new();
    if let Some(span) = diagnostic.span {
        groups.push(vec![Mark::new(file, span, None, AnnotationKind::Primary)]);
    }
    for (span, text) in &diagnostic.labels {
        let label = Mark::new(file, *span, Some(shorten(text)), AnnotationKind::Context);
        match groups.first_mut() {
            Some(group) if diagnostic.span.is_some() && group[0].is_near(&label) => {
                group.push(label);
            }
            _ => groups.push(vec![label]),
        }
    }
    for group in &groups {
        report = report.element(excerpt(group, file));
    }
    if let Some(hint) = &diagnostic.hint {
        report = report.element(Level::HELP.message(shorten(hint)));
    }
    let rendered = Renderer::plain().term_width(TERM_WIDTH).render(&[report]);
    match groups.first().map(Vec::as_slice) {
        Some([mark]) if mark.is_cut() => correct_heading(&rendered, mark, file),
        _ => rendered,
    }
}

/// A place to point at: the part of a span on its first line.
struct Mark {
    /// Counted from 1.
    line: u32,
    /// In characters, counted from 1.
    column: u32,
    /// The line, in bytes of the file.
    text: Range<usize>,
    /// The place, in bytes of the file.
    at: Range<usize>,
    label: Option<String>,
    kind: AnnotationKind,
}

impl Mark {
    fn new(file: &SourceFile, span: Span, label: Option<String>, kind: AnnotationKind) -> Mark {
        let start = file.boundary(span.start as usize);
        let text = file.line_range(start);
        let start = start.min(text.end);
        let end = file.boundary(span.end as usize).clamp(start, text.end);
        let (line, column) = file.position(u32::try_from(start).unwrap_or(u32::MAX));
        Mark {
            line,
            column,
            text,
            at: start..end,
            label,
            kind,
        }
    }

    /// Whether both fit one excerpt.
    fn is_near(&self, other: &Mark) -> bool {
        self.line.abs_diff(other.line) <= NEAR && !self.is_cut() && !other.is_cut()
    }

    fn is_cut(&self) -> bool {
        self.text.len() > LONGEST_LINE
    }

    fn annotation(&self, at: Range<usize>) -> Annotation<'static> {
        self.kind.span(at).label(self.label.clone())
    }
}

/// An excerpt that shows all marks; the first gives the place in its heading.
fn excerpt<'a>(marks: &[Mark], file: &'a SourceFile) -> Snippet<'a, Annotation<'a>> {
    if let [mark] = marks
        && mark.is_cut()
    {
        let (line, at) = cut(file, mark);
        return Snippet::source(line)
            .path(&file.name)
            .line_start(mark.line as usize)
            .annotation(mark.annotation(at));
    }
    let top = marks.iter().map(|m| m.text.start).min().unwrap_or_default();
    let bottom = marks.iter().map(|m| m.text.end).max().unwrap_or_default();
    let line_start = marks.iter().map(|m| m.line).min().unwrap_or(1);
    Snippet::source(&file.text[top..bottom])
        .path(&file.name)
        .line_start(line_start as usize)
        .annotations(
            marks
                .iter()
                .map(|m| m.annotation(m.at.start - top..m.at.end - top)),
        )
}

/// The part of a long line around a mark, and where the mark is in it.
fn cut(file: &SourceFile, mark: &Mark) -> (String, Range<usize>) {
    let start = file
        .boundary(mark.at.start.saturating_sub(BEFORE))
        .max(mark.text.start);
    let end = file.boundary(start + LONGEST_LINE).min(mark.text.end);
    let before = if start > mark.text.start { "…" } else { "" };
    let after = if end < mark.text.end { "…" } else { "" };
    let line = format!("{before}{}{after}", &file.text[start..end]);
    let shift = |offset: usize| before.len() + offset.min(end) - start;
    (line, shift(mark.at.start)..shift(mark.at.end))
}

/// Replaces the column within the part that is shown by the column within the line.
fn correct_heading(rendered: &str, mark: &Mark, file: &SourceFile) -> String {
    let (line, at) = cut(file, mark);
    let shown = format!(":{}:{}\n", mark.line, line[..at.start].chars().count() + 1);
    let meant = format!(":{}:{}\n", mark.line, mark.column);
    rendered.replacen(&shown, &meant, 1)
}

fn shorten(text: &str) -> String {
    match text.char_indices().find(|(i, _)| *i >= LONGEST_TEXT) {
        Some((i, _)) => format!("{}…", &text[..i]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> SourceFile {
        SourceFile::new("larder.yaml", "name: a\nstages:\n  web:\n\tfrom: é, b\n")
    }

    #[test]
    fn shows_the_line_a_caret_and_the_hint() {
        let diagnostic = Diagnostic::error(Span::new(8, 14), "unknown key `stages`")
            .label(Span::new(0, 4), "the first key")
            .hint("remove it");
        assert_eq!(
            render(&[diagnostic], &file()),
            "\
error: unknown key `stages`
 --> larder.yaml:2:1
  |
1 | name: a
  | ---- the first key
2 | stages:
  | ^^^^^^
  |
  = help: remove it
"
        );
    }

    #[test]
    fn columns_count_characters_and_tabs_are_widened() {
        let at = u32::try_from(file().text.rfind('b').expect("there")).expect("small");
        let diagnostic = Diagnostic::warning(Span::new(at, at + 1), "odd");
        assert_eq!(
            render(&[diagnostic], &file()),
            "\
warning: odd
 --> larder.yaml:4:11
  |
4 |     from: é, b
  |              ^
"
        );
    }

    #[test]
    fn a_far_label_has_its_own_excerpt() {
        let text = format!("a: 1\n{}a: 2\n", "# \n".repeat(500));
        let end = u32::try_from(text.len()).expect("small");
        let file = SourceFile::new("f", text);
        let diagnostic =
            Diagnostic::error(Span::new(end - 5, end - 4), "again").label(Span::new(0, 1), "first");
        assert_eq!(
            render(&[diagnostic], &file),
            "\
error: again
   --> f:502:1
    |
502 | a: 2
    | ^
    |
   ::: f:1:1
    |
  1 | a: 1
    | - first
"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let file = SourceFile::new(
            "f",
            format!("{}é!{}", "a".repeat(9_000), "b".repeat(900_000)),
        );
        let diagnostic = Diagnostic::error(Span::new(9_002, 500_000), "long");
        let rendered = render(&[diagnostic], &file);
        assert!(
            rendered.starts_with("error: long\n --> f:1:9002\n  |\n1 | …aaaaa"),
            "{rendered}"
        );
        assert!(rendered.len() < 1000, "{rendered}");
    }

    #[test]
    fn odd_places_do_no_harm() {
        let texts = ["", "\n", "é", "a\r\nb", "\t\t", "a\0b", &"é".repeat(500)];
        for text in texts {
            let file = SourceFile::new("f", text);
            for start in 0..12 {
                for end in [0, start, start + 1, start + 2, 5000] {
                    let diagnostic = Diagnostic::error(Span::new(start, end), "odd")
                        .label(Span::new(end, start), "label");
                    assert!(render(&[diagnostic], &file).starts_with("error: odd\n"));
                }
            }
        }
    }

    #[test]
    fn without_a_place_there_is_a_message() {
        let diagnostic = Diagnostic::error(None, "no stage `x`").hint("one of `a`, `b`");
        assert_eq!(
            render(&[diagnostic], &file()),
            "error: no stage `x`\n |\n = help: one of `a`, `b`\n"
        );
    }
}
