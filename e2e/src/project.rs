use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::Engine;

/// A build context in a folder that goes when this does.
pub struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    /// With a `larder.yaml` whose first line names the engine's frontend; `spec` starts on the second.
    pub fn new(engine: &Engine, spec: &str) -> Result<Self> {
        let project = Self {
            dir: tempfile::tempdir()?,
        };
        project.spec(engine, spec)?;
        Ok(project)
    }

    /// Without a file.
    pub fn empty() -> Result<Self> {
        Ok(Self {
            dir: tempfile::tempdir()?,
        })
    }

    /// A copy of a folder.
    pub fn copied(from: &Path) -> Result<Self> {
        let project = Self {
            dir: tempfile::tempdir()?,
        };
        project.lay(from)?;
        Ok(project)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Replaces the spec.
    pub fn spec(&self, engine: &Engine, spec: &str) -> Result<()> {
        self.file(
            "larder.yaml",
            format!("# syntax={}\n{spec}", engine.frontend()),
        )?;
        Ok(())
    }

    /// Writes a file, and the folders above it.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, content)?;
        Ok(path)
    }

    /// Writes a file with a mode.
    pub fn file_with_mode(&self, path: &str, content: &str, mode: u32) -> Result<()> {
        let path = self.file(path, content)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
    }

    /// Copies all of a folder over what is there.
    pub fn lay(&self, from: &Path) -> Result<()> {
        copy(from, self.path())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
