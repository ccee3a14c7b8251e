//! Text with `${ARG}` in it.

use std::borrow::Cow;
use std::fmt;

use larder_diagnostic::{Diagnostic, Span, quote};

/// Text in which args are still to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// In order; no two texts follow each other.
    pub parts: Vec<Part>,
    /// The whole of it.
    pub span: Span,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Taken as it is; `$$` is one dollar here.
    Text(String),
    /// `${name}`, `${name:-default}`, `${name:?message}`, or the last two without the colon.
    Arg {
        /// The arg's name.
        name: String,
        /// What stands in for it.
        fallback: Fallback,
        /// From the dollar to the brace, or the whole template where escapes or line breaks hide
        /// the exact place.
        span: Span,
    },
}

/// What stands in for an arg that is unset; with a colon, for one that is empty, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    None,
    /// This text: `:-`.
    Default(String),
    /// An error with this message, which may be empty: `:?`.
    Required(String),
    /// This text, only where the arg is unset: `-`.
    DefaultIfUnset(String),
    /// An error with this message, only where the arg is unset: `?`.
    RequiredIfUnset(String),
}

/// Why a template cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpandError {
    /// Nothing declares the arg.
    Unknown {
        /// The arg's name.
        name: String,
        /// Where it is used.
        span: Span,
    },
    /// `${name:?message}` of an arg that is unset or empty.
    Required {
        /// The arg's name.
        name: String,
        /// What the spec says about it; may be empty.
        message: String,
        /// Where it is used.
        span: Span,
    },
}

impl Template {
    /// Text without args.
    pub fn text(text: impl Into<String>, span: Span) -> Template {
        let text = text.into();
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text)]
        };
        Template { parts, span }
    }

    /// Reads `text`, which stands at `span`. `exact` says that the first byte of the text is at
    /// that place in the source and the others follow, so that args have places of their own.
    pub fn parse(text: &str, span: Span, exact: Option<u32>) -> Result<Template, Vec<Diagnostic>> {
        if !text.contains('$') {
            return Ok(Template::text(text, span));
        }
        let mut reader = Reader {
            span,
            exact,
            parts: Vec::new(),
            text: String::new(),
            mistakes: Vec::new(),
        };
        reader.read(text);
        if reader.mistakes.is_empty() {
            Ok(Template {
                parts: reader.parts,
                span,
            })
        } else {
            Err(reader.mistakes)
        }
    }

    /// The text, if there are no args in it.
    pub fn literal(&self) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [Part::Text(text)] => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    /// Fills in the args. `lookup` answers `None` for what nothing declares, `Some(None)` for an
    /// arg without a value, which counts as empty. All errors are found, not only the first.
    pub fn expand(
        &self,
        lookup: &dyn Fn(&str) -> Option<Option<String>>,
    ) -> Result<String, Vec<ExpandError>> {
        let mut out = String::new();
        let mut errors = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Arg {
                    name,
                    fallback,
                    span,
                } => match lookup(name) {
                    None => errors.push(ExpandError::Unknown {
                        name: name.clone(),
                        span: *span,
                    }),
                    Some(value) => match fallback.to(value) {
                        Ok(text) => out.push_str(&text),
                        Err(message) => errors.push(ExpandError::Required {
                            name: name.clone(),
                            message: message.to_owned(),
                            span: *span,
                        }),
                    },
                },
            }
        }
        if errors.is_empty() {
            Ok(out)
        } else {
            Err(errors)
        }
    }
}

impl Fallback {
    /// What a value, if there is one, comes to; the message of the spec if it is missing.
    fn to(&self, value: Option<String>) -> Result<Cow<'_, str>, &str> {
        let value = match self {
            Fallback::Default(_) | Fallback::Required(_) => value.filter(|text| !text.is_empty()),
            _ => value,
        };
        match (value, self) {
            (Some(value), _) => Ok(Cow::Owned(value)),
            (None, Fallback::None) => Ok(Cow::Borrowed("")),
            (None, Fallback::Default(text) | Fallback::DefaultIfUnset(text)) => {
                Ok(Cow::Borrowed(text))
            }
            (None, Fallback::Required(text) | Fallback::RequiredIfUnset(text)) => Err(text),
        }
    }

    /// How it is written, and the text after that.
    fn operator(&self) -> (&'static str, &str) {
        match self {
            Fallback::None => ("", ""),
            Fallback::Default(text) => (":-", text),
            Fallback::Required(text) => (":?", text),
            Fallback::DefaultIfUnset(text) => ("-", text),
            Fallback::RequiredIfUnset(text) => ("?", text),
        }
    }
}

/// As it would be written in a spec.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(&text.replace('$', "$$"))?,
                Part::Arg { name, fallback, .. } => {
                    let (operator, text) = fallback.operator();
                    write!(f, "${{{name}{operator}{}}}", text.replace('$', "$$"))?;
                }
            }
        }
        Ok(())
    }
}

struct Reader {
    span: Span,
    exact: Option<u32>,
    parts: Vec<Part>,
    text: String,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    fn read(&mut self, text: &str) {
        let mut at = 0;
        while let Some(found) = text[at..].find('$') {
            let dollar = at + found;
            self.text.push_str(&text[at..dollar]);
            let rest = &text[dollar + 1..];
            at = dollar + 1;
            if rest.starts_with('$') {
                self.text.push('$');
                at += 1;
            } else if let Some(inside) = rest.strip_prefix('{') {
                let Some(length) = inside.find('}') else {
                    let span = self.place(dollar, text.len());
                    self.mistakes.push(
                        Diagnostic::error(span, "`${` without a `}`")
                            .hint("close it, or write `$${` for the characters themselves"),
                    );
                    return;
                };
                at += length + 2;
                let span = self.place(dollar, at);
                self.arg(&inside[..length], span);
            } else if rest.starts_with(is_name_start) {
                let length = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
                let name = &rest[..length];
                let span = self.place(dollar, at + length);
                self.mistakes.push(
                    Diagnostic::error(
                        span,
                        format!("an arg is written with braces: `${{{name}}}`"),
                    )
                    .hint(format!(
                        "write `${{{name}}}`, or `$${name}` for a dollar sign"
                    )),
                );
            } else {
                self.text.push('$');
            }
        }
        self.text.push_str(&text[at..]);
        self.flush();
    }

    fn arg(&mut self, inside: &str, span: Span) {
        let length = inside.find(|c| !is_name_char(c)).unwrap_or(inside.len());
        let (name, operator) = inside.split_at(length);
        if !name.starts_with(is_name_start) {
            self.mistakes.push(
                Diagnostic::error(span, format!("{} is not the name of an arg", quote(inside)))
                    .hint("a name is letters, digits and `_`, and does not begin with a digit"),
            );
            return;
        }
        let fallback = if operator.is_empty() {
            Fallback::None
        } else if operator.contains("${") {
            self.mistakes.push(
                Diagnostic::error(span, "an arg inside another's default")
                    .hint("a default is plain text"),
            );
            return;
        } else if let Some(fallback) = fallback(operator) {
            fallback
        } else {
            self.mistakes.push(
                Diagnostic::error(span, format!("{} after an arg's name", quote(operator))).hint(
                    format!("write `${{{name}:-default}}` or `${{{name}:?message}}`"),
                ),
            );
            return;
        };
        self.flush();
        self.parts.push(Part::Arg {
            name: name.to_owned(),
            fallback,
            span,
        });
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        }
    }

    fn place(&self, start: usize, end: usize) -> Span {
        let offset = |i: usize| u32::try_from(i).ok();
        match (self.exact, offset(start), offset(end)) {
            (Some(base), Some(start), Some(end)) => Span::new(base + start, base + end),
            _ => self.span,
        }
    }
}

fn fallback(operator: &str) -> Option<Fallback> {
    let text = |rest: &str| rest.replace("$$", "$");
    Some(if let Some(rest) = operator.strip_prefix(":-") {
        Fallback::Default(text(rest))
    } else if let Some(rest) = operator.strip_prefix(":?") {
        Fallback::Required(text(rest))
    } else if let Some(rest) = operator.strip_prefix('-') {
        Fallback::DefaultIfUnset(text(rest))
    } else {
        Fallback::RequiredIfUnset(text(operator.strip_prefix('?')?))
    })
}

/// What the name of an arg or a variable begins with.
pub(crate) fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// What the name of an arg or a variable goes on with.
pub(crate) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Template {
        let end = u32::try_from(text.len()).expect("short");
        Template::parse(text, Span::new(0, end), Some(0)).expect("no mistakes")
    }

    fn mistake(text: &str) -> (String, Span) {
        let end = u32::try_from(text.len()).expect("short");
        let mistakes = Template::parse(text, Span::new(0, end), Some(0)).expect_err("a mistake");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        (
            mistakes[0].message.clone(),
            mistakes[0].span.expect("a place"),
        )
    }

    #[test]
    fn text_stays_and_two_dollars_are_one() {
        assert_eq!(parse("").literal().as_deref(), Some(""));
        assert_eq!(parse("a b").literal().as_deref(), Some("a b"));
        assert_eq!(parse("a$$b $5 $").literal().as_deref(), Some("a$b $5 $"));
        assert_eq!(parse("$${A}").literal().as_deref(), Some("${A}"));
        assert_eq!(parse("${A}").literal(), None);
    }

    #[test]
    fn args_are_filled_in() {
        let lookup = |name: &str| match name {
            "SET" => Some(Some("x".to_owned())),
            "EMPTY" => Some(Some(String::new())),
            "UNSET" => Some(None),
            _ => None,
        };
        let expand = |text: &str| parse(text).expand(&lookup);
        assert_eq!(expand("a:${SET}-${SET}"), Ok("a:x-x".to_owned()));
        assert_eq!(expand("${UNSET}${EMPTY}."), Ok(".".to_owned()));
        assert_eq!(
            expand("${UNSET:-d$$}${EMPTY:-e}${SET:-f}"),
            Ok("d$ex".to_owned())
        );
        assert_eq!(
            expand("${UNSET-d}${EMPTY-e}${SET-f}${EMPTY?g}"),
            Ok("dx".to_owned())
        );
        assert_eq!(
            expand("${UNSET?}"),
            Err(vec![ExpandError::Required {
                name: "UNSET".to_owned(),
                message: String::new(),
                span: Span::new(0, 9)
            }])
        );
        assert_eq!(
            expand("${A}${UNSET:?why}"),
            Err(vec![
                ExpandError::Unknown {
                    name: "A".to_owned(),
                    span: Span::new(0, 4)
                },
                ExpandError::Required {
                    name: "UNSET".to_owned(),
                    message: "why".to_owned(),
                    span: Span::new(4, 17)
                },
            ])
        );
    }

    #[test]
    fn mistakes_have_places() {
        assert_eq!(
            mistake("a${A"),
            ("`${` without a `}`".to_owned(), Span::new(1, 4))
        );
        assert_eq!(
            mistake("a$HOME/b"),
            (
                "an arg is written with braces: `${HOME}`".to_owned(),
                Span::new(1, 6)
            )
        );
        assert_eq!(mistake("${}").0, "`` is not the name of an arg");
        assert_eq!(mistake("${1a}").0, "`1a` is not the name of an arg");
        assert_eq!(mistake("${A:+b}").0, "`:+b` after an arg's name");
        assert_eq!(mistake("${A:-${B}").0, "an arg inside another's default");
    }

    #[test]
    fn shows_itself_as_written() {
        for text in ["a$$b", "${A}x${B:-c}", "${A:?say $$}", "${A-}${B?c}"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }
}
