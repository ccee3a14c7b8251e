//! What holds of every decision.

use larder_catalog::Class;
use larder_inject::{Exec, Harm, Id, Ids, Layout, OwnCache, Policy, Scope, Sharing, User, decide};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::{BTreeMap, BTreeSet};

const VARIABLES: [&str; 21] = [
    "PIP_CACHE_DIR",
    "NPM_CONFIG_CACHE",
    "npm_config_cache",
    "GOMODCACHE",
    "GOCACHE",
    "GOPATH",
    "CARGO_HOME",
    "CARGO_INSTALL_ROOT",
    "CCACHE_DIR",
    "HOME",
    "XDG_CACHE_HOME",
    "CC",
    "UV_CACHE_DIR",
    "MAVEN_OPTS",
    "GRADLE_USER_HOME",
    "NUGET_PACKAGES",
    "pnpm_config_store_dir",
    "GEM_HOME",
    "CARGO_BUILD_BUILD_DIR",
    "RENV_PATHS_ROOT",
    "NODE_VERSION",
];

fn path() -> impl Strategy<Value = String> {
    let path = select(vec![
        "/",
        "/cache",
        "/cache/pip",
        "/cache/cargo",
        "/cache/cargo/git",
        "/cache/go/",
        "/home/build",
        "/home/build/.cache",
        "/home/build/.cargo/registry",
        "/home/build/go",
        "/var/cache/apt",
        "x",
        "",
        "/a/../..",
        "/a//b",
        "/app",
        "-Xmx1g -Dmaven.repo.local=/m2",
        "/app/.next",
        "/go",
        "/etc/apt",
        "~",
        "ccache",
        "/\0",
        "22.1",
    ]);
    path.prop_map(str::to_owned)
}

fn command() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "pip install x",
        "npm ci",
        "go build",
        "go mod download",
        "cargo build",
        "apt-get update",
        "sudo apt-get update",
        "apk add x",
        "ccache gcc",
        "make",
        "rm -rf /cache",
        "rm -rf /cache/pip/*",
        "rm -rf ~/.cache",
        "rm -rf \"$CARGO_HOME/registry\"",
        "export GOCACHE=/x",
        "sudo npm ci",
        "echo 'x",
        "npm cache clean",
        "uv run pip install x",
        "./mvnw package",
        "MAVEN_OPTS=-Xmx1g mvn package",
        "gradle build",
        "dotnet restore",
        "yarn",
        "pnpm install",
        "gem install x",
        "poetry install",
        "Rscript -e 'renv::restore()'",
        "conan install .",
        "npx next build",
        "rm -rf .next",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join("; "))
}

prop_compose! {
    fn own()(id in "[a-c]", target in path(), uid in option::of(0_u32..3)) -> OwnCache {
        OwnCache { id, target, sharing: Sharing::Shared, uid, gid: None, mode: None }
    }
}

prop_compose! {
    fn policy()(
        auto in any::<bool>(),
        named in subsequence(vec!["pip", "go", "rust", "apt", "apk", "ccache", "nothing"], 0..4),
        own in prop::collection::vec(own(), 0..3),
        layout in select(vec![Layout::Cache, Layout::Home, Layout::Default]),
        scope in option::of(select(vec![Scope::Shared, Scope::Project])),
        project in ".{0,5}",
        namespace in option::of(".{0,5}"),
    ) -> Policy {
        Policy {
            auto,
            named: named.into_iter().map(str::to_owned).collect(),
            own,
            layout,
            scope,
            project,
            namespace,
            platform: "linux/amd64".to_owned(),
            distribution: "debian-13".to_owned(),
            ids: Ids::Larder,
            foreign: None,
        }
    }
}

fn clean(path: &str) -> bool {
    path.starts_with('/')
        && path
            .split('/')
            .skip(1)
            .all(|part| !["", ".", ".."].contains(&part))
}

fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (
        format!("{}/", a.trim_end_matches('/')),
        format!("{}/", b.trim_end_matches('/')),
    );
    a.starts_with(&b) || b.starts_with(&a)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn sane(
        script in command(),
        env in subsequence(VARIABLES.to_vec(), 0..5),
        values in prop::collection::vec(path(), 5),
        (uid, home) in (select(vec![0, 1000]), option::of(path())),
        (cwd, mounted) in (path(), prop::collection::vec(path(), 0..3)),
        of_image in any::<bool>(),
        policy in policy(),
        earlier in subsequence(vec!["cargo", "go", "maven"], 0..3),
        outputs in prop::collection::vec(path(), 0..2),
    ) {
        let args = ["/bin/sh".to_owned(), "-c".to_owned(), script];
        let env: Vec<(String, String)> =
            env.into_iter().map(str::to_owned).zip(values).collect();
        let user = User { uid, gid: uid, home };
        let earlier: BTreeMap<_, _> =
            earlier.into_iter().map(|tool| (tool, "`it` in step 1".to_owned())).collect();
        let names = env.iter().map(|(name, _)| name.clone());
        let image_env: BTreeSet<String> = names.filter(|_| of_image).collect();
        let exec = Exec {
            args: &args,
            env: &env,
            image_env: &image_env,
            user: &user,
            cwd: &cwd,
            mounted: &mounted,
            earlier: &earlier,
            outputs: &outputs,
        };
        let decision = decide(&exec, &policy);
        prop_assert_eq!(&decision, &decide(&exec, &policy));

        let mut ids = BTreeSet::new();
        for (index, mount) in decision.mounts.iter().enumerate() {
            prop_assert!(clean(&mount.target), "{}", mount.target);
            for other in &decision.mounts[index + 1..] {
                prop_assert!(mount.target < other.target);
                prop_assert!(!overlap(&mount.target, &other.target));
            }
            for other in mounted.iter().filter(|other| clean(other)) {
                prop_assert!(!overlap(&mount.target, other), "{} {other}", mount.target);
            }
            let id: Id = mount.id.parse().expect("an id");
            prop_assert_eq!((id.uid, id.gid), (mount.uid, mount.gid));
            prop_assert_eq!(&id.cache, &mount.cache);
            prop_assert!(ids.insert((mount.id.clone(), mount.target.clone())));
            if mount.reason.starts_with("kept from") {
                let cache = larder_catalog::cache(&mount.cache).expect("it is the catalogue's");
                prop_assert!(policy.auto && earlier.contains_key(cache.tool));
                prop_assert!(matches!(cache.class, Class::Store | Class::Compile));
            }
        }
        for (name, value) in &decision.env {
            let there = env.iter().any(|(known, _)| known == name);
            prop_assert_eq!(there, decision.without.contains(name));
            let (_, path) = value.split_once("-Dmaven.repo.local=").unwrap_or(("", value));
            let setting = ["0", "FALSE", "copy", "false", "true"].contains(&path);
            prop_assert!(setting || clean(path), "{name}={value}");
        }
        prop_assert!(decision.env.is_sorted() && decision.without.is_sorted());
        for name in &decision.without {
            prop_assert!(env.iter().any(|(known, _)| known == name));
            let added = name == "MAVEN_OPTS" && decision.env.iter().any(|(set, _)| set == name);
            prop_assert!(of_image || added, "{name}");
        }
        for path in decision.tmpfs.iter().chain(&decision.parents).chain(decision.files.keys()) {
            prop_assert!(clean(path), "{path}");
            prop_assert!(decision.mounts.iter().all(|mount| mount.target != *path));
        }
        for left in &decision.left_alone {
            prop_assert!(!left.reason.is_empty());
        }
        for defeat in &decision.defeated {
            let mounted = decision.mounts.iter().any(|mount| mount.cache == defeat.cache);
            let left = decision.left_alone.iter().any(|left| left.cache == defeat.cache);
            match defeat.harm {
                Harm::Unused | Harm::Emptied => prop_assert!(mounted),
                Harm::Removed | Harm::Unmounted => prop_assert!(left),
            }
        }
    }
}
