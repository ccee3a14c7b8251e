//! Reading manifests: JSON and TOML, and as much of YAML as workspaces are written in.

use serde_json::Value;
use toml::Table;

use super::Finder;

/// The value of a file in JSON; a mistake in it is reported.
pub(super) fn json(
    finder: &mut Finder<'_, '_>,
    path: &str,
    text: &str,
    tool: &str,
) -> Option<Value> {
    match serde_json::from_str(plain(text)) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("`{path}` is not JSON: {error}");
            finder.error(message, &format!("{tool} could not read it either"));
            None
        }
    }
}

/// The tables of a file in TOML; a mistake in it is reported.
pub(super) fn toml(
    finder: &mut Finder<'_, '_>,
    path: &str,
    text: &str,
    tool: &str,
) -> Option<Table> {
    match plain(text).parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let message = format!("`{path}` is not TOML: {}", error.message());
            finder.error(message, &format!("{tool} could not read it either"));
            None
        }
    }
}

/// A text without a byte order mark.
pub(super) fn plain(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A value in nested tables.
pub(super) fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t toml::Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// The strings in a list of a table.
pub(super) fn strings(list: Option<&toml::Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(toml::Value::as_array).map(Vec::as_slice);
    list.unwrap_or_default()
        .iter()
        .filter_map(toml::Value::as_str)
}

/// The scalars below a key at the top of a YAML file: the elements of a list, of one line or several,
/// or the values of a mapping.
pub(super) fn yaml_values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let mut lines = plain(text).lines();
    let Some(rest) = lines.by_ref().find_map(|line| top(line, key)) else {
        return Vec::new();
    };
    let rest = uncommented(rest);
    if let Some(flow) = rest.strip_prefix('[') {
        let mut out = Vec::new();
        for line in std::iter::once(flow).chain(lines) {
            let line = uncommented(line);
            let end = line.find(']');
            let inside = line[..end.unwrap_or(line.len())].split(',').map(scalar);
            out.extend(inside.filter(|one| !one.is_empty()));
            if end.is_some() {
                break;
            }
        }
        return out;
    }
    let mut out = Vec::new();
    for line in lines {
        let line = uncommented(line);
        if line.trim().is_empty() {
            continue;
        }
        let item = match line.trim_start().strip_prefix('-') {
            Some(item) if item.is_empty() || item.starts_with([' ', '\t']) => item,
            _ if !line.starts_with([' ', '\t']) => break,
            _ => match line.split_once(": ") {
                Some((_, value)) => value,
                None => continue,
            },
        };
        let item = scalar(item);
        if !item.is_empty() {
            out.push(item);
        }
    }
    out
}

/// The scalar of a key at the top of a YAML file.
pub(super) fn yaml_scalar<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let rest = plain(text).lines().find_map(|line| top(line, key))?;
    Some(scalar(uncommented(rest))).filter(|value| !value.is_empty())
}

/// What follows a key that stands at the start of a line.
fn top<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
    let rest = match quote {
        Some(quote) => line[1..].strip_prefix(key)?.strip_prefix(quote)?,
        None => line.strip_prefix(key)?,
    };
    let rest = rest.trim_start().strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// A line without its comment.
fn uncommented(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '#') if before.is_whitespace() => return line[..at].trim_end(),
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            _ => {}
        }
        before = c;
    }
    line.trim_end()
}

fn scalar(text: &str) -> &str {
    let text = text.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_yaml_have_many_forms() {
        for text in [
            "packages:\n  - a/*\n  - '!b' # why\n  - \"c\"\nother:\n  - x\n",
            "# one\npackages:\n- a/*\n\n# two\n- '!b'\n- c\nother: x\n",
            "\u{feff}packages: [a/*, '!b', \"c\"]\n",
            "packages: [\n  a/*, # one\n  '!b',\n  \"c\" ]\nother: [x]\n",
            "'packages':\r\n  - a/*\r\n  - '!b'\r\n  -   c\r\n",
        ] {
            assert_eq!(yaml_values(text, "packages"), ["a/*", "!b", "c"], "{text}");
        }
        assert_eq!(
            yaml_values("other:\n  packages:\n    - a\n", "packages"),
            [""; 0]
        );
        assert_eq!(yaml_values("packages:\n", "packages"), [""; 0]);
        assert_eq!(yaml_values("packages: [", "packages"), [""; 0]);
        assert_eq!(
            yaml_values(
                "patches:\n  a@1: p/a.patch\n  'b@2': \"p/b.patch\"\nx: y\n",
                "patches"
            ),
            ["p/a.patch", "p/b.patch"]
        );
    }

    #[test]
    fn scalars_of_yaml_stand_at_the_top() {
        let text = "a: b\nyarnPath: \".yarn/releases/y.cjs\" # x\nnested:\n  deep: 1\n";
        assert_eq!(yaml_scalar(text, "yarnPath"), Some(".yarn/releases/y.cjs"));
        assert_eq!(yaml_scalar(text, "deep"), None);
        assert_eq!(yaml_scalar(text, "nested"), None);
    }

    #[test]
    fn tables_are_looked_into() {
        let table: Table = "[a.b]\nc = ['x', 1, 'y']\n".parse().expect("it is TOML");
        assert_eq!(
            strings(at(&table, &["a", "b", "c"])).collect::<Vec<_>>(),
            ["x", "y"]
        );
        assert!(at(&table, &["a", "c", "d"]).is_none());
    }
}
