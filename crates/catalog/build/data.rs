//! The format of `caches/*.toml`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// `plain.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plain {
    /// Each a program, perhaps with a subcommand.
    pub(crate) programs: Vec<String>,
}

/// A data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Tool {
    /// The stem of the file's name.
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    #[serde(default, rename = "program")]
    pub(crate) programs: Vec<Program>,
    #[serde(default, rename = "cache")]
    pub(crate) caches: Vec<Cache>,
    /// Whether images may keep the directories of its caches.
    #[serde(default = "yes")]
    pub(crate) keep: bool,
    #[serde(default, rename = "runtime")]
    pub(crate) runtimes: Vec<Runtime>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Program {
    pub(crate) names: Vec<String>,
    #[serde(default)]
    pub(crate) versioned: bool,
    #[serde(default)]
    pub(crate) value_flags: Vec<String>,
    pub(crate) prefix: Option<char>,
    #[serde(default)]
    pub(crate) runs: Vec<String>,
    pub(crate) module: Option<Module>,
    #[serde(default)]
    pub(crate) when: Vec<Condition>,
    #[serde(default, rename = "use")]
    pub(crate) uses: Vec<Use>,
    #[serde(default, rename = "result")]
    pub(crate) results: Vec<ProgramResult>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ProgramResult {
    #[serde(default)]
    pub(crate) subcommands: Vec<String>,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) variables: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Module {
    pub(crate) hosts: Vec<String>,
    /// Without it, the program is the host's first argument.
    pub(crate) flag: Option<char>,
    /// No program of the name is meant, only the module.
    #[serde(default)]
    pub(crate) only: bool,
    #[serde(default)]
    pub(crate) value_flags: Vec<String>,
}

/// `variable` with `word`, `entry`, `is`, or none of them; or `argument`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Condition {
    pub(crate) variable: Option<String>,
    pub(crate) word: Option<String>,
    pub(crate) entry: Option<String>,
    pub(crate) argument: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Use {
    pub(crate) caches: Vec<String>,
    #[serde(default)]
    pub(crate) subcommands: Vec<String>,
    #[serde(default)]
    pub(crate) bare: bool,
    #[serde(default)]
    pub(crate) options: Vec<String>,
    #[serde(default)]
    pub(crate) mentions: Vec<String>,
    #[serde(default)]
    pub(crate) except: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Cache {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) class: Class,
    pub(crate) sharing: Sharing,
    pub(crate) sharing_reason: String,
    pub(crate) source: String,
    pub(crate) scope: Scope,
    pub(crate) key: Vec<KeyPart>,
    #[serde(default)]
    pub(crate) key_reason: String,
    pub(crate) toolchain: Option<String>,
    pub(crate) owner: Owner,
    pub(crate) place: Place,
    #[serde(default, rename = "file")]
    pub(crate) files: Vec<Overlay>,
    #[serde(default, rename = "defeat")]
    pub(crate) defeats: Vec<Defeat>,
    #[serde(default, rename = "avoid")]
    pub(crate) avoids: Vec<Defeat>,
    #[serde(default, rename = "offline")]
    pub(crate) offline: Vec<Offline>,
    #[serde(default)]
    pub(crate) renewed_by: Vec<String>,
    pub(crate) trace: Option<String>,
    #[serde(default)]
    pub(crate) is_result: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    Download,
    Store,
    Compile,
    Output,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sharing {
    Shared,
    Private,
    Locked,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scope {
    Shared,
    Project,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyPart {
    Distribution,
    Platform,
    Toolchain,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Owner {
    Step,
    Root,
}

/// `fixed` or `project` alone; or `variable` and `cache`, `home`, `root` with the rest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Place {
    pub(crate) fixed: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) variable: Option<String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
    pub(crate) value: Option<String>,
    #[serde(default)]
    pub(crate) any_case: bool,
    pub(crate) cache: Option<String>,
    pub(crate) home: Option<String>,
    pub(crate) root: Option<String>,
    #[serde(default)]
    pub(crate) subdir: String,
    #[serde(default)]
    pub(crate) under: Vec<Under>,
    #[serde(default)]
    pub(crate) beside: Beside,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, Setting>,
}

/// `home`, perhaps with `or`; or `value`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Setting {
    pub(crate) home: Option<String>,
    pub(crate) or: Option<String>,
    pub(crate) value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Under {
    pub(crate) variable: String,
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Beside {
    #[default]
    Nothing,
    Tmpfs,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Overlay {
    pub(crate) path: String,
    pub(crate) contents: String,
}

/// What images keep for a running container: with the tool's name, more for what its caches come to;
/// otherwise, something installed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Runtime {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) title: String,
    /// Why a build does not mount it.
    #[serde(default)]
    pub(crate) why_not: String,
    #[serde(default)]
    pub(crate) instead: String,
    #[serde(default)]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) directories: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) path: Vec<String>,
    #[serde(default, rename = "file")]
    pub(crate) files: Vec<Overlay>,
}

/// One of `flag`, `command` (with `unless`) and `variable` (with `even-empty` or `word`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Defeat {
    pub(crate) flag: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) unless: Option<String>,
    pub(crate) variable: Option<String>,
    pub(crate) word: Option<String>,
    #[serde(default)]
    pub(crate) even_empty: bool,
    /// Of what is to be avoided, `why`.
    #[serde(alias = "why")]
    pub(crate) hint: String,
}

/// One of `flag`, `command` and `variable` (with `even-empty` or `word`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Offline {
    pub(crate) flag: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) variable: Option<String>,
    pub(crate) word: Option<String>,
    #[serde(default)]
    pub(crate) even_empty: bool,
}

/// Reads one file; the message names it and the line.
pub(crate) fn parse(stem: &str, text: &str) -> Result<Tool, String> {
    let mut tool: Tool = read(&format!("caches/{stem}.toml"), text)?;
    stem.clone_into(&mut tool.name);
    Ok(tool)
}

/// Reads `plain.toml`.
pub(crate) fn parse_plain(text: &str) -> Result<Plain, String> {
    read("plain.toml", text)
}

fn read<'de, T: Deserialize<'de>>(file: &str, text: &'de str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        format!("{file}:{line}: {}", error.message().replace('\n', " "))
    })
}
