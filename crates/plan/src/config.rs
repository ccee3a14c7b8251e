//! The config of a stage's image.

use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span, quote};
use larder_spec::model::{self, Command};
use serde_json::Value;

use crate::accounts::Problem;
use crate::base::Ground;
use crate::image::{Healthcheck, History, ImageConfig};
use crate::planner::Scope;
use crate::request::Request;
use crate::stage::Builder;
use crate::{epoch, signals};

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
        let shell = image.shell.as_ref().or(self.stage.shell.as_ref());
        let shell = shell.map(|shell| shell.value.clone());
        let line = shell.as_ref().unwrap_or(&self.shell).clone();
        let entrypoint = (image.entrypoint.as_ref()).map(|command| words(command, &line));
        let cmd = image.cmd.as_ref().map(|command| words(command, &line));
        let volumes = self.volumes();
        let stop_signal = self.stop_signal();
        self.annotations();
        let complete = self.image_variables.complete;
        let mut ground = self.ground;
        ground.complete = complete;
        let config = &mut ground.config.config;
        config.env = self.image_variables.to_image();
        config.user = user;
        config.working_dir = workdir;
        for (port, span) in expose {
            match ports(&port) {
                Some(ports) if self.planner.spend(64 * ports.len(), span) => config
                    .exposed_ports
                    .extend(ports.map(|port| (port, Value::Object(serde_json::Map::new())))),
                Some(_) => {}
                None => self.planner.report(
                    Diagnostic::error(span, format!("{} is not a port", quote(&port)))
                        .hint("write a number from 1 to 65535 or a range, alone or with `/tcp`, `/udp` or `/sctp`"),
                ),
            }
        }
        config.labels.extend(labels);
        config.volumes.extend(volumes);
        config.shell = shell.or_else(|| config.shell.take());
        let triggers = image.on_build.iter();
        config.on_build = triggers.map(|trigger| trigger.value.clone()).collect();
        if let Some(stop_signal) = stop_signal {
            config.stop_signal = stop_signal;
        }
        if let Some(check) = &image.healthcheck {
            config.healthcheck = Some(healthcheck(check));
        }
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

    fn volumes(&mut self) -> Vec<(String, Value)> {
        let mut volumes = Vec::new();
        for volume in &self.stage.image.volumes {
            let Some(path) = self.expand_maybe(volume) else {
                continue;
            };
            if path.starts_with('/') {
                let path = crate::paths::join("/", &path);
                volumes.push((path, Value::Object(serde_json::Map::new())));
            } else {
                self.planner.report(
                    Diagnostic::error(volume.span, format!("{} cannot be a volume", quote(&path)))
                        .hint("write an absolute path, such as `/data`"),
                );
            }
        }
        volumes
    }

    fn stop_signal(&mut self) -> Option<String> {
        let written = self.stage.image.stop_signal.as_ref()?;
        let text = self.expand_maybe(&written.value)?;
        let signal = signals::normal(&text);
        if signal.is_none() {
            let hint = match signals::closest(&text) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a name such as `SIGTERM`, or a number from 1 to 64".to_owned(),
            };
            let message = format!("{} is not a signal", quote(&text));
            let report = Diagnostic::error(written.span, message).hint(hint);
            self.planner.report(report);
        }
        signal
    }

    /// Annotations of the stage, over those of the stages that it stands on.
    fn annotations(&mut self) {
        for annotation in &self.stage.image.annotations {
            let Some(value) = self.expand_maybe(&annotation.value) else {
                continue;
            };
            let key = (annotation.level, annotation.name.value.clone());
            self.ground.annotations.insert(key, value);
        }
    }
}

/// The words of a command; a line is for the shell.
fn words(command: &Command, shell: &[String]) -> Vec<String> {
    match command {
        Command::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
        Command::Shell(text) => {
            let shell = shell.iter().cloned();
            shell.chain([text.value.clone()]).collect()
        }
    }
}

fn healthcheck(check: &model::Healthcheck) -> Healthcheck {
    let time = |time: Option<u64>| i64::try_from(time.unwrap_or_default()).unwrap_or(i64::MAX);
    let words = match &check.test {
        None => Vec::new(),
        Some(Command::Shell(text)) => vec!["CMD-SHELL".to_owned(), text.value.clone()],
        Some(Command::Exec(words)) => {
            let words = words.iter().map(|word| word.value.clone());
            ["CMD".to_owned()].into_iter().chain(words).collect()
        }
    };
    if words.len() < 2 {
        return Healthcheck {
            test: vec!["NONE".to_owned()],
            ..Healthcheck::default()
        };
    }
    Healthcheck {
        test: words,
        interval: time(check.interval),
        timeout: time(check.timeout),
        start_period: time(check.start_period),
        start_interval: time(check.start_interval),
        retries: check.retries.map_or(0, i64::from),
        ..Healthcheck::default()
    }
}

/// The ports that `8000`, `53/udp` or `8000-8010/tcp` stand for.
fn ports(written: &str) -> Option<impl ExactSizeIterator<Item = String>> {
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

/// The config of the result: that of its stage, for the platform, with the client's labels. Without an
/// epoch, it has no times.
pub(crate) fn of_result(
    ground: &Ground,
    request: &Request,
    epoch: Option<i64>,
) -> (ImageConfig, Option<ImageConfig>) {
    let mut config = ground.config.clone();
    let platform = if request.any_platform {
        &ground.platform
    } else {
        &request.platform
    };
    config.architecture = Some(platform.architecture.clone());
    config.os = Some(platform.os.clone());
    config.variant = Some(platform.variant.clone()).filter(|variant| !variant.is_empty());
    if config.history.is_empty() && ground.bottom.is_none() {
        config.history.push(History {
            created_by: Some("scratch".to_owned()),
            empty_layer: true,
            ..History::default()
        });
    }
    config.extra.remove("created");
    if let Some(created) = epoch.and_then(epoch::written) {
        let before = ground.bottom.as_ref().map_or(0, |base| base.history.len());
        for entry in config.history.iter_mut().skip(before) {
            let created = Value::String(created.clone());
            entry.extra.insert("created".to_owned(), created);
        }
        config
            .extra
            .insert("created".to_owned(), Value::String(created));
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
