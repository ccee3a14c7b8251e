//! Turns `caches/*.toml` into the table that the crate is built with.

#[path = "build/check.rs"]
mod check;
#[path = "build/data.rs"]
mod data;
#[path = "build/emit.rs"]
mod emit;

use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=caches");
    println!("cargo::rerun-if-changed=build");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut mistakes = Vec::new();
    let tools = read(Path::new("caches"), &mut mistakes);
    mistakes.extend(check::mistakes(&tools));
    if !mistakes.is_empty() {
        for mistake in &mistakes {
            println!("cargo::error={mistake}");
        }
        process::exit(1);
    }
    fs::write(Path::new(&out).join("catalogue.rs"), emit::tables(&tools))
        .expect("OUT_DIR is writable");
}

fn read(folder: &Path, mistakes: &mut Vec<String>) -> Vec<data::Tool> {
    let entries = fs::read_dir(folder).expect("caches/ is beside build.rs");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    let mut tools = Vec::new();
    for path in paths {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        match data::parse(&stem, &text) {
            Ok(tool) => tools.push(tool),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    tools
}
