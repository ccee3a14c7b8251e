//! Whether places are good ones, each by itself and all together.

use super::{absolute, relative, variable_name};
use crate::data::{Cache, Place, Setting, Tool};
use crate::path::{is_system, within};
use crate::runtimes::Kept;
use std::collections::BTreeMap;

pub(crate) fn check_place(place: &Place, found: &mut Vec<String>) {
    let named = [&place.variable, &place.cache, &place.home, &place.root];
    let movable = named.into_iter().any(Option::is_some) || !place.also.is_empty();
    match (&place.fixed, &place.project) {
        (Some(_), Some(_)) => found.push("a place is `fixed` or `project`".to_owned()),
        (Some(fixed), None) => {
            absolute("fixed", fixed, found);
            if is_system(fixed) {
                found.push(format!(
                    "`fixed` is `{fixed}`, which holds more than a cache"
                ));
            }
        }
        (None, Some(project)) => relative("project", project, found),
        (None, None) => return check_movable(place, found),
    }
    if movable {
        found.push("a fixed place has no variable, `cache` or `home`".to_owned());
    }
}

fn check_movable(place: &Place, found: &mut Vec<String>) {
    if place.variable.is_none() && (place.home.is_none() || place.cache.is_some()) {
        found.push(
            "a place is `fixed`, `project`, `home`, or `variable` with `cache`, `home` or both"
                .to_owned(),
        );
    }
    if place.also.iter().any(|_| place.variable.is_none()) {
        found.push("`also` goes with `variable`".to_owned());
    }
    for variable in place.variable.iter().chain(&place.also) {
        variable_name(variable, found);
    }
    if let Some(cache) = &place.cache {
        absolute("cache", cache, found);
        if !cache.starts_with("/cache/") {
            found.push(format!("`cache` is `{cache}`, not below /cache"));
        }
    }
    if let Some(home) = &place.home {
        relative("home", home, found);
    }
    if let Some(root) = &place.root {
        absolute("root", root, found);
    }
    if let Some(value) = &place.value
        && (place.variable.is_none()
            || !place.subdir.is_empty()
            || value
                .find("{cache}")
                .is_none_or(|at| at == 0 || at + 7 < value.len()))
    {
        found.push(format!(
            "`value` is `{value}`, not some text before a single {{cache}}"
        ));
    }
    if !place.subdir.is_empty() {
        relative("subdir", &place.subdir, found);
    }
    for under in &place.under {
        variable_name(&under.variable, found);
        relative("under", &under.path, found);
    }
    for (variable, setting) in &place.set {
        variable_name(variable, found);
        check_setting(variable, setting, found);
    }
}

fn check_setting(variable: &str, setting: &Setting, found: &mut Vec<String>) {
    match setting {
        Setting {
            home: Some(home),
            or,
            value: None,
        } => {
            relative("set", home, found);
            if let Some(or) = or {
                absolute("or", or, found);
            }
        }
        Setting {
            home: None,
            or: None,
            value: Some(_),
        } => {}
        _ => found.push(format!(
            "`{variable}` is set to `home`, perhaps with `or`, or to `value`"
        )),
    }
}

/// Places of which one is in another, in a layout.
pub(crate) fn overlaps(tools: &[Tool], found: &mut Vec<String>) {
    for layout in ["cache", "home"] {
        let mut known: BTreeMap<String, &Cache> = BTreeMap::new();
        for (tool, cache) in tools
            .iter()
            .flat_map(|tool| tool.caches.iter().map(move |cache| (tool, cache)))
        {
            let Some(path) = path(&cache.place, layout) else {
                continue;
            };
            let clash = known
                .iter()
                .find(|(other, _)| within(&path, other) || within(other, &path));
            if let Some((other, first)) = clash {
                found.push(format!(
                    "caches/{}.toml: cache `{}` is at `{path}` in layout `{layout}`, and cache `{}` at `{other}`",
                    tool.name, cache.name, first.name
                ));
            }
            known.insert(path, cache);
        }
    }
}

/// Where a cache is, as far as that can be told: `~` and `.` stand for directories of a step.
fn path(place: &Place, layout: &str) -> Option<String> {
    if let Some(project) = &place.project {
        return Some(format!("./{project}"));
    }
    let home = place.home.as_ref().map(|home| format!("~/{home}"));
    let below = place.cache.clone();
    let base = match layout {
        "cache" => below.or(home),
        _ => home.or(below),
    };
    let base = place.fixed.clone().or(base)?;
    Some(match place.subdir.as_str() {
        "" => base,
        subdir => format!("{base}/{subdir}"),
    })
}

/// What images keep: whether it is below `/cache`, and whether two get in each other's way.
pub(crate) fn check_kept(all: &[Kept], found: &mut Vec<String>) {
    for (at, kept) in all.iter().enumerate() {
        let mut of_kept = Vec::new();
        let paths = kept.more.iter().flat_map(|more| &more.path);
        for path in kept.directories.iter().chain(paths) {
            absolute("path", path, &mut of_kept);
            if !path.starts_with("/cache/") {
                of_kept.push(format!("`{path}` is not below /cache"));
            }
        }
        if kept.directories.is_empty() {
            of_kept.push("it has no directories".to_owned());
        }
        for variable in kept.env.keys() {
            variable_name(variable, &mut of_kept);
        }
        for file in kept.more.iter().flat_map(|more| &more.files) {
            absolute("file path", file.path.trim_start_matches('~'), &mut of_kept);
            if !file.contents.ends_with('\n') {
                of_kept.push(format!(
                    "the contents of `{}` do not end with a newline",
                    file.path
                ));
            }
        }
        if let Some(more) = kept.more.filter(|_| kept.caches.is_empty()) {
            for (key, text) in [
                ("title", &more.title),
                ("why-not", &more.why_not),
                ("instead", &more.instead),
            ] {
                if text.trim().is_empty() {
                    of_kept.push(format!("`{key}` is empty, and no cache is of this name"));
                }
            }
            if !more.source.starts_with("https://") {
                of_kept.push("`source` is no https address of documentation or code".to_owned());
            }
        }
        for other in &all[..at] {
            clash(kept, other, &mut of_kept);
        }
        let (tool, name) = (&kept.tool.name, kept.name);
        found.extend(
            of_kept
                .iter()
                .map(|text| format!("caches/{tool}.toml: runtime `{name}`: {text}")),
        );
    }
}

fn clash(kept: &Kept, other: &Kept, found: &mut Vec<String>) {
    if kept.name == other.name {
        found.push(format!(
            "the name is in caches/{}.toml too",
            other.tool.name
        ));
    }
    // Caches of one tool may be in a directory of the tool's.
    let foreign = |_: &&String| kept.tool.name != other.tool.name;
    for path in kept.directories.iter().filter(foreign) {
        for taken in &other.directories {
            if within(path, taken) || within(taken, path) {
                found.push(format!(
                    "`{path}` is `{taken}` of runtime `{}`, or one is in the other",
                    other.name
                ));
            }
        }
    }
    for variable in kept
        .env
        .keys()
        .filter(|variable| other.env.contains_key(*variable))
    {
        found.push(format!("runtime `{}` sets {variable} too", other.name));
    }
}
