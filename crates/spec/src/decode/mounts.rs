//! `mounts` of a `run` or `install` step.

use larder_diagnostic::quote;

use super::{Decoder, Slot};
use crate::language::{BIND, TMPFS};
use crate::model::{Bind, Mount, MountKind};
use crate::suggest;
use crate::template::Template;
use crate::tree::Kind;

const EXPECTED: &str = "a list of mounts";
const BIND_HINT: &str = "say where it is mounted, as in `{target: /src, from: web, source: dist}`";
const TMPFS_HINT: &str = "say where it is mounted, as in `{type: tmpfs, target: /tmp}`";

impl<'src> Decoder<'_, 'src> {
    pub(super) fn mounts(&mut self, slot: Slot<'_, 'src>) -> Vec<Mount> {
        let elements = self.at_least_one(slot, EXPECTED, "name what is mounted, or leave it out");
        let mounts = elements.into_iter().map(|element| self.mount(element));
        mounts.flatten().collect()
    }

    fn mount(&mut self, slot: Slot<'_, 'src>) -> Option<Mount> {
        let Kind::Mapping(pairs) = slot.kind() else {
            let written = slot.node.scalar().filter(|text| text.contains('='));
            if let Some(text) = written {
                self.as_on_a_command_line(slot, text, "{type: bind, target: /src}");
            } else {
                let hint = "write `{target: /src}`, and `from` and `source` if it is not the build context";
                self.wrong(slot, "a mapping with `target`", Some(hint.to_owned()));
            }
            return None;
        };
        let kind = pairs.iter().find(|(key, _)| key.scalar() == Some("type"));
        let Some((_, kind)) = kind else {
            return self.bind(slot);
        };
        let kind = Slot {
            key: "type",
            at: kind.resolve().span,
            element: false,
            node: kind,
        };
        match self.text(kind, "`bind` or `tmpfs`")? {
            "bind" => self.bind(slot),
            "tmpfs" => self.tmpfs(slot),
            other => {
                let advice = match other {
                    "cache" => "write it in `caches`, as in `{id: models, target: /var/models}`",
                    "secret" => "write it in `secrets`, beside `mounts`",
                    "ssh" => "write `ssh: true`, beside `mounts`",
                    "volume" => "a build has no volumes; a cache is written in `caches`",
                    _ => match suggest::closest(other, ["bind", "tmpfs"]) {
                        Some("bind") => "did you mean `bind`?",
                        Some(_) => "did you mean `tmpfs`?",
                        None => "known here: `bind`, `tmpfs`",
                    },
                };
                let message = format!("{} is not a type of mount", quote(other));
                self.error(kind.span(), message, advice);
                None
            }
        }
    }

    fn bind(&mut self, slot: Slot<'_, 'src>) -> Option<Mount> {
        let mut target = None;
        let mut bind = Bind {
            from: None,
            source: None,
            writable: false,
        };
        let fields = self.whole(slot, &BIND, BIND_HINT);
        let in_context = !fields.iter().any(|field| field.key == "from");
        for field in fields {
            match field.key {
                "target" => target = self.mount_target(field),
                "from" => bind.from = self.base(field),
                "source" => {
                    bind.source = self.template(field, "a path");
                    if let Some(source) = bind.source.as_ref().filter(|_| in_context) {
                        self.in_context(source);
                    }
                }
                "writable" => bind.writable = self.bool(field).unwrap_or(false),
                _ => {}
            }
        }
        Some(Mount {
            target: target?,
            kind: MountKind::Bind(bind),
            span: slot.span(),
        })
    }

    fn tmpfs(&mut self, slot: Slot<'_, 'src>) -> Option<Mount> {
        let (mut target, mut size) = (None, None);
        for field in self.whole(slot, &TMPFS, TMPFS_HINT) {
            match field.key {
                "target" => target = self.mount_target(field),
                "size" => size = self.size(field),
                _ => {}
            }
        }
        Some(Mount {
            target: target?,
            kind: MountKind::Tmpfs { size },
            span: slot.span(),
        })
    }

    /// A path that is not the root.
    fn mount_target(&mut self, slot: Slot<'_, 'src>) -> Option<Template> {
        let target = self.template(slot, "a path")?;
        let root = |text: &str| text.starts_with('/') && text.trim_matches('/').is_empty();
        if target.literal().is_some_and(|text| root(&text)) {
            let hint = "name a directory below it";
            self.error(target.span, "nothing can be mounted at the root", hint);
            return None;
        }
        Some(target)
    }
}
