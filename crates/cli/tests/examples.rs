//! Every example compiles to the same operations each time, from wherever it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = fs::read_dir(root).unwrap();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn compiled(folder: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_larder"))
        .current_dir(folder)
        .args(["compile", "larder.yaml"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", folder.display());
    output.stdout
}

#[test]
fn every_example_compiles_to_the_same_bytes_twice() {
    let examples = examples();
    assert!(examples.len() >= 12, "{examples:?}");
    for example in &examples {
        let first = compiled(example);
        assert!(!first.is_empty(), "{}", example.display());
        assert_eq!(first, compiled(example), "{}", example.display());
    }
}
