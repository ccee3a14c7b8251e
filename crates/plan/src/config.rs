//! The config of a stage's image.

use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::Command;
use serde_json::Value;

use crate::accounts::Problem;
use crate::base::Ground;
use crate::image::{History, ImageConfig};
use crate::planner::Scope;
use crate::request::Request;
use crate::stage::Builder;

impl Builder<'_, '_> {
    /// Makes what stands on the stage see the stage's own config.
    pub(crate) fn finish(mut self) -> Ground {
        for (tool, text) in &self.stores {
            let of = || format!("{text} of {}", self.stage.name.value);
            self.ground.stores.entry(tool).or_insert_with(of);
        }
        let image = &self.stage.image;
        for variable in &image.env {
            let scope = Scope {
                args: self.args,
                env: Some(&self.image_variables),
            };
            let value = self.planner.expand_or_empty(&variable.value, scope);
            self.image_variables.set(&variable.name.value, value);
            self.ground.image_env.remove(&variable.name.value);
        }
        let user = match &image.user {
            Some(user) => {
                let written = self.expand(&user.value);
                if let Err(problem @ Problem::Malformed(_)) =
                    self.ground.users.accounts.find(&written)
                {
                    let users = &self.ground.users;
                    users.complain(self.planner, &written, problem, Some(user.span));
                }
                written
            }
            None => self.account.written.clone(),
        };
        let workdir = match &image.workdir {
            Some(workdir) => {
                let path = self.expand(workdir);
                crate::paths::join(&self.workdir, &path)
            }
            None => self.workdir.to_string(),
        };
        let expose: Vec<(String, Span)> = image
            .expose
            .iter()
            .filter_map(|port| Some((self.expand_maybe(port)?, port.span)))
            .collect();
        let labels: Vec<(String, String)> = image
            .labels
            .iter()
            .map(|(name, value)| (name.value.clone(), self.expand(value)))
            .collect();
        let entrypoint = image.entrypoint.as_ref().map(|command| self.words(command));
        let cmd = image.cmd.as_ref().map(|command| self.words(command));
        let complete = self.image_variables.complete;
        let mut ground = self.ground;
        ground.complete = complete;
        let config = &mut ground.config.config;
        config.env = self.image_variables.to_image();
        config.user = user;
        config.working_dir = workdir;
        for (port, span) in expose {
            match ports(&port) {
                Some(ports) => config
                    .exposed_ports
                    .extend(ports.map(|port| (port, Value::Object(serde_json::Map::new())))),
                None => self.planner.report(
                    Diagnostic::error(span, format!("{} is no port", quote(&port)))
                        .hint("write a number, `8000`, with a protocol, `53/udp`, or a range, `8000-8010`"),
                ),
            }
        }
        config.labels.extend(labels);
        if let Some(entrypoint) = entrypoint {
            config.entrypoint = Some(entrypoint);
            // The base's arguments were meant for the base's program.
            config.cmd = None;
        }
        if let Some(cmd) = cmd {
            config.cmd = Some(cmd);
        }
        ground.config.history.append(&mut self.history);
        ground
    }

    fn words(&self, command: &Command) -> Vec<String> {
        match command {
            Command::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
            Command::Shell(text) => {
                let mut words = self.shell.clone();
                words.push(text.value.clone());
                words
            }
        }
    }
}

/// The ports that `8000`, `53/udp` or `8000-8010/tcp` stand for.
fn ports(written: &str) -> Option<impl Iterator<Item = String>> {
    let (range, protocol) = written.split_once('/').unwrap_or((written, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let (first, last) = (number(first)?, number(last)?);
    (first <= last && first > 0)
        .then(|| (first..=last).map(move |port| format!("{port}/{protocol}")))
}

/// The config of the result: that of its stage, for the platform, with the client's labels and without
/// times.
pub(crate) fn of_result(ground: &Ground, request: &Request) -> (ImageConfig, Option<ImageConfig>) {
    let mut config = ground.config.clone();
    let platform = &request.platform;
    config.architecture = Some(platform.architecture.clone());
    config.os = Some(platform.os.clone());
    config.variant = Some(platform.variant.clone()).filter(|variant| !variant.is_empty());
    config.extra.remove("created");
    if config.history.is_empty() && ground.bottom.is_none() {
        config.history.push(History {
            created_by: Some("scratch".to_owned()),
            empty_layer: true,
            ..History::default()
        });
    }
    let labels = request.labels.iter();
    config
        .config
        .labels
        .extend(labels.map(|(name, value)| (name.clone(), value.clone())));
    let bottom = ground
        .bottom
        .as_ref()
        .map(|bottom| Arc::unwrap_or_clone(Arc::clone(bottom)));
    (config, bottom)
}

#[cfg(test)]
mod tests {
    use super::ports;

    #[test]
    fn ports_are_numbers_with_a_protocol() {
        let list = |text| ports(text).map(Iterator::collect::<Vec<_>>);
        assert_eq!(list("8000"), Some(vec!["8000/tcp".to_owned()]));
        assert_eq!(list("53/UDP"), Some(vec!["53/udp".to_owned()]));
        assert_eq!(
            list("1-2"),
            Some(vec!["1/tcp".to_owned(), "2/tcp".to_owned()])
        );
        for text in ["", "x", "0", "70000", "2-1", "+1", "80/http", "1-2-3"] {
            assert_eq!(list(text), None, "{text}");
        }
    }
}
