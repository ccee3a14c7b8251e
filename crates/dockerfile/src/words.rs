//! Words as BuildKit splits them to find heredocs: with quotes, escapes and variables, of which none
//! has a value.

/// So many `${…}` in one another are not read.
const DEPTH: usize = 64;

/// The words of a text; none if a quote or a brace is open, or a substitution is none that BuildKit
/// knows. With `raw`, quotes and escapes stay in.
pub(crate) fn words(text: &str, raw: bool) -> Option<Vec<String>> {
    let mut lexer = Lexer {
        rest: text,
        raw_quotes: raw,
        raw_escapes: raw,
        depth: 0,
        word: String::new(),
    };
    lexer.until(None, raw).map(|(_, words)| words)
}

struct Lexer<'a> {
    rest: &'a str,
    raw_quotes: bool,
    raw_escapes: bool,
    depth: usize,
    /// The word so far. BuildKit has one for all levels, so what stands in a word before `${…:-…}` is
    /// lost to it.
    word: String,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// What there is up to a character or the end, as one text and as words.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Option<(String, Vec<String>)> {
        let before = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        self.word.clear();
        let mut text = String::new();
        let mut words = Vec::new();
        let closed = loop {
            let Some(c) = self.next() else {
                break stop.is_none();
            };
            if Some(c) == stop {
                break true;
            }
            let part = match c {
                '$' => {
                    let part = self.dollar()?;
                    for c in part.chars() {
                        self.add(c, &mut words);
                    }
                    text.push_str(&part);
                    continue;
                }
                '\'' => self.single_quote()?,
                '"' => self.double_quote()?,
                '<' => self.less(),
                '\\' => {
                    let mut part = String::new();
                    part.extend(self.raw_escapes.then_some(c));
                    part.extend(self.next());
                    part
                }
                _ => {
                    self.add(c, &mut words);
                    text.push(c);
                    continue;
                }
            };
            self.word.push_str(&part);
            text.push_str(&part);
        };
        if !self.word.is_empty() {
            words.push(std::mem::take(&mut self.word));
        }
        self.raw_escapes = before;
        closed.then_some((text, words))
    }

    fn add(&mut self, c: char, words: &mut Vec<String>) {
        if !c.is_whitespace() {
            self.word.push(c);
        } else if !self.word.is_empty() {
            words.push(std::mem::take(&mut self.word));
        }
    }

    fn single_quote(&mut self) -> Option<String> {
        let end = self.rest.find('\'')?;
        let inside = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(self.quoted('\'', inside))
    }

    fn double_quote(&mut self) -> Option<String> {
        let mut inside = String::new();
        loop {
            match self.next()? {
                '"' => return Some(self.quoted('"', &inside)),
                '$' => inside.push_str(&self.dollar()?),
                '\\' => {
                    inside.extend(self.raw_escapes.then_some('\\'));
                    match self.peek() {
                        Some('"' | '$' | '\\') => inside.extend(self.next()),
                        Some(_) => inside.push('\\'),
                        None => {}
                    }
                }
                c => inside.push(c),
            }
        }
    }

    fn quoted(&self, quote: char, inside: &str) -> String {
        if self.raw_quotes {
            format!("{quote}{inside}{quote}")
        } else {
            inside.to_owned()
        }
    }

    /// After `<`. Blank space between `<<` and a word belongs to the word.
    fn less(&mut self) -> String {
        let mut part = String::from("<");
        if self.peek() == Some('<') {
            part.extend(self.next());
            while self.peek().is_some_and(|c| " \t\r\n".contains(c)) {
                part.extend(self.next());
            }
        }
        part
    }

    /// After `$`: what stands there, since no variable has a value.
    fn dollar(&mut self) -> Option<String> {
        if self.peek() != Some('{') {
            let name = self.name();
            return Some(format!("${name}"));
        }
        self.next();
        if matches!(self.peek()?, '{' | '}' | ':') {
            return None;
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let name = self.name();
        let mut modifier = String::from(self.next()?);
        let out = match modifier.as_str() {
            "}" => format!("${{{name}}}"),
            "/" => {
                if self.peek() == Some('/') {
                    self.next();
                }
                let (pattern, _) = self.until(Some('/'), true)?;
                let (replacement, _) = self.until(Some('}'), true)?;
                format!("${{{name}/{pattern}/{replacement}}}")
            }
            ":" | "+" | "-" | "?" | "#" | "%" => {
                if modifier == ":" {
                    modifier.push(self.next()?);
                }
                let trims = modifier.ends_with(['#', '%']);
                if trims && modifier.starts_with(':') {
                    return None;
                }
                let (word, _) = self.until(Some('}'), trims)?;
                format!("${{{name}{modifier}{word}}}")
            }
            _ => return None,
        };
        self.depth -= 1;
        Some(out)
    }

    fn name(&mut self) -> String {
        let end = match self.peek() {
            Some(c) if c.is_numeric() => self.rest.find(|c: char| !c.is_numeric()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => self.rest.find(|c: char| !c.is_alphanumeric() && c != '_'),
        };
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name.to_owned()
    }
}
