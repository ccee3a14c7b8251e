//! Where a cache would be mounted.

use larder_catalog::{Beside, Cache, Movable, Place, clean, within};

use crate::{Exec, Layout};

/// A place for a cache, and what goes with it.
pub(crate) struct Placed {
    /// Absolute and clean.
    pub(crate) target: String,
    /// Variables to set.
    pub(crate) env: Vec<(&'static str, String)>,
    /// A directory for what the tool writes beside the cache.
    pub(crate) tmpfs: Option<&'static str>,
}

/// Where an operation happens.
pub(crate) struct Site<'a> {
    pub(crate) exec: &'a Exec<'a>,
    pub(crate) layout: Layout,
    /// Clean; none if unknown or no real directory.
    pub(crate) home: Option<String>,
    /// Clean.
    pub(crate) cwd: String,
    /// What is mounted already, clean, without the root.
    pub(crate) mounted: Vec<String>,
}

impl<'a> Site<'a> {
    pub(crate) fn new(exec: &'a Exec<'a>, layout: Layout) -> Site<'a> {
        let cwd = clean(exec.cwd).unwrap_or_else(|| "/".to_owned());
        let mounted = exec
            .mounted
            .iter()
            .filter_map(|path| clean(path).or_else(|| clean(&format!("{cwd}/{path}"))))
            .filter(|path| path != "/")
            .collect();
        Site {
            exec,
            layout,
            home: home(exec),
            cwd,
            mounted,
        }
    }

    /// The place for a cache, or why there is none.
    pub(crate) fn place(&self, cache: &Cache) -> Result<Placed, String> {
        let placed = match &cache.place {
            Place::Fixed(path) => Placed {
                target: (*path).to_owned(),
                env: Vec::new(),
                tmpfs: None,
            },
            Place::Movable(movable) => match self.variable(movable) {
                Some((name, value)) => self.given(movable, name, value)?,
                None => self.chosen(movable)?,
            },
        };
        let inside = [Some(placed.target.as_str()), placed.tmpfs];
        if inside.iter().flatten().any(|path| within(&self.cwd, path)) {
            return Err(format!("the step's directory `{}` is in it", self.cwd));
        }
        Ok(placed)
    }

    /// What is mounted at a path, above it or below it.
    pub(crate) fn in_the_way(&self, path: &str) -> Option<&str> {
        let mounted = self.mounted.iter().map(String::as_str);
        mounted
            .into_iter()
            .find(|other| within(path, other) || within(other, path))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let mut env = self.exec.env.iter();
        env.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The variable that says where the cache is, if the operation has it.
    fn variable(&self, movable: &Movable) -> Option<(&str, &str)> {
        let is = |name: &str| {
            name == movable.variable
                || (movable.any_case && name.eq_ignore_ascii_case(movable.variable))
        };
        let found = self.exec.env.iter().find(|(name, _)| is(name));
        found.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where the operation's own variable says.
    fn given(&self, movable: &Movable, name: &str, value: &str) -> Result<Placed, String> {
        let Some(base) = clean(value) else {
            return Err(format!("{name} is `{value}`, which is no absolute path"));
        };
        let target = below(&base, movable.subdir);
        if self.is_of_the_system(&target) {
            return Err(format!(
                "{name} is `{value}`, which holds more than a cache"
            ));
        }
        Ok(Placed {
            target,
            env: Vec::new(),
            tmpfs: None,
        })
    }

    /// Where the layout says.
    fn chosen(&self, movable: &Movable) -> Result<Placed, String> {
        let at_home = self
            .home
            .as_ref()
            .map(|home| format!("{home}/{}", movable.home));
        if let (Layout::Home, Some(base)) = (self.layout, &at_home) {
            let target = below(base, movable.subdir);
            return Ok(Placed {
                target,
                env: vec![(movable.variable, base.clone())],
                tmpfs: None,
            });
        }
        let moved = movable.under.and_then(|(variable, path)| {
            let above = self.value(variable)?.split(':').next()?;
            clean(&format!("{above}/{path}"))
        });
        // A mount at the tool's own place would be of no use once the variable leads elsewhere.
        for own in [moved, at_home].iter().flatten() {
            if let Some(mounted) = self.in_the_way(own) {
                return Err(format!(
                    "`{mounted}` is mounted already, and `{own}` is its own place"
                ));
            }
        }
        let mut env = vec![(movable.variable, movable.cache.to_owned())];
        for (variable, path) in movable.set {
            let base = self.home.as_ref().map(|home| format!("{home}/{path}"));
            env.push((variable, base.unwrap_or_else(|| "/usr/local".to_owned())));
        }
        env.retain(|(name, _)| self.value(name).is_none());
        let tmpfs = (movable.beside == Beside::Tmpfs).then_some(movable.cache);
        Ok(Placed {
            target: below(movable.cache, movable.subdir),
            env,
            tmpfs,
        })
    }

    /// Whether a mount at a path would hide more than a cache.
    fn is_of_the_system(&self, path: &str) -> bool {
        const WHOLE: [&str; 19] = [
            "/",
            "/bin",
            "/boot",
            "/cache",
            "/etc",
            "/home",
            "/lib",
            "/lib64",
            "/media",
            "/mnt",
            "/opt",
            "/root",
            "/run",
            "/sbin",
            "/srv",
            "/tmp",
            "/usr",
            "/usr/local",
            "/var",
        ];
        const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];
        WHOLE.contains(&path)
            || KERNEL.iter().any(|above| within(path, above))
            || self.home.as_ref().is_some_and(|home| within(home, path))
    }
}

fn home(exec: &Exec) -> Option<String> {
    const NOWHERE: [&str; 3] = ["/", "/dev/null", "/nonexistent"];
    let env = exec
        .env
        .iter()
        .find(|(name, _)| name == "HOME")
        .map(|(_, value)| value.as_str());
    let root = (exec.user.uid == 0).then_some("/root");
    let known = [env, exec.user.home.as_deref(), root];
    known
        .into_iter()
        .flatten()
        .find_map(clean)
        .filter(|home| !NOWHERE.contains(&home.as_str()))
}

fn below(base: &str, subdir: &str) -> String {
    if subdir.is_empty() {
        base.to_owned()
    } else {
        format!("{}/{subdir}", base.trim_end_matches('/'))
    }
}
