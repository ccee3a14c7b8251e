//! What a command does to its caches.

use larder_diagnostic::{Diagnostic, quote};
use larder_inject::{Defeat, Harm};

use super::{Found, Run};

/// A defeat in words.
pub(crate) fn says(defeat: &Defeat) -> String {
    let (words, cache) = (quote(&defeat.words), quote(&defeat.cache));
    match defeat.harm {
        Harm::Unused => format!("with {words} the cache {cache} is of no use"),
        Harm::Emptied => format!("{words} empties the cache {cache}"),
        Harm::Removed => format!(
            "{words} fails with \"Device or resource busy\" where the cache {cache} is mounted, so \
             the step does not get it"
        ),
        Harm::Unmounted => format!("with {words} the step does not get the cache {cache}"),
    }
}

pub(super) fn check(run: &Run<'_>, found: &mut Vec<Found>) {
    let decision = &run.planned.decision;
    for defeat in &decision.defeated {
        let lint = match defeat.harm {
            Harm::Unused => "cache-defeated",
            Harm::Emptied => "cache-emptied",
            Harm::Removed => "mounted-directory-removed",
            Harm::Unmounted => "cache-not-mounted",
        };
        let mut diagnostic = Diagnostic::warning(run.span, says(defeat))
            .lint(lint)
            .hint(defeat.hint.clone());
        let variable = defeat.variable.as_ref();
        if let Some(set) = variable.and_then(|name| run.variable(name)) {
            diagnostic = diagnostic.label(set, "set here");
        }
        found.push(run.found(diagnostic));
    }
    for vanishing in &decision.vanishing {
        let message = format!(
            "what {} makes in {} stays in the cache {}, and is not in the image",
            quote(&vanishing.words),
            quote(&vanishing.directory),
            quote(&vanishing.cache)
        );
        let hint = format!(
            "copy what the image needs with `outputs`, as in `outputs: [{{from: {}/…, to: /usr/local/bin/}}]`",
            vanishing.directory
        );
        found.push(run.warn("result-in-cache", message, hint));
    }
    let (caches, _) = run.of_step();
    if let (Some(why), None) = (&decision.unread, caches) {
        let message = format!("the command cannot be read, so no tool in it gets a cache: {why}");
        let hint = "correct it, or name the caches that it uses under `caches`";
        found.push(run.warn("unread-command", message, hint));
    }
}
