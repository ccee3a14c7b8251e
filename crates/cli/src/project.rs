//! What a project without a `name` is called, and the place of its layers that follows from that.

use std::path::Path;

use larder_plan::layers::{CACHE_REGISTRY, LayerCache};
use larder_spec::model::Spec;

use crate::input::{self, Input, SPEC};

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
    let folder = std::fs::canonicalize(input::parent(&input.spec));
    let folder = folder.unwrap_or_else(|_| input.root.clone());
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What `CACHE_REGISTRY` comes to, for a frontend that does not know the name: it sees no folder.
pub(crate) fn registry(spec: &Spec, cache: &LayerCache) -> Option<String> {
    if spec.name.is_some() {
        return None;
    }
    let entry = cache.imports.first()?;
    let mut own = spec
        .args
        .iter()
        .filter(|arg| arg.name.value == CACHE_REGISTRY);
    let said = own.any(|arg| arg.default.as_ref().map(|it| it.span) == entry.span);
    let reference = entry.reference().filter(|_| entry.span.is_none() || said)?;
    Some(reference.to_owned())
}
