//! Operations that run a program, read.

use buildkit_llb::edit::{Editor, OpId, Seen, SeenChange, SeenExec, SeenMount};
use larder_catalog::{Reading, RunsAs, clean, read, within};

/// An operation that runs a program.
pub(super) struct Run {
    pub(super) op: OpId,
    /// What runs; the text of a script in place of its path, where it is known.
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: String,
    pub(super) user: String,
    /// Nothing can be mounted where there is no directory for it.
    pub(super) read_only: bool,
    /// It has no network.
    pub(super) offline: bool,
    /// Where something is mounted, without the root.
    pub(super) mounted: Vec<String>,
    pub(super) reading: Reading,
    /// Something may run of which nobody knows what it needs.
    pub(super) unknown: bool,
    /// Everything that was written, for what the reading leaves out.
    pub(super) text: String,
}

impl Run {
    /// Every one, inputs first.
    pub(super) fn all(editor: &Editor) -> Vec<Run> {
        let runs = editor.ops().filter_map(|op| match editor.see(op) {
            Seen::Exec(exec) => Some(Run::of(editor, op, exec)),
            _ => None,
        });
        runs.collect()
    }

    fn of(editor: &Editor, op: OpId, exec: &SeenExec) -> Run {
        let mut args = exec.args.clone();
        if let Some(script) = script(editor, exec) {
            args = vec!["sh".to_owned(), "-c".to_owned(), script];
        }
        let reading = read(&args);
        let is_root = |mount: &&SeenMount| clean(&mount.target).as_deref() == Some("/");
        let root = exec.mounts.iter().find(is_root);
        let mounts = exec.mounts.iter().filter(|mount| !is_root(mount));
        Run {
            op,
            env: exec.env.clone(),
            cwd: exec.cwd.clone(),
            user: exec.user.clone(),
            read_only: root.is_some_and(|root| root.read_only),
            offline: exec.offline,
            mounted: mounts.map(|mount| mount.target.clone()).collect(),
            unknown: reading.runs_unknown(),
            text: args.join(" "),
            args,
            reading,
        }
    }

    /// Why its files are not only its own, if so: what it does reaches into every mount.
    pub(super) fn roams(&self) -> Option<String> {
        self.reading.commands.iter().find_map(|command| {
            let (program, arguments) = command.words.split_first()?;
            let name = program.text.rsplit('/').next()?;
            let flags = |text: &str| text.starts_with('-') && !text.starts_with("--");
            let says = |letters: &[char], long: &str| {
                let mut words = arguments.iter().map(|word| word.text.as_str());
                words.any(|text| text == long || (flags(text) && text.contains(letters)))
            };
            let (walks, to) = match name {
                "find" | "mksquashfs" | "restorecon" => (true, 0),
                "chgrp" | "chmod" | "chown" | "setfacl" => (says(&['R'], "--recursive"), 0),
                // Where it goes to is the last word.
                "cp" => (says(&['a', 'r', 'R'], "--recursive"), 1),
                "rsync" => (true, 1),
                "tar" => {
                    let first = arguments.first().map_or("", |word| &word.text);
                    let packs =
                        first == "--create" || (!first.starts_with("--") && first.contains('c'));
                    (packs, 0)
                }
                _ => (false, 0),
            };
            let whole = |text: &str| ["/", "/*", "/."].contains(&text);
            let from = &arguments[..arguments.len().saturating_sub(to)];
            let word = from.iter().find(|word| whole(&word.text))?;
            walks.then(|| format!("`{name} {}` reaches into every mount", word.text))
        })
    }

    /// A script of the build's own that it runs, whose doings nobody knows.
    pub(super) fn script(&self) -> Option<&str> {
        const SYSTEM: [&str; 4] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];
        const READ: [&str; 5] = [".", "ash", "bash", "sh", "source"];
        let mut commands = self.reading.commands.iter().filter(|_| self.unknown);
        commands.find_map(|command| {
            let first = command.words.first()?.text.as_str();
            let own = first.contains('/') && !SYSTEM.iter().any(|above| first.starts_with(above));
            (own || READ.contains(&first)).then_some(first)
        })
    }

    /// A word of a removal of which nobody knows what it stands for; `computed` if only that of another
    /// command's output counts.
    pub(super) fn removes_unknown(&self, computed: bool) -> Option<&str> {
        let recursive = |text: &str| {
            text == "--recursive"
                || (text.starts_with('-') && !text.starts_with("--") && text.contains(['r', 'R']))
        };
        let removals = self.reading.commands.iter().filter(|command| {
            let first = command.words.first().map_or("", |word| &word.text);
            match first.rsplit('/').next() {
                Some("rm") => command.words.iter().any(|word| recursive(&word.text)),
                name => name == Some("rmdir"),
            }
        });
        let mut words = removals.flat_map(|command| command.words.iter().skip(1));
        let word = words.find(|word| {
            let text = &word.text;
            !word.certain
                && !is_elsewhere(text)
                && (text.contains("$(")
                    || text.contains('`')
                    || (!computed && variables(text).any(|name| !self.knows(name))))
        })?;
        Some(&word.text)
    }

    /// Whether a variable leads to no cache, or its value is known.
    fn knows(&self, name: &str) -> bool {
        let temporary = |value: &str| value.contains("mktemp") || value.starts_with("/tmp/");
        let given = name == "HOME" || self.env.iter().any(|(known, _)| known == name);
        let set = self.reading.commands.iter().any(|command| {
            let mut before = command.assignments.iter();
            let mut words = command
                .words
                .iter()
                .filter_map(|word| word.text.split_once('='));
            before.any(|(set, value)| set == name && temporary(&value.text))
                || words.any(|(set, value)| set == name && temporary(value))
        });
        set || (given && !self.reading.sets(name, false))
    }

    /// Whether some of it runs as a user who keeps the variables, and to whom no cache belongs.
    pub(super) fn switches_user(&self) -> bool {
        let root = ["", "root", "0", "0:0", "root:root"].contains(&self.user.as_str());
        // What `sudo` runs has variables of its own, unless it is told otherwise.
        let keeps = [
            "sudo -E",
            "--preserve-env",
            "su ",
            "gosu ",
            "su-exec ",
            "doas ",
        ];
        let keeps = keeps.iter().any(|words| self.text.contains(words));
        self.reading
            .commands
            .iter()
            .any(|command| match command.runs_as {
                RunsAs::Step => false,
                RunsAs::Root => !root && keeps,
                RunsAs::Other => true,
            })
    }
}

/// Whether a word is a path that can be no cache's, whatever its variables are.
fn is_elsewhere(text: &str) -> bool {
    let start = text.split(['$', '`']).next().unwrap_or_default();
    let is_name = !start.is_empty() && !start.starts_with(['/', '~', '.']);
    is_name
        || ["/tmp/", "/usr/src/", "/opt/"]
            .iter()
            .any(|above| start.starts_with(above))
}

/// The variables of a word. One with more than a name in its braces is none that is known.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|after| {
        if let Some(braced) = after.strip_prefix('{') {
            return braced.split('}').next().unwrap_or_default();
        }
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &after[..end.unwrap_or(after.len())]
    })
}

/// The text of a script that comes as a mount of its own, as BuildKit has a heredoc that names its
/// interpreter, if that is a Bourne shell.
fn script(editor: &Editor, exec: &SeenExec) -> Option<String> {
    let path = match exec.args.as_slice() {
        [path] => path,
        // The shell of the image, told to run it.
        [_, .., path]
            if exec
                .args
                .iter()
                .any(|arg| arg == "-c" || arg.ends_with('c')) =>
        {
            path
        }
        _ => return None,
    };
    let path = clean(path.trim())?;
    let holds = |mount: &&SeenMount| {
        clean(&mount.target).is_some_and(|target| target != "/" && within(&path, &target))
    };
    let mount = exec.mounts.iter().find(holds)?;
    let rest = path.strip_prefix(&clean(&mount.target)?)?;
    let there = clean(&format!("/{}/{rest}", mount.selector))?;
    let Seen::File(actions) = editor.see(mount.input?.op) else {
        return None;
    };
    let data = actions.iter().find_map(|action| match &action.change {
        SeenChange::Mkfile { path, data }
            if clean(&format!("/{path}")).as_deref() == Some(there.as_str()) =>
        {
            Some(data)
        }
        _ => None,
    })?;
    let text = String::from_utf8(data.clone()).ok()?;
    let (first, _) = text.split_once('\n')?;
    let mut words = first.strip_prefix("#!")?.split_ascii_whitespace();
    let mut name = words.next()?.rsplit('/').next()?;
    if name == "env" {
        name = words.find(|word| !word.starts_with('-'))?;
    }
    ["ash", "bash", "dash", "sh"]
        .contains(&name)
        .then_some(text)
}
