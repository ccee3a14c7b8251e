//! Users as a spec writes them, looked up in the stage's accounts.

use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span, quote};

use crate::accounts::{Accounts, BUILD, Found, Problem};
use crate::model::{Account, ImageId, Owner};
use crate::planner::Planner;
use crate::suggest;

/// A filesystem from outside, that stages stand on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Image(ImageId),
    /// A named context, by its key in [`crate::Request::contexts`].
    Context(String),
}

/// Where a stage's users come from.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    pub accounts: Arc<Accounts>,
    /// What a stage stands on in the end, as written, and what that is.
    pub image: Option<(String, Origin)>,
}

impl Users {
    /// The account of a user. What is wrong is reported at `span`; root stands in.
    pub(crate) fn account(
        &self,
        planner: &mut Planner<'_>,
        written: &str,
        span: Option<Span>,
    ) -> Account {
        let found = match self.accounts.find(written) {
            Ok(found) => found,
            Err(problem) => {
                self.complain(planner, written, problem, span);
                return root();
            }
        };
        if found.guessed {
            self.guess(planner, written, &found);
        }
        Account {
            // Files that nobody could look at have got no `build` either.
            written: if found.guessed && is_build(written) {
                format!("{}:{}", found.uid, found.gid)
            } else {
                written.to_owned()
            },
            user: larder_inject::User {
                uid: found.uid,
                gid: found.gid,
                home: found.home,
            },
        }
    }

    /// The owner that `chown` names. As in a Dockerfile, a lone number is the group's too.
    pub(crate) fn owner(&self, planner: &mut Planner<'_>, written: &str, span: Span) -> Owner {
        let (user, group) = match written.split_once(':') {
            Some((user, group)) => (user, group),
            None => (written, written),
        };
        if let (Ok(uid), Ok(gid)) = (user.parse(), group.parse()) {
            return Owner { uid, gid };
        }
        if written.is_empty() {
            planner.report(
                Diagnostic::error(span, "`chown` is empty")
                    .hint("leave it out for the step's user"),
            );
            return Owner::default();
        }
        self.account(planner, written, Some(span)).owner()
    }

    fn guess(&self, planner: &mut Planner<'_>, written: &str, found: &Found) {
        let image = self
            .image
            .as_ref()
            .map_or("the base", |(written, _)| written);
        let home = found.home.as_deref().unwrap_or("not known");
        planner.assume(format!(
            "{image}: user {written} is {}:{}, home {home}",
            found.uid, found.gid
        ));
    }

    pub(crate) fn complain(
        &self,
        planner: &mut Planner<'_>,
        written: &str,
        problem: Problem,
        span: Option<Span>,
    ) {
        let image = self
            .image
            .as_ref()
            .map_or("the base", |(written, _)| written);
        let diagnostic = match problem {
            Problem::Missing => {
                if let Some((_, origin)) = &self.image {
                    planner.need_accounts(origin);
                }
                return;
            }
            Problem::User(name, known) => {
                let near = suggest::closest(&name, known.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "`{BUILD}` makes a user; one that a step makes is written by number; {}",
                        known_names(&known)
                    ),
                };
                Diagnostic::error(span, format!("{image} has no user called {}", quote(&name)))
                    .hint(hint)
            }
            Problem::Group(name, known) => {
                let near = suggest::closest(&name, known.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "a group that a step makes is written by number; {}",
                        known_names(&known)
                    ),
                };
                Diagnostic::error(
                    span,
                    format!("{image} has no group called {}", quote(&name)),
                )
                .hint(hint)
            }
            Problem::Scratch(name) => Diagnostic::error(
                span,
                format!(
                    "`scratch` has no users, and so none called {}",
                    quote(&name)
                ),
            )
            .hint("write numbers, such as `1000:1000`"),
            Problem::Malformed(why) => {
                Diagnostic::error(span, format!("{} is no user: {why}", quote(written)))
                    .hint("write a name, a number, `name:group` or `uid:gid`")
            }
        };
        planner.report(diagnostic);
    }
}

/// Whether the `build` user is asked for.
pub(crate) fn is_build(written: &str) -> bool {
    written.split(':').next() == Some(BUILD)
}

/// Root, by whatever the image's default is called.
pub(crate) fn root() -> Account {
    Account {
        written: String::new(),
        user: larder_inject::User {
            uid: 0,
            gid: 0,
            home: Some("/root".to_owned()),
        },
    }
}

fn known_names(known: &[String]) -> String {
    const MOST: usize = 30;
    if known.is_empty() {
        return "the image names none".to_owned();
    }
    let mut names: Vec<&str> = known.iter().map(String::as_str).collect();
    names.sort_unstable();
    let more = if names.len() > MOST { ", …" } else { "" };
    names.truncate(MOST);
    format!("the image has {}{more}", names.join(", "))
}
