//! What was decided for a build, as it is written for programs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Everything.
#[derive(Debug, Deserialize)]
pub(crate) struct Decisions {
    pub(crate) execs: Vec<Exec>,
    /// Why nothing was decided, if so.
    #[serde(default)]
    pub(crate) without: Option<String>,
}

/// An operation that runs a program.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exec {
    pub(crate) location: Option<Place>,
    pub(crate) off: Option<String>,
    pub(crate) unread: Option<String>,
    #[serde(default)]
    pub(crate) mounts: Vec<Mount>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) tmpfs: Vec<String>,
    #[serde(default)]
    pub(crate) left_alone: Vec<LeftAlone>,
}

/// Where it stands.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// The first and the last, from 1.
    pub(crate) lines: [u32; 2],
}

/// A cache that it gets.
#[derive(Debug, Deserialize)]
pub(crate) struct Mount {
    pub(crate) cache: String,
    pub(crate) id: String,
    pub(crate) target: String,
    pub(crate) sharing: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// In octal digits.
    pub(crate) mode: String,
}

/// A cache that it does not get.
#[derive(Debug, Deserialize)]
pub(crate) struct LeftAlone {
    pub(crate) cache: String,
    pub(crate) reason: String,
}

impl Decisions {
    /// Reads JSON as `larder inject --format json` writes it.
    pub(crate) fn read(json: &str) -> Result<Decisions> {
        serde_json::from_str(json).context("the plan is none that this version knows")
    }
}
