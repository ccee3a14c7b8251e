//! A decision for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::definition::show::lint;
use crate::{CacheMount, Decision, Defeat};

/// What was decided for a command, as JSON has it: `mounts`, `env`, `leftAlone` and so on. What is empty
/// or not known is left out, but for `mounts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<&'a str>,
    mounts: Vec<Mount<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    without: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    files: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tmpfs: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_alone: Vec<Left<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    defeated: Vec<Defeated<'a>>,
}

#[derive(Serialize)]
struct Mount<'a> {
    cache: &'a str,
    id: &'a str,
    target: &'a str,
    sharing: &'static str,
    uid: u32,
    gid: u32,
    mode: String,
    reason: &'a str,
}

#[derive(Serialize)]
struct Left<'a> {
    cache: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Defeated<'a> {
    cache: &'a str,
    lint: &'static str,
    words: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'a str>,
    hint: &'a str,
}

impl<'a> Said<'a> {
    /// What a decision says.
    pub fn new(decision: &'a Decision) -> Said<'a> {
        let env = decision.env.iter();
        let left = decision.left_alone.iter().map(|left| Left {
            cache: &left.cache,
            reason: &left.reason,
        });
        Said {
            unread: decision.unread.as_deref(),
            mounts: decision.mounts.iter().map(Mount::new).collect(),
            env: env
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            without: &decision.without,
            files: &decision.files,
            tmpfs: &decision.tmpfs,
            left_alone: left.collect(),
            defeated: decision.defeated.iter().map(Defeated::new).collect(),
        }
    }
}

impl<'a> Mount<'a> {
    fn new(mount: &'a CacheMount) -> Mount<'a> {
        Mount {
            cache: &mount.cache,
            id: &mount.id,
            target: &mount.target,
            sharing: mount.sharing.as_str(),
            uid: mount.uid,
            gid: mount.gid,
            mode: format!("{:04o}", mount.mode),
            reason: &mount.reason,
        }
    }
}

impl<'a> Defeated<'a> {
    fn new(defeat: &'a Defeat) -> Defeated<'a> {
        Defeated {
            cache: &defeat.cache,
            lint: lint(defeat.harm),
            words: &defeat.words,
            variable: defeat.variable.as_deref(),
            hint: &defeat.hint,
        }
    }
}
