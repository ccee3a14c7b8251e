use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use larder_e2e::{
    Base, Build, Engine, Project,
    proxy::{Proxy, Transfer},
    same::{Image, Images, compare},
    unique,
};

use crate::entry::Entry;

/// How a build is told of Larder.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// By a `# syntax=` line on top.
    Syntax,
    /// By the build argument `BUILDKIT_SYNTAX`.
    Argument,
}

/// Images that Dockerfiles name. Each entry has its own in their place, so that nothing was run before.
const BASES: [&str; 6] = [
    "debian:trixie-slim",
    "golang:1.24",
    "maven:3",
    "node:20-slim",
    "python:3.13-slim",
    "rust:1-slim",
];

/// An entry, its context and its images.
pub(crate) struct Scene<'a> {
    engine: &'a Engine,
    images: &'a Images,
    entry: &'a Entry,
    context: Project,
    /// Dockerfiles, outside the context.
    files: Project,
    bases: Vec<(&'static str, Base<'a>)>,
    proxy: Proxy,
    namespace: String,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(engine: &'a Engine, images: &'a Images, entry: &'a Entry) -> Result<Self> {
        let context = Project::empty()?;
        entry.lay(&context)?;
        let text = entry.dockerfile()?;
        let named = BASES.iter().filter(|name| text.contains(**name));
        let bases = named.map(|&name| Ok((name, engine.base(name)?)));
        Ok(Self {
            engine,
            images,
            entry,
            context,
            files: Project::empty()?,
            bases: bases.collect::<Result<_>>()?,
            proxy: engine.proxy()?,
            namespace: unique(),
        })
    }

    /// What differs between the images without Larder and with it.
    pub(crate) fn same(&self, way: Way) -> Result<Vec<String>> {
        let (plain, _) = self.image(self.plain()?)?;
        let (larder, logs) = self.image(self.larder(way, &self.entry.dockerfile()?)?)?;
        let mut wrong = self.differences(&plain, &larder);
        let fetched = packages(&self.proxy.take(), &logs)?;
        let expect = &self.entry.expect;
        for package in &expect.kept {
            if !fetched.iter().any(|path| path.contains(package)) {
                wrong.push(format!(
                    "{package} is not among what was fetched: {fetched:?}"
                ));
            }
        }
        Ok(wrong)
    }

    /// What is wrong with the caches that were mounted.
    pub(crate) fn caches(&self) -> Result<Vec<String>> {
        let Some(expected) = &self.entry.expect.caches else {
            return Ok(Vec::new());
        };
        let usage = self.engine.docker_output(&["buildx", "du", "--verbose"])?;
        let start = format!("with id \"{}/larder/", self.namespace);
        let ids = usage.lines().filter_map(|line| line.split_once(&start));
        let mounted: BTreeSet<&str> = ids.filter_map(|(_, id)| id.split('/').nth(1)).collect();
        let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
        Ok(if mounted == expected {
            Vec::new()
        } else {
            vec![format!("caches are {mounted:?}, not {expected:?}")]
        })
    }

    /// What is wrong with what is fetched once a dependency was added.
    pub(crate) fn added(&self, way: Way) -> Result<Vec<String>> {
        let expect = &self.entry.expect;
        if expect.added.is_empty() {
            return Ok(Vec::new());
        }
        self.entry.lay_added(&self.context)?;
        self.proxy.take();
        let more = self.larder(way, &self.entry.dockerfile_added()?)?;
        let built = more.succeed().context("with a dependency added")?;
        let fetched = packages(&self.proxy.take(), &built.logs)?;
        let expected: Vec<&String> = expect.added.iter().chain(&expect.again).collect();
        let mut wrong = Vec::new();
        for package in &expected {
            if !fetched.iter().any(|path| path.contains(*package)) {
                wrong.push(format!("{package} was added, and fetched were {fetched:?}"));
            }
        }
        for path in fetched {
            if !expected.iter().any(|package| path.contains(*package)) {
                wrong.push(format!("fetched again: {path}"));
            }
        }
        Ok(wrong)
    }

    fn plain(&self) -> Result<Build<'_>> {
        self.build("plain", &self.entry.dockerfile()?)
    }

    fn larder(&self, way: Way, dockerfile: &str) -> Result<Build<'_>> {
        let frontend = self.engine.frontend();
        let build = match way {
            Way::Syntax => self.build("larder", &format!("# syntax={frontend}\n{dockerfile}"))?,
            Way::Argument => self
                .build("larder", dockerfile)?
                .arg("BUILDKIT_SYNTAX", frontend),
        };
        Ok(build.namespace(&self.namespace).through(&self.proxy))
    }

    fn build(&self, folder: &str, dockerfile: &str) -> Result<Build<'_>> {
        let mut text = dockerfile.to_owned();
        for (name, base) in &self.bases {
            text = text.replace(name, base.name());
        }
        let file = self.files.file(&format!("{folder}/Dockerfile"), text)?;
        let context = self.context.path().to_string_lossy();
        let options = self.entry.expect.options.iter();
        let build = self.engine.build(&self.context);
        Ok(
            options.fold(build.file(&file.to_string_lossy()), |build, option| {
                build.option(option.replace("CONTEXT", &context))
            }),
        )
    }

    /// An image, and what its steps printed.
    fn image(&self, build: Build<'_>) -> Result<(Image, String)> {
        let pushed = build.pushed(self.images.repository()).succeed()?;
        let mut images = self.images.pull(pushed.digest()?)?;
        ensure!(images.len() == 1, "{} platforms", images.len());
        let (_, image) = images.pop_first().context("no image")?;
        Ok((image, pushed.logs.clone()))
    }

    fn differences(&self, first: &Image, second: &Image) -> Vec<String> {
        let found = compare(first, second, &self.entry.leftovers());
        found.iter().map(ToString::to_string).collect()
    }
}

/// What differs between two images without Larder.
pub(crate) fn plain_twice(scene: &Scene<'_>) -> Result<Vec<String>> {
    let (first, _) = scene.image(scene.plain()?)?;
    let (second, _) = scene.image(scene.plain()?.option("--no-cache"))?;
    Ok(scene.differences(&first, &second))
}

/// Paths of packages among transfers, and of those that Maven, which asks no proxy, says it fetched; in
/// small letters.
pub(crate) fn packages(transfers: &[Transfer], logs: &str) -> Result<Vec<String>> {
    let said = |line: &str| {
        let (_, address) = line.split_once("Downloaded from central: ")?;
        Some(address.to_lowercase())
    };
    let mut paths: Vec<String> = logs.lines().filter_map(said).collect();
    for transfer in transfers {
        let path = transfer.path.to_lowercase();
        let file = path.split('?').next().unwrap_or_default();
        let ends = [
            ".whl",
            ".tar.gz",
            ".tgz",
            ".deb",
            ".crate",
            "/download",
            ".jar",
        ];
        let package = file.contains("/@v/") || ends.iter().any(|end| file.ends_with(end));
        if package && transfer.status == 200 && transfer.bytes > 0 {
            ensure!(transfer.complete, "cut short: {transfer:?}");
            paths.push(path);
        }
    }
    Ok(paths)
}
