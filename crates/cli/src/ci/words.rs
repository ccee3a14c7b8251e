//! Words that go into a pipeline, and which of them may.

use std::path::{Component, Path};

/// Whether a text can be the label of a runner.
pub(super) fn is_label(text: &str) -> bool {
    let of_label = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(of_label)
}

/// Whether a text can be a branch, of letters that need no quotes anywhere.
pub(super) fn is_branch(text: &str) -> bool {
    let part = |part: &str| {
        let of_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(of_part)
    };
    text.split('/').all(part) && !text.ends_with('.') && !text.contains("..")
}

/// Whether a text can be a variable of a shell.
pub(super) fn is_variable(text: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(of_name)
}

/// Whether a text stays one line of YAML, as it is.
pub(super) fn is_line(text: &str) -> bool {
    let breaks = |c: char| matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    !text.contains(|c: char| c.is_control() && c != '\t' || breaks(c))
}

/// A path from the repository's root, or nothing if it leads out of it.
pub(super) fn inside(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(match parts.join("/") {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    })
}

/// A word that a shell takes as it is.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@,+-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A text in which GitHub sees no expression.
pub(super) fn literal(text: &str) -> String {
    text.replace("${{", "${{ '${{' }}")
}

/// A line that GitHub's actions, which read lists as CSV, take as it is.
pub(super) fn csv(line: &str) -> String {
    if line.contains('"') {
        format!("\"{}\"", line.replace('"', "\"\""))
    } else {
        line.to_owned()
    }
}
