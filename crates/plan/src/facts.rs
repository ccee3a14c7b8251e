//! What planning must know from outside, what it asks for, and what stands in without a daemon.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::ImageConfig;
use crate::model::ImageId;

/// What the caller has found out so far. Starts empty; [`Needs`] says what to add.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// As [`Needs::images`] asked for them.
    pub images: BTreeMap<ImageId, ImageFact>,
    /// Of named contexts that stages stand on, by the key that [`Needs::contexts`] has.
    pub contexts: BTreeMap<String, ContextFact>,
    /// Files of the build context.
    pub files: ContextFiles,
    /// Names of the directories at the top of [`crate::Request::cache_context`]; `None` until
    /// [`Needs::cache_directories`] was answered.
    pub cache_directories: Option<BTreeSet<String>>,
}

/// An image, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct ImageFact {
    /// Its config, for the platform that was asked for.
    pub config: ImageConfig,
    /// `sha256:…`: the build then uses exactly this image.
    pub digest: Option<String>,
    /// Its account files; `None` until [`ImageNeed::Accounts`] was answered.
    pub accounts: Option<AccountFiles>,
    /// Nobody looked: the defaults of [`offline_facts`] stand in, and unknown users are no mistake.
    pub assumed: bool,
}

/// A named context that a stage stands on, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct ContextFact {
    /// Its account files.
    pub accounts: AccountFiles,
    /// Nobody looked: unknown users are no mistake.
    pub assumed: bool,
}

/// Files of an image that tell who its users are and what distribution it is. Each is `None` where the
/// image has no such file.
#[derive(Clone, Debug, Default)]
pub struct AccountFiles {
    /// `/etc/passwd`.
    pub passwd: Option<String>,
    /// `/etc/group`.
    pub group: Option<String>,
    /// `/etc/os-release`, or `/usr/lib/os-release` where `/etc` has none.
    pub os_release: Option<String>,
}

/// Files of the build context that planning asked for.
#[derive(Clone, Debug, Default)]
pub struct ContextFiles {
    /// Paths and patterns that have been looked for.
    pub asked: BTreeSet<String>,
    /// What was found: path, relative to the context and without `./`, and contents.
    pub found: BTreeMap<String, String>,
    /// The lines of `.dockerignore`, so that a missing file can be explained.
    pub ignore: Vec<String>,
}

/// What to find out before planning can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// References are normalised: `docker.io/library/python:3.12-slim`.
    pub images: BTreeMap<ImageId, ImageNeed>,
    /// Keys of named contexts of which the account files are needed.
    pub contexts: BTreeSet<String>,
    /// Files of the context: exact paths, and patterns in which `*` stands for part of one path
    /// segment (`crates/*/Cargo.toml`). Add each to [`ContextFiles::asked`], found or not.
    pub files: BTreeSet<String>,
    /// Whether [`Facts::cache_directories`] is.
    pub cache_directories: bool,
}

/// What is needed of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageNeed {
    /// [`ImageFact::config`] and [`ImageFact::digest`].
    Config,
    /// [`ImageFact::accounts`], and the config if it is not known yet.
    Accounts,
}

impl Needs {
    /// Whether everything is known.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
            && self.contexts.is_empty()
            && self.files.is_empty()
            && !self.cache_directories
    }

    pub(crate) fn image(&mut self, image: &ImageId, need: ImageNeed) {
        let slot = self.images.entry(image.clone()).or_insert(need);
        *slot = (*slot).max(need);
    }
}

/// Answers every image need without a daemon, and says what was assumed: an image runs as root, with
/// the usual `PATH`, in `/`, on a distribution that is not known. Files and directories are left to the caller.
pub fn offline_facts(needs: &Needs, facts: &mut Facts) -> Vec<String> {
    let mut assumptions = Vec::new();
    for image in needs.images.keys() {
        let fact = ImageFact {
            accounts: Some(AccountFiles::default()),
            assumed: true,
            ..ImageFact::default()
        };
        if facts.images.insert(image.clone(), fact).is_none() {
            assumptions.push(format!(
                "{image}: user root, directory /, the usual PATH, distribution not known"
            ));
        }
    }
    for key in &needs.contexts {
        let fact = ContextFact {
            assumed: true,
            ..ContextFact::default()
        };
        facts.contexts.insert(key.clone(), fact);
        let name = crate::from::shown(key);
        assumptions.push(format!("build context {name}: users not known"));
    }
    assumptions
}
