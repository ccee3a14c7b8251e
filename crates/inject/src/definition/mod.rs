//! Caches for the operations of definitions that somebody else made.
//!
//! The image stays the same one, less the leftovers of caches; what is not understood is left alone.

mod account;
mod comments;
mod guard;
mod mention;
mod pass;
mod run;
pub mod show;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use buildkit_llb::edit::{Edited, Editor, ExecChange, OpId};
use buildkit_llb::{
    Constraints, Definition, Digest, File, Graph, ImportError, Meta, Mkfile, Mount, Platform,
};

use crate::{Beginnings, Decision, Ids, Layout, Scope};
use pass::Pass;
use run::Run;

/// What the author of a build wants of its caches.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How BuildKit is told which cache is meant.
    pub ids: Ids,
    /// Overrides the catalogue's scope.
    pub scope: Option<Scope>,
    /// The project's name, for caches of its own; `# larder: project=…` wins.
    pub project: String,
    /// `BUILDKIT_CACHE_MOUNT_NS`, if any.
    pub namespace: Option<String>,
    /// What operations that do not say so run on.
    pub platform: Platform,
    /// Where mounts sit: [`Layout::Private`], or [`Layout::Default`] for mounts that somebody is to
    /// write down, who can set no variables.
    pub layout: Layout,
}

/// What is known of images that definitions start from, by the digest of the operation that brings
/// one in.
pub type Facts = BTreeMap<Digest, ImageFact>;

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFact {
    /// `/etc/passwd`, `/etc/group` and `/etc/os-release` (or `/usr/lib/os-release`) by path, those
    /// that were asked for; none for a file that is not there.
    pub files: BTreeMap<String, Option<String>>,
    /// Whether a directory has entries, by path, those that were asked for. One that is not there has
    /// none.
    pub filled: BTreeMap<String, bool>,
    /// Nobody could look: everything that is not in here takes its default, and the report says so.
    pub assumed: bool,
}

/// What to find out of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageNeed {
    /// Solves to the image's filesystem.
    pub definition: Definition,
    /// Files to read.
    pub files: BTreeSet<String>,
    /// Directories to look into.
    pub directories: BTreeSet<String>,
}

/// What [`inject`] comes to.
#[derive(Clone, Debug)]
pub enum Injection {
    /// More must be known: find it out, add it to the facts, and ask again.
    Needs(BTreeMap<Digest, ImageNeed>),
    /// Everything is decided.
    Done(Injected),
}

/// Definitions with caches.
#[derive(Clone, Debug)]
pub struct Injected {
    /// In the order in which they came; one in which nothing was injected is as it came.
    pub definitions: Vec<Definition>,
    /// Every operation that runs a program, inputs first.
    pub execs: Vec<Examined>,
    /// Comments that say nothing that is understood.
    pub mistakes: Vec<Mistake>,
}

/// An operation that was looked at.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its digest as it came.
    pub digest: Digest,
    /// Its digest now.
    pub injected: Digest,
    /// Its name in the progress display.
    pub name: String,
    /// The name of the source file, and the first range of lines there, from 1.
    pub location: Option<(String, RangeInclusive<u32>)>,
    /// What it gets and what it does not, and why.
    pub decision: Decision,
    /// Why it was not looked at, if so: a comment says off.
    pub off: Option<String>,
}

/// A `# larder:` comment that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub hint: String,
}

/// Gives every operation that runs a program the caches that it can use without a trace in the result.
///
/// Fails if a definition cannot be read.
pub fn inject(
    definitions: &[Definition],
    wish: &Wish,
    facts: &Facts,
) -> Result<Injection, ImportError> {
    let editor = Editor::new(definitions)?;
    let runs = Run::all(&editor);
    let plan = Pass::new(&editor, &runs, wish, facts).decide();
    if !plan.needs.is_empty() {
        return Ok(Injection::Needs(plan.needs));
    }
    let looks = runs.iter().zip(plan.decisions).zip(plan.off);
    let mut execs: Vec<Examined> = looks
        .map(|((run, decision), off)| Examined {
            digest: editor.digest(run.op),
            injected: editor.digest(run.op),
            name: editor.name(run.op),
            location: location(&editor, run.op),
            decision,
            off,
        })
        .collect();
    let edited = apply(editor, wish, &runs, &execs);
    for exec in &mut execs {
        if let Some(digest) = edited.digests.get(&exec.digest) {
            exec.injected = *digest;
        }
    }
    Ok(Injection::Done(Injected {
        definitions: edited.definitions,
        execs,
        mistakes: plan.mistakes,
    }))
}

fn location(editor: &Editor, op: OpId) -> Option<(String, RangeInclusive<u32>)> {
    let locations = editor.locations(op);
    let location = locations.first()?;
    let file = editor.files().get(location.file)?;
    Some((file.filename.clone(), location.lines.first()?.clone()))
}

fn apply(mut editor: Editor, wish: &Wish, runs: &[Run], execs: &[Examined]) -> Edited {
    let mut beginnings = Beginnings::default();
    for (run, exec) in runs.iter().zip(execs) {
        let decision = &exec.decision;
        if decision.mounts.is_empty() {
            continue;
        }
        let platform = editor.platform(run.op);
        let here = Constraints::on(platform.unwrap_or_else(|| wish.platform.clone()));
        let graph = editor.graph();
        let mut mounts: Vec<Mount> = (decision.mounts.iter())
            .map(|cache| beginnings.mount(cache, None, graph, &here))
            .collect();
        for (target, contents) in &decision.files {
            mounts.push(file(graph, &here, target, contents));
        }
        mounts.extend(decision.tmpfs.iter().map(Mount::tmpfs));
        let env = decision.env.clone();
        editor.change(run.op, ExecChange { env, mounts });
    }
    editor.finish()
}

/// A file that an operation sees in place of the image's.
fn file(graph: &mut Graph, here: &Constraints, target: &str, contents: &str) -> Mount {
    const FILE: &str = "/file";
    let made = File::on(None).mkfile(Mkfile {
        path: FILE.to_owned(),
        mode: 0o644,
        data: contents.as_bytes().to_vec(),
        owner: None,
        time: None,
    });
    let name = format!("[internal] {target}");
    let made = graph.add(made, here, Meta::named(name)).only();
    Mount::bind(made, target).select(FILE)
}
