//! Redirections and here-documents.

use super::grammar::{Reader, script};
use super::{Read, RunsAs, Unsure, deeper};

/// A here-document whose body is still to come.
pub(super) struct Heredoc {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    /// Who runs the body, if a shell reads it.
    pub(super) feeds: Option<RunsAs>,
}

impl Reader<'_, '_> {
    /// All redirections here.
    pub(super) fn redirections(&mut self) -> Read<()> {
        self.blank();
        while self.redirection()? {
            self.blank();
        }
        Ok(())
    }

    /// A redirection, if there is one here.
    pub(super) fn redirection(&mut self) -> Read<bool> {
        const OPERATORS: [&str; 13] = [
            "<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">&", ">|", ">", "",
        ];
        if !matches!(self.peek(), Some(b'0'..=b'9' | b'<' | b'>' | b'&')) {
            return Ok(false);
        }
        let rest = &self.text[self.at..];
        let operator = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if operator.starts_with("<(") || operator.starts_with(">(") {
            return if operator.len() == rest.len() {
                Ok(false)
            } else {
                Err(Unsure::HERE)
            };
        }
        let found = OPERATORS
            .iter()
            .find(|known| operator.starts_with(**known))
            .unwrap_or(&"");
        if found.is_empty() || (found.starts_with('&') && operator.len() < rest.len()) {
            return Ok(false);
        }
        self.at += rest.len() - operator.len() + found.len();
        self.blank();
        if matches!(self.peek(), Some(b'<' | b'>')) && self.next() == Some(b'(') {
            self.at += 1;
            self.substitution()?;
            return Ok(true);
        }
        let from = self.at;
        let word = self.word()?;
        if *found == "<<" || *found == "<<-" {
            let quoted = self.text[from..self.at].contains(['\'', '"', '\\']);
            let strip_tabs = *found == "<<-";
            self.heredocs.push(Heredoc {
                delimiter: word.text,
                quoted,
                strip_tabs,
                feeds: None,
            });
        }
        Ok(true)
    }

    /// The body of a here-document, which starts here.
    pub(super) fn body(&mut self, heredoc: &Heredoc) -> Read<()> {
        let start = self.at;
        let end = loop {
            let rest = self
                .text
                .get(self.at..)
                .filter(|rest| !rest.is_empty())
                .ok_or(Unsure::HERE)?;
            let line = rest.split('\n').next().unwrap_or_default();
            let from = self.at;
            self.at += (line.len() + 1).min(rest.len());
            let tabs = if heredoc.strip_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if tabs == heredoc.delimiter {
                break from;
            }
        };
        let body = &self.text[start..end];
        let depth = deeper(self.depth)?;
        let literal = heredoc.quoted || !body.contains(['$', '`', '\\']);
        match heredoc.feeds {
            Some(runs_as) if literal => script(body, runs_as, depth, self.found),
            _ if literal => Ok(()),
            _ => Reader {
                text: body,
                at: 0,
                depth,
                runs_as: self.runs_as,
                heredocs: Vec::new(),
                found: self.found,
            }
            .expansions(),
        }
    }
}
