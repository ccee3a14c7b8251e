//! What is wrong with text that is not YAML, in words that do not need the YAML specification.

use granit_parser::{ErrorKind, ScanError};
use larder_diagnostic::Diagnostic;

use crate::tree::{MAX_DEPTH, span};

/// The mistake that stopped the parser.
pub(crate) fn explain(error: &ScanError, text: &str) -> Diagnostic {
    let mut start = error.marker().byte_offset().unwrap_or(text.len());
    start = start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let length = text[start..].chars().next().map_or(0, char::len_utf8);
    let at = span(start, start + length);
    match words(error.kind()) {
        Some((message, hint)) => Diagnostic::error(at, message).hint(hint),
        None => Diagnostic::error(at, format!("not YAML: {}", error.kind())),
    }
}

fn words(kind: &ErrorKind) -> Option<(String, String)> {
    let (message, hint) = match kind {
        ErrorKind::RecursionLimitExceeded => {
            return Some((
                format!("nested more than {MAX_DEPTH} levels deep"),
                "a spec needs fewer than ten levels".to_owned(),
            ));
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            return Some((
                format!("a `{open}` that is never closed"),
                format!("add the `{close}`, or put quotes around text that begins with `{open}`"),
            ));
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => ("a tab where YAML wants spaces", "indent with spaces"),
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => (
            "a `:` where no key can be",
            "check the indentation, or put quotes around text that holds `: `",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a key without its `:`",
            "write `key: value`, and check the indentation of the lines around it",
        ),
        ErrorKind::UnclosedQuotedScalar => {
            ("a quote that is never closed", "add the closing quote")
        }
        ErrorKind::InvalidQuotedScalarIndent => (
            "text in quotes goes on without indentation",
            "close the quote on a line before, or indent this one",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "not an escape that YAML knows",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::UnknownAnchor => (
            "an alias of which there is no anchor before",
            "put quotes around text that begins with `*`",
        ),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => (
            "indented unlike the lines before",
            "keys of one mapping begin in the same column",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "a list that goes on without a `-`",
            "begin each element with `- `, all in the same column",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::ExpectedFlowMappingSeparator => (
            "no comma between two elements",
            "separate them with `,`, or close the bracket before",
        ),
        ErrorKind::UnexpectedCharacter {
            character: '`' | '@',
        } => (
            "text cannot begin with this character",
            "put quotes around the text",
        ),
        _ => return None,
    };
    Some((message.to_owned(), hint.to_owned()))
}
