//! The layer cache for people.

use std::fmt::Write as _;

use larder_spec::model::BackendKind;

use crate::layers::{CacheEntry, LayerCache};

/// A line for each place, in the order in which they are tried, with what is special about it.
pub(super) fn show(out: &mut String, cache: &LayerCache) {
    let sides = [("from", &cache.imports), ("to", &cache.exports)];
    for (way, entries) in sides {
        for entry in entries {
            let _ = writeln!(out, "layers {way} {}", line(entry));
        }
    }
}

fn line(entry: &CacheEntry) -> String {
    let (mut line, main) = match entry.kind {
        BackendKind::Registry => (String::new(), "ref"),
        BackendKind::Inline => ("the image itself".to_owned(), ""),
        kind => (kind.name().to_owned(), ""),
    };
    line.push_str(entry.options.get(main).map_or("", String::as_str));
    for (name, value) in entry.options.iter().filter(|(name, _)| *name != main) {
        let _ = write!(line, ", {name} ");
        for c in value.chars() {
            if c.is_control() {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
    }
    line
}
