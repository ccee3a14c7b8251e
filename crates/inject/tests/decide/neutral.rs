//! Variables that keep a cache from being used: the base image's give way, the author's are told.

use std::collections::BTreeMap;

use crate::case::{Case, sh};
use larder_catalog::{CACHES, Condition, Place, Setting, Sign};
use larder_inject::{Decision, Harm};

/// What the operation gets of some variables of the base image; `None` where the cache is not mounted.
fn after(case: &Case, cache: &str, env: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    let decision = case.decide();
    mounts(&decision, cache).then(|| {
        let kept = env
            .iter()
            .filter(|(name, _)| !decision.without.iter().any(|without| without == name));
        let kept = kept.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        kept.chain(decision.env).collect()
    })
}

fn mounts(decision: &Decision, cache: &str) -> bool {
    decision.mounts.iter().any(|mount| mount.cache == cache)
}

/// A value for which a condition holds.
fn bad(condition: &Condition) -> &'static str {
    match condition {
        Condition::Set(_) => "",
        Condition::Word(_, word) | Condition::Entry(_, word) => word,
        Condition::Filled(_) | Condition::Argument(_) => "1",
    }
}

/// Caches and the variables that defeat them.
fn defeats() -> Vec<(&'static str, &'static Condition)> {
    let mut found = Vec::new();
    for cache in CACHES {
        for defeat in cache.defeats {
            if let Sign::Variable(condition) = &defeat.sign {
                found.push((cache.name, condition));
            }
        }
    }
    assert!(found.len() >= 15, "{}", found.len());
    found
}

#[test]
fn every_variable_of_the_image_that_defeats_a_cache_gives_way() {
    for (cache, condition) in defeats() {
        let (name, value) = (condition.variable().expect("it has one"), bad(condition));
        let case = sh("true").root().named(&[cache]).image_env(name, value);
        let env = after(&case, cache, &[(name, value)]).expect(cache);
        let left = env.get(name);
        assert!(
            left.is_none_or(|left| !condition.holds(left)),
            "{cache}: {name}={left:?}"
        );
        assert!(case.decide().defeated.is_empty(), "{cache}: {name}");
    }
}

#[test]
fn every_variable_of_the_author_that_defeats_a_cache_is_told() {
    for (cache, condition) in defeats() {
        let (name, value) = (condition.variable().expect("it has one"), bad(condition));
        let decision = sh("true").root().named(&[cache]).env(name, value).decide();
        // A variable that says where the cache is as well leaves it without a mount.
        if mounts(&decision, cache) {
            let told = decision
                .defeated
                .iter()
                .find(|defeat| defeat.cache == cache);
            let told = told.unwrap_or_else(|| panic!("{cache}: {name}"));
            assert_eq!(
                (told.variable.as_deref(), told.harm),
                (Some(name), Harm::Unused)
            );
            assert!(!decision.without.iter().any(|without| without == name));
        } else {
            assert!(
                decision.left_alone.iter().any(|left| left.cache == cache),
                "{cache}"
            );
        }
    }
}

/// What would put links into the cache into the image is overridden by the setting that goes with the
/// mount.
#[test]
fn settings_of_the_image_that_harm_give_way() {
    let mut seen = 0;
    for cache in CACHES {
        let Place::Movable(movable) = &cache.place else {
            continue;
        };
        for avoid in cache.avoids {
            let Sign::Variable(condition) = &avoid.sign else {
                continue;
            };
            let name = condition.variable().expect("it has one");
            let set = movable.set.iter().find(|(set, _)| *set == name);
            let case = sh("true")
                .root()
                .named(&[cache.name])
                .image_env(name, bad(condition));
            let env = after(&case, cache.name, &[(name, bad(condition))]);
            if let Some((_, Setting::Value(_))) = set {
                seen += 1;
                let env = env.expect(cache.name);
                assert!(
                    !condition.holds(&env[name]) || name == "NUGET_SCRATCH",
                    "{name}"
                );
            } else {
                assert_eq!(env, None, "{}: {name}", cache.name);
            }
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn only_the_part_of_a_value_that_does_it_is_taken_out() {
    let value = "-mod=mod -a -modcacherw";
    let case = sh("go build").image_env("GOFLAGS", value);
    let env = after(&case, "go-build", &[("GOFLAGS", value)]).expect("it is mounted");
    assert_eq!(env["GOFLAGS"], "-mod=mod -modcacherw");
    let harmless = sh("go build").image_env("GOFLAGS", "-modcacherw").decide();
    assert_eq!(harmless.without, [""; 0]);
}

#[test]
fn a_variable_is_kept_where_no_cache_is_mounted() {
    let case = || sh("pip install x").image_env("PIP_NO_CACHE_DIR", "1");
    assert_eq!(case().decide().without, ["PIP_NO_CACHE_DIR"]);
    let none = case().mounted("/cache").decide();
    assert_eq!((none.mounts.len(), none.without.len()), (0, 0));
    let none = case().policy(|policy| policy.auto = false).decide();
    assert_eq!(none.without, [""; 0]);
}

#[test]
fn places_of_the_image() {
    // Where it leads somewhere, the mount is there.
    let npm = sh("npm ci")
        .image_env("NPM_CONFIG_CACHE", "/srv/npm")
        .decide();
    assert_eq!(
        (npm.mounts[0].target.as_str(), npm.without.len()),
        ("/srv/npm", 0)
    );
    for (command, cache, name, value) in [
        (
            "composer install",
            "composer",
            "COMPOSER_CACHE_DIR",
            "/dev/null",
        ),
        ("npm ci", "npm", "npm_config_cache", ""),
        ("poetry install", "poetry-artifacts", "POETRY_CACHE_DIR", ""),
        ("gradle build", "gradle", "GRADLE_USER_HOME", ""),
    ] {
        let decision = sh(command).image_env(name, value).decide();
        let mounted = decision
            .mounts
            .iter()
            .find(|mount| mount.cache.starts_with(cache));
        let target = &mounted
            .unwrap_or_else(|| panic!("{cache}: {decision:?}"))
            .target;
        assert!(target.starts_with("/cache/"), "{target}");
        assert!(
            decision.without.iter().any(|without| without == name),
            "{name}"
        );
        let author = sh(command).env(name, value).decide();
        assert!(
            author
                .mounts
                .iter()
                .all(|mount| mount.cache != mounted.expect("it is").cache)
        );
    }
}

#[test]
fn options_of_a_tool_are_added_to() {
    for case in [
        sh("mvn package").env("MAVEN_OPTS", "-Xmx1g"),
        sh("mvn package").image_env("MAVEN_OPTS", "-Xmx1g"),
    ] {
        let decision = case.decide();
        assert_eq!(decision.without, ["MAVEN_OPTS"]);
        assert_eq!(decision.env[0].1, "-Xmx1g -Dmaven.repo.local=/cache/maven");
    }
}
