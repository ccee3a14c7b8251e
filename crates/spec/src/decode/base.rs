//! What a stage stands on, and where files come from.

use larder_diagnostic::{Spanned, quote};

use super::{Decoder, Slot};
use crate::language::BASE;
use crate::template::{Fallback, Part, Template, is_name_char, is_name_start};
use crate::tree::Kind;

impl<'src> Decoder<'_, 'src> {
    /// `from` of a stage: a name alone, or a mapping of `image` and `platform`.
    pub(super) fn base_and_platform(
        &mut self,
        slot: Slot<'_, 'src>,
    ) -> Option<(Template, Option<Spanned<Template>>)> {
        match slot.kind() {
            Kind::Mapping(_) => {}
            Kind::List(_) => {
                let hint = "a stage stands on one; copy from the others";
                self.wrong(slot, "an image or a stage", Some(hint.to_owned()));
                return None;
            }
            Kind::Scalar { .. } | Kind::Shared(_) => return Some((self.base(slot)?, None)),
        }
        let (mut image, mut platform) = (None, None);
        for field in self.whole(
            slot,
            &BASE,
            "write `{image: golang, platform: $BUILDPLATFORM}`",
        ) {
            match field.key {
                "image" => image = self.base(field),
                _ => platform = self.platform(field),
            }
        }
        Some((image?, platform))
    }

    /// A stage, a named context or an image.
    pub(super) fn base(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let from = self.template(slot, "an image or a stage")?;
        if let Some(text) = from.literal()
            && text.contains(char::is_whitespace)
        {
            let mut words = text.split_whitespace();
            let hint = if words.any(|word| word.eq_ignore_ascii_case("as")) {
                "the name of a stage is its key below `stages`"
            } else if text.contains("--platform") {
                "write `{image: golang, platform: $BUILDPLATFORM}`"
            } else {
                "remove the white space"
            };
            self.error(
                from.span,
                format!("{} cannot name an image or a stage", quote(&text)),
                hint,
            );
            return None;
        }
        Some(from)
    }

    /// `os/arch`, `os/arch/variant`, or an arg, whose braces may be left out when it is alone.
    fn platform(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Template>> {
        let text = self.text(slot, "a platform such as `linux/amd64`")?;
        let span = slot.span();
        if let Some(name) = text.strip_prefix('$')
            && name.starts_with(is_name_start)
            && name.chars().all(is_name_char)
        {
            let parts = vec![Part::Arg {
                name: name.to_owned(),
                fallback: Fallback::None,
                span,
            }];
            return Some(Spanned::new(Template { parts, span }, span));
        }
        let platform = self.parse_template(text, slot, 0)?;
        if let Some(text) = platform.literal() {
            let good = |part: &str| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                !part.is_empty() && part.chars().all(plain)
            };
            let parts = text.split('/').count();
            if !text.split('/').all(good) || !(2..=3).contains(&parts) {
                let hint = if good(&text) && text.len() < 20 && text != "linux" {
                    format!("write the system before it, as in `linux/{text}`")
                } else {
                    "write it as in `linux/amd64` or `linux/arm/v7`, or `$BUILDPLATFORM`".to_owned()
                };
                self.error(span, format!("{} is not a platform", quote(&text)), hint);
                return None;
            }
        }
        Some(Spanned::new(platform, span))
    }
}
