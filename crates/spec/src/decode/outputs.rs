//! `outputs` of a `run` step.

use super::{Decoder, Slot};
use crate::language::OUTPUT;
use crate::model::Output;
use crate::template::Template;
use crate::tree::Kind;

const HINT: &str = "say what is copied, as in `{from: target/release/app, to: /usr/local/bin/}`";

const EXPECTED: &str = "a path, or a mapping with `from` and `to`";

impl<'src> Decoder<'_, 'src> {
    /// Paths, or mappings of `from` and `to`.
    pub(super) fn outputs(&mut self, slot: Slot<'_, 'src>) -> Vec<Output> {
        let elements = self.list_or_one(slot, "a path, or a list of what is copied");
        let outputs = elements.into_iter().map(|element| self.output(element));
        outputs.flatten().collect()
    }

    fn output(&mut self, slot: Slot<'_, 'src>) -> Option<Output> {
        let span = slot.span();
        let here = Template::text(".", span);
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            let from = self.template(slot, EXPECTED)?;
            return Some(Output { from, to: here });
        }
        let (mut from, mut to) = (None, Some(here));
        for field in self.whole(slot, &OUTPUT, HINT) {
            if field.key == "from" {
                from = self.template(field, "a path");
            } else {
                to = self.template(field, "a path");
            }
        }
        Some(Output {
            from: from?,
            to: to?,
        })
    }
}
