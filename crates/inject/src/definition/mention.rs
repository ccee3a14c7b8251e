//! Whether a command speaks of a directory that belongs to a cache.

use larder_catalog::{Cache, Command, Place, is_system};

use super::run::Run;

/// Texts that mean a cache's directory.
pub(super) struct Needles {
    texts: Vec<String>,
    /// Directories above it that may be there for it alone.
    above: Vec<String>,
}

impl Needles {
    /// Of a cache that is at these places without a mount.
    pub(super) fn of<'a>(
        cache: &'static Cache,
        places: impl Iterator<Item = &'a String>,
    ) -> Needles {
        let mut needles = Needles {
            texts: places.cloned().collect(),
            above: Vec::new(),
        };
        if let Place::Fixed(path) = &cache.place {
            let mut above = *path;
            while let Some((parent, _)) = above.rsplit_once('/')
                && !is_system(parent)
                && !parent.is_empty()
            {
                needles.above.push(parent.to_owned());
                above = parent;
            }
        }
        if let Place::Movable(movable) = &cache.place {
            let join = |path: &str| match movable.subdir {
                "" => path.to_owned(),
                subdir => format!("{path}/{subdir}"),
            };
            for path in movable.home.iter().chain(&movable.root) {
                let whole = join(path);
                let path = whole.trim_start_matches('/');
                let mut above = path;
                while let Some((parent, _)) = above.rsplit_once('/') {
                    // `go` alone is a program, and `usr` is everybody's.
                    if parent.starts_with('.') {
                        needles.above.push(parent.to_owned());
                    }
                    above = parent;
                }
                needles.texts.push(path.to_owned());
            }
            // Commands that tell where it is.
            let tell = ["cache dir", "cache-dir", "get cache"];
            needles.texts.extend(tell.map(str::to_owned));
            let under = movable.under.iter().map(|(_, path)| join(path));
            needles
                .texts
                .extend(under.filter(|path| path.contains('/')));
            needles
                .texts
                .extend(movable.variables.iter().map(|&name| name.to_owned()));
        }
        needles.texts.sort();
        needles.texts.dedup();
        needles
    }

    /// What a command says of the directory, if that may matter: not what only removes it, unless
    /// `strict`.
    pub(super) fn found(&self, run: &Run, strict: bool) -> Option<&str> {
        let commands = &run.reading.commands;
        let said = |needle: &&String, harmless: &dyn Fn(&Command) -> bool, inner: bool| {
            let text = count(&run.text, needle, inner);
            let mut known = 0;
            for command in commands.iter().filter(|command| harmless(command)) {
                for word in command.words.iter().skip(1) {
                    known += count(&word.text, needle, inner);
                }
            }
            text > known
        };
        let nothing = |_: &Command| false;
        let removes = |command: &Command| removes(command);
        let makes = |command: &Command| is(command, "mkdir") || self::removes(command);
        let texts = self.texts.iter().find(|needle| {
            if strict {
                said(needle, &nothing, true)
            } else {
                said(needle, &removes, true)
            }
        });
        let found = texts.or_else(|| {
            let mut above = self.above.iter();
            above.find(|needle| said(needle, &makes, false))
        });
        found.map(String::as_str)
    }
}

fn is(command: &Command, name: &str) -> bool {
    let first = command.words.first();
    first.is_some_and(|word| word.text.rsplit('/').next() == Some(name))
}

/// A removal that does not mind if there is nothing.
fn removes(command: &Command) -> bool {
    let force = |text: &str| {
        text == "--force"
            || (text.starts_with('-') && !text.starts_with("--") && text.contains('f'))
    };
    is(command, "rm") && command.words.iter().any(|word| force(&word.text))
}

/// How often a path or a name stands in a text; `inner` if a path that goes on below it counts.
fn count(text: &str, needle: &str, inner: bool) -> usize {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let found = text.match_indices(needle).filter(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + needle.len()..]);
        let mut rest = after.chars();
        let ends = match rest.next() {
            None => true,
            Some('/') => inner || rest.next().is_none_or(|c| !plain(c) || c == '.'),
            Some(c) => !plain(c),
        };
        ends && (needle.starts_with('/') || !before.ends_with(plain))
    });
    found.count()
}
