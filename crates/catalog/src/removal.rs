//! Which paths a reading removes. A mount point cannot be removed, so a command that tries to fails
//! once there is a mount.

use crate::path::clean;
use crate::program::basename;
use crate::shell::{Command, Reading, Word};

/// A path that a command removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The command, for people.
    pub words: String,
    /// Absolute and clean; `*`, `?` and `[…]` are patterns.
    path: String,
    recursive: bool,
}

/// What a removal does to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Removes it, or something above it.
    Removes,
    /// Removes what is in it.
    Empties,
}

impl Reading {
    /// What the commands remove, as far as that can be told: paths relative to `cwd`, `~` and
    /// `$HOME` being `home`, other variables those of `env`.
    pub fn removals(
        &self,
        cwd: &str,
        home: Option<&str>,
        env: &[(String, String)],
    ) -> Vec<Removal> {
        let moves = |command: &Command| {
            command
                .words
                .first()
                .is_some_and(|word| ["cd", "pushd"].contains(&word.text.as_str()))
        };
        let cwd = (!self.commands.iter().any(moves)).then_some(cwd);
        let mut removals = Vec::new();
        for command in &self.commands {
            let Some((program, arguments)) = command.words.split_first() else {
                continue;
            };
            let recursive = match basename(&program.text) {
                "rmdir" => true,
                "rm" => arguments.iter().any(|word| {
                    word.text == "--recursive"
                        || (word.text.starts_with('-')
                            && !word.text.starts_with("--")
                            && word.text.contains(['r', 'R']))
                }),
                _ => continue,
            };
            for word in arguments.iter().filter(|word| !word.text.starts_with('-')) {
                for path in paths(word, cwd, home, env) {
                    let flags = arguments
                        .iter()
                        .filter(|word| word.text.starts_with('-'))
                        .take(3);
                    let mut words = basename(&program.text).to_owned();
                    for part in flags.chain([word]) {
                        words.push(' ');
                        words.push_str(&part.text);
                    }
                    removals.push(Removal {
                        words,
                        path,
                        recursive,
                    });
                }
            }
        }
        removals
    }
}

impl Removal {
    /// What it does to a directory, given by its clean path.
    pub fn effect(&self, directory: &str) -> Option<Effect> {
        let mut pattern = self.path.split('/').skip(1).filter(|part| !part.is_empty());
        let mut parts = directory.split('/').skip(1).filter(|part| !part.is_empty());
        loop {
            match (pattern.next(), parts.next()) {
                (Some(pattern), Some(part)) if fits(pattern.as_bytes(), part.as_bytes()) => {}
                (Some(_), Some(_)) => return None,
                (None, _) => return self.recursive.then_some(Effect::Removes),
                (Some(last), None) => {
                    return (self.recursive || last == "*").then_some(Effect::Empties);
                }
            }
        }
    }
}

/// The absolute paths that a word stands for, still with patterns.
pub(crate) fn paths(
    word: &Word,
    cwd: Option<&str>,
    home: Option<&str>,
    env: &[(String, String)],
) -> Vec<String> {
    if word.certain {
        return absolute(&escaped(&word.text), cwd).into_iter().collect();
    }
    let home = env
        .iter()
        .find(|(name, _)| name == "HOME")
        .map(|(_, value)| value.as_str())
        .or(home);
    let text = match (word.text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            format!("{home}{rest}")
        }
        _ => word.text.clone(),
    };
    let Some(text) = expand(&text, home, env) else {
        return Vec::new();
    };
    braces(&text)
        .iter()
        .filter_map(|path| absolute(path, cwd))
        .collect()
}

fn absolute(path: &str, cwd: Option<&str>) -> Option<String> {
    if path.starts_with('/') {
        clean(path)
    } else {
        clean(&format!("{}/{path}", cwd?))
    }
}

/// A literal text as a pattern.
fn escaped(text: &str) -> String {
    text.replace('[', "[[]")
        .replace('*', "[*]")
        .replace('?', "[?]")
}

/// The text with its variables replaced; `None` if one is unknown or of another form.
fn expand(text: &str, home: Option<&str>, env: &[(String, String)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, after) = if let Some(braced) = after.strip_prefix('{') {
            braced.split_once('}')?
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            after.split_at(end.unwrap_or(after.len()))
        };
        let value = env
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        out.push_str(value.or(if name == "HOME" { home } else { None })?);
        rest = after;
    }
    if rest.contains('`') {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// `/var/{lib,cache}/apt` as two paths, the way bash has it.
fn braces(text: &str) -> Vec<String> {
    const MOST: usize = 64;
    const LONGEST: usize = 4096;
    let mut done = Vec::new();
    let mut todo = vec![text.to_owned()];
    while let Some(text) = todo.pop() {
        let group = text.find('{').and_then(|open| {
            let close = open + text[open..].find('}')?;
            text[open..close].contains(',').then_some((open, close))
        });
        match group {
            Some((open, close)) if done.len() + todo.len() < MOST && text.len() < LONGEST => {
                for choice in text[open + 1..close].split(',').take(MOST) {
                    todo.push(format!("{}{choice}{}", &text[..open], &text[close + 1..]));
                }
            }
            _ => done.push(text),
        }
    }
    done
}

/// Whether a pattern of the shell fits a name. Linear in the pattern for each star.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star = None;
    while from < name.len() {
        match one(&pattern[at..], name[from]) {
            Some(used) => (at, from) = (at + used, from + 1),
            None if pattern.get(at) == Some(&b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            None => {
                let Some((after, taken)) = star else {
                    return false;
                };
                star = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern stands for this byte.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'*' => None,
        b'?' => Some(1),
        b'[' => {
            let close = 2 + pattern.get(2..)?.iter().position(|byte| *byte == b']')?;
            let negated = matches!(pattern[1], b'!' | b'^');
            let set = &pattern[if negated { 2 } else { 1 }..close];
            let ranges = set
                .windows(3)
                .any(|w| w[1] == b'-' && (w[0]..=w[2]).contains(&byte));
            ((ranges || set.contains(&byte)) != negated).then_some(close + 1)
        }
        literal => (*literal == byte).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::read_script;

    fn effect(script: &str, directory: &str) -> Option<Effect> {
        let env = [("CARGO_HOME".to_owned(), "/usr/local/cargo".to_owned())];
        let removals = read_script(script).removals("/srv", Some("/home/build"), &env);
        removals
            .iter()
            .find_map(|removal| removal.effect(directory))
    }

    #[test]
    fn tells_removing_from_emptying() {
        let lists = "/var/lib/apt/lists";
        assert_eq!(
            effect("rm -rf /var/lib/apt/lists/*", lists),
            Some(Effect::Empties)
        );
        assert_eq!(
            effect("rm -rf /var/lib/apt/lists", lists),
            Some(Effect::Removes)
        );
        assert_eq!(
            effect("rm -rf /var/lib/apt/lists/", lists),
            Some(Effect::Removes)
        );
        assert_eq!(effect("rm -fr -- /var/lib/*", lists), Some(Effect::Removes));
        assert_eq!(effect("rm -rf '/var/lib/*'", lists), None);
        assert_eq!(effect("rm -rf /var/lib/apt/lists2", lists), None);
        assert_eq!(effect("rm -f /var/lib/apt/lists/*.bin", lists), None);
        assert_eq!(
            effect("rm -rf /var/{cache,lib}/apt", lists),
            Some(Effect::Removes)
        );
        assert_eq!(
            effect("rm -r /var/lib/apt/list[a-z]", lists),
            Some(Effect::Removes)
        );
        assert_eq!(effect("echo rm -rf /", lists), None);
    }

    #[test]
    fn follows_home_variables_and_directory() {
        assert_eq!(
            effect("rm -rf ~/.cache", "/home/build/.cache/pip"),
            Some(Effect::Removes)
        );
        assert_eq!(
            effect("rm -rf \"$HOME/.npm\"", "/home/build/.npm"),
            Some(Effect::Removes)
        );
        assert_eq!(effect("rm -rf '$HOME/.npm'", "/home/build/.npm"), None);
        let registry = "/usr/local/cargo/registry";
        assert_eq!(
            effect("rm -rf ${CARGO_HOME}/registry", registry),
            Some(Effect::Removes)
        );
        assert_eq!(effect("rm -rf $OTHER/registry", registry), None);
        assert_eq!(effect("rm -rf cache", "/srv/cache"), Some(Effect::Removes));
        assert_eq!(effect("cd /x; rm -rf cache", "/srv/cache"), None);
    }
}
