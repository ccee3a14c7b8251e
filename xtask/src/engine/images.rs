//! The base images: Debian by mmdebstrap, the rest by the recipes in `xtask/images`.
//!
//! They are pushed to the engine's registry under the names of Docker Hub's `library`, for which
//! that registry is the mirror, so that a spec names the images that its author would name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::packages::{Mirror, Tools};
use super::state::{State, fold};
use super::{daemon, proxy};
use crate::run;

/// Debian images that need no recipe: name and suite.
const DEBIAN: &[(&str, &str)] = &[
    ("debian:trixie-slim", "trixie"),
    ("debian:forky-slim", "forky"),
];

/// The machine's certificates, which containers trust too: the way out may end TLS.
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// What Debian's official images have so that layers hold no archives.
const DOCKER_CLEAN: &str = r#"DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"#;

struct Recipe {
    file: PathBuf,
    text: String,
    base: String,
}

/// The images made so far.
pub(crate) fn made(state: &State) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(state.dir.join("images")) else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Makes the images asked for, and those below them, unless they are there and up to date.
pub(crate) fn make(state: &State, tools: &Tools, registry: &str, wanted: &[String]) -> Result<()> {
    let recipes = recipes(state)?;
    let mut names: Vec<String> = Vec::new();
    for name in wanted {
        if name == "all" {
            names.push(DEBIAN[0].0.to_owned());
            names.extend(recipes.keys().cloned());
        } else {
            names.push(name.clone());
        }
    }
    let maker = Maker {
        state,
        tools,
        registry,
        recipes,
    };
    let mut stamps = BTreeMap::new();
    for name in &names {
        maker.ensure(name, &mut stamps)?;
    }
    Ok(())
}

fn recipes(state: &State) -> Result<BTreeMap<String, Recipe>> {
    let folder = state.root.join("xtask/images");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&folder).context("cannot read xtask/images")? {
        let file = entry?.path();
        let text = fs::read_to_string(&file)?;
        let field = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .map(str::trim)
        };
        let Some(name) = field("# name:") else {
            continue;
        };
        let base = field("FROM ").with_context(|| format!("{} has no FROM", file.display()))?;
        let (name, base) = (name.to_owned(), base.to_owned());
        found.insert(name, Recipe { file, text, base });
    }
    Ok(found)
}

struct Maker<'a> {
    state: &'a State,
    tools: &'a Tools,
    registry: &'a str,
    recipes: BTreeMap<String, Recipe>,
}

impl Maker<'_> {
    /// Makes an image unless it is up to date, and returns the stamp of what it was made from.
    fn ensure(&self, name: &str, stamps: &mut BTreeMap<String, String>) -> Result<String> {
        if let Some(stamp) = stamps.get(name) {
            return Ok(stamp.clone());
        }
        let suite = DEBIAN
            .iter()
            .find(|(debian, _)| *debian == name)
            .map(|(_, suite)| *suite);
        let recipe = self.recipes.get(name);
        let stamp = match (suite, recipe) {
            (Some(suite), _) => self.debian_stamp(suite)?,
            (None, Some(recipe)) => {
                let base = self.ensure(&recipe.base, stamps)?;
                format!(
                    "{:08x}",
                    fold(format!("{base}\n{}", recipe.text).as_bytes())
                )
            }
            (None, None) => bail!(
                "no recipe for the image {name}; there are {}",
                self.recipes
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        let file = self.state.folder("images")?.join(name);
        if !fs::read_to_string(&file).is_ok_and(|old| old == stamp) {
            run::step(&format!("making the image {name}"), || match suite {
                Some(suite) => self.debian(name, suite),
                None => self.build(name, &self.recipes[name].file, &self.state.folder("empty")?),
            })?;
            fs::write(&file, &stamp)?;
        }
        stamps.insert(name.to_owned(), stamp.clone());
        Ok(stamp)
    }

    fn debian_stamp(&self, suite: &str) -> Result<String> {
        let mut content = suite.to_owned();
        content.push_str(DOCKER_CLEAN);
        content.push_str(&fs::read_to_string(self.debian_recipe())?);
        content.push_str(&certificates(self.state)?.concat());
        Ok(format!("{:08x}", fold(content.as_bytes())))
    }

    fn debian_recipe(&self) -> PathBuf {
        self.state.root.join("xtask/images/debian.Dockerfile")
    }

    fn debian(&self, name: &str, suite: &str) -> Result<()> {
        let work = self.state.folder("rootfs")?;
        let root = work.join(suite);
        daemon::unmount_below(&root)?;
        let _ = fs::remove_dir_all(&root);
        let sources = work.join("sources.list");
        fs::write(&sources, Mirror::find()?.line(suite))?;
        let log = self.state.log(&format!("mmdebstrap-{suite}"));
        let mut command = self.tools.command("mmdebstrap");
        command.args(["--mode=root", "--variant=minbase", "--format=directory"]);
        command.arg("--include=ca-certificates");
        for option in machine_apt_options()? {
            command.arg(format!("--aptopt={option}"));
        }
        run::logged(command.arg(suite).arg(&root).arg(&sources), &log)?;
        self.certify(&root)?;
        fs::write(root.join("etc/apt/apt.conf.d/docker-clean"), DOCKER_CLEAN)?;
        run::output(
            self.tools
                .command("tar")
                .args(["--numeric-owner", "--sort=name", "-C"])
                .arg(&root)
                .arg("-cf")
                .arg(work.join("rootfs.tar"))
                .args(["--exclude=./dev/*", "--exclude=./var/lib/apt/lists/*", "."]),
        )?;
        fs::remove_dir_all(&root)?;
        self.build(name, &self.debian_recipe(), &work)?;
        Ok(fs::remove_dir_all(&work)?)
    }

    /// Makes a Debian root trust what this machine trusts.
    fn certify(&self, root: &Path) -> Result<()> {
        let known = fs::read_to_string(root.join(BUNDLE)).unwrap_or_default();
        let known: BTreeSet<String> = split_bundle(&known).into_iter().collect();
        let extra = certificates(self.state)?
            .into_iter()
            .filter(|one| !known.contains(one));
        let folder = root.join("usr/local/share/ca-certificates");
        fs::create_dir_all(&folder)?;
        for (index, certificate) in extra.enumerate() {
            fs::write(folder.join(format!("machine-{index}.crt")), certificate)?;
        }
        run::output(
            self.tools
                .command("chroot")
                .arg(root)
                .arg("update-ca-certificates"),
        )?;
        Ok(())
    }

    fn build(&self, name: &str, file: &Path, context: &Path) -> Result<()> {
        let mut command = daemon::docker(self.state, self.tools);
        command.args([
            "buildx",
            "build",
            "--progress=plain",
            "--provenance=false",
            "--pull",
            "-f",
        ]);
        command.arg(file).arg(context).arg("--output").arg(format!(
            "type=image,name={}/library/{name},push=true,oci-mediatypes=true",
            self.registry
        ));
        let log = name.replace([':', '/'], "-");
        run::logged(&mut command, &self.state.log(&format!("image-{log}")))
    }
}

/// The certificates that images trust: the machine's, and the proxy's.
fn certificates(state: &State) -> Result<Vec<String>> {
    let bundle = fs::read_to_string(Path::new("/").join(BUNDLE))
        .map_err(|error| anyhow!("cannot read the machine's certificates, /{BUNDLE}: {error}"))?;
    let proxy =
        fs::read_to_string(proxy::certificate(state)).context("the proxy has no certificate")?;
    Ok(split_bundle(&(bundle + &proxy)))
}

fn split_bundle(bundle: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    bundle
        .split(BEGIN)
        .skip(1)
        .filter_map(|rest| rest.split_once(END))
        .map(|(body, _)| format!("{BEGIN}\n{}\n{END}\n", body.trim()))
        .collect()
}

/// How the machine's apt reaches its mirror: proxies, certificates, clocks.
fn machine_apt_options() -> Result<Vec<String>> {
    let dump = run::output(Command::new("apt-config").args(["dump", "Acquire"]))?;
    let wanted = ["Acquire::http", "Acquire::https", "Acquire::Check-"];
    Ok(dump
        .lines()
        .filter(|line| wanted.iter().any(|start| line.starts_with(start)))
        .filter(|line| !line.ends_with(" \"\";"))
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_split_into_certificates() {
        let one = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
        let two = "-----BEGIN CERTIFICATE-----\nREVG\n-----END CERTIFICATE-----\n";
        let bundle = format!("# a name\n{one}\n{two}-----BEGIN CERTIFICATE-----\ncut off");
        assert_eq!(split_bundle(&bundle), [one, two]);
    }
}
