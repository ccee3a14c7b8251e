//! What keeps a cache from being mounted, or from being of use once it is.

use larder_catalog::{Cache, Effect, Place, Removal, Sign, within};

use crate::decide::Deciding;
use crate::place::{Placed, Site};
use crate::{CacheMount, Defeat, Exec, Harm};

impl Deciding<'_> {
    /// Whether the command gives the cache's variable a value that says nothing of the cache. One that
    /// does leaves the cache without a mount.
    pub(crate) fn told(&mut self, cache: &Cache) -> Result<bool, String> {
        let Place::Movable(movable) = &cache.place else {
            return Ok(false);
        };
        let mut told = false;
        for variable in movable.variables {
            if !self.reading.sets(variable, movable.any_case) {
                continue;
            }
            told = movable
                .prefix
                .is_some_and(|prefix| !self.reading.says(variable, prefix));
            if !told {
                let hint =
                    format!("leave {variable} out, or mount a cache of your own where it leads");
                self.defeat(cache.name, variable, Some(variable), Harm::Unmounted, hint);
                return Err(format!("the command sets {variable} itself"));
            }
        }
        Ok(told)
    }

    /// The place for a cache. A variable that leads to none leaves it without a mount.
    pub(crate) fn place(
        &mut self,
        cache: &Cache,
        exec: &Exec<'_>,
        told: bool,
    ) -> Result<Placed, String> {
        let site = Site::new(exec, self.policy.layout);
        let placed = site.place(cache, told);
        if placed.is_err()
            && let Place::Movable(movable) = &cache.place
            && let Some((name, value)) = site.variable(movable)
        {
            let hint = format!("leave {name} out, or give it a directory that is the cache alone");
            let words = format!("{name}={value}");
            self.defeat(cache.name, &words, Some(name), Harm::Unmounted, hint);
        }
        placed
    }

    /// Why a mount would harm the image, if so.
    pub(crate) fn avoided(&mut self, cache: &'static Cache, exec: &Exec<'_>) -> Result<(), String> {
        let avoids = self.reading.avoids(cache, exec.env);
        let Some((words, avoid)) = avoids.first() else {
            return Ok(());
        };
        // A command by itself is what the author is after.
        if !matches!(avoid.sign, Sign::Command(_)) {
            let hint = format!("leave it out, or write {}: {}", self.none(), avoid.hint);
            self.defeat(
                cache.name,
                words,
                variable(&avoid.sign),
                Harm::Unmounted,
                hint,
            );
        }
        Err(format!("with `{words}`, {}", avoid.hint))
    }

    /// Notes what empties a mount or keeps the tool from using it. Somebody else's operation gets none
    /// then.
    pub(crate) fn useless(
        &mut self,
        cache: &'static Cache,
        target: &str,
        exec: &Exec<'_>,
    ) -> Result<(), String> {
        let before = self.decision.defeated.len();
        self.emptied(cache.name, target);
        self.unused(cache, exec);
        match self.decision.defeated.get(before) {
            Some(defeat) if self.policy.foreign.is_some() => {
                let does = match defeat.harm {
                    Harm::Emptied => "empties it",
                    _ => "keeps it from being of use",
                };
                Err(format!("`{}` {does}", defeat.words))
            }
            _ => Ok(()),
        }
    }

    /// What turns caches off, in the words of the author.
    fn none(&self) -> &'static str {
        match self.policy.foreign {
            Some(_) => "`# larder: caches=off`",
            None => "`caches: none`",
        }
    }

    /// Notes what keeps the tool from using a mount, or has it empty it.
    fn unused(&mut self, cache: &'static Cache, exec: &Exec<'_>) {
        for (words, defeat) in self.reading.defeats(cache, exec.env) {
            let harm = if defeat.empties() {
                Harm::Emptied
            } else {
                Harm::Unused
            };
            let (variable, hint) = (variable(&defeat.sign), defeat.hint.to_owned());
            self.defeat(cache.name, &words, variable, harm, hint);
        }
    }

    /// Why nothing can be mounted at a path, if so.
    pub(crate) fn free(&mut self, cache: &str, target: &str) -> Result<(), String> {
        if let Some(mounted) = self.site.in_the_way(target) {
            return Err(format!("`{mounted}` is mounted already"));
        }
        let overlaps =
            |other: &&CacheMount| within(target, &other.target) || within(&other.target, target);
        if let Some(other) = self.decision.mounts.iter().find(overlaps) {
            return Err(format!(
                "cache `{}` is mounted at `{}`",
                other.cache, other.target
            ));
        }
        let removes = |removal: &&Removal| removal.effect(target) == Some(Effect::Removes);
        let Some(removal) = self.removals.iter().find(removes) else {
            return Ok(());
        };
        let words = removal.words.clone();
        let hint = format!(
            "leave out `{words}`: what is in a cache does not get into the image; or write {}",
            self.none()
        );
        self.defeat(cache, &words, None, Harm::Removed, hint);
        Err(format!(
            "`{words}` would fail: a mount point cannot be removed"
        ))
    }

    /// Notes what empties a mount.
    pub(crate) fn emptied(&mut self, cache: &str, target: &str) {
        let empties = |removal: &&Removal| removal.effect(target) == Some(Effect::Empties);
        let emptying: Vec<String> = self
            .removals
            .iter()
            .filter(empties)
            .map(|removal| removal.words.clone())
            .collect();
        for words in emptying {
            let hint = format!(
                "leave out `{words}`: it empties the cache, which does not get into the image"
            );
            self.defeat(cache, &words, None, Harm::Emptied, hint);
        }
    }

    fn defeat(
        &mut self,
        cache: &str,
        words: &str,
        variable: Option<&str>,
        harm: Harm,
        hint: String,
    ) {
        self.decision.defeated.push(Defeat {
            cache: cache.to_owned(),
            words: words.to_owned(),
            variable: variable.map(str::to_owned),
            harm,
            hint,
        });
    }
}

fn variable(sign: &Sign) -> Option<&'static str> {
    match sign {
        Sign::Variable(condition) => condition.variable(),
        Sign::Flag(_) | Sign::Command(_) => None,
    }
}
