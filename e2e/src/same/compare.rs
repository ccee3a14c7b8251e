use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

use super::{
    Image, Leftovers,
    layer::{Node, Tree},
};

/// Something that is not the same in two images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// A path of the filesystem, or a JSON pointer after `config`.
    pub place: String,
    /// What of it differs.
    pub what: &'static str,
    /// What it is in the first image.
    pub first: String,
    /// What it is in the second image.
    pub second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            what,
            first,
            second,
        } = self;
        write!(f, "{place}: {what}: {first} | {second}")
    }
}

/// Everything that differs between two images and is no leftover.
pub fn compare(first: &Image, second: &Image, leftovers: &Leftovers) -> Vec<Difference> {
    let mut found = Vec::new();
    let configs = [first, second].map(|image| timeless(&image.config));
    values("config", &configs[0], &configs[1], &mut found);
    let counts = [first, second].map(|image| image.layers.len().to_string());
    different("config", "layers", counts, &mut found);
    trees(&first.tree(), &second.tree(), leftovers, &mut found);
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found
}

/// Everything that differs between what two builds came to, however they came to it: histories, layers
/// and times are not looked at.
pub fn same_result(first: &Image, second: &Image) -> Vec<Difference> {
    let mut found = Vec::new();
    let configs = [first, second].map(|image| {
        let mut config = timeless(&image.config);
        if let Some(fields) = config.as_object_mut() {
            fields.remove("history");
        }
        // Of Windows alone: whether what is run is one string.
        if let Some(fields) = config["config"].as_object_mut() {
            fields.remove("ArgsEscaped");
        }
        config
    });
    values("config", &configs[0], &configs[1], &mut found);
    values(
        "annotations",
        &first.annotations,
        &second.annotations,
        &mut found,
    );
    trees(
        &first.tree(),
        &second.tree(),
        &Leftovers::default(),
        &mut found,
    );
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found
}

/// A config without times, and without the digests of layers, which come from what is in them.
fn timeless(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(fields) = config.as_object_mut() {
        fields.remove("created");
        fields.remove("rootfs");
    }
    let history = config.get_mut("history").and_then(Value::as_array_mut);
    for one in history.into_iter().flatten() {
        one.as_object_mut().map(|fields| fields.remove("created"));
    }
    config
}

fn values(place: &str, first: &Value, second: &Value, found: &mut Vec<Difference>) {
    match (first, second) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let [first, second] = [a, b].map(|fields| fields.get(key));
                pair(&format!("{place}/{key}"), first, second, found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let [first, second] = [a, b].map(|items| items.get(index));
                pair(&format!("{place}/{index}"), first, second, found);
            }
        }
        _ => different(place, "value", [first, second], found),
    }
}

fn pair(place: &str, first: Option<&Value>, second: Option<&Value>, found: &mut Vec<Difference>) {
    let shown = |value: Option<&Value>| value.map_or("missing".to_owned(), Value::to_string);
    match (first, second) {
        (Some(first), Some(second)) => values(place, first, second, found),
        _ => different(place, "value", [shown(first), shown(second)], found),
    }
}

fn different<T: PartialEq + ToString>(
    place: &str,
    what: &'static str,
    [first, second]: [T; 2],
    found: &mut Vec<Difference>,
) {
    if first != second {
        found.push(Difference {
            place: place.to_owned(),
            what,
            first: first.to_string(),
            second: second.to_string(),
        });
    }
}

fn trees(first: &Tree<'_>, second: &Tree<'_>, leftovers: &Leftovers, found: &mut Vec<Difference>) {
    let mut missing = Vec::new();
    for (&path, node) in first {
        match second.get(path) {
            Some(other) if node != other && !leftovers.may_differ(path) => {
                nodes(path, node, other, found);
            }
            Some(_) => {}
            None => missing.push((path, *node)),
        }
    }
    lost(&missing, leftovers, found);
    for (&path, node) in second {
        if !first.contains_key(path) && !leftovers.may_miss(path, false) {
            different(path, "there", ["missing", node.kind], found);
        }
    }
}

/// What is in the first image alone. Directories may go with the leftovers that are all they hold.
fn lost(missing: &[(&str, &Node)], leftovers: &Leftovers, found: &mut Vec<Difference>) {
    let mut left = BTreeSet::new();
    let mut needed = BTreeSet::new();
    // Parents come before what is in them.
    for (path, node) in missing.iter().rev() {
        let goes = if leftovers.may_miss(path, true) {
            true
        } else {
            let holds = node.kind == "directory" && leftovers.may_hold(path);
            holds && left.contains(path) && !needed.contains(path)
        };
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if goes {
            left.insert(parent);
        } else {
            needed.insert(parent);
            different(path, "there", [node.kind, "missing"], found);
        }
    }
}

fn nodes(path: &str, first: &Node, second: &Node, found: &mut Vec<Difference>) {
    let second = facets(second);
    for (what, value) in facets(first) {
        different(path, what, [&value, &second[what]], found);
    }
}

fn facets(node: &Node) -> BTreeMap<&'static str, String> {
    let (uid, gid) = node.owner;
    BTreeMap::from([
        ("type", node.kind.to_owned()),
        ("mode", format!("{:04o}", node.mode)),
        ("owner", format!("{uid}:{gid}")),
        ("size", node.size.to_string()),
        ("content", node.content.clone()),
        ("link", node.link.clone()),
        ("device", format!("{:?}", node.device)),
        ("extended attributes", format!("{:?}", node.attributes)),
    ])
}
