//! Values with a form of their own: names, users, paths, modes.

use larder_diagnostic::{Spanned, quote};

use super::{Decoder, Slot};
use crate::template::{Template, is_name_char, is_name_start};

impl<'src> Decoder<'_, 'src> {
    /// The name of an arg or a variable.
    pub(super) fn identifier(&mut self, name: &str, slot: Slot<'_, 'src>) -> bool {
        let good = name.starts_with(is_name_start) && name.chars().all(is_name_char);
        if !good {
            let at = if slot.element { slot.span() } else { slot.at };
            self.error(
                at,
                format!("{} cannot be the name of a variable", quote(name)),
                "a name is letters, digits and `_`, and does not begin with a digit",
            );
        }
        good
    }

    /// A user, or a user and a group: `name`, `uid`, `uid:gid`.
    pub(super) fn user(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Template>> {
        let user = self.template(slot, "a user")?;
        if let Some(text) = user.literal() {
            let mut parts = text.splitn(2, ':');
            let good = |part: &str| {
                !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || ":/".contains(c))
            };
            if !parts.all(good) {
                self.error(
                    user.span,
                    format!("{} is not a user", quote(&text)),
                    "write a name, a uid, or both user and group as in `1000:1000`",
                );
                return None;
            }
        }
        Some(Spanned::new(user.clone(), user.span))
    }

    /// Permissions in octal, with or without zeros or quotes.
    pub(super) fn mode(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<u32>> {
        const EXPECTED: &str = "octal permissions such as `0644`";
        let text = self.text(slot, EXPECTED)?;
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if octal && mode <= 0o7777 => Some(Spanned::new(mode, slot.span())),
            _ => {
                let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
                self.error(
                    slot.span(),
                    message,
                    "use three or four digits from 0 to 7, for the owner, the group and the others",
                );
                None
            }
        }
    }

    /// A uid or a gid.
    pub(super) fn id(&mut self, slot: Slot<'_, 'src>) -> Option<u32> {
        const EXPECTED: &str = "a number such as `1000`";
        let text = self.text(slot, EXPECTED)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            // The kernel's word for "no id".
            Ok(u32::MAX) | Err(_) => {}
            Ok(id) if digits => return Some(id),
            Ok(_) => {}
        }
        let message = format!("{} takes {EXPECTED}, not {}", slot.subject(), quote(text));
        let hint = if digits && !text.is_empty() {
            "numbers of users and groups go up to 4294967294"
        } else {
            "look it up in `/etc/passwd`; a name does not do here"
        };
        self.error(slot.span(), message, hint);
        None
    }

    /// A directory in a container, from the root.
    pub(super) fn absolute(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let path = self.template(slot, "an absolute path")?;
        let Some(text) = path.literal() else {
            return Some(path);
        };
        let Some(inner) = text.strip_prefix('/') else {
            self.error(
                path.span,
                format!(
                    "{} takes an absolute path, not {}",
                    slot.subject(),
                    quote(&text)
                ),
                "begin it with `/`",
            );
            return None;
        };
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            self.error(
                path.span,
                format!("{} cannot be the root", slot.subject()),
                "name a directory below it",
            );
            return None;
        }
        if inner.split('/').any(|part| matches!(part, "" | "." | "..")) {
            self.error(
                path.span,
                format!("{} is not a plain path", quote(&text)),
                "write it without `.`, `..` and doubled slashes",
            );
            return None;
        }
        Some(path)
    }

    /// A path in the build context, which does not leave it.
    pub(super) fn in_context(&mut self, path: &Template) -> bool {
        let Some(text) = path.literal() else {
            return true;
        };
        let mut depth = 0_i32;
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => depth -= 1,
                _ => depth += 1,
            }
            if depth < 0 {
                self.error(
                    path.span,
                    format!("{} is outside the build context", quote(&text)),
                    "name a path below the directory that is built",
                );
                return false;
            }
        }
        true
    }

    /// Whether all paths stay in the build context.
    pub(super) fn all_in_context(&mut self, paths: &[Template]) -> bool {
        let mut good = true;
        for path in paths {
            good &= self.in_context(path);
        }
        good
    }

    /// The id of something that a spec names, such as `a cache`.
    pub(super) fn name_of(&mut self, slot: Slot<'_, 'src>, what: &str) -> Option<Spanned<String>> {
        let id = self.text(slot, "a name")?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !id.chars().all(good) || matches!(id, "." | "..") {
            self.error(
                slot.span(),
                format!("{} cannot be the id of {what}", quote(id)),
                "use letters, digits, `-`, `_` and `.`",
            );
            return None;
        }
        Some(Spanned::new(id.to_owned(), slot.span()))
    }

    /// The words that run a command line.
    pub(super) fn shell(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Vec<String>>> {
        const EXPECTED: &str = "a list of words";
        if let Some(text) = slot.node.scalar().filter(|text| !text.trim().is_empty()) {
            let words: Vec<&str> = text.split_whitespace().collect();
            let hint = if words.len() > 1 && text.len() < 60 {
                format!("write `shell: [{}]`", words.join(", "))
            } else {
                "write the words that stand before the line, as in `[/bin/bash, -c]`".to_owned()
            };
            self.wrong(slot, EXPECTED, Some(hint));
            return None;
        }
        let elements = self.list(slot, EXPECTED)?;
        if elements.len() == 0 {
            let hint = "write the words that stand before the line, or leave it out";
            self.error(slot.span(), "`shell` has no words", hint);
            return None;
        }
        let mut words = Vec::with_capacity(elements.len());
        for element in elements {
            words.push(self.text(element, "a word")?.to_owned());
        }
        Some(Spanned::new(words, slot.span()))
    }
}
