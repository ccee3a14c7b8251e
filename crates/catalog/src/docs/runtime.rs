//! What images keep, as a table and as a list.

use std::fmt::Write;

use super::{code, codes};
use crate::runtime::Runtime;

pub(super) fn table(runtimes: impl IntoIterator<Item = &'static Runtime>) -> String {
    let mut out = String::from(
        "| name | holds | directories | variables | `PATH` | files |\n|---|---|---|---|---|---|\n",
    );
    for runtime in runtimes {
        let env = runtime.env(Some("~"));
        let env: Vec<String> = env
            .iter()
            .map(|(name, value)| code(&format!("{name}={value}")))
            .collect();
        let files = runtime.files(Some("~"));
        let by_name = if runtime.by_name { ", by name" } else { "" };
        _ = writeln!(
            out,
            "| {}{by_name} | {} | {} | {} | {} | {} |",
            runtime.name,
            runtime.title,
            codes(runtime.directories.iter().copied()),
            env.join(", "),
            codes(runtime.path.iter().copied()),
            codes(files.iter().map(|(path, _)| path.as_str())),
        );
    }
    out
}

/// Those that builds do not mount, and why.
pub(super) fn installed(runtimes: impl IntoIterator<Item = &'static Runtime>) -> String {
    let mut out = String::new();
    for runtime in runtimes {
        if let Some(installed) = &runtime.installed {
            _ = writeln!(
                out,
                "- `{}`, {}: {} ([source]({})). Instead: {}.",
                runtime.name, runtime.title, installed.why_not, installed.source, installed.instead
            );
        }
    }
    out
}
