//! Whether everything that a command line runs is known.

use crate::program::{PLAIN, basename};
use crate::shell::{Command, Reading};
use crate::uses::calls_known;

impl Reading {
    /// Whether something may run of which the catalogue cannot say what it needs: a script, `make`, a
    /// program that it does not have, or a text that is not read for certain.
    pub fn runs_unknown(&self) -> bool {
        self.unread.is_some() || self.commands.iter().any(is_unknown)
    }
}

fn is_unknown(command: &Command) -> bool {
    !command.words.is_empty() && !is_plain(command) && !calls_known(command)
}

fn is_plain(command: &Command) -> bool {
    let mut words = command.words.iter();
    let Some(first) = words.next().filter(|word| word.certain) else {
        return false;
    };
    let name = basename(&first.text);
    let start = PLAIN.partition_point(|phrase| phrase[0] < name);
    let mut phrases = PLAIN[start..].iter().take_while(|phrase| phrase[0] == name);
    phrases.any(|phrase| {
        let given = words.clone().map(|word| word.text.as_str());
        phrase[1..].iter().copied().eq(given.take(phrase.len() - 1))
    })
}
