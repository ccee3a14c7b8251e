//! Credentials of the layer cache, which no excerpt may show.

use super::Decoder;
use crate::language::SPEC;
use crate::report::Report;
use crate::secrets;
use crate::tree::{Kind, Node, span};

/// What a spec may have by mistake where only the operator of a server has it.
const OPERATOR: &str = "CACHE_REGISTRY";

/// Hides what looks like credentials in a text that is not YAML, of which only the words are known.
pub(crate) fn conceal_words(text: &str, report: &mut Report) {
    if !text.contains("registry-cache") && !text.contains(OPERATOR) {
        return;
    }
    let words = text.split_whitespace();
    for word in words.filter(|word| secrets::in_reference(word)) {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        report.hide(span(start, start + word.len()));
    }
}

/// Whether the layer cache takes args.
#[derive(Default)]
struct Uses {
    args: bool,
    /// Beside what looks like credentials, so that each of the args may be a part of them.
    in_credentials: bool,
}

impl<'src> Decoder<'_, 'src> {
    /// Hides what may be credentials, before anything is said of the spec.
    pub(super) fn conceal(&mut self, root: &Node<'src>) {
        let mut uses = Uses::default();
        let Kind::Mapping(pairs) = &root.resolve().kind else {
            self.hide(root, &mut uses);
            return;
        };
        for (key, value) in pairs {
            let name = key.scalar().unwrap_or_default();
            if SPEC.has(name) {
                self.find(key, value, &mut uses);
            } else {
                self.hide(key, &mut uses);
                self.hide(value, &mut uses);
            }
        }
        let is_args = |key: &Node<'_>| key.scalar() == Some("args");
        let args = || pairs.iter().filter(|(key, _)| is_args(key));
        args().for_each(|(_, value)| self.hide_operators(value, &mut uses));
        args().for_each(|(_, value)| self.hide_defaults(value, &uses));
    }

    /// Looks for a layer cache, which somebody may have written into a stage.
    fn find(&mut self, key: &Node<'src>, value: &Node<'src>, uses: &mut Uses) {
        let name = key.scalar().unwrap_or_default();
        if name
            .replace('_', "-")
            .eq_ignore_ascii_case("registry-cache")
        {
            self.hide(value, uses);
            return;
        }
        match &value.resolve().kind {
            Kind::List(elements) => elements.iter().for_each(|one| self.find(key, one, uses)),
            Kind::Mapping(pairs) => pairs
                .iter()
                .for_each(|(key, one)| self.find(key, one, uses)),
            Kind::Scalar { .. } | Kind::Shared(_) => {}
        }
    }

    /// Hides what looks like credentials in a value, wherever it stands.
    fn hide(&mut self, node: &Node<'src>, uses: &mut Uses) {
        let node = node.resolve();
        match &node.kind {
            Kind::Scalar { text, .. } => {
                let args = text.contains('$');
                uses.args |= args;
                if secrets::in_reference(text) {
                    uses.in_credentials |= args;
                    self.report.hide(node.span);
                }
            }
            Kind::List(elements) => elements.iter().for_each(|one| self.hide(one, uses)),
            Kind::Mapping(pairs) => {
                for (key, value) in pairs {
                    self.hide(key, uses);
                    self.hide(value, uses);
                    if key.scalar().is_some_and(secrets::is_key) {
                        self.report.hide(value.resolve().span);
                    }
                }
            }
            Kind::Shared(_) => {}
        }
    }

    fn hide_operators(&mut self, args: &Node<'src>, uses: &mut Uses) {
        match &args.resolve().kind {
            Kind::Mapping(pairs) => {
                let mut named = pairs.iter();
                if let Some((_, value)) = named.find(|(key, _)| key.scalar() == Some(OPERATOR)) {
                    self.hide(value, uses);
                }
            }
            Kind::List(elements) => {
                let is_named = |text: &str| text.starts_with(OPERATOR);
                let named = elements
                    .iter()
                    .filter(|one| one.scalar().is_some_and(is_named));
                named.for_each(|one| self.hide(one, uses));
            }
            _ => {}
        }
    }

    /// The defaults that may come to credentials in the layer cache.
    fn hide_defaults(&mut self, args: &Node<'src>, uses: &Uses) {
        let values: Vec<&Node<'src>> = match &args.resolve().kind {
            Kind::Mapping(pairs) => pairs.iter().map(|(_, value)| value).collect(),
            Kind::List(elements) => elements.iter().collect(),
            _ => vec![args],
        };
        for value in values {
            if uses.in_credentials {
                self.report.hide(value.resolve().span);
            } else if uses.args {
                self.hide(value, &mut Uses::default());
            }
        }
    }
}
