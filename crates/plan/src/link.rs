//! What a layer of its own has beside what is copied to it: the directories above that.
//!
//! Laid over an image, such a layer also says of each directory in it who owns it and with which mode,
//! although it cannot know the image. So those that images have are made as images have them, those that
//! the plan made as it made them, and the rest as an ordinary copy would.

use std::collections::BTreeMap;

use larder_diagnostic::{Diagnostic, Span, quote};

use crate::model::{Action, Base, Owner, PlannedCopy, PlannedStage};
use crate::stage::Builder;

/// Directories that images have, in the order of their names, with their modes. They are root's.
const OF_IMAGES: [(&str, u32); 30] = [
    ("/bin", 0o755),
    ("/boot", 0o755),
    ("/etc", 0o755),
    ("/home", 0o755),
    ("/lib", 0o755),
    ("/lib64", 0o755),
    ("/media", 0o755),
    ("/mnt", 0o755),
    ("/opt", 0o755),
    ("/root", 0o700),
    ("/run", 0o755),
    ("/sbin", 0o755),
    ("/srv", 0o755),
    ("/tmp", 0o1777),
    ("/usr", 0o755),
    ("/usr/bin", 0o755),
    ("/usr/lib", 0o755),
    ("/usr/libexec", 0o755),
    ("/usr/local", 0o755),
    ("/usr/local/bin", 0o755),
    ("/usr/local/etc", 0o755),
    ("/usr/local/lib", 0o755),
    ("/usr/local/sbin", 0o755),
    ("/usr/local/share", 0o755),
    ("/usr/sbin", 0o755),
    ("/usr/share", 0o755),
    ("/var", 0o755),
    ("/var/cache", 0o755),
    ("/var/lib", 0o755),
    ("/var/tmp", 0o1777),
];

/// Directories that are links to those of the same name in `/usr` in most images.
const LINKS: [&str; 4] = ["/bin", "/lib", "/lib64", "/sbin"];

/// A directory of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Above {
    pub path: String,
    pub mode: u32,
    pub owner: Owner,
}

/// The directories above what a step copies to a layer of its own, each after those it is in.
pub(crate) fn above(
    stages: &[PlannedStage],
    stage: &PlannedStage,
    step: usize,
    copies: &[PlannedCopy],
) -> Vec<Above> {
    let by_plan = made(stages, stage, step);
    let mut out: BTreeMap<&str, Above> = BTreeMap::new();
    for copy in copies {
        for (end, _) in copy.dest.match_indices('/').skip(1) {
            let path = &copy.dest[..end];
            let (mode, owner) = match of_images(path) {
                Some(mode) => (mode, Owner::default()),
                None => (0o755, by_plan.get(path).copied().unwrap_or(copy.owner)),
            };
            out.entry(path).or_insert_with(|| Above {
                path: path.to_owned(),
                mode,
                owner,
            });
        }
        // Of a directory, what is in it may be copied to one that is there.
        if let Some(mode) = of_images(&copy.dest) {
            out.entry(&copy.dest).or_insert_with(|| Above {
                path: copy.dest.clone(),
                mode,
                owner: Owner::default(),
            });
        }
    }
    out.into_values().collect()
}

fn of_images(path: &str) -> Option<u32> {
    let at = OF_IMAGES
        .binary_search_by(|(known, _)| (*known).cmp(path))
        .ok()?;
    Some(OF_IMAGES[at].1)
}

/// The directories that the steps before one made, also in the stages below.
fn made<'a>(
    stages: &'a [PlannedStage],
    stage: &'a PlannedStage,
    step: usize,
) -> BTreeMap<&'a str, Owner> {
    let mut made = BTreeMap::new();
    let mut stage = stage;
    let mut steps = stage.steps.get(..step).unwrap_or_default();
    loop {
        for step in steps {
            match &step.action {
                Action::Directories { paths, owner } => {
                    for path in paths {
                        made.entry(path.as_str()).or_insert(*owner);
                    }
                }
                Action::Account { home, owner, .. } => {
                    made.entry(home.as_str()).or_insert(*owner);
                }
                Action::Copy(_) | Action::Link(_) | Action::Run(_) | Action::Runtime(_) => {}
            }
        }
        let Base::Stage(below) = stage.base else {
            return made;
        };
        let Some(next) = stages.get(below) else {
            return made;
        };
        stage = next;
        steps = &stage.steps;
    }
}

impl Builder<'_, '_> {
    /// Warns of a layer that would replace a symbolic link of the image by a directory.
    pub(crate) fn check_link(&mut self, span: Span, copies: &[PlannedCopy]) {
        if self.ground.distribution.as_deref() == Some("scratch") {
            return;
        }
        let hit = copies.iter().find_map(|copy| {
            let within =
                |link: &&&str| larder_catalog::within(copy.dest.trim_end_matches('/'), link);
            LINKS.iter().find(within)
        });
        if let Some(link) = hit {
            self.planner.report(
                Diagnostic::warning(
                    span,
                    format!(
                        "in most images {} is a symbolic link, which a layer of its own replaces by a \
                         directory",
                        quote(link)
                    ),
                )
                .lint("link-over-symlink")
                .hint(format!("write `/usr{link}` in `dest`, or leave `link` out")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_images_are_found() {
        assert!(OF_IMAGES.is_sorted());
        for (path, mode) in OF_IMAGES {
            assert_eq!(of_images(path), Some(mode), "{path}");
        }
        assert_eq!(of_images("/app"), None);
    }
}
