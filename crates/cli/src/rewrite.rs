//! Caches written into a Dockerfile.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use buildkit_llb::edit::Editor;
use buildkit_llb::{Definition, Platform};
use clap::{Args, Subcommand};
use larder_diagnostic::SourceFile;
use larder_dockerfile::{Addition, CacheMount, Dockerfile, Mount, Unplaced, rewrite};
use larder_inject::definition::{Wish, show};
use larder_inject::{Ids, Layout};

use crate::decisions::{Decisions, Exec};
use crate::docker::Question;
use crate::input::{parent, read_file};
use crate::{inject, output};

/// What comes before the id of a cache where no namespace is.
const NO_NAMESPACE: &str = "/";

#[derive(Subcommand)]
pub(crate) enum DockerfileCommand {
    /// Write cache mounts into a Dockerfile, which then needs no Larder
    Rewrite(Rewrite),
}

/// What is rewritten.
#[derive(Args)]
pub(crate) struct Rewrite {
    /// The Dockerfile
    #[arg(value_name = "FILE", default_value = "Dockerfile")]
    file: PathBuf,
    /// Write the file in place of stdout
    #[arg(short, long)]
    in_place: bool,
    /// LLB of the file, as `larder inject` reads it [default: Docker and the frontend are asked]
    #[arg(long, value_name = "FILE")]
    llb: Option<PathBuf>,
    /// The build context [default: the file's directory]
    #[arg(long, value_name = "DIR", conflicts_with = "llb")]
    context: Option<PathBuf>,
    /// The image of Larder's frontend
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = "larder/frontend:1",
        conflicts_with = "llb"
    )]
    frontend: String,
    /// More options of `docker buildx build`, such as `--target` and `--build-arg`
    #[arg(last = true, value_name = "OPTION", conflicts_with = "llb")]
    options: Vec<String>,
}

impl Rewrite {
    /// Writes the file, in place or to stdout.
    pub(crate) fn run(self) -> Result<()> {
        let name = self.file.display().to_string();
        let bytes = read_file(&self.file, SourceFile::MAX_BYTES)?;
        let source = SourceFile::from_bytes(name.clone(), bytes).map_err(anyhow::Error::msg)?;
        let file = Dockerfile::read(&source.text).map_err(|error| anyhow!("{name}: {error}"))?;
        let (decisions, known_as) = self.decide(&source)?;
        if let Some(why) = decisions.without {
            bail!("{name}: nothing was decided: {why}");
        }
        let mut report = Report::default();
        let additions = report.additions(&decisions.execs, known_as.as_deref());
        let rewritten = rewrite(&file, &additions);
        report.finish(&file, &additions, rewritten.unplaced);
        if !self.in_place {
            output::result(rewritten.text.as_bytes())?;
        } else if rewritten.text != source.text {
            fs::write(&self.file, &rewritten.text).with_context(|| name.clone())?;
        }
        output::say(&report.text(&name));
        Ok(())
    }

    /// The decisions, and the name that they know the file by, if it is one of several.
    fn decide(&self, source: &SourceFile) -> Result<(Decisions, Option<String>)> {
        let Some(llb) = &self.llb else {
            let question = Question {
                frontend: &self.frontend,
                file: &self.file,
                context: self
                    .context
                    .as_deref()
                    .unwrap_or_else(|| parent(&self.file)),
                options: &self.options,
            };
            return Ok((Decisions::read(&question.plan()?)?, None));
        };
        let definition = inject::read(llb)?;
        let known_as = name_in(&definition, source, llb)?;
        let wish = Wish {
            ids: Ids::Dockerfile,
            scope: None,
            project: "default".to_owned(),
            namespace: None,
            platform: Platform::host(),
            layout: Layout::Default,
        };
        let injected =
            inject::offline(&definition, &wish).with_context(|| llb.display().to_string())?;
        Ok((Decisions::read(&show::json(&injected))?, Some(known_as)))
    }
}

/// The name by which a definition knows a file, by its text.
fn name_in(definition: &Definition, source: &SourceFile, llb: &Path) -> Result<String> {
    let shown = || llb.display().to_string();
    let editor = Editor::new(std::slice::from_ref(definition)).with_context(shown)?;
    let mut files = editor.files().iter();
    match files.find(|file| file.data == source.text.as_bytes()) {
        Some(file) => Ok(file.filename.clone()),
        None => bail!(
            "{}: this is not the LLB of {} as it is now",
            shown(),
            source.name
        ),
    }
}

/// What there is to say, by line.
#[derive(Default)]
struct Report {
    lines: BTreeMap<u32, Vec<String>>,
    runs: usize,
    changed: usize,
}

impl Report {
    /// What goes into which line.
    fn additions(&mut self, execs: &[Exec], known_as: Option<&str>) -> Vec<Addition> {
        let mut by_line: BTreeMap<u32, Vec<&Exec>> = BTreeMap::new();
        for exec in execs {
            if let Some(place) = &exec.location
                && known_as.is_none_or(|name| name == place.file)
            {
                by_line.entry(place.lines[0]).or_default().push(exec);
            }
        }
        let mut additions = Vec::new();
        for (line, execs) in by_line {
            let mut read = Vec::new();
            for exec in execs {
                let (addition, notes) = addition(line, exec);
                self.note(line, notes);
                read.push(addition);
            }
            read.dedup();
            match <[Addition; 1]>::try_from(read) {
                Ok([addition]) if addition.mounts.is_empty() => {}
                Ok(addition) => additions.extend(addition),
                Err(_) => {
                    let note = "the operations that come from here differ in their caches";
                    self.note(line, vec![note.to_owned()]);
                }
            }
        }
        additions
    }

    fn note(&mut self, line: u32, notes: Vec<String>) {
        let known = self.lines.entry(line).or_default();
        for note in notes {
            if !known.contains(&note) {
                known.push(note);
            }
        }
    }

    fn finish(&mut self, file: &Dockerfile, additions: &[Addition], unplaced: Vec<Unplaced>) {
        let runs = file.instructions.iter().filter(|one| one.keyword == "RUN");
        self.runs = runs.count();
        self.changed = additions.len() - unplaced.len();
        for Unplaced { line, reason } in unplaced {
            self.note(line, vec![reason]);
        }
    }

    fn text(&self, name: &str) -> String {
        let mut out = String::new();
        for (line, notes) in &self.lines {
            for note in notes {
                out.extend([name, ":", &line.to_string(), ": ", note, "\n"]);
            }
        }
        let (changed, runs) = (self.changed, self.runs);
        out + &format!("{name}: {changed} of {runs} RUN got mounts\n")
    }
}

/// What an operation gets, and what it does not, in words.
fn addition(line: u32, exec: &Exec) -> (Addition, Vec<String>) {
    let mut notes: Vec<String> = (exec.left_alone.iter())
        .map(|left| format!("no cache {}: {}", left.cache, left.reason))
        .collect();
    let whole = exec.off.as_ref().or(exec.unread.as_ref());
    notes.extend(whole.map(|why| format!("no caches: {why}")));
    let mut addition = Addition {
        line,
        ..Addition::default()
    };
    if exec.mounts.is_empty() {
        return (addition, notes);
    }
    match mounts(exec) {
        Ok(mounts) => {
            addition.mounts = mounts;
            addition.files.clone_from(&exec.files);
        }
        Err(reason) => {
            let names: Vec<&str> = exec
                .mounts
                .iter()
                .map(|mount| mount.cache.as_str())
                .collect();
            notes.push(format!("no cache {}: {reason}", names.join(", ")));
        }
    }
    (addition, notes)
}

/// The mounts of an operation, or why a Dockerfile cannot say them.
fn mounts(exec: &Exec) -> Result<Vec<Mount>, String> {
    if let Some((name, value)) = exec.env.first_key_value() {
        return Err(format!(
            "the command would need {name}={value}, and no flag sets a variable"
        ));
    }
    if let Some(name) = exec.without.first() {
        return Err(format!(
            "{name} of the base image keeps it from being used, and no flag takes a variable away"
        ));
    }
    let mut mounts = Vec::new();
    for mount in &exec.mounts {
        let wrong = |what: &str| format!("its {what} is none that a Dockerfile can say");
        let id = mount
            .id
            .strip_prefix(NO_NAMESPACE)
            .ok_or_else(|| wrong("id"))?;
        let sharing = ["shared", "private", "locked"].into_iter();
        mounts.push(Mount::Cache(CacheMount {
            id: id.to_owned(),
            target: mount.target.clone(),
            sharing: (sharing.clone())
                .find(|known| *known == mount.sharing)
                .ok_or_else(|| wrong("sharing"))?,
            uid: mount.uid,
            gid: mount.gid,
            mode: u32::from_str_radix(&mount.mode, 8).map_err(|_| wrong("mode"))?,
        }));
    }
    let tmpfs = exec.tmpfs.iter().cloned();
    mounts.extend(tmpfs.map(|target| Mount::Tmpfs { target }));
    Ok(mounts)
}
