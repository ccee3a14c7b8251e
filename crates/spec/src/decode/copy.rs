//! `copy` steps, and what other steps that bring files share with them.

use granit_parser::ScalarStyle;
use larder_diagnostic::quote;

use super::{Decoder, Slot};
use crate::language::{COPY, COPY_STEP};
use crate::model::{Copy, Step, StepKind};
use crate::template::Template;
use crate::tree::Kind;

const PATHS: &str = "a path or a list of paths";

impl<'src> Decoder<'_, 'src> {
    pub(super) fn copy_step(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let (mut name, mut copy) = (None, None);
        for field in self.fields(slot.node, &COPY_STEP) {
            match field.key {
                "copy" => copy = self.copy(field),
                _ => name = self.template(field, "text"),
            }
        }
        let kind = StepKind::Copy(Box::new(copy?));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn copy(&mut self, slot: Slot<'_, 'src>) -> Option<Copy> {
        let here = Template::text(".", slot.span());
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            if self.is_an_instruction(slot) {
                return None;
            }
            let src = self.sources(
                slot,
                "a path, a list of paths, or a mapping with `src`",
                "copy",
            )?;
            let good = self.no_urls(&src) && self.all_in_context(&src);
            return good.then(|| Copy::new(src, here));
        }
        let (mut from, mut src, mut chown, mut chmod) = (None, None, None, None);
        let (mut exclude, mut parents, mut link) = (Vec::new(), false, false);
        let mut dest = Some(here);
        let fields = self.whole(slot, &COPY, "say what is copied");
        let has_from = fields.iter().any(|field| field.key == "from");
        for field in fields {
            match field.key {
                "from" => from = self.base(field),
                "src" => src = self.sources(field, PATHS, "copy"),
                "dest" => dest = self.template(field, "a path"),
                "chown" => chown = self.user(field),
                "chmod" => chmod = self.mode(field),
                "exclude" => exclude = self.patterns(field),
                "parents" => parents = self.bool(field).unwrap_or(false),
                _ => link = self.bool(field).unwrap_or(false),
            }
        }
        let (src, dest) = (src?, dest?);
        if !self.no_urls(&src) || (!has_from && !self.all_in_context(&src)) {
            return None;
        }
        if has_from && from.is_none() {
            return None;
        }
        self.one_name_for_one(&src, &dest);
        Some(Copy {
            from,
            src,
            dest,
            chown,
            chmod,
            exclude,
            parents,
            link,
        })
    }

    /// Reports what is written as behind `COPY` or `ADD` in a Dockerfile: `. /app`, `--from=a b`.
    /// In quotes, it is a path with a space in it.
    pub(super) fn is_an_instruction(&mut self, slot: Slot<'_, 'src>) -> bool {
        let Kind::Scalar {
            text,
            style: ScalarStyle::Plain,
        } = slot.kind()
        else {
            return false;
        };
        let mut words = text.split_whitespace();
        let (Some(first), Some(last)) = (words.next(), words.next_back()) else {
            return false;
        };
        let flag = first.starts_with("--");
        if !flag && last != "." && !last.starts_with("./") && !last.starts_with('/') {
            return false;
        }
        let message = format!("{} is written as in a Dockerfile", quote(text));
        let others: Vec<&str> = words.collect();
        let key = slot.key;
        let hint = if flag {
            format!("write `{key}: {{src: …, dest: …}}`, and flags as keys")
        } else if text.len() > 60 {
            format!("write `{key}: {{src: …, dest: …}}`")
        } else if others.is_empty() {
            format!("write `{key}: {{src: {first}, dest: {last}}}`")
        } else {
            let others = others.join(", ");
            format!("write `{key}: {{src: [{first}, {others}], dest: {last}}}`")
        };
        self.error(slot.span(), message, hint);
        true
    }

    /// At least one path or URL. `verb` says what is done with them.
    pub(super) fn sources(
        &mut self,
        slot: Slot<'_, 'src>,
        expected: &str,
        verb: &str,
    ) -> Option<Vec<Template>> {
        let sources = self.list_or_one(slot, expected);
        if sources.is_empty() {
            if matches!(slot.kind(), Kind::List(_)) {
                let message = format!("nothing to {verb}");
                self.error(slot.span(), message, "name at least one path");
            }
            return None;
        }
        let count = sources.len();
        let mut paths = Vec::with_capacity(count);
        for source in sources {
            let expected = if source.element { "a path" } else { expected };
            paths.extend(self.template(source, expected));
        }
        (paths.len() == count).then_some(paths)
    }

    /// Patterns of what is left out.
    pub(super) fn patterns(&mut self, slot: Slot<'_, 'src>) -> Vec<Template> {
        let elements = self.list_or_one(slot, "a pattern or a list of patterns");
        elements
            .into_iter()
            .filter_map(|element| self.template(element, "a pattern"))
            .collect()
    }

    /// Reports several sources that have one name to go to.
    pub(super) fn one_name_for_one(&mut self, src: &[Template], dest: &Template) {
        let name = |to: &str| !matches!(to.rsplit('/').next(), Some("" | "." | ".."));
        if src.len() > 1 && dest.literal().is_some_and(|to| name(&to)) {
            self.error(
                dest.span,
                "several things are copied to one name",
                "end `dest` with `/`, so that it is a directory",
            );
        }
    }

    fn no_urls(&mut self, src: &[Template]) -> bool {
        let mut good = true;
        for path in src {
            let written = path.to_string();
            if written.contains("://") || written.starts_with("git@") {
                let message = format!("`copy` takes paths, not {}", quote(&written));
                self.error(path.span, message, "write `add` for what an URL holds");
                good = false;
            }
        }
        good
    }
}
