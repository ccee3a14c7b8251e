//! The language as tables of the reference, in Markdown.

use crate::language::{Key, Mapping, Shape};

/// The table of a mapping's keys. `link` says where, from the table's page, the table of another mapping
/// is.
pub fn table(mapping: &Mapping, link: &dyn Fn(&Mapping) -> String) -> String {
    let mut out = String::from("| key | takes | default | meaning |\n|---|---|---|---|\n");
    for key in mapping.keys {
        let cells = [
            format!("`{}`", key.name),
            takes(&key.takes, link),
            default(key),
            key.doc.to_owned(),
        ];
        for cell in cells {
            out.push_str("| ");
            out.push_str(&cell.replace('|', "\\|"));
            out.push(' ');
        }
        out.push_str("|\n");
    }
    out
}

fn default(key: &Key) -> String {
    if key.required {
        "required".to_owned()
    } else if key.default.is_empty() {
        "—".to_owned()
    } else {
        key.default.to_owned()
    }
}

/// What a value may be, in words.
pub fn takes(shape: &Shape, link: &dyn Fn(&Mapping) -> String) -> String {
    either(words(shape, link))
}

/// What a value may be, each of several by itself.
fn words(shape: &Shape, link: &dyn Fn(&Mapping) -> String) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match shape {
        Shape::Nothing => one("nothing"),
        Shape::Template | Shape::TemplateOrEmpty => one("text"),
        Shape::Text | Shape::TextOrEmpty | Shape::Pattern(_) => one("plain text"),
        Shape::Arg => one("text with `${…}`"),
        Shape::Bool => vec!["`true`".to_owned(), "`false`".to_owned()],
        Shape::Integer(..) => one("number"),
        Shape::Mode => one("octal"),
        Shape::Size => one("size"),
        Shape::Duration => one("time"),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect(),
        Shape::List(element) | Shape::NonEmpty(element) => {
            let each = words(element, link);
            let of = if each.len() > 1 { ", each" } else { " of" };
            vec![format!("list{of} {}", either(each))]
        }
        Shape::Map(_, value) => {
            let each = words(value, link);
            let to = if each.len() > 1 { ", each to" } else { " to" };
            vec![format!("mapping of names{to} {}", either(each))]
        }
        Shape::Mapping(mapping) => vec![link(mapping)],
        Shape::OneOf(shapes) => shapes.iter().flat_map(|one| words(one, link)).collect(),
    }
}

/// `a`, `b` or `c`, each once; what has commas in it comes last, behind a semicolon.
fn either(words: impl IntoIterator<Item = String>) -> String {
    let mut plain: Vec<String> = Vec::new();
    let mut long: Vec<String> = Vec::new();
    for word in words {
        let all = if word.contains(", each") {
            &mut long
        } else {
            &mut plain
        };
        if !all.contains(&word) {
            all.push(word);
        }
    }
    let last = plain.pop();
    let plain = last.map(|last| match plain.as_slice() {
        [] => last,
        before => format!("{} or {last}", before.join(", ")),
    });
    let parts: Vec<String> = plain.into_iter().chain(long).collect();
    parts.join("; or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    static INNER: Mapping = Mapping {
        name: "inner",
        of: "an inner",
        doc: "What is inside.",
        keys: &[],
        elsewhere: &[],
    };
    static OUTER: Mapping = Mapping {
        name: "outer",
        of: "an outer",
        doc: "What is outside.",
        keys: &[
            Key {
                name: "mode",
                takes: Shape::OneOf(&[
                    Shape::Map("x", &Shape::OneOf(&[Shape::Nothing, Shape::Mode])),
                    Shape::Word(&["a", "b"]),
                    Shape::List(&Shape::Text),
                ]),
                required: false,
                doc: "How: `a|b`.",
                default: "`a`",
                example: "a",
            },
            Key {
                name: "inside",
                takes: Shape::NonEmpty(&Shape::Mapping(&INNER)),
                required: true,
                doc: "What.",
                default: "",
                example: "[{}]",
            },
        ],
        elsewhere: &[],
    };

    #[test]
    fn a_row_says_what_a_key_takes() {
        let link = |mapping: &Mapping| format!("[{}](#{0})", mapping.name);
        assert_eq!(
            table(&OUTER, &link),
            "| key | takes | default | meaning |\n|---|---|---|---|\n\
             | `mode` | `a`, `b` or list of plain text; or mapping of names, each to nothing or octal | `a` | How: `a\\|b`. |\n\
             | `inside` | list of [inner](#inner) | required | What. |\n"
        );
    }
}
