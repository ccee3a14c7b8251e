//! Mounts put into a Dockerfile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::flags::flags;
use crate::mount::Mount;
use crate::scan::{Dockerfile, Instruction};

/// What a `RUN` is to get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addition {
    /// The line that the `RUN` starts in, from 1.
    pub line: u32,
    /// Mounts, put before those that are there.
    pub mounts: Vec<Mount>,
    /// Files to mount read-only: absolute path and contents.
    pub files: BTreeMap<String, String>,
}

/// A Dockerfile with mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// All of it. Without what was put in, it is what it was, byte for byte.
    pub text: String,
    /// What could not be put in.
    pub unplaced: Vec<Unplaced>,
}

/// A `RUN` that got nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The line that it starts in, from 1.
    pub line: u32,
    /// Why: lower-case, without a full stop.
    pub reason: String,
}

/// The stage that files are in.
const STAGE: &str = "larder-files";
const INDENT: &str = "    ";

/// Puts mounts into a Dockerfile. A `RUN` gets everything that it is to get, or nothing. Files are put
/// into a stage of their own, above the others.
pub fn rewrite(file: &Dockerfile, additions: &[Addition]) -> Rewritten {
    let mut unplaced = Vec::new();
    let stage = Stage::of(file, additions);
    let mut insertions: BTreeMap<usize, String> = BTreeMap::new();
    let mut needs_stage = false;
    for addition in additions {
        match flags_of(file, addition, &stage) {
            Ok(None) => {}
            Ok(Some((at, text))) => {
                needs_stage |= !addition.files.is_empty();
                insertions.insert(at, text);
            }
            Err(reason) => unplaced.push(Unplaced {
                line: addition.line,
                reason,
            }),
        }
    }
    if needs_stage && let Some((at, text)) = stage.insertion {
        insertions.insert(at, text);
    }
    Rewritten {
        text: with(file.text, &insertions),
        unplaced,
    }
}

fn with(text: &str, insertions: &BTreeMap<usize, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, insertion) in insertions {
        out.push_str(&text[done..*at]);
        out.push_str(insertion);
        done = *at;
    }
    out.push_str(&text[done..]);
    out
}

/// What is put where for an addition; nothing if all of it is there.
fn flags_of(
    file: &Dockerfile,
    addition: &Addition,
    stage: &Stage,
) -> Result<Option<(usize, String)>, String> {
    let here = |one: &&Instruction| *one.lines.start() == addition.line;
    let run = match file.instructions.iter().find(here) {
        Some(run) if run.keyword == "RUN" => run,
        Some(from) if from.keyword == "FROM" => {
            return Err(
                "an `ONBUILD` of what it starts from runs here, and takes no flags".to_owned(),
            );
        }
        _ => return Err("no RUN starts in this line".to_owned()),
    };
    let mut mounts = addition.mounts.clone();
    for (target, contents) in &addition.files {
        if stage.files.get(target) != Some(contents) {
            return Err(format!("`{target}` is another file elsewhere"));
        }
        mounts.push(Mount::File {
            stage: stage.name.clone(),
            target: target.clone(),
        });
    }
    if !addition.files.is_empty() {
        stage.fits.clone()?;
    }
    let mut flags = Vec::new();
    for mount in &mounts {
        let flag = mount.flag().map_err(|error| error.to_string())?;
        if !run.flags.contains(&flag) {
            flags.push(flag);
        }
    }
    if flags.is_empty() {
        return Ok(None);
    }
    let next = format!(" {}{}{INDENT}", file.escape, file.line_break());
    let mut text = format!(" {}", flags.join(&next));
    let rest = file.text[run.keyword_end..].lines().next();
    let rest = rest.unwrap_or_default().trim();
    let is_alone = rest.strip_suffix(file.escape).unwrap_or(rest).is_empty();
    // At the start of a line, `#` would begin a comment.
    if !is_alone && !rest.starts_with('#') {
        // The blank that parts the keyword and what follows is the last of the indent.
        text.push_str(&next[..next.len() - 1]);
    }
    Ok(Some((run.keyword_end, text)))
}

/// The stage that files are in.
struct Stage {
    name: String,
    files: BTreeMap<String, String>,
    /// What is put where, unless it is there.
    insertion: Option<(usize, String)>,
    /// Why it cannot be put there, if so.
    fits: Result<(), String>,
}

impl Stage {
    fn of(file: &Dockerfile, additions: &[Addition]) -> Stage {
        let mut files = BTreeMap::new();
        for (target, contents) in additions.iter().flat_map(|one| &one.files) {
            files.entry(target.clone()).or_insert(contents.clone());
        }
        let is_there = |name: &str| file.text.contains(&stage_text(name, &files));
        let names = (1..).map(|number: u32| match number {
            1 => STAGE.to_owned(),
            _ => format!("{STAGE}-{number}"),
        });
        let mut free = names.filter(|name| is_there(name) || !file.text.contains(name));
        let name = free.next().unwrap_or_default();
        let mut stage = Stage {
            insertion: None,
            fits: Ok(()),
            name,
            files: BTreeMap::new(),
        };
        if !is_there(&stage.name) {
            let mut froms = (file.instructions.iter()).filter(|one| one.keyword == "FROM");
            let text = stage_text(&stage.name, &files);
            let first = froms.next();
            stage.insertion = first.map(|first| (above(file, first), text));
            stage.fits = first.map_or(Err("there is no stage".to_owned()), |_| uncounted(file));
        }
        stage.files = files;
        stage
    }
}

/// Where a stage is put above the first. The first one's comments stay with it, but for those that speak
/// to Larder: above the first `FROM` of a file, these are for the whole file.
fn above(file: &Dockerfile, first: &Instruction) -> usize {
    if file.text[first.comments..first.start].contains("larder:") {
        first.start
    } else {
        first.comments
    }
}

fn stage_text(name: &str, files: &BTreeMap<String, String>) -> String {
    let mut text = format!("FROM scratch AS {name}\n");
    for (target, contents) in files {
        let mut end = "EOF".to_owned();
        while contents.lines().any(|line| line == end) {
            end.push('F');
        }
        let line_break = if contents.ends_with('\n') { "" } else { "\n" };
        let _ = write!(
            text,
            "COPY <<'{end}' {target}\n{contents}{line_break}{end}\n"
        );
    }
    text.push('\n');
    text
}

/// Whether no instruction names a stage by its number, which one more above would change.
fn uncounted(file: &Dockerfile) -> Result<(), String> {
    for instruction in &file.instructions {
        let inner = match instruction.arguments.split_once(char::is_whitespace) {
            Some((_, rest)) if instruction.keyword == "ONBUILD" => flags(rest, file.escape).0,
            _ => Vec::new(),
        };
        let mut parts = (instruction.flags.iter().chain(&inner))
            .flat_map(|flag| flag.trim_start_matches("--").split([',', '"']));
        let counts = |part: &&str| {
            let number = part.split_once("from=").map(|(_, number)| number);
            number.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
        };
        if let Some(part) = parts.find(counts) {
            return Err(format!(
                "it needs one more stage, and `{part}` in line {} counts stages; give that stage a \
                 name",
                instruction.lines.start()
            ));
        }
    }
    Ok(())
}
