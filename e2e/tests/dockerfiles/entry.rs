use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use larder_e2e::{
    Project,
    same::{Leftover, Leftovers, What},
};
use serde::Deserialize;

/// A Dockerfile of the corpus: a folder that is its context, but for `expect.toml` and `added`.
pub(crate) struct Entry {
    /// Group and name.
    pub(crate) name: String,
    folder: PathBuf,
    pub(crate) expect: Expect,
}

/// What is known of an entry: its `expect.toml`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expect {
    /// A folder of `fixtures` that is in the context, too: its `first`, then its `added`.
    fixture: Option<String>,
    /// Options of `docker buildx build`. `CONTEXT` is the context's folder.
    pub(crate) options: Vec<String>,
    /// Homes other than `/root` and those in `/home`.
    homes: Vec<String>,
    leftovers: Vec<Leaves>,
    /// Which of the catalogue's caches Larder mounts, if that is known.
    pub(crate) caches: Option<Vec<String>>,
    /// Parts of the paths of packages that are fetched at first alone.
    pub(crate) kept: Vec<String>,
    /// Those that are fetched by each build that runs their step, since it gets no cache.
    pub(crate) again: Vec<String>,
    /// Those that are fetched once `added` is laid over the context. If this is empty, that is not
    /// built.
    pub(crate) added: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaves {
    place: String,
    what: Kind,
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Cache,
    Record,
}

pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dockerfiles/corpus")
}

impl Entry {
    /// The entries of a group, sorted.
    pub(crate) fn all(group: &str) -> Vec<Self> {
        let folders = fs::read_dir(corpus().join(group)).unwrap();
        let mut folders: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
            .into_iter()
            .map(|folder| Self::read(group, folder).unwrap())
            .collect()
    }

    fn read(group: &str, folder: PathBuf) -> Result<Self> {
        let own = folder.file_name().context("a folder has a name")?;
        let name = format!("{group}/{}", own.to_string_lossy());
        let expect = fs::read_to_string(folder.join("expect.toml"))?;
        let expect = toml::from_str(&expect).with_context(|| format!("{name}/expect.toml"))?;
        Ok(Self {
            name,
            folder,
            expect,
        })
    }

    /// Lays its context into a folder.
    pub(crate) fn lay(&self, project: &Project) -> Result<()> {
        self.lay_fixture(project, "first")?;
        project.lay(&self.folder)?;
        for ours in ["expect.toml", "Dockerfile"] {
            fs::remove_file(project.path().join(ours))?;
        }
        let added = project.path().join("added");
        if added.exists() {
            fs::remove_dir_all(added)?;
        }
        Ok(())
    }

    /// Adds a dependency to its context.
    pub(crate) fn lay_added(&self, project: &Project) -> Result<()> {
        self.lay_fixture(project, "added")
    }

    fn lay_fixture(&self, project: &Project, state: &str) -> Result<()> {
        let Some(fixture) = &self.expect.fixture else {
            return Ok(());
        };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        project.lay(&fixtures.join(fixture).join(state))
    }

    /// Its Dockerfile.
    pub(crate) fn dockerfile(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.join("Dockerfile"))?)
    }

    /// Its Dockerfile once a dependency was added.
    pub(crate) fn dockerfile_added(&self) -> Result<String> {
        let other = self.folder.join("added/Dockerfile");
        if other.exists() {
            return Ok(fs::read_to_string(other)?);
        }
        self.dockerfile()
    }

    /// Where its images may differ.
    pub(crate) fn leftovers(&self) -> Leftovers {
        let mut leftovers = Leftovers::default();
        for home in &self.expect.homes {
            leftovers = leftovers.home(home);
        }
        for one in &self.expect.leftovers {
            leftovers = leftovers.and(Leftover {
                place: one.place.clone(),
                what: match one.what {
                    Kind::Cache => What::Cache,
                    Kind::Record => What::Record,
                },
                reason: one.reason.clone(),
            });
        }
        leftovers
    }
}
