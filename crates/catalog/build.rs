//! Turns `caches/*.toml` into the table that the crate is built with.

#[path = "build/check.rs"]
mod check;
#[path = "build/data.rs"]
mod data;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/emit_runtimes.rs"]
mod emit_runtimes;
#[path = "src/path.rs"]
#[expect(unreachable_pub, reason = "the crate has it as well")]
mod path;
#[path = "build/runtimes.rs"]
mod runtimes;
#[path = "src/toolchain.rs"]
#[expect(dead_code, unreachable_pub, reason = "only the names are checked")]
mod toolchain;

use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=caches");
    println!("cargo::rerun-if-changed=plain.toml");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/path.rs");
    println!("cargo::rerun-if-changed=src/toolchain.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut mistakes = Vec::new();
    let tools = read(Path::new("caches"), &mut mistakes);
    mistakes.extend(check::mistakes(&tools));
    let plain = fs::read_to_string("plain.toml").unwrap_or_default();
    let plain = data::parse_plain(&plain).unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        data::Plain::default()
    });
    mistakes.extend(check::order(&plain));
    if !mistakes.is_empty() {
        for mistake in &mistakes {
            println!("cargo::error={mistake}");
        }
        process::exit(1);
    }
    for (file, text) in [
        ("catalogue.rs", emit::tables(&tools, &plain)),
        ("runtimes.rs", emit_runtimes::table(&tools)),
    ] {
        fs::write(Path::new(&out).join(file), text).expect("OUT_DIR is writable");
    }
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
