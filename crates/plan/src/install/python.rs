//! What tools that read `pyproject.toml` have in common.

use toml::Table;

use super::{Finder, text};
use crate::planner::File;

pub(super) const PYPROJECT: &str = "pyproject.toml";

/// The `pyproject.toml` of the directory.
pub(super) enum Project {
    Known(Table),
    /// Nobody has looked yet.
    Unknown,
    /// It is missing or broken, which is reported.
    None,
}

pub(super) fn project(finder: &mut Finder<'_, '_>, tool: &str, init: &str) -> Project {
    match finder.take(PYPROJECT) {
        File::Text(found) => {
            let path = finder.path(PYPROJECT);
            match text::toml(finder, &path, found, tool) {
                Some(table) => Project::Known(table),
                None => Project::None,
            }
        }
        File::Absent => {
            let hint = format!(
                "make one with `{init}`; if it is in another directory, give that as `workdir`"
            );
            finder.missing(PYPROJECT, &hint);
            Project::None
        }
        File::Unknown => Project::Unknown,
    }
}

/// Whether a path names a built package.
pub(super) fn is_archive(path: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Says that a package in the context is not there yet.
pub(super) fn not_there(finder: &mut Finder<'_, '_>, manifest: &str, name: &str, tool: &str) {
    let path = finder.path(manifest);
    let message =
        format!("`{path}` installs `{name}` from the build context, which is not there yet");
    let hint = format!("`copy` what it needs before, or `run: {tool} install` after the `copy`");
    finder.warn(message, &hint);
}
