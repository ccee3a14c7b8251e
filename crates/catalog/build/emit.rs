//! The tables as Rust.

use crate::data::{
    Beside, Cache, Class, Condition, Defeat, KeyPart, Offline, Overlay, Place, Plain, Program,
    Setting, Tool, Use,
};
use crate::toolchain::TOOLCHAINS;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The module that `src/program.rs` includes.
pub(crate) fn tables(tools: &[Tool], plain: &Plain) -> String {
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
        // What a build makes is only mounted when asked for by its own name.
        let is_output = |cache: &Cache| matches!(cache.class, Class::Output);
        if !tool.caches.iter().all(is_output) {
            names.insert(&tool.name);
            names.extend(tool.groups.iter().map(String::as_str));
        }
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
    out += "/// Programs that start no other and need no package.\n";
    _ = writeln!(
        out,
        "pub(crate) static PLAIN: &[&[&str]] = {};",
        slice(&phrases(&plain.programs))
    );
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
        .map(|listed| use_row(listed, places))
        .collect();
    let results: Vec<String> = (program.results.iter())
        .map(|result| {
            format!(
                "ProgramResult {{ subcommands: {}, path: {:?}, variables: &{:?} }}",
                slice(&phrases(&result.subcommands)),
                result.path,
                result.variables,
            )
        })
        .collect();
    let when: Vec<String> = program.when.iter().map(condition).collect();
    format!(
        "Program {{ name: {:?}, versioned: {}, value_flags: &{:?}, prefix: {:?}, runs: {}, when: {}, uses: {}, results: {} }}",
        program.names[0],
        program.versioned,
        flags,
        program.prefix,
        slice(&phrases(&program.runs)),
        slice(&when),
        slice(&uses),
        slice(&results)
    )
}

fn use_row(listed: &Use, places: &BTreeMap<&str, usize>) -> String {
    let caches: Vec<usize> = listed
        .caches
        .iter()
        .map(|name| places[name.as_str()])
        .collect();
    format!(
        "ProgramUse {{ caches: &{caches:?}, subcommands: {}, bare: {}, options: &{:?}, mentions: &{:?}, except: &{:?} }}",
        slice(&phrases(&listed.subcommands)),
        listed.bare,
        listed.options,
        listed.mentions,
        listed.except,
    )
}

fn phrases(phrases: &[String]) -> Vec<String> {
    let words = |phrase: &String| {
        phrase
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    phrases
        .iter()
        .map(|phrase| format!("&{:?}", words(phrase)))
        .collect()
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
    let key: Vec<String> = cache
        .key
        .iter()
        .map(|part| match part {
            KeyPart::Distribution => "crate::cache::KeyPart::Distribution".to_owned(),
            KeyPart::Platform => "crate::cache::KeyPart::Platform".to_owned(),
            KeyPart::Toolchain => toolchain(cache.toolchain.as_deref().unwrap_or_default()),
        })
        .collect();
    let defeats: Vec<String> = cache.defeats.iter().map(defeat).collect();
    let avoids: Vec<String> = cache.avoids.iter().map(defeat).collect();
    let offline: Vec<String> = cache.offline.iter().map(offline).collect();
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
    _ = writeln!(out, "    files: {},", slice(&overlays(&cache.files)));
    _ = writeln!(out, "    defeats: {},", slice(&defeats));
    _ = writeln!(out, "    avoids: {},", slice(&avoids));
    _ = writeln!(out, "    offline: {},", slice(&offline));
    let renewed_by = slice(&phrases(&cache.renewed_by));
    _ = writeln!(out, "    renewed_by: {renewed_by},");
    _ = writeln!(out, "    trace: {:?},", cache.trace);
    _ = writeln!(out, "    is_result: {},\n}},", cache.is_result);
    out
}

fn place(place: &Place) -> String {
    if let Some(fixed) = &place.fixed {
        return format!("crate::cache::Place::Fixed({fixed:?})");
    }
    if let Some(project) = &place.project {
        return format!("crate::cache::Place::Project({project:?})");
    }
    let variables: Vec<&String> = place.variable.iter().chain(&place.also).collect();
    let prefix = place
        .value
        .as_deref()
        .map(|value| value.trim_end_matches("{cache}"));
    let under: Vec<_> = place
        .under
        .iter()
        .map(|under| (&under.variable, &under.path))
        .collect();
    let beside = match place.beside {
        Beside::Nothing => "Nothing",
        Beside::Tmpfs => "Tmpfs",
    };
    let set: Vec<String> = place
        .set
        .iter()
        .map(|(variable, value)| format!("({variable:?}, {})", setting(value)))
        .collect();
    format!(
        "crate::cache::Place::Movable(crate::cache::Movable {{ variables: &{variables:?}, any_case: {}, prefix: {prefix:?}, cache: {:?}, home: {:?}, root: {:?}, subdir: {:?}, under: &{under:?}, beside: crate::cache::Beside::{beside}, set: {} }})",
        place.any_case,
        place.cache,
        place.home,
        place.root,
        place.subdir,
        slice(&set),
    )
}

fn toolchain(name: &str) -> String {
    let at = TOOLCHAINS.iter().position(|known| known.name == name);
    let at = at.expect("it was checked");
    format!("crate::cache::KeyPart::Toolchain(&crate::toolchain::TOOLCHAINS[{at}])")
}

pub(crate) fn setting(setting: &Setting) -> String {
    let value = match &setting.home {
        Some(path) => format!("Home {{ path: {path:?}, or: {:?} }}", setting.or),
        None => format!("Value({:?})", setting.value.as_deref().unwrap_or_default()),
    };
    format!("crate::cache::Setting::{value}")
}

pub(crate) fn overlays(files: &[Overlay]) -> Vec<String> {
    let row = |file: &Overlay| {
        format!(
            "crate::cache::Overlay {{ path: {:?}, contents: {:?} }}",
            file.path, file.contents
        )
    };
    files.iter().map(row).collect()
}

fn defeat(defeat: &Defeat) -> String {
    let Defeat {
        flag,
        command,
        unless,
        variable,
        word,
        even_empty,
        hint,
    } = defeat;
    let sign = sign([flag, command, variable], word.as_ref(), *even_empty);
    format!("crate::cache::Defeat {{ sign: {sign}, unless: {unless:?}, hint: {hint:?} }}")
}

fn offline(offline: &Offline) -> String {
    let Offline {
        flag,
        command,
        variable,
        word,
        even_empty,
    } = offline;
    sign([flag, command, variable], word.as_ref(), *even_empty)
}

fn sign(
    [flag, command, variable]: [&Option<String>; 3],
    word: Option<&String>,
    even_empty: bool,
) -> String {
    let sign = if let Some(flag) = flag {
        format!("Flag({flag:?})")
    } else if let Some(command) = command {
        format!("Command(&{:?})", command.split(' ').collect::<Vec<_>>())
    } else {
        let variable = variable.as_deref().unwrap_or_default();
        match word {
            Some(word) => format!("Variable(Condition::Word({variable:?}, {word:?}))"),
            None if even_empty => format!("Variable(Condition::Set({variable:?}))"),
            None => format!("Variable(Condition::Filled({variable:?}))"),
        }
    };
    format!("crate::cache::Sign::{sign}")
}

pub(crate) fn slice<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!("&[{}]", items.join(", "))
}
