//! `healthcheck` of `image`.

use super::quantities::truth;
use super::{Decoder, Slot};
use crate::language::HEALTHCHECK;
use crate::model::{Command, Healthcheck};
use crate::tree::Kind;

impl<'src> Decoder<'_, 'src> {
    /// `none`, or a mapping.
    pub(super) fn healthcheck(&mut self, slot: Slot<'_, 'src>) -> Option<Healthcheck> {
        let mut check = Healthcheck {
            test: None,
            interval: None,
            timeout: None,
            start_period: None,
            start_interval: None,
            retries: None,
        };
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            let word = slot.node.scalar().filter(|_| !slot.node.is_null());
            if word == Some("none") {
                return Some(check);
            }
            let hint = match word {
                Some(word) if truth(word) == Some(false) => "write `none`",
                _ => "write `{test: …}`, with a line for the shell or a list of words",
            };
            self.wrong(
                slot,
                "`none`, or a mapping with `test`",
                Some(hint.to_owned()),
            );
            return None;
        }
        let hint = "say what runs, as in `{test: [curl, -f, \"http://localhost/\"]}`, or write \
                    `healthcheck: none`";
        let fields = self.whole(slot, &HEALTHCHECK, hint);
        for field in fields {
            match field.key {
                "test" => check.test = self.test(field),
                "interval" => check.interval = self.duration(field),
                "timeout" => check.timeout = self.duration(field),
                "start-period" => check.start_period = self.duration(field),
                "start-interval" => check.start_interval = self.duration(field),
                _ => check.retries = self.count(field),
            }
        }
        check.test.is_some().then_some(check)
    }

    fn test(&mut self, slot: Slot<'_, 'src>) -> Option<Command> {
        let command = self.command(slot)?;
        let Command::Exec(words) = &command else {
            return Some(command);
        };
        let Some(first) = words.first() else {
            let hint = "write what runs, or `healthcheck: none`";
            self.error(slot.span(), "`test` has no words", hint);
            return None;
        };
        let advice = match first.value.as_str() {
            "CMD" => "leave `CMD` out: a list of words runs without a shell",
            "CMD-SHELL" => "write the line alone, without a list: `test: …`",
            "NONE" => "write `healthcheck: none`",
            _ => return Some(command),
        };
        let message = format!("`{}` is not a program", first.value);
        self.error(first.span, message, advice);
        None
    }
}
