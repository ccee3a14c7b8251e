//! What every part of planning shares: what is known, what is asked for, what was found wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span};
use larder_spec::model::{Spec, Tool};
use larder_spec::template::{ExpandError, Template};

use crate::accounts::Accounts;
use crate::args::{Args, Value};
use crate::env::Env;
use crate::facts::{Facts, ImageFact, ImageNeed, Needs};
use crate::model::ImageId;
use crate::request::Request;
use crate::suggest;
use crate::users::Origin;

/// The state of one call of [`crate::plan`].
pub(crate) struct Planner<'a> {
    pub spec: &'a Spec,
    pub request: &'a Request,
    pub facts: &'a Facts,
    pub needs: Needs,
    pub diagnostics: Vec<Diagnostic>,
    pub assumed: BTreeSet<String>,
    /// Which tools `install: auto` found, by the place of the word.
    pub installs: BTreeMap<Span, Tool>,
    /// The stage at hand is no part of the result: mistakes count, needs and warnings do not.
    pub aside: bool,
    spent: usize,
    /// Of images that were met already.
    accounts: BTreeMap<Origin, Arc<Accounts>>,
}

/// What variables, repeated at every step that has them, may come to: a definition is sent in one
/// message of at most 16 MiB.
const MOST_BYTES: usize = 64 << 20;

/// What `${…}` may name.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub args: &'a Args,
    /// Variables, where they may be named too.
    pub env: Option<&'a Env>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(spec: &'a Spec, request: &'a Request, facts: &'a Facts) -> Planner<'a> {
        Planner {
            spec,
            request,
            facts,
            needs: Needs::default(),
            diagnostics: Vec::new(),
            assumed: BTreeSet::new(),
            installs: BTreeMap::new(),
            aside: false,
            spent: 0,
            accounts: BTreeMap::new(),
        }
    }

    /// Notes a mistake, or a warning.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.is_error() || !self.aside {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Notes what was taken for granted.
    pub(crate) fn assume(&mut self, what: String) {
        if !self.aside {
            self.assumed.insert(what);
        }
    }

    /// Accounts for bytes that are repeated; `false`, once with a mistake, when it is too much.
    pub(crate) fn spend(&mut self, bytes: usize, span: Span) -> bool {
        let before = self.spent;
        self.spent = before.saturating_add(bytes);
        if before <= MOST_BYTES && self.spent > MOST_BYTES {
            self.diagnostics.push(
                Diagnostic::error(
                    span,
                    "the variables, caches and accounts of all steps come to more than 64 MiB",
                )
                .hint("declare `args`, `env` and `caches` on the steps that need them"),
            );
        }
        self.spent <= MOST_BYTES
    }

    /// Looks an image up for the platform which the build is for, and asks for it if nothing is known.
    pub(crate) fn image(&mut self, reference: &str) -> Option<&'a ImageFact> {
        self.image_of(&ImageId::new(reference))
    }

    /// Looks an image up, and asks for it if nothing is known.
    pub(crate) fn image_of(&mut self, image: &ImageId) -> Option<&'a ImageFact> {
        let fact = self.facts.images.get(image);
        if fact.is_none() && !self.aside {
            self.needs.image(image, ImageNeed::Config);
        }
        fact
    }

    /// The accounts of a filesystem from outside.
    pub(crate) fn accounts(
        &mut self,
        of: &Origin,
        make: impl FnOnce() -> Accounts,
    ) -> Arc<Accounts> {
        let known = self.accounts.get(of).map(Arc::clone);
        known.unwrap_or_else(|| {
            let accounts = Arc::new(make());
            self.accounts.insert(of.clone(), Arc::clone(&accounts));
            accounts
        })
    }

    /// Asks for the account files of a filesystem from outside.
    pub(crate) fn need_accounts(&mut self, of: &Origin) {
        if self.aside {
            return;
        }
        match of {
            Origin::Image(image) => self.needs.image(image, ImageNeed::Accounts),
            Origin::Context(key) => {
                self.needs.contexts.insert(key.clone());
            }
        }
    }

    /// Looks a file of the context up, and asks for it if nobody has looked yet.
    pub(crate) fn file(&mut self, path: &str) -> File<'a> {
        if let Some(text) = self.facts.files.found.get(path) {
            return File::Text(text);
        }
        if self.facts.files.asked.contains(path) {
            return File::Absent;
        }
        if !self.aside {
            self.needs.files.insert(path.to_owned());
        }
        File::Unknown
    }

    /// Lists the files of the context that match a pattern, and asks if nobody has looked yet.
    pub(crate) fn files(&mut self, pattern: &str) -> Option<Vec<&'a str>> {
        if !self.facts.files.asked.contains(pattern) {
            if !self.aside {
                self.needs.files.insert(pattern.to_owned());
            }
            return None;
        }
        let plain = pattern.find(['*', '?', '[', '\\']);
        let start = &pattern[..plain.unwrap_or(pattern.len())];
        let found = self.facts.files.found.range(start.to_owned()..);
        Some(
            found
                .map(|(path, _)| path.as_str())
                .take_while(|path| path.starts_with(start))
                .filter(|path| crate::ignore::matches(pattern, path))
                .collect(),
        )
    }

    /// The text of a template; `None` if something in it is wrong, which is then reported.
    pub(crate) fn expand(&mut self, template: &Template, scope: Scope<'_>) -> Option<String> {
        if let Some(text) = template.literal() {
            return Some(text.into_owned());
        }
        let lookup = |name: &str| match scope.get(name) {
            Value::Set(value) => Some(Some(value.to_owned())),
            Value::Unset => Some(None),
            Value::Unknown => None,
        };
        match template.expand(&lookup) {
            Ok(text) => Some(text),
            Err(errors) => {
                for error in errors {
                    let diagnostic = match error {
                        // Who knows which variables the base image has?
                        ExpandError::Unknown { .. }
                            if scope.env.is_some_and(|env| !env.complete) =>
                        {
                            continue;
                        }
                        ExpandError::Unknown { name, span } => unknown_arg(&name, span, scope),
                        ExpandError::Required {
                            name,
                            message,
                            span,
                        } => required_arg(&name, &message, span),
                    };
                    self.report(diagnostic);
                }
                None
            }
        }
    }

    /// The text of a template, where a mistake in it may stand for the empty text.
    pub(crate) fn expand_or_empty(&mut self, template: &Template, scope: Scope<'_>) -> String {
        self.expand(template, scope).unwrap_or_default()
    }
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum File<'a> {
    Text(&'a str),
    Absent,
    /// Nobody has looked yet; the need is noted.
    Unknown,
}

impl Scope<'_> {
    /// A variable wins over an arg of its name, as it does in a step.
    fn get(&self, name: &str) -> Value<'_> {
        match self.env.and_then(|env| env.get(name)) {
            Some(value) => Value::Set(value),
            None => self.args.get(name),
        }
    }
}

fn unknown_arg(name: &str, span: Span, scope: Scope<'_>) -> Diagnostic {
    let names = scope
        .args
        .names()
        .chain(scope.env.into_iter().flat_map(Env::names));
    let hint = match suggest::closest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it under `args`, or write `$${{{name}}}` for the text itself"),
    };
    Diagnostic::error(span, format!("no arg is called `{name}`")).hint(hint)
}

fn required_arg(name: &str, message: &str, span: Span) -> Diagnostic {
    let message = if message.is_empty() {
        format!("`{name}` has no value")
    } else {
        format!("`{name}` has no value: {message}")
    };
    Diagnostic::error(span, message).hint(format!(
        "give it with `--build-arg {name}=…`, or a default under `args`"
    ))
}
