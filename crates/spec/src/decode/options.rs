//! What the program of a `run` or `install` step sees and may do.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::quantities::truth;
use super::{Decoder, Slot};
use crate::language::{SECRET, SSH};
use crate::model::{Network, RunOptions, Secret, Security, Ssh};
use crate::tree::Kind;

const NETWORKS: [(&str, Network); 3] = [
    ("default", Network::Default),
    ("host", Network::Host),
    ("none", Network::None),
];
const SECURITIES: [(&str, Security); 2] = [
    ("sandbox", Security::Sandbox),
    ("insecure", Security::Insecure),
];

impl<'src> Decoder<'_, 'src> {
    /// A key that `run` and `install` steps share.
    pub(super) fn option(&mut self, options: &mut RunOptions, field: Slot<'_, 'src>) {
        let at = field.span();
        match field.key {
            "secrets" => options.secrets = self.secrets(field),
            "ssh" => options.ssh = self.agents(field),
            "mounts" => options.mounts = self.mounts(field),
            "network" => {
                let network = self.word(field, &NETWORKS);
                options.network = network.map(|network| Spanned::new(network, at));
            }
            _ => {
                let security = self.word(field, &SECURITIES);
                options.security = security.map(|security| Spanned::new(security, at));
            }
        }
    }

    /// The elements of a list of at least one.
    pub(super) fn at_least_one<'n>(
        &mut self,
        slot: Slot<'n, 'src>,
        expected: &str,
        hint: &str,
    ) -> Vec<Slot<'n, 'src>> {
        if matches!(slot.kind(), Kind::Mapping(_)) {
            let hint = "begin each element with `- `";
            self.wrong(slot, expected, Some(hint.to_owned()));
            return Vec::new();
        }
        let elements: Vec<_> = self.list(slot, expected).into_iter().flatten().collect();
        if elements.is_empty() && matches!(slot.kind(), Kind::List(_)) {
            self.error(slot.span(), format!("`{}` has none", slot.key), hint);
        }
        elements
    }

    fn secrets(&mut self, slot: Slot<'_, 'src>) -> Vec<Secret> {
        let elements = match slot.kind() {
            Kind::Scalar { .. } if !slot.node.is_null() => vec![slot],
            _ => self.at_least_one(
                slot,
                "a list of secrets",
                "name a secret of the client, or leave it out",
            ),
        };
        let secrets = elements.into_iter().map(|element| self.secret(element));
        secrets.flatten().collect()
    }

    fn secret(&mut self, slot: Slot<'_, 'src>) -> Option<Secret> {
        let span = slot.span();
        let mut secret = Secret {
            id: Spanned::new(String::new(), span),
            target: None,
            env: None,
            required: true,
            uid: None,
            gid: None,
            mode: None,
            span,
        };
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            if let Some(text) = slot.node.scalar().filter(|text| text.contains('=')) {
                self.as_on_a_command_line(slot, text, "{id: npm-token, target: /root/.npmrc}");
                return None;
            }
            secret.id = self.name_of(slot, "a secret")?;
            return Some(secret);
        }
        let (mut id, mut good) = (None, true);
        let fields = self.whole(slot, &SECRET, "write the name that the client gives it");
        let has = |key: &str| fields.iter().any(|field| field.key == key);
        let no_file = has("env") && !has("target");
        for field in fields {
            if no_file && matches!(field.key, "uid" | "gid" | "mode") {
                let message = format!("`{}` of a secret that is no file", field.key);
                let hint = "add `target`, the file that holds it as well, or leave it out";
                self.error(field.at, message, hint);
            }
            match field.key {
                "id" => id = self.name_of(field, "a secret"),
                "target" => {
                    secret.target = self.absolute(field);
                    good &= secret.target.is_some();
                }
                "env" => {
                    secret.env = self.variable(field);
                    good &= secret.env.is_some();
                }
                "required" => secret.required = self.bool(field).unwrap_or(true),
                "uid" => secret.uid = self.id(field),
                "gid" => secret.gid = self.id(field),
                _ => secret.mode = self.mode(field).map(|mode| mode.value),
            }
        }
        secret.id = id?;
        good.then_some(secret)
    }

    /// `--mount=id=…,target=…` in place of a mapping.
    pub(super) fn as_on_a_command_line(&mut self, slot: Slot<'_, 'src>, text: &str, so: &str) {
        let message = format!("{} is written as on a command line", quote(text));
        self.error(
            slot.span(),
            message,
            format!("write a mapping, as in `{so}`"),
        );
    }

    /// The name of a variable, as a value.
    fn variable(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<String>> {
        let name = self.text(slot, "the name of a variable")?;
        let element = Slot {
            element: true,
            ..slot
        };
        self.identifier(name, element)
            .then(|| Spanned::new(name.to_owned(), slot.span()))
    }

    fn agents(&mut self, slot: Slot<'_, 'src>) -> Vec<Ssh> {
        const EXPECTED: &str = "`true`, the name of an agent, or a list of agents";
        let elements = match slot.node.scalar().filter(|_| !slot.node.is_null()) {
            Some("true") => {
                let span = slot.span();
                return vec![agent(Spanned::new("default".to_owned(), span), span)];
            }
            Some("false") => return Vec::new(),
            Some(word) => {
                if let Some(meant) = truth(word) {
                    let message = format!("`ssh` takes {EXPECTED}, not {}", quote(word));
                    self.error(slot.span(), message, format!("write `{meant}`"));
                    return Vec::new();
                }
                vec![slot]
            }
            None => self.at_least_one(
                slot,
                EXPECTED,
                "write `ssh: true` for the usual agent, or leave it out",
            ),
        };
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut out = Vec::new();
        for element in elements {
            let Some(agent) = self.agent(element) else {
                continue;
            };
            if let Some(first) = seen.insert(agent.id.value.clone(), agent.span) {
                let message = format!("the agent {} is given twice", quote(&agent.id.value));
                self.report.push(
                    Diagnostic::error(agent.span, message)
                        .label(first, "first here")
                        .hint("keep one of them"),
                );
                continue;
            }
            out.push(agent);
        }
        out
    }

    fn agent(&mut self, slot: Slot<'_, 'src>) -> Option<Ssh> {
        let span = slot.span();
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            if let Some(text) = slot.node.scalar().filter(|text| text.contains('=')) {
                self.as_on_a_command_line(slot, text, "{id: github, required: false}");
                return None;
            }
            return Some(agent(self.name_of(slot, "an SSH agent")?, span));
        }
        let mut out = agent(Spanned::new("default".to_owned(), span), span);
        for field in self.fields(slot.node, &SSH) {
            match field.key {
                "id" => out.id = self.name_of(field, "an SSH agent")?,
                "target" => out.target = self.absolute(field),
                "required" => out.required = self.bool(field).unwrap_or(true),
                "uid" => out.uid = self.id(field),
                "gid" => out.gid = self.id(field),
                _ => out.mode = self.mode(field).map(|mode| mode.value),
            }
        }
        Some(out)
    }

    /// Reports two things that are mounted at one place.
    pub(super) fn each_place_once(&mut self, options: &RunOptions) {
        let mut places: Vec<(String, Span)> = Vec::new();
        for secret in &options.secrets {
            match &secret.target {
                Some(target) => places.extend(target.literal().map(|t| (t.into(), target.span))),
                None if secret.env.is_none() => {
                    places.push((format!("/run/secrets/{}", secret.id.value), secret.span));
                }
                None => {}
            }
        }
        let agents = options.ssh.iter().filter_map(|agent| agent.target.as_ref());
        let mounts = options.mounts.iter().map(|mount| &mount.target);
        for target in agents.chain(mounts) {
            places.extend(target.literal().map(|text| (text.into(), target.span)));
        }
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for (place, span) in places {
            let place = match place.trim_end_matches('/') {
                "" => place,
                plain => plain.to_owned(),
            };
            let message = format!("two things are mounted at {}", quote(&place));
            if let Some(first) = seen.insert(place, span) {
                self.report.push(
                    Diagnostic::error(span, message)
                        .label(first, "the other one")
                        .hint("give one of them another place"),
                );
            }
        }
    }
}

fn agent(id: Spanned<String>, span: Span) -> Ssh {
    Ssh {
        id,
        target: None,
        required: true,
        uid: None,
        gid: None,
        mode: None,
        span,
    }
}
