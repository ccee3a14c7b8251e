//! The tables as Rust.

use crate::data::{Beside, Cache, Condition, Defeat, KeyPart, Place, Program, Tool};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The module that `src/program.rs` includes.
pub(crate) fn tables(tools: &[Tool]) -> String {
    let mut caches: Vec<(&Tool, &Cache)> = tools
        .iter()
        .flat_map(|tool| tool.caches.iter().map(move |cache| (tool, cache)))
        .collect();
    caches.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    let places: BTreeMap<&str, usize> = caches
        .iter()
        .enumerate()
        .map(|(at, (_, cache))| (cache.name.as_str(), at))
        .collect();

    let mut names: BTreeSet<&str> = places.keys().copied().collect();
    for tool in tools {
        names.insert(&tool.name);
        names.extend(tool.groups.iter().map(String::as_str));
    }

    let mut out = String::new();
    out += "/// Every name that stands for caches, sorted.\n";
    _ = writeln!(
        out,
        "pub static NAMES: &[&str] = &{:?};",
        names.iter().collect::<Vec<_>>()
    );
    out += "/// Every cache, by name.\npub static CACHES: &[Cache] = &[\n";
    for (tool, cache) in &caches {
        out += &cache_row(tool, cache);
    }
    out += "];\n";
    out += &programs(tools, &places);
    out
}

fn programs(tools: &[Tool], places: &BTreeMap<&str, usize>) -> String {
    let mut out = String::new();
    let mut rows = Vec::new();
    let mut hosts = Vec::new();
    for (at, program) in tools.iter().flat_map(|tool| &tool.programs).enumerate() {
        _ = writeln!(
            out,
            "static PROGRAM_{at}: Program = {};",
            program_row(program, places)
        );
        if !program.module.as_ref().is_some_and(|module| module.only) {
            rows.extend(program.names.iter().map(|name| (name, at)));
        }
        if let Some(module) = &program.module {
            for host in &module.hosts {
                hosts.push((
                    host,
                    at,
                    format!(
                        "flag: {:?}, value_flags: &{:?}",
                        module.flag, module.value_flags
                    ),
                ));
            }
        }
    }
    rows.sort();
    hosts.sort();
    out += "static PROGRAMS: &[(&str, &Program)] = &[\n";
    for (name, at) in rows {
        _ = writeln!(out, "({name:?}, &PROGRAM_{at}),");
    }
    out += "];\nstatic HOSTS: &[Host] = &[\n";
    for (name, at, rest) in hosts {
        _ = writeln!(
            out,
            "Host {{ name: {name:?}, program: &PROGRAM_{at}, {rest} }},"
        );
    }
    out += "];\n";
    out
}

fn program_row(program: &Program, places: &BTreeMap<&str, usize>) -> String {
    let mut flags = program.value_flags.clone();
    flags.sort();
    let uses: Vec<String> = program
        .uses
        .iter()
        .map(|listed| {
            let caches: Vec<usize> = listed
                .caches
                .iter()
                .map(|name| places[name.as_str()])
                .collect();
            let phrases: Vec<String> = listed
                .subcommands
                .iter()
                .map(|phrase| format!("&{:?}", phrase.split(' ').collect::<Vec<_>>()))
                .collect();
            format!(
                "ProgramUse {{ caches: &{caches:?}, subcommands: {} }}",
                slice(&phrases)
            )
        })
        .collect();
    let when: Vec<String> = program.when.iter().map(condition).collect();
    format!(
        "Program {{ name: {:?}, versioned: {}, value_flags: &{:?}, prefix: {:?}, when: {}, uses: {} }}",
        program.names[0],
        program.versioned,
        flags,
        program.prefix,
        slice(&when),
        slice(&uses)
    )
}

fn condition(condition: &Condition) -> String {
    let Condition {
        variable,
        word,
        entry,
        argument,
    } = condition;
    match (variable, word, entry, argument) {
        (Some(variable), Some(word), ..) => format!("Condition::Word({variable:?}, {word:?})"),
        (Some(variable), _, Some(entry), _) => format!("Condition::Entry({variable:?}, {entry:?})"),
        (Some(variable), ..) => format!("Condition::Filled({variable:?})"),
        (None, .., argument) => {
            format!(
                "Condition::Argument({:?})",
                argument.as_deref().unwrap_or_default()
            )
        }
    }
}

fn cache_row(tool: &Tool, cache: &Cache) -> String {
    let key: Vec<&str> = cache
        .key
        .iter()
        .map(|part| match part {
            KeyPart::Distribution => "crate::cache::KeyPart::Distribution",
            KeyPart::Platform => "crate::cache::KeyPart::Platform",
        })
        .collect();
    let files: Vec<String> = cache
        .files
        .iter()
        .map(|file| {
            format!(
                "crate::cache::Overlay {{ path: {:?}, contents: {:?} }}",
                file.path, file.contents
            )
        })
        .collect();
    let defeats: Vec<String> = cache.defeats.iter().map(defeat).collect();
    let mut out = String::from("Cache {\n");
    for (field, text) in [
        ("name", &cache.name),
        ("tool", &tool.name),
        ("title", &cache.title),
        ("sharing_reason", &cache.sharing_reason),
        ("source", &cache.source),
        ("key_reason", &cache.key_reason),
    ] {
        _ = writeln!(out, "    {field}: {text:?},");
    }
    _ = writeln!(out, "    groups: &{:?},", tool.groups);
    _ = writeln!(out, "    class: crate::cache::Class::{:?},", cache.class);
    _ = writeln!(
        out,
        "    sharing: crate::cache::Sharing::{:?},",
        cache.sharing
    );
    _ = writeln!(out, "    scope: crate::cache::Scope::{:?},", cache.scope);
    _ = writeln!(out, "    owner: crate::cache::Owner::{:?},", cache.owner);
    _ = writeln!(out, "    key: {},", slice(&key));
    _ = writeln!(out, "    place: {},", place(&cache.place));
    _ = writeln!(out, "    files: {},", slice(&files));
    _ = writeln!(out, "    defeats: {},\n}},", slice(&defeats));
    out
}

fn place(place: &Place) -> String {
    if let Some(fixed) = &place.fixed {
        return format!("crate::cache::Place::Fixed({fixed:?})");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let set: Vec<(&String, &String)> = place.set.iter().collect();
    let under = place
        .under
        .as_ref()
        .map(|under| (&under.variable, &under.path));
    let beside = match place.beside {
        Beside::Nothing => "Nothing",
        Beside::Tmpfs => "Tmpfs",
    };
    format!(
        "crate::cache::Place::Movable(crate::cache::Movable {{ variable: {:?}, any_case: {}, cache: {:?}, home: {:?}, subdir: {:?}, under: {under:?}, beside: crate::cache::Beside::{beside}, set: &{set:?} }})",
        text(&place.variable),
        place.any_case,
        text(&place.cache),
        text(&place.home),
        place.subdir,
    )
}

fn defeat(defeat: &Defeat) -> String {
    let Defeat {
        flag,
        command,
        variable,
        word,
        even_empty,
        hint,
    } = defeat;
    let sign = if let Some(flag) = flag {
        format!("Flag({flag:?})")
    } else if let Some(command) = command {
        format!("Command(&{:?})", command.split(' ').collect::<Vec<_>>())
    } else {
        let variable = variable.as_deref().unwrap_or_default();
        match word {
            Some(word) => format!("Variable(Condition::Word({variable:?}, {word:?}))"),
            None if *even_empty => format!("Variable(Condition::Set({variable:?}))"),
            None => format!("Variable(Condition::Filled({variable:?}))"),
        }
    };
    format!("crate::cache::Defeat {{ sign: crate::cache::Sign::{sign}, hint: {hint:?} }}")
}

fn slice<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!("&[{}]", items.join(", "))
}
