//! Which word was meant.

/// Longer words are not compared.
const LONGEST: usize = 40;

/// What other tools call our keys.
const SYNONYMS: [(&str, &str); 34] = [
    ("base", "from"),
    ("bridge", "default"),
    ("bundle", "bundler"),
    ("cache", "caches"),
    ("command", "run"),
    ("commands", "steps"),
    ("cwd", "workdir"),
    ("destination", "dest"),
    ("environment", "env"),
    ("golang", "go"),
    ("ignore", "exclude"),
    ("java", "maven"),
    ("mount", "mounts"),
    ("mvn", "maven"),
    ("node", "npm"),
    ("nuget", "dotnet"),
    ("onbuild", "on-build"),
    ("owner", "chown"),
    ("permissions", "chmod"),
    ("php", "composer"),
    ("ports", "expose"),
    ("privileged", "insecure"),
    ("python", "pip"),
    ("ruby", "bundler"),
    ("rust", "cargo"),
    ("rw", "writable"),
    ("script", "run"),
    ("secret", "secrets"),
    ("source", "src"),
    ("stop_signal", "stop-signal"),
    ("stopsignal", "stop-signal"),
    ("to", "dest"),
    ("volume", "volumes"),
    ("working_dir", "workdir"),
];

/// The candidate that is near enough to a word to have been meant.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(1);
    let synonym = SYNONYMS.iter().find(|(from, _)| *from == word);
    candidates
        .into_iter()
        .map(|candidate| match synonym {
            Some((_, meant)) if *meant == candidate => (0, candidate),
            // `lock` for `locked`.
            _ if word.len() > 2 && candidate.starts_with(&word) => (1, candidate),
            _ => (strsim::osa_distance(&word, candidate), candidate),
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// The words between backquotes, with commas: `` `a`, `b` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    quoted.join(", ")
}

/// What to write in place of a word: the one that was meant, or else all that there are.
pub(crate) fn hint(meant: Option<&str>, candidates: &[&str]) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", list(candidates.iter().copied())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_and_synonyms_are_found() {
        let keys = ["from", "steps", "env", "run"];
        assert_eq!(closest("form", keys), Some("from"));
        assert_eq!(closest("Steps", keys), Some("steps"));
        assert_eq!(closest("environment", keys), Some("env"));
        assert_eq!(closest("step", keys), Some("steps"));
        assert_eq!(closest("unrelated", keys), None);
        assert_eq!(closest("x", ["y"]), None);
        assert_eq!(closest(&"from".repeat(20), keys), None);
    }

    #[test]
    fn far_words_get_the_list() {
        assert_eq!(hint(Some("from"), &["from", "env"]), "did you mean `from`?");
        assert_eq!(hint(None, &["from", "env"]), "known here: `from`, `env`");
    }
}
