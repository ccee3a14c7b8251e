//! Credentials in caches.

use larder_catalog::within;
use larder_diagnostic::{Diagnostic, quote};

use super::{Found, Run};

/// Where tools keep credentials below the home directory, and what beside them is a cache.
const KEPT: [(&str, Option<&str>); 20] = [
    (".ssh", None),
    (".aws", None),
    (".docker", None),
    (".gnupg", None),
    (".kube", Some(".kube/cache")),
    (".azure", None),
    (".config/gcloud", None),
    (".config/gh", None),
    (".netrc", None),
    (".git-credentials", None),
    (".npmrc", Some(".npm")),
    (".pypirc", Some(".cache/pip")),
    (".m2/settings.xml", Some(".m2/repository")),
    (".cargo/credentials.toml", Some(".cargo/registry")),
    (".gradle/gradle.properties", Some(".gradle/caches")),
    (".gem/credentials", None),
    (".composer/auth.json", Some(".composer/cache")),
    (".nuget/NuGet", Some(".nuget/packages")),
    (".hex/hex.config", Some(".hex/packages")),
    (".cache/huggingface/token", Some(".cache/huggingface/hub")),
];

pub(super) fn check(run: &Run<'_>, found: &mut Vec<Found>) {
    for (mount, declared) in run.own() {
        let Some((path, cache)) = kept(&mount.target, run.planned.account.user.home.as_deref())
        else {
            continue;
        };
        let message = format!(
            "the cache {} at {} takes in {}, where credentials are kept",
            quote(&mount.cache),
            quote(&mount.target),
            quote(&path)
        );
        let hint = match cache {
            Some(cache) => format!("mount what is a cache alone: {}", quote(&cache)),
            None => {
                "mount a directory that has nothing but a cache in it; other builds can read it"
                    .to_owned()
            }
        };
        let span = declared.map_or(run.span, |own| own.target.span);
        let diagnostic = Diagnostic::warning(span, message).lint("credentials-in-cache");
        found.push(run.found(diagnostic.hint(hint)));
    }
}

/// The credentials that a directory takes in, and the cache beside them.
fn kept(target: &str, home: Option<&str>) -> Option<(String, Option<String>)> {
    let known = home.filter(|home| *home != "/").into_iter();
    let homes = known.chain(["/root"]).chain(of_path(target));
    let mut pairs = homes.flat_map(|home| KEPT.iter().map(move |kept| (home, kept)));
    pairs.find_map(|(home, (path, cache))| {
        let path = format!("{home}/{path}");
        let cache = cache.map(|cache| format!("{home}/{cache}"));
        let is_cache = cache.as_ref().is_some_and(|cache| within(target, cache));
        let takes_in = within(&path, target) || within(target, &path);
        (takes_in && !is_cache).then_some((path, cache))
    })
}

/// `/home/build` of what is below it.
pub(super) fn of_path(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/home/")?;
    let end = name.find('/').unwrap_or(name.len());
    Some(&path[.."/home/".len() + end])
}
