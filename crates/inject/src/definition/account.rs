//! Who runs an operation.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Digest;
use buildkit_llb::edit::{Editor, OpId, Seen, SeenChange};
use larder_catalog::Owner;

use super::run::Run;
use super::tree::{Base, By, Reach, Tree};
use super::{Facts, ImageFact};
use crate::accounts::{MAX_ID, groups, users};
use crate::{Named, User};

pub(super) const PASSWD: &str = "/etc/passwd";
pub(super) const GROUP: &str = "/etc/group";

/// What may have changed the users of each filesystem.
pub(super) struct Accounts {
    trails: Vec<Trail>,
}

#[derive(Clone, Debug)]
struct Trail {
    /// Users of the image may be others by now.
    changed: bool,
    /// Something ran whose doings depend on files that nobody looks at.
    unsure: bool,
    /// Of everything that decides which number a new user gets.
    digest: Option<Digest>,
}

/// A user, as far as it is known.
pub(super) struct Found {
    pub(super) user: User,
    /// Where no numbers are known: those of `user` stand for anybody but root then.
    pub(super) account: Option<Named>,
    /// More would be known with the files of this image.
    pub(super) needs: Option<OpId>,
}

impl Accounts {
    pub(super) fn of(editor: &Editor, tree: &Tree, runs: &[Run]) -> Accounts {
        let by_op: BTreeMap<OpId, &Run> = runs.iter().map(|run| (run.op, run)).collect();
        // An operation may have many outputs.
        let mut written: Option<(OpId, bool)> = None;
        let mut trails: Vec<Trail> = Vec::with_capacity(tree.nodes.len());
        for node in &tree.nodes {
            let mut trail = Trail {
                changed: false,
                unsure: false,
                digest: None,
            };
            for from in &node.from {
                trail.join(&trails[*from]);
            }
            match node.by {
                By::Run(op) => {
                    if let Some(run) = by_op.get(&op) {
                        trail.run(run);
                    }
                }
                By::Files(op) => {
                    let known = written.filter(|(last, _)| *last == op);
                    let (_, writes) = known.unwrap_or_else(|| (op, writes_etc(editor, op)));
                    written = Some((op, writes));
                    if writes {
                        trail.changed = true;
                        trail.then(&editor.digest(op).to_string());
                    }
                }
                By::Other if !node.from.is_empty() => {
                    trail.changed = true;
                    trail.unsure = true;
                }
                By::Layers | By::Other => {}
            }
            trails.push(trail);
        }
        Accounts { trails }
    }

    /// The user of an operation, on the filesystem before it.
    pub(super) fn find(
        &self,
        written: &str,
        before: Option<(usize, Base)>,
        project: &str,
        editor: &Editor,
        facts: &Facts,
    ) -> Found {
        let (user, group) = match written.split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (written, None),
        };
        let root = user.is_empty() || user == "root" || number(user) == Some(0);
        let uid = if root { Some(0) } else { number(user) };
        let gid = match group {
            None if root => Some(0),
            None => None,
            Some("root") => Some(0),
            Some(group) => number(group),
        };
        if let (Some(uid), Some(gid)) = (uid, gid) {
            let home = (uid == 0).then(|| "/root".to_owned());
            return known(User { uid, gid, home });
        }
        let trail = before.map(|(at, _)| &self.trails[at]);
        let image = before.and_then(|(_, base)| match base {
            Base::Image(op) => Some(op),
            Base::Scratch(_) | Base::Unknown(_) => None,
        });
        let by_number = uid.is_some() && group.is_none();
        let files = image.filter(|_| by_number || trail.is_some_and(|trail| !trail.changed));
        let mut needs = None;
        if let Some(op) = files {
            match facts.get(&editor.digest(op)).map(read) {
                Some(Read::Files(passwd, groups)) => {
                    if let Some(user) = look_up(user, uid, group, passwd, groups) {
                        return known(user);
                    }
                }
                Some(Read::Assumed) => {}
                None | Some(Read::Missing) => needs = Some(op),
            }
        }
        // As BuildKit has it for a number that no file names.
        if let (Some(uid), true) = (uid, by_number) {
            let (gid, home) = (0, None);
            let user = User { uid, gid, home };
            return Found {
                needs,
                ..known(user)
            };
        }
        Found {
            user: User {
                uid: SOMEBODY,
                gid: SOMEBODY,
                home: None,
            },
            account: Some(Named {
                user: written.to_owned(),
                hash: hash(editor, before.map(|(_, base)| base), trail, project),
            }),
            needs,
        }
    }
}

const SOMEBODY: u32 = 65_534;

fn known(user: User) -> Found {
    Found {
        user,
        account: None,
        needs: None,
    }
}

enum Read<'a> {
    Files(&'a str, &'a str),
    Assumed,
    Missing,
}

fn read(fact: &ImageFact) -> Read<'_> {
    match (fact.files.get(PASSWD), fact.files.get(GROUP)) {
        (Some(passwd), Some(group)) => Read::Files(
            passwd.as_deref().unwrap_or_default(),
            group.as_deref().unwrap_or_default(),
        ),
        _ if fact.assumed => Read::Assumed,
        _ => Read::Missing,
    }
}

/// Every file that users are looked up in.
pub(super) fn files() -> BTreeSet<String> {
    [PASSWD, GROUP].map(str::to_owned).into()
}

fn look_up(
    user: &str,
    uid: Option<u32>,
    group: Option<&str>,
    passwd: &str,
    group_file: &str,
) -> Option<User> {
    let accounts = users(passwd);
    let mut lines = accounts.into_iter();
    let line = lines.find(|line| uid.map_or(line.name == user, |uid| line.uid == uid));
    let gid = match group {
        None => line.as_ref()?.gid,
        Some(group) => match number(group) {
            Some(gid) => gid,
            None => {
                groups(group_file)
                    .into_iter()
                    .find(|line| line.name == group)?
                    .gid
            }
        },
    };
    let uid = uid.or(line.as_ref().map(|line| line.uid))?;
    let home = line
        .map(|line| line.home)
        .filter(|home| home.starts_with('/'));
    Some(User { uid, gid, home })
}

fn number(word: &str) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|id| digits && *id <= MAX_ID)
}

fn hash(editor: &Editor, base: Option<Base>, trail: Option<&Trail>, project: &str) -> u32 {
    let mut text = match base {
        Some(Base::Image(op)) => match editor.see(op) {
            // A newer image of the same name has the same users, as a rule.
            Seen::Source { identifier, .. } => {
                let name = identifier.split('@').next();
                name.unwrap_or_default().to_owned()
            }
            _ => String::new(),
        },
        Some(Base::Unknown(op) | Base::Scratch(op)) => editor.digest(op).to_string(),
        None => String::new(),
    };
    if let Some(trail) = trail {
        if trail.unsure {
            text = format!("{text}\n{project}");
        }
        if let Some(digest) = &trail.digest {
            text = format!("{text}\n{digest}");
        }
    }
    short(&Digest::of(text.as_bytes()))
}

/// The first eight hexadecimal digits.
pub(super) fn short(digest: &Digest) -> u32 {
    let text = digest.to_string();
    let hex = text.rsplit(':').next().and_then(|hex| hex.get(..8));
    hex.and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .unwrap_or_default()
}

impl Trail {
    fn join(&mut self, other: &Trail) {
        self.changed |= other.changed;
        self.unsure |= other.unsure;
        match (&self.digest, &other.digest) {
            (None, other) => self.digest.clone_from(other),
            (Some(_), Some(other)) => self.then(&other.to_string()),
            (Some(_), None) => {}
        }
    }

    fn then(&mut self, what: &str) {
        let before = self.digest.as_ref().map(ToString::to_string);
        let text = format!("{}\n{what}", before.unwrap_or_default());
        self.digest = Some(Digest::of(text.as_bytes()));
    }

    fn run(&mut self, run: &Run) {
        const SAYS: [&str; 12] = [
            "/etc/group",
            "/etc/passwd",
            "addgroup",
            "adduser",
            "chpasswd",
            "delgroup",
            "deluser",
            "groupadd",
            "groupmod",
            "newusers",
            "useradd",
            "usermod",
        ];
        let changes = run.unknown || SAYS.iter().any(|says| run.text.contains(says));
        // Packages bring users of their own, and take numbers that others would have got.
        let installs = || {
            let uses = run.reading.uses(&run.env);
            uses.iter().any(|call| call.cache.owner == Owner::Root)
        };
        if changes || installs() {
            self.then(&run.args.join("\0"));
        }
        self.changed |= changes;
        self.unsure |= run.unknown;
    }
}

fn writes_etc(editor: &Editor, op: OpId) -> bool {
    let Seen::File(actions) = editor.see(op) else {
        return true;
    };
    actions.iter().any(|action| {
        let path = match &action.change {
            SeenChange::Copy { dest, .. } => dest,
            SeenChange::Mkfile { path, .. }
            | SeenChange::Rm { path }
            | SeenChange::Other { path: Some(path) } => path,
            SeenChange::Mkdir { .. } => return false,
            _ => return true,
        };
        Reach::of(path).touches(PASSWD) || Reach::of(path).touches(GROUP)
    })
}
