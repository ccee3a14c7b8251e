//! What nobody may see of a file, such as passwords.

use std::borrow::Cow;

use crate::{Diagnostic, SourceFile, Span};

/// More places than this become one that holds them all.
const MOST: usize = 100;

/// Hides from each what any of them hides, and `more`: one may point near what another is about.
pub fn share_hidden(diagnostics: &mut [Diagnostic], more: &[Span]) {
    if more.is_empty() && diagnostics.iter().all(|one| one.hidden.is_empty()) {
        return;
    }
    let all = merged(diagnostics, more);
    for diagnostic in diagnostics {
        diagnostic.hidden = all.as_slice().into();
    }
}

/// The file as it may be shown beside what is wrong with it: with stars for every byte that one of the diagnostics
/// hides, so that places stay what they are.
pub fn masked<'a>(diagnostics: &[Diagnostic], file: &'a SourceFile) -> Cow<'a, SourceFile> {
    if diagnostics.iter().all(|one| one.hidden.is_empty()) {
        return Cow::Borrowed(file);
    }
    let mut text = String::with_capacity(file.text.len());
    let mut hidden = merged(diagnostics, &[]).into_iter().peekable();
    let mut end = 0;
    for (at, c) in file.text.char_indices() {
        let after = at + c.len_utf8();
        while let Some(span) = hidden.next_if(|span| (span.start as usize) < after) {
            end = end.max(span.end as usize);
        }
        if at < end && !matches!(c, '\n' | '\r') {
            text.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            text.push(c);
        }
    }
    Cow::Owned(SourceFile::new(file.name.clone(), text))
}

/// Every hidden place, in order.
fn merged(diagnostics: &[Diagnostic], more: &[Span]) -> Vec<Span> {
    let hidden = diagnostics
        .iter()
        .flat_map(|one| one.hidden.iter())
        .chain(more);
    let mut all: Vec<Span> = hidden.copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > MOST {
        let start = all.iter().map(|span| span.start).min();
        let end = all.iter().map(|span| span.end).max();
        let whole = Span::new(start.unwrap_or_default(), end.unwrap_or_default());
        all = vec![whole];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;

    #[test]
    fn what_one_hides_no_other_shows() {
        let file = SourceFile::new("f", "a: {x: gehéim, y: 1}\nb: 2\n");
        let mut both = vec![
            Diagnostic::error(Span::new(7, 14), "secret").hide(Span::new(7, 14)),
            Diagnostic::error(Span::new(16, 17), "odd").label(Span::new(22, 23), "here"),
        ];
        let shown = render(&both, &file);
        assert!(!shown.contains("geh"), "{shown}");
        assert!(shown.contains("1 | a: {x: *******, y: 1}"), "{shown}");
        share_hidden(&mut both, &[]);
        let alone = render(&both[1..], &file);
        assert!(!alone.contains("geh"), "{alone}");
        assert_eq!(both[0].hidden, both[1].hidden);
    }

    #[test]
    fn lines_and_places_stay() {
        let file = SourceFile::new("f", "a\r\néb\nc");
        for start in 0..9 {
            for end in start..12 {
                let one = Diagnostic::error(None, "").hide(Span::new(start, end));
                let masked = masked(&[one], &file);
                assert_eq!(masked.text.len(), file.text.len());
                let lines = masked.text.lines().map(str::len);
                assert!(lines.eq(file.text.lines().map(str::len)));
            }
        }
        let many = (0..200).map(|at| Diagnostic::error(None, "").hide(Span::new(at, at + 1)));
        let many: Vec<Diagnostic> = many.collect();
        assert_eq!(masked(&many, &file).text, "*\r\n***\n*");
        assert!(matches!(masked(&[], &file), Cow::Borrowed(_)));
    }
}
