//! Where a cache would be mounted.

use larder_catalog::{Beside, Cache, Class, Movable, Place, Setting, clean, is_system, within};

use crate::{Exec, Layout};

/// Where caches of [`Layout::Private`] are.
pub(crate) const PRIVATE: &str = "/.larder";

/// A place for a cache, and what goes with it.
#[derive(Default)]
pub(crate) struct Placed {
    /// Absolute and clean.
    pub(crate) target: String,
    /// Variables to set.
    pub(crate) env: Vec<(&'static str, String)>,
    /// A directory for what the tool writes beside the cache.
    pub(crate) tmpfs: Option<&'static str>,
    /// What it belongs to, if that is not the home directory.
    pub(crate) below: Option<String>,
}

impl Placed {
    fn at(target: String) -> Placed {
        Placed {
            target,
            ..Placed::default()
        }
    }
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

    /// The place for a cache, or why there is none. `told` if the command gives the variable a value
    /// of its own, which says nothing of the cache.
    pub(crate) fn place(&self, cache: &Cache, told: bool) -> Result<Placed, String> {
        let placed = match &cache.place {
            Place::Fixed(path) => Placed::at((*path).to_owned()),
            Place::Project(path) => Placed {
                below: Some(self.cwd.clone()),
                ..Placed::at(below(&self.cwd, path))
            },
            Place::Movable(movable) => self.movable(cache, movable, told)?,
        };
        let inside = [Some(placed.target.as_str()), placed.tmpfs];
        if inside.iter().flatten().any(|path| within(&self.cwd, path)) {
            return Err(format!("the step's directory `{}` is in it", self.cwd));
        }
        Ok(placed)
    }

    fn movable(&self, cache: &Cache, movable: &Movable, told: bool) -> Result<Placed, String> {
        let mut placed = match (self.variable(movable), movable.prefix) {
            _ if told => self.own(movable)?,
            (None, _) if self.layout == Layout::Private => self.private(cache, movable)?,
            (Some((_, value)), Some(prefix))
                if self.layout == Layout::Private && !value.contains(prefix) =>
            {
                self.own(movable)?
            }
            (None, _) => self.chosen(movable)?,
            (Some((name, value)), None) => self.given(movable, name, value)?,
            (Some((name, value)), Some(prefix)) => {
                let mut words = value.split_ascii_whitespace();
                match words.find_map(|word| word.strip_prefix(prefix)) {
                    Some(path) => self.given(movable, name, path)?,
                    None => self.added(movable, name, value)?,
                }
            }
        };
        for (variable, setting) in movable.set {
            if let Setting::Value(text) = setting {
                placed
                    .env
                    .push((variable, text.replace("{cache}", &placed.target)));
            }
        }
        let is_free = |name: &str| movable.variables.contains(&name) || self.value(name).is_none();
        placed.env.retain(|(name, _)| is_free(name));
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
    pub(crate) fn variable(&self, movable: &Movable) -> Option<(&str, &str)> {
        let found = self
            .exec
            .env
            .iter()
            .find(|(name, _)| movable.is_told_by(name));
        found.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where the operation's own variable says.
    fn given(&self, movable: &Movable, name: &str, value: &str) -> Result<Placed, String> {
        let Some(base) = clean(value).filter(|base| !base.contains([':', ','])) else {
            return Err(format!("{name} is `{value}`, which is no absolute path"));
        };
        let target = below(&base, movable.subdir);
        if self.is_of_the_system(&target) {
            return Err(format!(
                "{name} is `{value}`, which holds more than a cache"
            ));
        }
        Ok(Placed::at(target))
    }

    /// Where the layout says, with that said after the other words of the operation's variable.
    fn added(&self, movable: &Movable, name: &str, value: &str) -> Result<Placed, String> {
        let mut placed = self.chosen(movable)?;
        for (_, text) in placed.env.iter_mut().filter(|(known, _)| *known == name) {
            let start = format!("{value} ");
            text.insert_str(0, start.trim_start());
        }
        Ok(placed)
    }

    fn at_home(&self, movable: &Movable) -> Option<String> {
        if let Some(root) = movable.root.filter(|_| self.exec.user.uid == 0) {
            return Some(root.to_owned());
        }
        Some(format!("{}/{}", self.home.as_ref()?, movable.home?))
    }

    /// Where no command of others looks. The tool's own place for what it must not be told to have
    /// elsewhere: a path that gets into what is built, or a variable that the tool's settings would give
    /// way to.
    fn private(&self, cache: &Cache, movable: &Movable) -> Result<Placed, String> {
        let own = self.own(movable);
        let path = match movable.cache {
            Some(path) if cache.class != Class::Store && movable.prefix.is_none() => path,
            _ => return own,
        };
        if own.is_ok() && (cache.trace.is_some() || !movable.moves()) {
            return own;
        }
        self.untouched(movable)?;
        let path = format!("{PRIVATE}{}", path.strip_prefix("/cache").unwrap_or(path));
        let variables = movable.variables.iter();
        Ok(Placed {
            env: variables.map(|name| (*name, path.clone())).collect(),
            ..Placed::at(below(&path, movable.subdir))
        })
    }

    /// Where the cache is without a mount.
    pub(crate) fn unmoved(&self, cache: &Cache) -> Option<String> {
        let placed = match &cache.place {
            Place::Fixed(path) => return Some((*path).to_owned()),
            Place::Project(path) => return Some(below(&self.cwd, path)),
            Place::Movable(movable) => match self.variable(movable) {
                Some((name, value)) if movable.prefix.is_none() => self.given(movable, name, value),
                _ => self.own(movable),
            },
        };
        placed.ok().map(|placed| placed.target)
    }

    /// A mount at the tool's own place would be of no use once a variable leads elsewhere.
    fn untouched(&self, movable: &Movable) -> Result<(), String> {
        for own in [self.moved(movable), self.at_home(movable)]
            .iter()
            .flatten()
        {
            if let Some(mounted) = self.in_the_way(own) {
                return Err(format!(
                    "`{mounted}` is mounted already, and `{own}` is its own place"
                ));
            }
        }
        let unknown = self.layout == Layout::Private && self.home.is_none();
        let Some(home) = movable.home.filter(|_| unknown) else {
            return Ok(());
        };
        // Somebody's home, wherever that is.
        let mut path = home;
        loop {
            let end = format!("/{path}");
            if let Some(mounted) = self.mounted.iter().find(|mounted| mounted.ends_with(&end)) {
                return Err(format!(
                    "`{mounted}` is mounted already, and may be its own place"
                ));
            }
            match path.rsplit_once('/') {
                Some((above, _)) => path = above,
                None => return Ok(()),
            }
        }
    }

    /// Where another variable moves the tool's own place.
    fn moved(&self, movable: &Movable) -> Option<String> {
        movable.under.iter().find_map(|(variable, path)| {
            let above = self.value(variable)?.split(':').next()?;
            clean(&format!("{above}/{path}"))
        })
    }

    /// The tool's own place.
    fn own(&self, movable: &Movable) -> Result<Placed, String> {
        let base = self.moved(movable).or_else(|| self.at_home(movable));
        let Some(base) = base else {
            return Err(match (movable.home, movable.variables) {
                (None, [variable, ..]) => format!("only {variable} says where it is"),
                _ => "it is in the home directory, which is not known".to_owned(),
            });
        };
        let target = below(&base, movable.subdir);
        if self.is_of_the_system(&target) {
            return Err(format!("`{target}` holds more than a cache"));
        }
        Ok(Placed::at(target))
    }

    /// Where the layout says.
    fn chosen(&self, movable: &Movable) -> Result<Placed, String> {
        let Some(cache) = movable.cache else {
            return self.own(movable);
        };
        if self.layout == Layout::Default
            && let Ok(own) = self.own(movable)
        {
            return Ok(own);
        }
        let text = |path: &str| format!("{}{path}", movable.prefix.unwrap_or_default());
        let variables = movable.variables.iter().copied();
        let at_home = self.at_home(movable);
        if let (Layout::Home, Some(base)) = (self.layout, &at_home) {
            if movable.prefix.is_some() {
                return self.own(movable);
            }
            return Ok(Placed {
                env: variables.map(|name| (name, base.clone())).collect(),
                ..Placed::at(below(base, movable.subdir))
            });
        }
        self.untouched(movable)?;
        let mut env: Vec<_> = variables.map(|name| (name, text(cache))).collect();
        for (variable, setting) in movable.set {
            if let Setting::Home { path, or } = setting {
                let path = self.home.as_ref().map(|home| format!("{home}/{path}"));
                let Some(path) = path.or_else(|| or.map(str::to_owned)) else {
                    return Err(format!(
                        "{variable} needs the home directory, which is not known"
                    ));
                };
                env.push((variable, path));
            }
        }
        Ok(Placed {
            env,
            tmpfs: (movable.beside == Beside::Tmpfs).then_some(cache),
            ..Placed::at(below(cache, movable.subdir))
        })
    }

    /// Whether a mount at a path would hide more than a cache.
    fn is_of_the_system(&self, path: &str) -> bool {
        is_system(path) || self.home.as_ref().is_some_and(|home| within(home, path))
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
