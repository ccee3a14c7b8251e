//! What specs are called in a bake file.

use std::collections::BTreeMap;
use std::path::Path;

use larder_diagnostic::{Diagnostic, quote};

use crate::input::{Input, SPEC};

use super::spec::BakedSpec;

/// The name of a spec without one: that of its folder, or of the file if that has one of its own.
pub(crate) fn of_file(input: &Input) -> String {
    let file = input
        .spec
        .file_name()
        .map_or(input.spec.as_path(), Path::new);
    if file != Path::new(SPEC) {
        let name = file.to_string_lossy();
        let name = name
            .strip_suffix(".yaml")
            .or(name.strip_suffix(".yml"))
            .unwrap_or(&name);
        return name.strip_suffix(".larder").unwrap_or(name).to_owned();
    }
    let folder = std::fs::canonicalize(crate::input::parent(&input.spec));
    let folder = folder.unwrap_or_else(|_| input.root.clone());
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A name in the letters that bake takes: letters, digits, `-` and `_`. Buildx itself takes a dot in the
/// name of a target for `_`. Empty if no letter and no digit is left.
pub(super) fn target(name: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        '.' => '_',
        _ => '-',
    };
    let name: String = name.chars().map(letter).collect();
    if !name.contains(|c: char| c.is_ascii_alphanumeric()) {
        return String::new();
    }
    // One that starts with `-` is an option.
    name.trim_matches('-').to_owned()
}

/// Finds names that are no targets, and those that two specs have.
pub(super) fn check(specs: &mut [BakedSpec]) {
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    for spec in specs.iter_mut().filter(|spec| spec.spec.is_some()) {
        let hint = match spec.named() {
            Some(_) => "give one of them another `name`",
            None => "write a `name` at the top of the spec",
        };
        if spec.target.is_empty() {
            let message = format!("{} cannot be the name of a target", quote(&spec.name));
            let hint = match spec.named() {
                Some(_) => "it takes at least one letter or digit",
                None => hint,
            };
            (spec.diagnostics).push(Diagnostic::error(spec.place(), message).hint(hint));
            continue;
        }
        let own = (spec.name.clone(), spec.input.shown.name.clone());
        let Some((name, file)) = seen.get(&spec.target) else {
            seen.insert(spec.target.clone(), own);
            continue;
        };
        let message = if *name == spec.name {
            format!("{} and {file} are both called {}", own.1, quote(name))
        } else {
            format!(
                "{} and {} of {file} would both be the target `{}`",
                quote(&spec.name),
                quote(name),
                spec.target
            )
        };
        (spec.diagnostics).push(Diagnostic::error(spec.place(), message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn targets_have_the_letters_that_bake_takes() {
        for (name, expected) in [
            ("shop", "shop"),
            ("team/shop.api", "team-shop_api"),
            ("My App", "My-App"),
            ("-x-", "x"),
            ("_x", "_x"),
            ("größe", "gr--e"),
            ("...", ""),
            ("//", ""),
            ("", ""),
        ] {
            assert_eq!(target(name), expected, "{name}");
        }
    }
}
