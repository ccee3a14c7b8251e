//! The name of an image's distribution, as ids of caches have it.

/// What stands for one that is not known.
pub const UNKNOWN: &str = "unknown";

/// `debian-13`, `alpine-3.20` (without the patch level), or the id alone where there are no versions.
pub fn distribution(os_release: Option<&str>) -> String {
    let field = |name: &str| {
        let lines = os_release.unwrap_or_default().lines();
        let mut values = lines.filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        let value = values.next_back()?.trim_matches(['"', '\'']);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        (!value.is_empty() && value.chars().all(plain)).then(|| value.to_ascii_lowercase())
    };
    match (field("ID"), field("VERSION_ID")) {
        (Some(id), Some(version)) => {
            let version: Vec<&str> = version.splitn(3, '.').take(2).collect();
            format!("{id}-{}", version.join("."))
        }
        (Some(id), None) => id,
        (None, _) => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_have_short_names() {
        for (text, name) in [
            ("NAME=x\nID=debian\nVERSION_ID=\"13\"\n", "debian-13"),
            ("ID=alpine\nVERSION_ID=3.20.3\n", "alpine-3.20"),
            ("ID=wolfi\n", "wolfi"),
            ("ID='a/b'\nVERSION_ID=1", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(distribution(Some(text)), name);
        }
    }
}
