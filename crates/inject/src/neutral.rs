//! Variables of the base image that keep a cache from being used. Nobody chose them for this build, so
//! an operation that gets the cache goes without them; the image keeps them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use larder_catalog::{Cache, Condition, Movable, Place, Setting, Sign, within};

use crate::Exec;

/// What becomes of variables: another value, or none.
pub(crate) type Changes = BTreeMap<String, Option<String>>;

/// The changes that a cache needs, on top of some.
pub(crate) fn changes(cache: &'static Cache, exec: &Exec<'_>, before: &Changes) -> Changes {
    let mut changes = before.clone();
    for (name, value) in exec.env {
        if !exec.image_env.contains(name) {
            continue;
        }
        if let Place::Movable(movable) = &cache.place
            && leads_nowhere(movable, name, value)
        {
            changes.insert(name.clone(), None);
        }
        for condition in conditions(cache).filter(|it| it.variable() == Some(name)) {
            let now = changes.get(name).cloned();
            let now = now.unwrap_or_else(|| Some(value.clone()));
            if let Some(now) = now.filter(|now| condition.holds(now)) {
                changes.insert(name.clone(), condition.without(&now));
            }
        }
    }
    changes
}

/// The variables after the changes.
pub(crate) fn apply<'e>(
    env: &'e [(String, String)],
    changes: &Changes,
) -> Cow<'e, [(String, String)]> {
    if changes.is_empty() {
        return Cow::Borrowed(env);
    }
    let kept = env.iter().filter_map(|(name, value)| {
        let value = match changes.get(name) {
            Some(new) => new.clone()?,
            None => value.clone(),
        };
        Some((name.clone(), value))
    });
    Cow::Owned(kept.collect())
}

/// What defeats the cache, and what would have it harm the image unless a variable that goes with the
/// mount said otherwise.
fn conditions(cache: &'static Cache) -> impl Iterator<Item = &'static Condition> {
    let set = match &cache.place {
        Place::Movable(movable) => movable.set,
        Place::Fixed(_) | Place::Project(_) => &[],
    };
    let is_set = move |condition: &&Condition| {
        set.iter().any(|(name, setting)| {
            condition.variable() == Some(name) && matches!(setting, Setting::Value(_))
        })
    };
    let variable = |sign: &'static Sign| match sign {
        Sign::Variable(condition) => Some(condition),
        Sign::Flag(_) | Sign::Command(_) => None,
    };
    let defeats = cache.defeats.iter().map(|defeat| &defeat.sign);
    let avoids = cache.avoids.iter().map(|avoid| &avoid.sign);
    defeats
        .filter_map(variable)
        .chain(avoids.filter_map(variable).filter(is_set))
}

/// Whether a variable that says where the cache is turns it off: it is empty, or a device.
fn leads_nowhere(movable: &Movable, name: &str, value: &str) -> bool {
    movable.is_told_by(name)
        && movable.prefix.is_none()
        && (value.is_empty() || within(value, "/dev"))
}
