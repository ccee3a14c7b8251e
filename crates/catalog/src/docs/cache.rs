//! Caches, as a table and each by itself.

use std::fmt::Write;

use super::{code, codes};

use crate::cache::{
    Beside, Cache, Class, Condition, KeyPart, Movable, Owner, Place, Setting, Sign,
};
use crate::program::users;

/// A line for each cache: where layouts have it, and who shares it.
pub(super) fn table(caches: &[&Cache]) -> String {
    let mut out = String::from(
        "| cache | holds | layout `cache` | layouts `home` and `default` | variable | class | sharing | scope | key |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for cache in caches {
        out += &row(cache);
    }
    out
}

fn row(cache: &Cache) -> String {
    let (below, home, variable) = match &cache.place {
        Place::Fixed(path) | Place::Project(path) => (code(path), code(path), String::new()),
        Place::Movable(movable) => places(movable),
    };
    format!(
        "| [{0}](#{0}) | {1} | {below} | {home} | {variable} | {2} | {3} | {4} | {5} |\n",
        cache.name,
        cache.title,
        cache.class.as_str(),
        cache.sharing.as_str(),
        cache.scope.as_str(),
        key(cache),
    )
}

/// Below `/cache`, at home, and the variables.
fn places(movable: &Movable) -> (String, String, String) {
    let below = movable.cache.map(|cache| join(cache, movable.subdir));
    let home = match (movable.home, &below, movable.variables) {
        (Some(home), ..) => format!("~/{}", join(home, movable.subdir)),
        (None, Some(below), _) => below.clone(),
        (None, None, [variable, ..]) => join(&format!("${variable}"), movable.subdir),
        (None, None, []) => String::new(),
    };
    let below = below.unwrap_or_else(|| home.clone());
    let variables = codes(movable.variables.iter().copied());
    (code(&below), code(&home), variables)
}

/// What goes for one cache, and why.
pub(super) fn section(cache: &Cache) -> String {
    let mut out = format!("\n## {}\n\n", cache.name);
    if cache.class == Class::Output {
        out += "- Mounted only with `outputs`, or if its name is in `caches`: it holds what the build makes.\n";
    } else {
        _ = writeln!(
            out,
            "- Chosen by name, by tool (`{}`) or by {}.",
            cache.tool,
            codes(cache.groups.iter().copied())
        );
    }
    let programs = users(cache);
    if !programs.is_empty() {
        _ = writeln!(out, "- Used by {}.", codes(programs));
    }
    let owner = match cache.owner {
        Owner::Step => "the step's user",
        Owner::Root => "root",
    };
    _ = writeln!(out, "- Owner: {owner}.");
    _ = writeln!(
        out,
        "- Sharing `{}`: {} ([source]({})).",
        cache.sharing.as_str(),
        cache.sharing_reason,
        cache.source
    );
    if !cache.key.is_empty() {
        _ = writeln!(
            out,
            "- Its id has the {}: {}.",
            words(cache.key),
            cache.key_reason
        );
    }
    match &cache.place {
        Place::Fixed(_) => {}
        Place::Project(_) => out += "- It is in the directory that the step runs in.\n",
        Place::Movable(movable) => out += &about(movable),
    }
    for file in cache.files {
        let contents = file.contents.trim_end().replace('\n', " ");
        _ = writeln!(out, "- For the step, `{}` reads `{contents}`.", file.path);
    }
    if !cache.avoids.is_empty() {
        out += "- It is not mounted with:\n";
    }
    for avoid in cache.avoids {
        _ = writeln!(out, "  - {}: {}.", sign(&avoid.sign), avoid.hint);
    }
    if let Some(trace) = cache.trace {
        _ = writeln!(
            out,
            "- Over a Dockerfile it is mounted only by name: {trace}."
        );
    }
    if !cache.renewed_by.is_empty() {
        let commands: Vec<String> = cache
            .renewed_by
            .iter()
            .map(|words| words.join(" "))
            .collect();
        let commands = codes(commands.iter().map(String::as_str));
        _ = writeln!(
            out,
            "- Over a Dockerfile it is mounted only for {commands}."
        );
    }
    if !cache.offline.is_empty() {
        let signs: Vec<String> = cache.offline.iter().map(sign).collect();
        _ = writeln!(
            out,
            "- A Dockerfile's stage in which a command makes do with what it has goes without: {}.",
            signs.join(", ")
        );
    }
    if !cache.defeats.is_empty() {
        out += "- What defeats it:\n";
    }
    for defeat in cache.defeats {
        let unless = defeat.unless.map(|text| format!(" without `{text}`"));
        let (sign, unless) = (sign(&defeat.sign), unless.unwrap_or_default());
        _ = writeln!(out, "  - {sign}{unless}: {}.", defeat.hint);
    }
    out
}

fn about(movable: &Movable) -> String {
    let mut out = String::new();
    let case = if movable.any_case {
        " (or in small letters)"
    } else {
        ""
    };
    for variable in movable.variables {
        _ = match movable.prefix {
            Some(prefix) => writeln!(
                out,
                "- `{prefix}` in `{variable}`, if it is there already, says where it is mounted."
            ),
            None => writeln!(
                out,
                "- `{variable}`{case}, if it is there already, says where it is mounted."
            ),
        };
    }
    if movable.cache.is_none() && movable.home.is_some() {
        out += "- It stays at its own place, whatever the layout.\n";
    }
    if let Some(root) = movable.root {
        _ = writeln!(out, "- For root, that is `{}`.", join(root, movable.subdir));
    }
    if let (Beside::Tmpfs, Some(cache)) = (movable.beside, movable.cache) {
        _ = writeln!(
            out,
            "- Below `/cache`, `{cache}` itself is a tmpfs, for the tool's locks."
        );
    }
    for (variable, setting) in movable.set {
        _ = match setting {
            Setting::Home { path, .. } => {
                writeln!(out, "- Below `/cache`, `{variable}` is set to `~/{path}`.")
            }
            Setting::Value(text) => {
                let text = text.replace("{cache}", "CACHE");
                writeln!(out, "- `{variable}` is set to `{text}`.")
            }
        };
    }
    out
}

/// What its id has.
pub(super) fn key(cache: &Cache) -> String {
    let parts: Vec<&str> = cache.key.iter().map(|part| part.as_str()).collect();
    parts.join(", ")
}

/// `distribution and the platform`
fn words(key: &[KeyPart]) -> String {
    let part = |part: &KeyPart| match part {
        KeyPart::Toolchain(toolchain) => {
            format!("version of {} (`{}`)", toolchain.name, toolchain.variable)
        }
        part => part.as_str().to_owned(),
    };
    let parts: Vec<String> = key.iter().map(part).collect();
    parts.join(" and the ")
}

fn sign(sign: &Sign) -> String {
    match sign {
        Sign::Flag(flag) => code(flag),
        Sign::Command(words) => code(&words.join(" ")),
        Sign::Variable(Condition::Set(name)) => code(name),
        Sign::Variable(Condition::Filled(name)) => format!("`{name}`, not empty"),
        Sign::Variable(Condition::Word(name, word) | Condition::Entry(name, word)) => {
            format!("`{word}` in `{name}`")
        }
        Sign::Variable(Condition::Argument(argument)) => code(argument),
    }
}

fn join(base: &str, subdir: &str) -> String {
    if subdir.is_empty() {
        base.to_owned()
    } else {
        format!("{base}/{subdir}")
    }
}
