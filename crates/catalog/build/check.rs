//! What the format alone does not say about a good data file.

use crate::data::{Cache, Class, Condition, Defeat, KeyPart, Offline, Plain, Program, Tool};
use crate::toolchain::TOOLCHAINS;
use crate::{path, runtimes};
use std::collections::{BTreeMap, BTreeSet};

mod places;

/// Every mistake in the files, each naming its file.
pub(crate) fn mistakes(tools: &[Tool]) -> Vec<String> {
    let mut found = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for tool in tools {
        for cache in &tool.caches {
            if let Some(first) = owners.insert(&cache.name, &tool.name) {
                found.push(in_file(
                    tool,
                    &format!("cache `{}` is in caches/{first}.toml already", cache.name),
                ));
            }
        }
    }
    for tool in tools {
        let mut local = Vec::new();
        check_tool(tool, &mut local);
        for (group, other) in tools
            .iter()
            .flat_map(|t| t.caches.iter().map(move |c| (t, c)))
        {
            if tool.groups.contains(&other.name) && group.name != tool.name {
                local.push(format!(
                    "group `{}` is the name of a cache of another tool",
                    other.name
                ));
            }
        }
        for program in &tool.programs {
            check_program(program, &owners, &mut local);
        }
        for cache in &tool.caches {
            let mut of_cache = Vec::new();
            check_cache(cache, &mut of_cache);
            local.extend(
                of_cache
                    .iter()
                    .map(|text| format!("cache `{}`: {text}", cache.name)),
            );
        }
        found.extend(local.iter().map(|text| in_file(tool, text)));
    }
    places::overlaps(tools, &mut found);
    let kept = runtimes::all(tools);
    places::check_kept(&kept, &mut found);
    for name in kept.iter().filter(|kept| kept.caches.is_empty()) {
        let named = |tool: &&Tool| {
            owners.contains_key(name.name)
                || tool.groups.iter().any(|group| group == name.name)
                || (tool.name == name.name && !tool.caches.is_empty())
        };
        if tools.iter().any(|tool| named(&tool)) {
            found.push(in_file(
                name.tool,
                &format!(
                    "runtime `{}` has the name of caches, which builds mount",
                    name.name
                ),
            ));
        }
    }
    found
}

/// The names are sorted, each there once.
pub(crate) fn order(plain: &Plain) -> Option<String> {
    let mut pairs = plain.programs.windows(2);
    let wrong = pairs.find(|pair| pair[0] >= pair[1])?;
    Some(format!(
        "plain.toml: `{}` stands before `{}`",
        wrong[0], wrong[1]
    ))
}

fn in_file(tool: &Tool, text: &str) -> String {
    format!("caches/{}.toml: {text}", tool.name)
}

fn check_tool(tool: &Tool, found: &mut Vec<String>) {
    if tool.caches.is_empty() && tool.programs.is_empty() && tool.runtimes.is_empty() {
        found.push("no [[cache]], [[program]] or [[runtime]]".to_owned());
    }
    if tool.groups.is_empty() {
        found.push("`groups` is empty; name the language, or `os`".to_owned());
    }
    let mut seen = BTreeSet::new();
    for name in tool.programs.iter().flat_map(|program| &program.names) {
        if !seen.insert(name) {
            found.push(format!("program `{name}` is there twice"));
        }
    }
    let used: BTreeSet<&String> = tool
        .programs
        .iter()
        .flat_map(|program| &program.uses)
        .flat_map(|listed| &listed.caches)
        .collect();
    for cache in tool
        .caches
        .iter()
        .filter(|cache| !used.contains(&cache.name))
    {
        found.push(format!("no program uses cache `{}`", cache.name));
    }
}

fn check_program(program: &Program, caches: &BTreeMap<&str, &str>, found: &mut Vec<String>) {
    let Some(name) = program.names.first() else {
        found.push("a [[program]] has no names".to_owned());
        return;
    };
    for name in &program.names {
        if name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace()) {
            found.push(format!("program `{name}` is not the name of a program"));
        }
    }
    if program.uses.is_empty() && program.runs.is_empty() {
        found.push(format!("program `{name}` has no [[program.use]]"));
    }
    for result in &program.results {
        relative("result", &result.path, found);
        for variable in &result.variables {
            variable_name(variable, found);
        }
    }
    for cache in program.uses.iter().flat_map(|listed| &listed.caches) {
        if !caches.contains_key(cache.as_str()) {
            found.push(format!(
                "program `{name}` uses cache `{cache}`, which no file has"
            ));
        }
    }
    let modules = program.module.iter().flat_map(|module| &module.value_flags);
    for flag in program.value_flags.iter().chain(modules) {
        if !flag.starts_with('-') {
            found.push(format!(
                "value flag `{flag}` of program `{name}` does not start with `-`"
            ));
        }
    }
    for listed in &program.uses {
        if listed.options.iter().any(|option| !option.starts_with('-')) {
            found.push(format!(
                "an option of program `{name}` does not start with `-`"
            ));
        }
    }
    let runs = program.runs.iter().filter(|phrase| !phrase.is_empty());
    let subcommands = program.uses.iter().flat_map(|listed| &listed.subcommands);
    for phrase in subcommands.chain(runs) {
        if phrase.trim() != phrase || phrase.is_empty() || phrase.starts_with('-') {
            found.push(format!(
                "subcommand `{phrase}` of program `{name}` is not a subcommand"
            ));
        }
    }
    for condition in &program.when {
        let Condition {
            variable,
            word,
            entry,
            argument,
        } = condition;
        let about = usize::from(word.is_some()) + usize::from(entry.is_some());
        let one = match (variable, argument) {
            (Some(_), None) => about <= 1,
            (None, Some(_)) => about == 0,
            _ => false,
        };
        if !one {
            found.push(format!(
                "a condition of program `{name}` is not `variable`, perhaps with `word` or `entry`, or `argument`"
            ));
        }
    }
}

fn check_cache(cache: &Cache, found: &mut Vec<String>) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !cache.name.starts_with(|c: char| c.is_ascii_lowercase()) || !cache.name.chars().all(plain) {
        found.push("its name is not small letters, digits and `-`".to_owned());
    }
    for (key, text) in [
        ("title", &cache.title),
        ("sharing-reason", &cache.sharing_reason),
    ] {
        if text.trim().is_empty() {
            found.push(format!("`{key}` is empty"));
        }
    }
    if !cache.source.starts_with("https://") {
        found.push("`source` is no https address of documentation or code".to_owned());
    }
    if !cache.key.is_sorted() || cache.key.windows(2).any(|pair| pair[0] == pair[1]) {
        found.push("`key` is not `distribution`, `platform`, `toolchain` in this order".to_owned());
    }
    if cache.key.is_empty() != cache.key_reason.trim().is_empty() {
        found.push("`key-reason` goes with a `key` that is not empty".to_owned());
    }
    check_toolchain(cache, found);
    places::check_place(&cache.place, found);
    for file in &cache.files {
        absolute("file path", &file.path, found);
        if !file.contents.ends_with('\n') {
            found.push(format!(
                "the contents of `{}` do not end with a newline",
                file.path
            ));
        }
    }
    for defeat in cache.defeats.iter().chain(&cache.avoids) {
        check_defeat(defeat, found);
    }
    for offline in &cache.offline {
        let Offline {
            flag,
            command,
            variable,
            word,
            even_empty,
        } = offline;
        check_sign(
            "an offline sign",
            [flag, command, variable],
            word.as_ref(),
            *even_empty,
            found,
        );
    }
    for command in &cache.renewed_by {
        if command.split(' ').count() < 2 || command.split(' ').any(str::is_empty) {
            found.push(format!(
                "`{command}` of `renewed-by` is not a program with a subcommand"
            ));
        }
    }
    if let Some(trace) = &cache.trace {
        if !matches!(cache.class, Class::Download | Class::Compile) {
            found.push("`trace` is for the classes `download` and `compile`".to_owned());
        }
        check_sentence("trace", trace, found);
    }
}

/// Where a toolchain's version is not known, the distribution says something of it.
fn check_toolchain(cache: &Cache, found: &mut Vec<String>) {
    let has = |part| cache.key.contains(&part);
    if has(KeyPart::Toolchain) != cache.toolchain.is_some() {
        found.push("`toolchain` goes with `toolchain` in `key`".to_owned());
    }
    if has(KeyPart::Toolchain) && !has(KeyPart::Distribution) {
        found.push("a `key` with `toolchain` has `distribution` too".to_owned());
    }
    if let Some(name) = &cache.toolchain
        && !TOOLCHAINS.iter().any(|known| known.name == name)
    {
        found.push(format!(
            "`toolchain` is `{name}`, which src/toolchain.rs does not have"
        ));
    }
}

fn check_defeat(defeat: &Defeat, found: &mut Vec<String>) {
    let Defeat {
        flag,
        command,
        unless,
        variable,
        word,
        even_empty,
        hint,
    } = defeat;
    if unless.is_some() && command.is_none() {
        found.push("a defeat's `unless` goes with a `command`".to_owned());
    }
    let signs = [flag, command, variable];
    check_sign("a defeat", signs, word.as_ref(), *even_empty, found);
    check_sentence("hint", hint, found);
}

fn check_sign(
    what: &str,
    signs: [&Option<String>; 3],
    word: Option<&String>,
    even_empty: bool,
    found: &mut Vec<String>,
) {
    let [flag, _, variable] = signs;
    let extras = word.is_some() || even_empty;
    if signs.into_iter().flatten().count() != 1
        || (extras && variable.is_none())
        || (word.is_some() && even_empty)
    {
        found.push(format!(
            "{what} is one `flag`, `command`, or `variable` (with `word` or `even-empty`)"
        ));
    }
    if flag.as_ref().is_some_and(|flag| !flag.starts_with('-')) {
        found.push(format!("{what}'s flag starts with `-`"));
    }
}

fn check_sentence(key: &str, text: &str, found: &mut Vec<String>) {
    if text.is_empty() || text.ends_with('.') || text.starts_with(char::is_uppercase) {
        found.push(format!(
            "the {key} `{text}` is not lower-case without a full stop"
        ));
    }
}

fn variable_name(name: &str, found: &mut Vec<String>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain)
    {
        found.push(format!("`{name}` is not the name of a variable"));
    }
}

fn absolute(key: &str, path: &str, found: &mut Vec<String>) {
    if path == "/" || path::clean(path).as_deref() != Some(path) {
        found.push(format!("`{key}` is `{path}`, not an absolute, clean path"));
    }
}

fn relative(key: &str, path: &str, found: &mut Vec<String>) {
    let whole = format!("/{path}");
    if path.is_empty() || path::clean(&whole) != Some(whole) {
        found.push(format!("`{key}` is `{path}`, not a relative, clean path"));
    }
}
