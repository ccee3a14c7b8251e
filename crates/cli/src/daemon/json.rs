//! daemon.json, the configuration of dockerd.

use serde_json::{Map, Value, json};

use super::gc::{Rule, What};
use super::registries::HUB;
use super::wish::Wish;

/// What dockerd is told. Docker 26 and later take it: a rule has the keys of both, and what a version
/// does not know below `builder`, it passes over.
pub(super) fn settings(wish: &Wish) -> Map<String, Value> {
    let mut all = Map::new();
    let policy: Vec<Value> = wish.rules().iter().flat_map(rules).collect();
    all.insert(
        "builder".to_owned(),
        json!({"gc": {"enabled": true, "policy": policy}}),
    );
    let hub = wish.registries.0.get(HUB);
    let mirrors: Vec<Value> = hub
        .into_iter()
        .flat_map(|hub| &hub.mirrors)
        .map(|mirror| {
            let scheme = if mirror.http { "http" } else { "https" };
            Value::from(format!("{scheme}://{}{}", mirror.host, mirror.path))
        })
        .collect();
    let insecure: Vec<Value> = wish
        .registries
        .0
        .iter()
        .filter(|(_, registry)| registry.http || registry.insecure)
        .map(|(host, _)| Value::from(host.as_str()))
        .collect();
    for (key, list) in [
        ("registry-mirrors", mirrors),
        ("insecure-registries", insecure),
    ] {
        if !list.is_empty() {
            all.insert(key.to_owned(), Value::from(list));
        }
    }
    all
}

/// The rules that dockerd needs for one: a filter of dockerd names one type.
fn rules(rule: &Rule) -> Vec<Value> {
    let types: &[Option<&str>] = match rule.what {
        What::Sources => &[Some("source.local"), Some("source.git.checkout")],
        What::Layers => &[Some("regular")],
        What::Mounts => &[Some("exec.cachemount")],
        What::Any | What::All => &[None],
    };
    let one = |kind: Option<&str>| {
        let kind = kind.map(|kind| format!("type={kind}"));
        let unused = rule.unused.map(|hours| format!("until={hours}h"));
        let filter: Vec<String> = kind.into_iter().chain(unused).collect();
        let most = rule.most.to_string();
        let mut one = Map::new();
        let mut set = |key: &str, value: Value| drop(one.insert(key.to_owned(), value));
        if rule.what == What::All {
            set("all", Value::from(true));
        }
        if !filter.is_empty() {
            set("filter", Value::from(filter));
        }
        set("keepStorage", Value::from(most.clone()));
        set("maxUsedSpace", Value::from(most));
        set("reservedSpace", Value::from(rule.reserve.to_string()));
        if let Some(free) = rule.free {
            set("minFreeSpace", Value::from(free.to_string()));
        }
        Value::from(one)
    };
    types.iter().copied().map(one).collect()
}

/// Adds settings to those that a file has. Lists are joined; what the file says differently is a mistake.
pub(super) fn merge(
    file: &str,
    name: &str,
    ours: Map<String, Value>,
    mistakes: &mut Vec<String>,
) -> Map<String, Value> {
    let read = if file.trim().is_empty() {
        Ok(Value::from(Map::new()))
    } else {
        serde_json::from_str(file.trim_start_matches('\u{feff}'))
    };
    let mut all = match read {
        Ok(Value::Object(all)) => all,
        Ok(_) => {
            mistakes.push(format!("{name}: it is no JSON object"));
            return Map::new();
        }
        Err(error) => {
            let (line, column, error) = (error.line(), error.column(), error.to_string());
            let reason = error.split(" at line ").next().unwrap_or_default();
            mistakes.push(format!("{name}:{line}:{column}: it is no JSON: {reason}"));
            return Map::new();
        }
    };
    for (key, value) in ours {
        match (spelled(&mut all, &key), value) {
            (None, value) => drop(all.insert(key, value)),
            (Some(Value::Array(there)), Value::Array(more)) => {
                for one in more {
                    if !there.contains(&one) {
                        there.push(one);
                    }
                }
            }
            (Some(Value::Object(there)), Value::Object(more)) => {
                for (inner, value) in more {
                    match spelled(there, &inner) {
                        None => drop(there.insert(inner, value)),
                        Some(same) if *same == value => {}
                        Some(_) => mistakes.push(format!(
                            "{name}: `{key}.{inner}` is there already, with other values; remove it \
                             from the file"
                        )),
                    }
                }
            }
            (Some(_), _) => mistakes.push(format!(
                "{name}: `{key}` is there already, and is not what dockerd takes there"
            )),
        }
    }
    all
}

/// A value by its key, which dockerd takes in capitals as well.
fn spelled<'a>(all: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Value> {
    all.iter_mut()
        .find_map(|(name, value)| name.eq_ignore_ascii_case(key).then_some(value))
}
