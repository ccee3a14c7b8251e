//! Dockerfiles beside the specs that say the same: the folder `tests/language`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Kinds of rows: what `section` says, and the heading of that page.
pub const SECTIONS: &[(&str, &str)] = &[
    ("stages", "Stages and bases"),
    ("variables", "Variables, directories and users"),
    ("run", "Commands"),
    ("mounts", "Mounts, secrets and SSH"),
    ("copy", "Copies"),
    ("add", "URLs, repositories and archives"),
    ("image", "The image's config"),
    ("client", "Options of the client"),
    ("spec", "What a spec says in a word"),
    ("interpreted", "Patterns: Python, Node and files"),
    ("compiled", "Patterns: Go, Rust, Java and C"),
];

/// A feature of Dockerfile, or a well-known Dockerfile, and the same as a spec.
#[derive(Debug)]
pub struct Row {
    /// Its folder below `tests/language`.
    pub name: String,
    /// Its folder. `context` in it is the build context.
    pub folder: PathBuf,
    /// Its `row.toml`.
    pub about: About,
    /// Its `Dockerfile`, as people read it.
    pub dockerfile: Option<String>,
    /// Its `larder.yaml`, without a `# syntax=` line.
    pub spec: Option<String>,
}

/// What is known of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// A heading.
    pub title: String,
    /// One of [`SECTIONS`].
    pub section: String,
    /// What else there is to know, in Markdown.
    #[serde(default)]
    pub notes: String,
    /// What of a Dockerfile or of `docker buildx build` it shows, and how a spec says it.
    #[serde(default)]
    pub features: BTreeMap<String, String>,
    /// What no spec says, and what to do about it.
    #[serde(default)]
    pub none: BTreeMap<String, String>,
    /// Options of `docker buildx build`, of both builds. `FOLDER` is the row's folder, `KEY` a private
    /// key for SSH.
    #[serde(default)]
    pub options: Vec<String>,
    /// The platforms of the image, if it has more than one.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// What the build of the spec fails with.
    pub refused: Option<String>,
    /// What an older daemon lacks; there, the build of the spec fails with this text.
    pub lacking: Option<String>,
    /// When the image says it was created, if that is known.
    pub created: Option<String>,
    /// Calls of the spec's image.
    #[serde(default)]
    pub run: Vec<Call>,
}

/// A call of an image.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Options of `docker run`.
    #[serde(default)]
    pub options: Vec<String>,
    /// Arguments of the image.
    #[serde(default)]
    pub args: Vec<String>,
    /// What it prints.
    pub prints: String,
}

/// All rows, in the order of the documentation.
pub fn rows() -> Result<Vec<Row>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let mut rows = Vec::new();
    for kind in ["rows", "patterns"] {
        let folder = root.join(kind);
        let entries = fs::read_dir(&folder);
        let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        for name in names {
            let row = Row::read(format!("{kind}/{name}"), folder.join(&name));
            rows.push(row.with_context(|| format!("{kind}/{name}"))?);
        }
    }
    Ok(rows)
}

impl Row {
    fn read(name: String, folder: PathBuf) -> Result<Self> {
        let about: About = toml::from_str(&fs::read_to_string(folder.join("row.toml"))?)?;
        let known = SECTIONS.iter().any(|(name, _)| *name == about.section);
        ensure!(known, "no section is called `{}`", about.section);
        let file = |file: &str| {
            let path = folder.join(file);
            path.exists()
                .then(|| fs::read_to_string(path))
                .transpose()
                .with_context(|| format!("cannot read {file}"))
        };
        let (dockerfile, spec) = (file("Dockerfile")?, file("larder.yaml")?);
        ensure!(dockerfile.is_some(), "there is no Dockerfile");
        ensure!(
            spec.is_some() != about.features.is_empty(),
            "a spec shows how features are said, and without one none is"
        );
        ensure!(
            spec.is_some() || !about.none.is_empty(),
            "there is neither a spec nor a reason"
        );
        let said = about.features.values().chain(about.none.values());
        ensure!(
            said.into_iter().all(|text| !text.trim().is_empty()),
            "a feature is said by nothing"
        );
        Ok(Self {
            name,
            folder,
            about,
            dockerfile,
            spec,
        })
    }

    /// The Dockerfile to build: `Dockerfile.older` if there is one, which does the same without what
    /// the oldest engine does not know yet.
    pub fn built(&self) -> Result<Option<String>> {
        let older = self.folder.join("Dockerfile.older");
        if older.exists() {
            return Ok(Some(fs::read_to_string(older)?));
        }
        Ok(self.dockerfile.clone())
    }
}
