//! Paths in an image, always with slashes.

/// An absolute path without `.`, `..`, doubled or trailing slashes; `None` for any other path.
pub fn clean(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// Whether a clean path is another one, or below it.
pub fn within(path: &str, above: &str) -> bool {
    above == "/"
        || path
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a clean path is a directory of the system, in which more than a cache is.
pub fn is_system(path: &str) -> bool {
    const WHOLE: [&str; 19] = [
        "/",
        "/bin",
        "/boot",
        "/cache",
        "/etc",
        "/home",
        "/lib",
        "/lib64",
        "/media",
        "/mnt",
        "/opt",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/tmp",
        "/usr",
        "/usr/local",
        "/var",
    ];
    const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];
    WHOLE.contains(&path) || KERNEL.iter().any(|above| within(path, above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans() {
        assert_eq!(clean("/a//b/./c/../d/").as_deref(), Some("/a/b/d"));
        assert_eq!(clean("/../..").as_deref(), Some("/"));
        assert_eq!(clean("a/b"), None);
        assert_eq!(clean(""), None);
    }

    #[test]
    fn within_compares_whole_parts() {
        assert!(within("/cache/pip", "/cache"));
        assert!(within("/cache", "/cache"));
        assert!(!within("/cache-old", "/cache"));
        assert!(within("/x", "/"));
    }
}
