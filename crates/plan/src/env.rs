//! The variables of a stage, in order.

use std::collections::BTreeMap;

/// What a program finds where no image says otherwise.
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables in the order in which they were first set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Env {
    list: Vec<(String, String)>,
    /// Where in `list` each name is.
    index: BTreeMap<String, usize>,
    /// Whether the base image's variables are among them.
    pub complete: bool,
}

impl Env {
    /// From an image config's `KEY=value`, with a `PATH` in any case.
    pub(crate) fn of_image(config: &[String], complete: bool) -> Env {
        let mut env = Env {
            list: Vec::with_capacity(config.len() + 4),
            index: BTreeMap::new(),
            complete,
        };
        for entry in config {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            env.set(name, value);
        }
        if env.get("PATH").is_none() {
            env.set("PATH", DEFAULT_PATH);
        }
        env
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|&at| self.list[at].1.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        if let Some(&at) = self.index.get(name) {
            self.list[at].1 = value.into();
        } else {
            self.index.insert(name.to_owned(), self.list.len());
            self.list.push((name.to_owned(), value.into()));
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn list(&self) -> &[(String, String)] {
        &self.list
    }

    /// What they take up, in bytes.
    pub(crate) fn size(&self) -> usize {
        let sizes = self
            .list
            .iter()
            .map(|(name, value)| name.len() + value.len());
        sizes.sum::<usize>() + 48 * self.list.len()
    }

    /// As an image config has them.
    pub(crate) fn to_image(&self) -> Vec<String> {
        self.list
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}
