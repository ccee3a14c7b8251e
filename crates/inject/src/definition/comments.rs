//! `# larder:` comments of Dockerfiles.
//!
//! One above an instruction is for that, one above a `FROM` for its stage, and one in the comments
//! at the top for the whole file.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::edit::Editor;
use buildkit_llb::edit::OpId;

use super::Mistake;

/// What the comments of all files say.
#[derive(Debug, Default)]
pub(super) struct Comments {
    files: BTreeMap<usize, File>,
    pub(super) mistakes: Vec<Mistake>,
}

#[derive(Debug, Default)]
struct File {
    whole: Vec<Caches>,
    project: Option<String>,
    /// By the first line of the instruction.
    instructions: BTreeMap<u32, Vec<Caches>>,
    /// First lines of `FROM`.
    stages: BTreeSet<u32>,
}

/// One `caches=`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Caches {
    Off,
    Auto,
    Named(Vec<String>),
}

/// What holds for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) auto: bool,
    pub(super) named: Vec<String>,
}

impl Comments {
    /// Reads the files that operations come from, and all Dockerfiles.
    pub(super) fn read(editor: &Editor, ops: &[OpId]) -> Comments {
        let located = ops.iter().flat_map(|op| editor.locations(*op));
        let mut wanted: BTreeSet<usize> = located.map(|location| location.file).collect();
        for (at, file) in editor.files().iter().enumerate() {
            if file.language == "Dockerfile" {
                wanted.insert(at);
            }
        }
        let mut comments = Comments::default();
        for at in wanted {
            let Some(file) = editor.files().get(at) else {
                continue;
            };
            let text = String::from_utf8_lossy(&file.data);
            let (read, mistakes) = file_of(&file.filename, &text);
            comments.files.insert(at, read);
            for mistake in mistakes {
                if !comments.mistakes.contains(&mistake) {
                    comments.mistakes.push(mistake);
                }
            }
        }
        comments
    }

    /// The project that a file says it belongs to.
    pub(super) fn project(&self) -> Option<&String> {
        self.files.values().find_map(|file| file.project.as_ref())
    }

    /// What holds for an operation, from the widest to the nearest comment.
    pub(super) fn choice(&self, editor: &Editor, op: OpId) -> Choice {
        let mut choice = Choice {
            auto: true,
            named: Vec::new(),
        };
        let locations = editor.locations(op);
        if locations.is_empty() {
            // It is of no line, but of the build.
            for caches in self.files.values().flat_map(|file| &file.whole) {
                choice.apply(caches);
            }
        }
        for location in locations {
            let Some(file) = self.files.get(&location.file) else {
                continue;
            };
            let line = location.lines.first().map(|lines| *lines.start());
            let stage = line.and_then(|line| file.stages.range(..=line).next_back().copied());
            let here = stage
                .into_iter()
                .chain(line.filter(|line| stage != Some(*line)));
            let nearer = here.filter_map(|line| file.instructions.get(&line));
            for caches in file.whole.iter().chain(nearer.flatten()) {
                choice.apply(caches);
            }
        }
        choice
    }
}

impl Choice {
    /// A comment turns everything off.
    pub(super) fn is_off(&self) -> bool {
        !self.auto && self.named.is_empty()
    }

    fn apply(&mut self, caches: &Caches) {
        match caches {
            Caches::Off => {
                self.auto = false;
                self.named.clear();
            }
            Caches::Auto => self.auto = true,
            Caches::Named(names) => {
                for name in names {
                    if !self.named.contains(name) {
                        self.named.push(name.clone());
                    }
                }
            }
        }
    }
}

/// A comment that is waiting for its instruction.
struct Waiting {
    line: u32,
    said: Vec<Said>,
}

enum Said {
    Caches(Caches),
    Project(String),
}

fn file_of(name: &str, text: &str) -> (File, Vec<Mistake>) {
    let mut file = File::default();
    let mut mistakes = Vec::new();
    let mistake = |line: u32, message: String, hint: &str| Mistake {
        file: name.to_owned(),
        line,
        message,
        hint: hint.to_owned(),
    };
    let mut top = true;
    let mut waiting: Vec<Waiting> = Vec::new();
    let lost = |waiting: &mut Vec<Waiting>, mistakes: &mut Vec<Mistake>| {
        for comment in waiting.drain(..) {
            mistakes.push(mistake(
                comment.line,
                "this comment is above no instruction".to_owned(),
                "put it right above the instruction that it is for, or at the top of the file",
            ));
        }
    };
    for part in parts(text) {
        match part {
            Part::Comment(line, said) => {
                let mut read = Vec::new();
                for word in said.split_ascii_whitespace() {
                    match word_of(word) {
                        Ok(said) => read.push(said),
                        Err((message, hint)) => mistakes.push(mistake(line, message, &hint)),
                    }
                }
                if top {
                    for said in read {
                        match said {
                            Said::Caches(caches) => file.whole.push(caches),
                            Said::Project(project) => file.project = Some(project),
                        }
                    }
                } else {
                    waiting.push(Waiting { line, said: read });
                }
            }
            Part::Blank => lost(&mut waiting, &mut mistakes),
            Part::Instruction(line, is_from) => {
                top = false;
                if is_from {
                    file.stages.insert(line);
                }
                for comment in waiting.drain(..) {
                    for said in comment.said {
                        match said {
                            Said::Caches(caches) => {
                                file.instructions.entry(line).or_default().push(caches);
                            }
                            Said::Project(_) => mistakes.push(mistake(
                                comment.line,
                                "`project` is for the whole file".to_owned(),
                                "put it at the top of the file, before any instruction",
                            )),
                        }
                    }
                }
            }
        }
    }
    lost(&mut waiting, &mut mistakes);
    (file, mistakes)
}

fn word_of(word: &str) -> Result<Said, (String, String)> {
    let hint = "write `caches=off`, `caches=auto`, `caches=` and names with commas between, or `project=` and a name";
    let unknown = || Err((format!("`{word}` is not understood"), hint.to_owned()));
    match word.split_once('=') {
        Some(("project", name)) if !name.is_empty() => Ok(Said::Project(name.to_owned())),
        Some(("caches", "off" | "none")) => Ok(Said::Caches(Caches::Off)),
        Some(("caches", "auto")) => Ok(Said::Caches(Caches::Auto)),
        Some(("caches", names)) if !names.is_empty() => {
            let names: Vec<String> = names.split(',').map(str::to_owned).collect();
            for name in &names {
                if larder_catalog::named(name).is_empty() {
                    let hint = larder_catalog::installed(name).map_or_else(
                        || "`larder caches` lists every name".to_owned(),
                        |installed| installed.instead.to_owned(),
                    );
                    return Err((format!("no cache is called `{name}`"), hint));
                }
            }
            Ok(Said::Caches(Caches::Named(names)))
        }
        _ => unknown(),
    }
}

/// A piece of a Dockerfile.
enum Part<'a> {
    /// What a comment says to Larder.
    Comment(u32, &'a str),
    /// An empty line between instructions.
    Blank,
    /// An instruction's first line, and whether it is a `FROM`.
    Instruction(u32, bool),
}

/// The pieces, without what is inside of instructions and other comments.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut escape = '\\';
    let mut directives = true;
    let mut lines = text.lines().zip(1_u32..).peekable();
    while let Some((line, number)) = lines.next() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            let comment = comment.trim();
            if let Some(said) = comment.strip_prefix("larder:") {
                parts.push(Part::Comment(number, said));
            }
            if let Some((key, value)) = comment.split_once('=').filter(|_| directives)
                && key.trim().eq_ignore_ascii_case("escape")
                && value.trim() == "`"
            {
                escape = '`';
            }
            continue;
        }
        directives = false;
        if trimmed.is_empty() {
            parts.push(Part::Blank);
            continue;
        }
        let word = trimmed.split_ascii_whitespace().next().unwrap_or_default();
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        parts.push(Part::Instruction(number, is("FROM")));
        let mut whole = String::new();
        let mut last = trimmed;
        loop {
            let continued = last.strip_suffix(escape);
            whole.push_str(continued.unwrap_or(last));
            whole.push(' ');
            if continued.is_none() {
                break;
            }
            // Comments and empty lines inside of an instruction are none of it.
            let inside = |line: &str| !line.is_empty() && !line.starts_with('#');
            match lines
                .by_ref()
                .map(|(line, _)| line.trim())
                .find(|line| inside(line))
            {
                Some(next) => last = next,
                None => break,
            }
        }
        if is("RUN") || is("COPY") || is("ADD") {
            for end in heredocs(&whole) {
                let ends = |line: &str| match &end {
                    (name, true) => line.trim_start_matches('\t') == name,
                    (name, false) => line == name,
                };
                for (line, _) in lines.by_ref() {
                    if ends(line) {
                        break;
                    }
                }
            }
        }
    }
    parts
}

/// The words that end the heredocs of an instruction, and whether tabs may stand before them.
fn heredocs(instruction: &str) -> Vec<(String, bool)> {
    let mut ends = Vec::new();
    for word in instruction.split_ascii_whitespace() {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(rest) = digits.strip_prefix("<<") else {
            continue;
        };
        if rest.starts_with('<') {
            continue;
        }
        let (name, tabs) = match rest.strip_prefix('-') {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let name = name.trim_matches(['"', '\'']);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
        if !name.is_empty() && name.chars().all(plain) {
            ends.push((name.to_owned(), tabs));
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (File, Vec<String>) {
        let (file, mistakes) = file_of("Dockerfile", text);
        let mistakes = mistakes
            .iter()
            .map(|it| format!("{}: {}", it.line, it.message));
        (file, mistakes.collect())
    }

    #[test]
    fn comments_belong_to_what_is_below_them() {
        let text = "# syntax=x\n# larder: project=shop caches=go-mod\n\nFROM a\n# larder: caches=off\n# because\nRUN b \\\n  # larder: caches=nonsense\n  c\n# larder: caches=auto\nfrom d\nRUN <<EOF cat\n# larder: caches=pip\nFROM x\nEOF\n# larder: caches=pip,npm\nRUN e\n";
        let (file, mistakes) = read(text);
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(file.project.as_deref(), Some("shop"));
        assert_eq!(file.whole, [Caches::Named(vec!["go-mod".to_owned()])]);
        assert_eq!(file.stages, BTreeSet::from([4, 11]));
        let named = Caches::Named(vec!["pip".to_owned(), "npm".to_owned()]);
        let expected = [(7, Caches::Off), (11, Caches::Auto), (17, named)];
        let expected = expected.map(|(line, caches)| (line, vec![caches]));
        assert_eq!(file.instructions, BTreeMap::from(expected));
    }

    #[test]
    fn other_escapes_and_heredocs_are_followed() {
        let text = "# escape=`\nFROM a\nRUN b `\n  c \\\n# larder: caches=off\nRUN <<-'E' <<F\nx\n\tE\n# larder: caches=off\nF\nRUN d\n";
        let (file, mistakes) = read(text);
        assert_eq!(mistakes, [""; 0]);
        let lines: Vec<u32> = file.instructions.keys().copied().collect();
        assert_eq!(lines, [6]);
    }

    #[test]
    fn mistakes_have_lines() {
        for (text, mistake) in [
            (
                "FROM a\n# larder: cache=off\nRUN b",
                "2: `cache=off` is not understood",
            ),
            (
                "FROM a\n# larder: caches=pipp\nRUN b",
                "2: no cache is called `pipp`",
            ),
            (
                "FROM a\n# larder: project=x\nRUN b",
                "2: `project` is for the whole file",
            ),
            (
                "FROM a\n# larder: caches=off\n\nRUN b",
                "2: this comment is above no instruction",
            ),
            (
                "FROM a\n# larder: caches=off",
                "2: this comment is above no instruction",
            ),
            (
                "# larder: caches=playwright\n",
                "1: no cache is called `playwright`",
            ),
            ("# larder: caches=", "1: `caches=` is not understood"),
        ] {
            assert_eq!(read(text).1, [mistake], "{text}");
        }
    }
}
