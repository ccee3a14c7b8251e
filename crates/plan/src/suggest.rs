//! Which name was meant.

const MOST_COMPARED: usize = 200;
const MOST_SHOWN: usize = 12;

/// The candidate that is nearest to a word, if any is near enough to have been meant.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        // A file full of names and mistakes is still answered at once.
        .take(MOST_COMPARED)
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| {
            let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// `` did you mean `x`? `` if anything is near, or else all that there is (`` users: `a`, `b` ``).
pub(crate) fn hint<'a>(
    what: &str,
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    if let Some(near) = closest(word, candidates.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut all: Vec<&str> = candidates.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return format!("there are no {what}");
    }
    let more = if all.len() > MOST_SHOWN { ", …" } else { "" };
    all.truncate(MOST_SHOWN);
    format!("{what}: `{}`{more}", all.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(closest("buidl", ["build", "web"]), Some("build"));
        assert_eq!(closest("API", ["api"]), Some("api"));
        assert_eq!(closest("python", ["web"]), None);
        assert_eq!(closest("x", ["y"]), None);
        assert_eq!(
            hint("stages", "webb", ["web", "api"]),
            "did you mean `web`?"
        );
        assert_eq!(
            hint("stages", "zzz", ["web", "api"]),
            "stages: `api`, `web`"
        );
    }
}
