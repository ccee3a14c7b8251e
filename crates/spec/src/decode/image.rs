//! `image`, and command lines.

use larder_diagnostic::{Spanned, quote};

use super::{Decoder, Slot};
use crate::language::IMAGE;
use crate::model::{Command, Image};
use crate::template::Template;
use crate::tree::Kind;

/// Instructions that may wait for the next build.
const INSTRUCTIONS: [&str; 15] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The word in capitals that another was meant to be, so many letters apart at most.
fn nearest<'a>(word: &str, known: &[&'a str], limit: usize) -> Option<&'a str> {
    let near = known.iter().filter(|_| word.len() < 20);
    let near = near.map(|known| (strsim::osa_distance(word, known), *known));
    near.filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

impl<'src> Decoder<'_, 'src> {
    /// The OCI image config.
    pub(super) fn image(&mut self, slot: Slot<'_, 'src>) -> Image {
        let mut image = Image::default();
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            self.wrong(slot, "a mapping with `cmd`, `expose` and the like", None);
            return image;
        }
        for field in self.fields(slot.node, &IMAGE) {
            match field.key {
                "entrypoint" => image.entrypoint = self.command(field),
                "cmd" => image.cmd = self.command(field),
                "env" => image.env = self.env(field),
                "expose" => image.expose = self.expose(field),
                "labels" => image.labels = self.labels(field),
                "annotations" => image.annotations = self.annotations(field),
                "user" => image.user = self.user(field),
                "workdir" => image.workdir = self.template(field, "a path"),
                "healthcheck" => image.healthcheck = self.healthcheck(field),
                "volumes" => image.volumes = self.volumes(field),
                "stop-signal" => image.stop_signal = self.signal(field),
                "shell" => image.shell = self.shell(field),
                _ => image.on_build = self.on_build(field),
            }
        }
        image
    }

    fn expose(&mut self, slot: Slot<'_, 'src>) -> Vec<Template> {
        let ports = self.list_or_one(slot, "a list of ports");
        ports.into_iter().filter_map(|p| self.port(p)).collect()
    }

    /// A port or a range, alone or with a protocol: `8000`, `53/udp`, `9000-9002/tcp`.
    fn port(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let port = self.template(slot, "a port")?;
        let Some(text) = port.literal() else {
            return Some(port);
        };
        let (numbers, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let number = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>().ok().filter(|n| digits && *n > 0)
        };
        let hint = match (number(first), number(last)) {
            (Some(first), Some(last)) if first > last => {
                format!("write the lower number first: `{last}-{first}`")
            }
            (Some(_), Some(_)) if matches!(protocol, "tcp" | "udp" | "sctp") => return Some(port),
            _ => match numbers.rsplit_once(':').and_then(|(_, last)| number(last)) {
                Some(inside) => format!(
                    "write the container's port alone, `{inside}`; which port of the host it gets is said \
                     when it runs"
                ),
                None => "write a number from 1 to 65535 or a range, alone or with `/tcp`, `/udp` or `/sctp`"
                    .to_owned(),
            },
        };
        self.error(port.span, format!("{} is not a port", quote(&text)), hint);
        None
    }

    fn labels(&mut self, slot: Slot<'_, 'src>) -> Vec<(Spanned<String>, Template)> {
        let hint = "write `name: value`, one on a line";
        let entries = self.entries(slot, "a mapping of names to values", Some(hint));
        let mut out = Vec::new();
        for entry in entries.into_iter().flatten() {
            if entry.key.trim().is_empty() {
                self.error(entry.at, "a label without a name", "give it one");
                continue;
            }
            let value = self.template_or_empty(entry);
            let name = Spanned::new(entry.key.to_owned(), entry.at);
            out.extend(value.map(|value| (name, value)));
        }
        out
    }

    fn volumes(&mut self, slot: Slot<'_, 'src>) -> Vec<Template> {
        let elements = self.list_or_one(slot, "a list of directories");
        let mut out = Vec::with_capacity(elements.len());
        for element in elements {
            if let Some(text) = element.node.scalar()
                && text.contains(":/")
            {
                let message = format!("{} is not a directory", quote(text));
                let hint = "name the directory in the container alone; what is mounted there is said when it runs";
                self.error(element.span(), message, hint);
                continue;
            }
            out.extend(self.absolute(element));
        }
        out
    }

    /// A name or a number, which `plan` checks.
    fn signal(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Template>> {
        let signal = self.template(slot, "a signal")?;
        let span = signal.span;
        Some(Spanned::new(signal, span))
    }

    fn on_build(&mut self, slot: Slot<'_, 'src>) -> Vec<Spanned<String>> {
        let elements = self.list_or_one(slot, "a list of instructions");
        elements
            .into_iter()
            .filter_map(|element| self.instruction(element))
            .collect()
    }

    fn instruction(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<String>> {
        const EXPECTED: &str = "an instruction of a Dockerfile";
        if matches!(slot.kind(), Kind::Mapping(_)) {
            let hint = "write it as text, as in `COPY . /app`";
            self.wrong(slot, EXPECTED, Some(hint.to_owned()));
            return None;
        }
        let text = self.text(slot, EXPECTED)?.trim();
        let span = slot.span();
        if text.contains('\n') {
            let hint = "write each instruction as an element of its own, on one line";
            self.error(span, "an instruction of more than one line", hint);
            return None;
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let word = word.to_ascii_uppercase();
        if matches!(word.as_str(), "FROM" | "MAINTAINER" | "ONBUILD") {
            let message = format!("{word} cannot be in `on-build`");
            self.error(span, message, "remove it; Docker refuses it there");
            return None;
        }
        if !INSTRUCTIONS.contains(&word.as_str()) {
            let message = format!("{} is not {EXPECTED}", quote(&word));
            let hint = match nearest(&word, &INSTRUCTIONS, 2) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write it as in `COPY . /app`".to_owned(),
            };
            self.error(span, message, hint);
            return None;
        }
        if rest.trim().is_empty() {
            let message = format!("{word} with nothing behind it");
            self.error(
                span,
                message,
                "write the whole instruction, as in `COPY . /app`",
            );
            return None;
        }
        Some(Spanned::new(text.to_owned(), span))
    }

    /// Text for a shell, or a list of words.
    pub(super) fn command(&mut self, slot: Slot<'_, 'src>) -> Option<Command> {
        const EXPECTED: &str = "a command or a list of words";
        if !matches!(slot.kind(), Kind::List(_)) {
            if matches!(slot.kind(), Kind::Mapping(_)) && slot.key == "run" {
                let hint = "write the command after `run:`, and `user`, `env` and so on beside it";
                self.wrong(slot, EXPECTED, Some(hint.to_owned()));
                return None;
            }
            let text = self.text(slot, EXPECTED)?;
            return Some(Command::Shell(Spanned::new(text.to_owned(), slot.span())));
        }
        let elements = self.list(slot, EXPECTED)?;
        if elements.len() == 0 {
            // An image may clear what its base runs.
            if slot.key != "run" {
                return Some(Command::Exec(Vec::new()));
            }
            self.error(slot.span(), "`run` has no words", "write what runs");
            return None;
        }
        let mut words = Vec::with_capacity(elements.len());
        for (i, element) in elements.enumerate() {
            let word = if i == 0 {
                self.text(element, "a word")?
            } else {
                self.text_or_empty(element, "a word")?
            };
            words.push(Spanned::new(word.to_owned(), element.span()));
        }
        Some(Command::Exec(words))
    }
}
