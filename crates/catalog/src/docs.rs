//! The table of caches, for people.

use std::fmt::Write;

use crate::cache::{Beside, Cache, Condition, Owner, Place, Sign};
use crate::program::CACHES;

/// Markdown that describes every cache: a table, then each cache by itself. Ends with a newline.
pub fn docs() -> String {
    let mut out = String::from(
        "| cache | holds | below `/cache` | at home | variable | class | sharing | scope | key |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for cache in CACHES {
        out += &row(cache);
    }
    for cache in CACHES {
        out += &section(cache);
    }
    out
}

fn row(cache: &Cache) -> String {
    let (below, home, variable) = match &cache.place {
        Place::Fixed(path) => (format!("`{path}`"), format!("`{path}`"), String::new()),
        Place::Movable(movable) => (
            format!("`{}`", join(movable.cache, movable.subdir)),
            format!("`~/{}`", join(movable.home, movable.subdir)),
            format!("`{}`", movable.variable),
        ),
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

fn section(cache: &Cache) -> String {
    let mut out = format!("\n## {}\n\n", cache.name);
    let groups: Vec<String> = cache
        .groups
        .iter()
        .map(|group| format!("`{group}`"))
        .collect();
    _ = writeln!(
        out,
        "- Chosen by name, by tool (`{}`) or by {}.",
        cache.tool,
        groups.join(", ")
    );
    _ = writeln!(
        out,
        "- Owner: {}.",
        match cache.owner {
            Owner::Step => "the step's user",
            Owner::Root => "root",
        }
    );
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
            key(cache).replace(", ", " and the "),
            cache.key_reason
        );
    }
    if let Place::Movable(movable) = &cache.place {
        let case = if movable.any_case {
            " (or in small letters)"
        } else {
            ""
        };
        _ = writeln!(
            out,
            "- `{}`{case}, if it is there already, says where it is mounted.",
            movable.variable
        );
        if movable.beside == Beside::Tmpfs {
            _ = writeln!(
                out,
                "- Below `/cache`, `{}` itself is a tmpfs, for the tool's locks.",
                movable.cache
            );
        }
        for (variable, path) in movable.set {
            _ = writeln!(out, "- Below `/cache`, `{variable}` is set to `~/{path}`.");
        }
    }
    for file in cache.files {
        let contents = file.contents.trim_end().replace('\n', " ");
        _ = writeln!(out, "- For the step, `{}` reads `{contents}`.", file.path);
    }
    if !cache.defeats.is_empty() {
        out += "- What defeats it:\n";
    }
    for defeat in cache.defeats {
        _ = writeln!(out, "  - {}: {}.", sign(&defeat.sign), defeat.hint);
    }
    out
}

fn key(cache: &Cache) -> String {
    cache
        .key
        .iter()
        .map(|part| part.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn sign(sign: &Sign) -> String {
    match sign {
        Sign::Flag(flag) => format!("`{flag}`"),
        Sign::Command(words) => format!("`{}`", words.join(" ")),
        Sign::Variable(Condition::Set(name)) => format!("`{name}`"),
        Sign::Variable(Condition::Filled(name)) => format!("`{name}`, not empty"),
        Sign::Variable(Condition::Word(name, word) | Condition::Entry(name, word)) => {
            format!("`{word}` in `{name}`")
        }
        Sign::Variable(Condition::Argument(argument)) => format!("`{argument}`"),
    }
}

fn join(base: &str, subdir: &str) -> String {
    if subdir.is_empty() {
        base.to_owned()
    } else {
        format!("{base}/{subdir}")
    }
}
