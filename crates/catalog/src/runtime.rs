//! What an image keeps below `/cache` for a running container.

use crate::cache::{Overlay, Setting};

/// Directories below `/cache`, and what makes a tool use them.
#[derive(Debug)]
pub struct Runtime {
    /// Unique: `cargo`, `npm-global`.
    pub name: &'static str,
    /// The tool it belongs to: the stem of its data file.
    pub tool: &'static str,
    /// What it holds, in a few words.
    pub title: &'static str,
    /// The languages it belongs to.
    pub groups: &'static [&'static str],
    /// The caches that are at the same places in builds of layout `cache`, by name. None for what is
    /// installed.
    pub caches: &'static [&'static str],
    /// Why a build does not mount it; none for what has caches. The variables of such a one are for the
    /// steps as well: what they install is to be where the image looks for it.
    pub installed: Option<Installed>,
    /// Kept only where it is asked for by its own name.
    pub by_name: bool,
    /// Absolute paths, sorted, so that a directory is before those in it.
    pub directories: &'static [&'static str],
    /// Directories of programs, for `PATH`.
    pub path: &'static [&'static str],
    env: &'static [(&'static str, Setting)],
    files: &'static [Overlay],
}

/// Something that is no cache: what a step puts there belongs into the image.
#[derive(Debug)]
pub struct Installed {
    /// What it is: lower-case, without a full stop.
    pub why_not: &'static str,
    /// What to do instead: lower-case, without a full stop.
    pub instead: &'static str,
    /// Documentation or code that says so.
    pub source: &'static str,
}

impl Runtime {
    /// The variables to set, by name. Without a home directory, those that need one are left out.
    pub fn env(&self, home: Option<&str>) -> Vec<(&'static str, String)> {
        let value = |setting: &Setting| match setting {
            Setting::Value(text) => Some((*text).to_owned()),
            Setting::Home { path, or } => match home {
                Some(home) => Some(format!("{}/{path}", home.trim_end_matches('/'))),
                None => or.map(str::to_owned),
            },
        };
        let env = self.env.iter();
        env.filter_map(|(name, setting)| Some((*name, value(setting)?)))
            .collect()
    }

    /// The files to write: paths and contents. Without a home directory, those in it are left out.
    pub fn files(&self, home: Option<&str>) -> Vec<(String, &'static str)> {
        let path = |path: &str| match path.strip_prefix("~/") {
            Some(rest) => Some(format!("{}/{rest}", home?.trim_end_matches('/'))),
            None => Some(path.to_owned()),
        };
        let files = self.files.iter();
        files
            .filter_map(|file| Some((path(file.path)?, file.contents)))
            .collect()
    }
}

pub use table::RUNTIMES;

mod table {
    use super::{Installed, Runtime};

    include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));
}
