//! Users and groups of an image, as `/etc/passwd` and `/etc/group` have them.

use std::fmt::Write as _;

use larder_inject::accounts::{Account, Group, MAX_ID, groups, users};

use crate::facts::ImageFact;
use crate::model::Owner;

/// The user that `build` stands for where an image has none of that name.
pub(crate) const BUILD: &str = "build";
/// Its uid and its gid, unless the client or the spec says otherwise.
pub(crate) const BUILD_ID: u32 = 1000;

/// Who a stage's users are.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    origin: Origin,
    users: Vec<Account>,
    groups: Vec<Group>,
    passwd: Option<String>,
    group: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Not looked up yet.
    Missing,
    /// Nobody can look.
    Assumed,
    /// An image's files.
    Image,
    /// There is no image.
    Scratch,
}

/// A user that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub uid: u32,
    pub gid: u32,
    pub home: Option<String>,
    /// Nobody could look; the numbers are a guess.
    pub guessed: bool,
}

/// Why a user was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The image's files have to be read first.
    Missing,
    /// No user of that name; those that there are.
    User(String, Vec<String>),
    /// No group of that name; those that there are.
    Group(String, Vec<String>),
    /// A name, where there is no image to look it up in.
    Scratch(String),
    /// Not a user at all.
    Malformed(&'static str),
}

/// Files to write so that the `build` user exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewUser {
    pub passwd: Option<String>,
    pub group: Option<String>,
    pub home: String,
    pub found: Found,
}

impl Accounts {
    /// Of `scratch`.
    pub(crate) fn scratch() -> Accounts {
        Accounts::empty(Origin::Scratch)
    }

    /// Of an image about which nothing is known yet.
    pub(crate) fn missing() -> Accounts {
        Accounts::empty(Origin::Missing)
    }

    /// Of an image.
    pub(crate) fn of(fact: &ImageFact) -> Accounts {
        if fact.assumed {
            return Accounts::empty(Origin::Assumed);
        }
        let Some(files) = &fact.accounts else {
            return Accounts::missing();
        };
        Accounts {
            origin: Origin::Image,
            users: users(files.passwd.as_deref().unwrap_or_default()),
            groups: groups(files.group.as_deref().unwrap_or_default()),
            passwd: files.passwd.clone(),
            group: files.group.clone(),
        }
    }

    fn empty(origin: Origin) -> Accounts {
        Accounts {
            origin,
            users: Vec::new(),
            groups: Vec::new(),
            passwd: None,
            group: None,
        }
    }

    /// Finds `name`, `uid`, `name:group` or `uid:gid`. Empty is root, who needs no looking up.
    pub(crate) fn find(&self, written: &str) -> Result<Found, Problem> {
        let (user, group) = match written.split_once(':') {
            Some((_, "")) => return Err(Problem::Malformed("a group must follow the colon")),
            Some(("", _)) => return Err(Problem::Malformed("a user must stand before the colon")),
            Some((user, group)) => (user, Some(group)),
            None => (written, None),
        };
        if user
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '/')
            || group.is_some_and(|group| group.contains(':'))
        {
            return Err(Problem::Malformed(
                "a name has no spaces, slashes or second colon",
            ));
        }
        let mut found = self.user(user)?;
        if let Some(group) = group {
            found.gid = self.group(group)?;
        }
        Ok(found)
    }

    fn user(&self, user: &str) -> Result<Found, Problem> {
        let number = number(user)?;
        if user.is_empty() || user == "root" || number == Some(0) {
            return Ok(Found {
                uid: 0,
                gid: 0,
                home: Some("/root".to_owned()),
                guessed: false,
            });
        }
        if self.origin == Origin::Missing {
            return Err(Problem::Missing);
        }
        let known = self
            .users
            .iter()
            .find(|known| number.map_or(known.name == user, |uid| known.uid == uid));
        match (known, number, self.origin) {
            (Some(known), ..) => Ok(Found {
                uid: known.uid,
                gid: known.gid,
                home: Some(known.home.clone()).filter(|home| home.starts_with('/')),
                guessed: self.origin == Origin::Assumed,
            }),
            // The kernel's view of a user that no file names.
            (None, Some(uid), _) => Ok(Found {
                uid,
                gid: 0,
                home: None,
                guessed: self.origin == Origin::Assumed,
            }),
            (None, None, Origin::Assumed) => Ok(Found {
                uid: BUILD_ID,
                gid: BUILD_ID,
                home: Some(format!("/home/{user}")),
                guessed: true,
            }),
            (None, None, Origin::Scratch) => Err(Problem::Scratch(user.to_owned())),
            (None, None, _) => Err(Problem::User(
                user.to_owned(),
                self.users.iter().map(|known| known.name.clone()).collect(),
            )),
        }
    }

    fn group(&self, group: &str) -> Result<u32, Problem> {
        if let Some(gid) = number(group)? {
            return Ok(gid);
        }
        if group == "root" {
            return Ok(0);
        }
        if let Some(known) = self.groups.iter().find(|known| known.name == group) {
            return Ok(known.gid);
        }
        match self.origin {
            Origin::Missing => Err(Problem::Missing),
            Origin::Assumed => Ok(BUILD_ID),
            Origin::Scratch => Err(Problem::Scratch(group.to_owned())),
            Origin::Image => Err(Problem::Group(
                group.to_owned(),
                self.groups.iter().map(|known| known.name.clone()).collect(),
            )),
        }
    }

    /// Makes the `build` user with these ids; `None` if there is one. Where nobody could look at the image's files,
    /// they are left as they are.
    pub(crate) fn make_build(&mut self, owner: Owner) -> Result<Option<NewUser>, Problem> {
        match self.origin {
            Origin::Missing => return Err(Problem::Missing),
            Origin::Scratch => return Err(Problem::Scratch(BUILD.to_owned())),
            Origin::Assumed | Origin::Image => {}
        }
        if self.users.iter().any(|user| user.name == BUILD) {
            return Ok(None);
        }
        let home = format!("/home/{BUILD}");
        let assumed = self.origin == Origin::Assumed;
        let group = self.groups.iter().find(|group| group.name == BUILD);
        let (uid, gid) = (owner.uid, group.map_or(owner.gid, |group| group.gid));
        let group = match group {
            Some(_) => None,
            None => Some(with_line(
                self.group.as_deref(),
                &format!("{BUILD}:x:{gid}:"),
            )),
        };
        let passwd = with_line(
            self.passwd.as_deref(),
            &format!("{BUILD}:x:{uid}:{gid}::{home}:/bin/sh"),
        );
        self.users.push(Account {
            name: BUILD.to_owned(),
            uid,
            gid,
            home: home.clone(),
        });
        if let Some(group) = &group {
            self.groups = groups(group);
            self.group = Some(group.clone());
        }
        self.passwd = Some(passwd.clone());
        Ok(Some(NewUser {
            passwd: Some(passwd).filter(|_| !assumed),
            group: group.filter(|_| !assumed),
            home: home.clone(),
            found: Found {
                uid,
                gid,
                home: Some(home),
                guessed: assumed,
            },
        }))
    }
}

fn with_line(text: Option<&str>, line: &str) -> String {
    let mut text = text.unwrap_or_default().to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let _ = writeln!(text, "{line}");
    text
}

/// A name that consists of digits is a number.
pub(crate) fn number(word: &str) -> Result<Option<u32>, Problem> {
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    match word.parse() {
        Ok(id) if id <= MAX_ID => Ok(Some(id)),
        _ => Err(Problem::Malformed("numbers go up to 2147483647")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::AccountFiles;

    fn node() -> Accounts {
        Accounts::of(&ImageFact {
            accounts: Some(AccountFiles {
                passwd: Some(
                    "root:x:0:0:root:/root:/bin/bash\n# odd\nnode:x:1000:1001::/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin"
                        .to_owned(),
                ),
                group: Some("root:x:0:\nnode:x:1001:\nstaff:x:50:\n".to_owned()),
                os_release: None,
            }),
            ..ImageFact::default()
        })
    }

    fn ids(written: &str) -> Result<(u32, u32, Option<String>), Problem> {
        node()
            .find(written)
            .map(|found| (found.uid, found.gid, found.home))
    }

    #[test]
    fn finds_by_name_and_by_number() {
        let home = |path: &str| Some(path.to_owned());
        assert_eq!(ids("node"), Ok((1000, 1001, home("/home/node"))));
        assert_eq!(ids("1000"), Ok((1000, 1001, home("/home/node"))));
        assert_eq!(ids("node:staff"), Ok((1000, 50, home("/home/node"))));
        assert_eq!(ids("4242:50"), Ok((4242, 50, None)));
        assert_eq!(ids("4242"), Ok((4242, 0, None)));
        assert_eq!(ids(""), Ok((0, 0, home("/root"))));
        assert_eq!(ids("0:50"), Ok((0, 50, home("/root"))));
    }

    #[test]
    fn says_why_a_user_was_not_found() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(
            ids("nod"),
            Err(Problem::User(
                "nod".to_owned(),
                names(&["root", "node", "nobody"])
            ))
        );
        assert_eq!(
            ids("node:adm"),
            Err(Problem::Group(
                "adm".to_owned(),
                names(&["root", "node", "staff"])
            ))
        );
        assert!(matches!(ids("a b"), Err(Problem::Malformed(_))));
        assert!(matches!(ids("node:"), Err(Problem::Malformed(_))));
        assert!(matches!(ids("99999999999"), Err(Problem::Malformed(_))));
        assert_eq!(
            Accounts::scratch().find("node"),
            Err(Problem::Scratch("node".to_owned()))
        );
        assert_eq!(Accounts::missing().find("node"), Err(Problem::Missing));
        assert!(Accounts::missing().find("root:0").is_ok());
    }

    const BUILD_OWNER: Owner = Owner {
        uid: BUILD_ID,
        gid: BUILD_ID,
    };

    #[test]
    fn the_build_user_is_added_behind_the_others() {
        let mut accounts = node();
        let new = accounts
            .make_build(BUILD_OWNER)
            .expect("files are known")
            .expect("no such user yet");
        assert!(
            new.passwd
                .expect("a line is missing")
                .ends_with("/usr/sbin/nologin\nbuild:x:1000:1000::/home/build:/bin/sh\n")
        );
        assert_eq!(
            new.group.as_deref(),
            Some("root:x:0:\nnode:x:1001:\nstaff:x:50:\nbuild:x:1000:\n")
        );
        assert_eq!(accounts.make_build(BUILD_OWNER), Ok(None));
        assert_eq!(
            accounts.find("build").expect("it was made").home.as_deref(),
            Some("/home/build")
        );
        // The number still belongs to who had it first.
        assert_eq!(
            accounts.find("1000").expect("node").home.as_deref(),
            Some("/home/node")
        );
    }
}
