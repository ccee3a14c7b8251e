//! Paths in an image and in the context, as text.

/// A path from a directory, without `.`, `..` and doubled slashes; absolute if the directory is. What
/// climbs above the root stays at the root, as in the kernel.
pub(crate) fn join(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let whole = if path.starts_with('/') { "" } else { directory };
    for part in whole.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut out = String::with_capacity(whole.len() + path.len() + 2);
    for part in parts {
        out.push('/');
        out.push_str(part);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// A path below a root: cleaned, without a leading `/`, empty for the root itself. `None` if it climbs
/// out.
pub(crate) fn below(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `directory/name`, or the name alone where the directory is the root (empty).
pub(crate) fn under(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The directory of a file below a root; empty for the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(join("/app", "src/../x"), "/app/x");
        assert_eq!(join("/app", "/x//y/"), "/x/y");
        assert_eq!(join("/", "../.."), "/");
        assert_eq!(below("./a/../b/"), Some("b".to_owned()));
        assert_eq!(below("/"), Some(String::new()));
        assert_eq!(below("a/../../b"), None);
        assert_eq!(under("", "x"), "x");
        assert_eq!(parent("a/b"), "a");
    }
}
