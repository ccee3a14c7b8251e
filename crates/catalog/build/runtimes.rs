//! What images keep for running containers: what the caches below `/cache` come to, and what data files
//! add.

use crate::data::{Cache, Class, Place, Runtime, Setting, Tool};
use std::collections::{BTreeMap, BTreeSet};

/// What caches come to, or a `[[runtime]]`, or both.
pub(crate) struct Kept<'a> {
    pub(crate) name: &'a str,
    pub(crate) tool: &'a Tool,
    pub(crate) caches: Vec<&'a Cache>,
    pub(crate) directories: BTreeSet<String>,
    pub(crate) env: BTreeMap<&'a str, Setting>,
    pub(crate) more: Option<&'a Runtime>,
}

/// All of them, by name.
pub(crate) fn all(tools: &[Tool]) -> Vec<Kept<'_>> {
    let mut all = Vec::new();
    for tool in tools {
        let mut of_tool = of_caches(tool);
        for more in &tool.runtimes {
            let at = of_tool.iter().position(|kept| kept.name == more.name);
            let at = at.unwrap_or_else(|| {
                of_tool.push(Kept::new(&more.name, tool, Vec::new()));
                of_tool.len() - 1
            });
            of_tool[at].add(more);
        }
        all.extend(of_tool);
    }
    all.sort_by_key(|kept| kept.name);
    all
}

/// What a build makes goes by the cache's own name, other caches go by the tool's.
fn of_caches(tool: &Tool) -> Vec<Kept<'_>> {
    let (outputs, caches): (Vec<&Cache>, Vec<&Cache>) = tool
        .caches
        .iter()
        .filter(|cache| tool.keep && cache.place.cache.is_some())
        .partition(|cache| matches!(cache.class, Class::Output));
    let mut kept: Vec<Kept> = outputs
        .into_iter()
        .map(|cache| Kept::new(&cache.name, tool, vec![cache]))
        .collect();
    if !caches.is_empty() {
        kept.push(Kept::new(&tool.name, tool, caches));
    }
    kept
}

impl<'a> Kept<'a> {
    fn new(name: &'a str, tool: &'a Tool, caches: Vec<&'a Cache>) -> Kept<'a> {
        let mut directories = BTreeSet::new();
        let mut env = BTreeMap::new();
        for place in caches.iter().map(|cache| &cache.place) {
            let base = place.cache.clone().unwrap_or_default();
            let directory = match place.subdir.as_str() {
                "" => base.clone(),
                subdir => format!("{base}/{subdir}"),
            };
            env.extend(variables(place, &base, &directory));
            directories.extend([base, directory]);
        }
        Kept {
            name,
            tool,
            caches,
            directories,
            env,
            more: None,
        }
    }

    fn add(&mut self, more: &'a Runtime) {
        self.directories.extend(more.directories.iter().cloned());
        let env = more.env.iter();
        self.env
            .extend(env.map(|(variable, text)| (variable.as_str(), value(text.clone()))));
        self.more = Some(more);
    }
}

fn variables<'a>(
    place: &'a Place,
    base: &str,
    directory: &str,
) -> impl Iterator<Item = (&'a str, Setting)> {
    let text = place
        .value
        .as_ref()
        .map_or_else(|| base.to_owned(), |value| value.replace("{cache}", base));
    let names = place.variable.iter().chain(&place.also);
    let set = place.set.iter().map(move |(variable, setting)| {
        let text = setting.value.as_ref();
        let text = text.map(|text| text.replace("{cache}", directory));
        (
            variable.as_str(),
            text.map_or_else(|| setting.clone(), value),
        )
    });
    let set: Vec<_> = set.collect();
    names
        .map(move |variable| (variable.as_str(), value(text.clone())))
        .chain(set)
}

fn value(text: String) -> Setting {
    Setting {
        home: None,
        or: None,
        value: Some(text),
    }
}
