//! Each rule of the decision.

use crate::case::{Case, sh, show};
use larder_inject::{Policy, Scope};

#[test]
fn nothing_where_nothing_is_used() {
    sh("echo pip install").shows("");
    sh("pip install x")
        .policy(|policy| policy.auto = false)
        .shows("");
    sh("pip install 'x").shows("unread: its shell syntax was not understood at `'x`\n");
}

#[test]
fn each_tool_in_the_cache_layout() {
    sh("pip install x; npm ci").shows("
/larder/shared/npm/distribution:debian-13/platform:linux+amd64/owner:1000.1000 at /cache/npm, shared, 1000:1000 755, `npm ci`
/larder/shared/pip/distribution:debian-13/platform:linux+amd64/owner:1000.1000 at /cache/pip, shared, 1000:1000 755, `pip install`
env NPM_CONFIG_CACHE=/cache/npm
env PIP_CACHE_DIR=/cache/pip
");
    sh("go build").shows("
/larder/project:shop/go-build/distribution:debian-13/owner:1000.1000 at /cache/go/build, shared, 1000:1000 755, `go build`
/larder/shared/go-mod/owner:1000.1000 at /cache/go/mod, shared, 1000:1000 755, `go build`
env GOCACHE=/cache/go/build
env GOMODCACHE=/cache/go/mod
");
    sh("cargo build").shows("
/larder/shared/cargo-git/owner:1000.1000 at /cache/cargo/git, locked, 1000:1000 755, `cargo build`
/larder/shared/cargo-registry/owner:1000.1000 at /cache/cargo/registry, locked, 1000:1000 755, `cargo build`
env CARGO_HOME=/cache/cargo
env CARGO_INSTALL_ROOT=/home/build/.cargo
tmpfs /cache/cargo
not cargo-target: it holds what the build makes, so only `outputs` or its name in `caches` mounts it
");
    sh("CC='ccache gcc' make").shows("
/larder/project:shop/ccache/platform:linux+amd64/owner:1000.1000 at /cache/ccache, shared, 1000:1000 755, `make`
env CCACHE_DIR=/cache/ccache
");
    sh("apt-get update").root().shows("
/larder/shared/apt/distribution:debian-13/platform:linux+amd64/owner:0.0 at /var/cache/apt, locked, 0:0 755, `apt-get update`
/larder/shared/apt-lists/distribution:debian-13/platform:linux+amd64/owner:0.0 at /var/lib/apt/lists, locked, 0:0 755, `apt-get update`
file /etc/apt/apt.conf.d/docker-clean
");
    sh("apk add gcc").root().shows("
/larder/shared/apk/distribution:debian-13/platform:linux+amd64/owner:0.0 at /etc/apk/cache, locked, 0:0 755, `apk add`
");
}

#[test]
fn docker_clean_keeps_packages() {
    let decision = sh("apt-get update").root().decide();
    assert_eq!(
        decision.files["/etc/apt/apt.conf.d/docker-clean"],
        "Binary::apt::APT::Keep-Downloaded-Packages \"true\";\nAPT::Keep-Downloaded-Packages \"true\";\n"
    );
    for blocked in ["/var/cache/apt", "/etc/apt/apt.conf.d"] {
        let decision = sh("apt-get update").root().mounted(blocked).decide();
        assert!(decision.files.is_empty(), "{blocked}");
        assert!(!decision.mounts.is_empty(), "{blocked}");
    }
}

#[test]
fn home_layout_has_each_tool_s_own_place() {
    sh("cargo fetch; go mod download; pip install x").home_layout().shows("
/larder/shared/pip/distribution:debian-13/platform:linux+amd64/owner:1000.1000 at /home/build/.cache/pip, shared, 1000:1000 755, `pip install`
/larder/shared/cargo-git/owner:1000.1000 at /home/build/.cargo/git, locked, 1000:1000 755, `cargo fetch`
/larder/shared/cargo-registry/owner:1000.1000 at /home/build/.cargo/registry, locked, 1000:1000 755, `cargo fetch`
/larder/shared/go-mod/owner:1000.1000 at /home/build/go/pkg/mod, shared, 1000:1000 755, `go mod download`
env CARGO_HOME=/home/build/.cargo
env GOMODCACHE=/home/build/go/pkg/mod
env PIP_CACHE_DIR=/home/build/.cache/pip
parent /home/build/.cache
parent /home/build/.cargo
parent /home/build/go
parent /home/build/go/pkg
");
    let places = |case: Case| {
        let decision = case.home_layout().decide();
        decision
            .mounts
            .into_iter()
            .map(|mount| mount.target)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = || sh("npm ci; ccache gcc; go build");
    let home =
        "/home/build/.cache/go-build /home/build/.ccache /home/build/.npm /home/build/go/pkg/mod";
    assert_eq!(places(all()), home);
    assert_eq!(places(sh("npm ci").root()), "/root/.npm");
    assert!(
        sh("npm ci")
            .root()
            .home_layout()
            .decide()
            .parents
            .is_empty()
    );
    assert_eq!(
        places(sh("npm ci").env("HOME", "/srv/home")),
        "/srv/home/.npm"
    );
    assert_eq!(places(sh("npm ci").homeless()), "/cache/npm");
    assert_eq!(places(sh("npm ci").env("HOME", "/")), "/cache/npm");
    assert_eq!(places(sh("npm ci").root().homeless()), "/root/.npm");
}

#[test]
fn variables_that_are_there_win() {
    let rust = || sh("cargo fetch").env("CARGO_HOME", "/usr/local/cargo/");
    rust().shows("
/larder/shared/cargo-git/owner:1000.1000 at /usr/local/cargo/git, locked, 1000:1000 755, `cargo fetch`
/larder/shared/cargo-registry/owner:1000.1000 at /usr/local/cargo/registry, locked, 1000:1000 755, `cargo fetch`
");
    assert_eq!(rust().home_layout().decide(), rust().decide());
    let npm = sh("npm ci").env("npm_config_cache", "/var/npm").decide();
    assert_eq!(
        (npm.mounts[0].target.as_str(), npm.env.len()),
        ("/var/npm", 0)
    );
    let pip = sh("pip install x")
        .env("pip_cache_dir", "/var/pip")
        .decide();
    assert_eq!(
        (pip.mounts[0].target.as_str(), pip.env.len()),
        ("/cache/pip", 1)
    );
    let cargo = sh("cargo build").env("CARGO_INSTALL_ROOT", "/opt").decide();
    assert_eq!(
        cargo.env,
        [("CARGO_HOME".to_owned(), "/cache/cargo".to_owned())]
    );
    let cargo = sh("cargo build").homeless().decide();
    assert_eq!(
        cargo.env[1],
        ("CARGO_INSTALL_ROOT".to_owned(), "/usr/local".to_owned())
    );
}

#[test]
fn variables_that_lead_nowhere_good() {
    for (value, reason) in [
        (
            "cache",
            "PIP_CACHE_DIR is `cache`, which is no absolute path",
        ),
        ("", "PIP_CACHE_DIR is ``, which is no absolute path"),
        ("//", "PIP_CACHE_DIR is `//`, which holds more than a cache"),
        (
            "/tmp",
            "PIP_CACHE_DIR is `/tmp`, which holds more than a cache",
        ),
        (
            "/proc/x",
            "PIP_CACHE_DIR is `/proc/x`, which holds more than a cache",
        ),
        (
            "/home/x/../build",
            "PIP_CACHE_DIR is `/home/x/../build`, which holds more than a cache",
        ),
        ("/app", "the step's directory `/app` is in it"),
    ] {
        let case = sh("pip install x").env("PIP_CACHE_DIR", value);
        case.shows(&format!(
            "not pip: {reason}\ndefeat pip: Unmounted: PIP_CACHE_DIR={value}: \
             leave PIP_CACHE_DIR out, or give it a directory that is the cache alone\n"
        ));
    }
    sh("PIP_CACHE_DIR=/x pip install x").shows("
not pip: the command sets PIP_CACHE_DIR itself
defeat pip: Unmounted: PIP_CACHE_DIR: leave PIP_CACHE_DIR out, or mount a cache of your own where it leads
");
    sh("export npm_config_cache=/x; npm ci").shows("
not npm: the command sets NPM_CONFIG_CACHE itself
defeat npm: Unmounted: NPM_CONFIG_CACHE: leave NPM_CONFIG_CACHE out, or mount a cache of your own where it leads
");
    sh("cargo fetch").cwd("/cache/cargo/src").shows(
        "
not cargo-git: the step's directory `/cache/cargo/src` is in it
not cargo-registry: the step's directory `/cache/cargo/src` is in it
",
    );
}

#[test]
fn mounts_that_are_there_win() {
    for path in ["/cache/pip", "/cache", "/cache/pip/wheels", "/cache//pip/"] {
        let decision = sh("pip install x").mounted(path).decide();
        assert!(
            decision.mounts.is_empty() && decision.env.is_empty(),
            "{path}"
        );
        assert!(
            decision.left_alone[0]
                .reason
                .ends_with("is mounted already"),
            "{path}"
        );
    }
    for path in ["/", "/cache/pipx", "/app", "/home/build/.config"] {
        let decision = sh("pip install x").mounted(path).decide();
        assert_eq!(decision.mounts.len(), 1, "{path}");
    }
    sh("pip install x")
        .cwd("/cache")
        .mounted("pip")
        .shows("not pip: `/cache/pip` is mounted already\n");
}

#[test]
fn a_mount_at_the_tool_s_own_place_keeps_its_meaning() {
    sh("cargo fetch").mounted("/home/build/.cargo/registry").shows("
not cargo-git: `/home/build/.cargo/registry` is mounted already, and `/home/build/.cargo` is its own place
not cargo-registry: `/home/build/.cargo/registry` is mounted already, and `/home/build/.cargo` is its own place
");
    sh("go mod download")
        .env("GOPATH", "/go")
        .mounted("/go/pkg/mod")
        .shows(
            "not go-mod: `/go/pkg/mod` is mounted already, and `/go/pkg/mod` is its own place\n",
        );
    let home = sh("cargo build")
        .home_layout()
        .mounted("/home/build/.cargo/registry")
        .decide();
    assert_eq!(
        (home.mounts[0].cache.as_str(), home.mounts.len()),
        ("cargo-git", 1)
    );
}

#[test]
fn root_s_tools() {
    sh("apt-get update").shows(
        "
not apt: only root can use it, and the step runs as 1000
not apt-lists: only root can use it, and the step runs as 1000
",
    );
    for text in [
        "sudo apt-get update",
        "doas apk add x",
        "sudo -u root sh -c 'apt update'",
    ] {
        let decision = sh(text).decide();
        assert!(!decision.mounts.is_empty(), "{text}");
        assert!(
            decision
                .mounts
                .iter()
                .all(|mount| (mount.uid, mount.gid) == (0, 0)),
            "{text}"
        );
    }
    let other = sh("gosu build apk add x").root().decide();
    assert!(other.mounts.is_empty());
    assert!(sh("true").named(&["apk"]).decide().mounts.is_empty());
    assert_eq!(sh("true").named(&["apk"]).root().decide().mounts.len(), 1);
}

#[test]
fn a_step_s_tools_under_sudo() {
    sh("sudo pip install x")
        .shows("not pip: `pip install` runs as another user, with variables of its own\n");
    let both = sh("sudo pip install x; pip3 install y").decide();
    assert_eq!(both.mounts[0].reason, "`pip3 install`");
    assert_eq!(both.mounts[0].uid, 1000);
}

#[test]
fn named_caches_and_groups() {
    let targets = |case: Case| {
        let decision = case.decide();
        decision
            .mounts
            .into_iter()
            .map(|mount| mount.target)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        targets(sh("make").named(&["go"])),
        "/cache/go/build /cache/go/mod"
    );
    assert_eq!(
        targets(sh("make").named(&["rust"])),
        "/cache/cargo/git /cache/cargo/registry /cache/sccache"
    );
    assert_eq!(
        targets(sh("npm ci").named(&["pip"])),
        "/cache/npm /cache/pip"
    );
    let only = |case: Case| case.policy(|policy| policy.auto = false);
    assert_eq!(targets(only(sh("npm ci").named(&["pip"]))), "/cache/pip");
    assert_eq!(
        sh("npm ci").named(&["pip"]).decide().mounts[1].reason,
        "asked for by caches"
    );
    assert_eq!(
        sh("pip wheel x").named(&["pip"]).decide().mounts[0].reason,
        "`pip wheel`"
    );
    assert_eq!(targets(sh("pip 'x").named(&["pip"])), "/cache/pip");
    sh("make")
        .named(&["pop"])
        .shows("not pop: the catalogue has no cache or group of this name\n");
    sh("make").named(&["pipx"]).shows(
        "not pipx: PIPX_HOME is installed programs, which the image needs when it runs; \
         use `pip` and `uv`, the caches of what they are installed from\n",
    );
}

#[test]
fn own_caches() {
    let own = || sh("true").own("models", "/srv/models/");
    own().shows("
/larder/project:shop/own:models/owner:1000.1000 at /srv/models, private, 1000:1000 755, asked for by caches
");
    own()
        .policy(|policy| {
            policy.scope = Some(Scope::Shared);
            policy.namespace = Some("pr/7".to_owned());
            policy.own[0].uid = Some(7);
            policy.own[0].mode = Some(0o700);
        })
        .shows(
            "
pr+7/larder/shared/own:models/owner:7.1000 at /srv/models, private, 7:1000 700, asked for by caches
",
        );
    own()
        .mounted("/srv")
        .shows("not models: `/srv` is mounted already\n");
    own().own("others", "/srv/models").decide().left_alone[0]
        .reason
        .find("`models`")
        .expect("why");
    sh("true")
        .own("x", "x")
        .shows("not x: its target `x` is no absolute path below /\n");
    sh("true")
        .own("x", "/.")
        .shows("not x: its target `/.` is no absolute path below /\n");
    let pip = sh("pip install x").own("pip", "/cache/pip").decide();
    assert_eq!(pip.mounts.len(), 1);
    assert_eq!(
        pip.left_alone[0].reason,
        "cache `pip` is mounted at `/cache/pip`"
    );
    let home = sh("true").own("x", "/home/build/.local/share/x").decide();
    assert_eq!(
        home.parents,
        ["/home/build/.local", "/home/build/.local/share"]
    );
}

#[test]
fn scope_and_namespace() {
    let id = |change: fn(&mut Policy)| {
        sh("go mod download").policy(change).decide().mounts[0]
            .id
            .clone()
    };
    let project = "/larder/project:shop/go-mod/owner:1000.1000";
    assert_eq!(id(|policy| policy.scope = Some(Scope::Project)), project);
    let namespace = "ci/larder/shared/go-mod/owner:1000.1000";
    assert_eq!(
        id(|policy| policy.namespace = Some("ci".to_owned())),
        namespace
    );
    let none = "/larder/shared/go-mod/owner:1000.1000";
    assert_eq!(id(|policy| policy.namespace = Some(String::new())), none);
}

#[test]
fn what_removes_a_mount_keeps_it_away() {
    let root = |text: &str| show(&sh(text).root().decide());
    let lists = root("apt-get update && rm -rf /var/lib/apt/lists");
    assert!(lists.contains(
        "not apt-lists: `rm -rf /var/lib/apt/lists` would fail: a mount point cannot be removed\n"
    ));
    assert!(lists.contains("at /var/cache/apt,"));
    let glob = root("apt-get update && rm -rf /var/lib/apt/lists/*");
    assert!(glob.contains("at /var/lib/apt/lists,"));
    assert!(glob.contains(
        "defeat apt-lists: Emptied: rm -rf /var/lib/apt/lists/*: leave out `rm -rf /var/lib/apt/lists/*`: \
         it empties the cache, which does not get into the image\n"
    ));
    assert_eq!(glob.matches("defeat").count(), 1);
    sh("pip install x; rm -rf /cache")
        .shows("
not pip: `rm -rf /cache` would fail: a mount point cannot be removed
defeat pip: Removed: rm -rf /cache: leave out `rm -rf /cache`: what is in a cache does not get into the image; or write `caches: none`
");
    assert_eq!(
        sh("pip install x; rm -rf ~/.cache/pip")
            .decide()
            .mounts
            .len(),
        1
    );
    let home = sh("pip install x; rm -rf ~/.cache").home_layout().decide();
    assert!(home.mounts.is_empty() && home.env.is_empty() && home.parents.is_empty());
    let rust = sh("cargo install x && rm -rf $CARGO_HOME/registry").env("CARGO_HOME", "/c");
    assert_eq!(rust.decide().mounts.len(), 1);
    assert_eq!(rust.decide().left_alone[0].cache, "cargo-registry");
}

#[test]
fn defeats_only_of_mounted_caches() {
    sh("pip install --no-cache-dir x").shows("
/larder/shared/pip/distribution:debian-13/platform:linux+amd64/owner:1000.1000 at /cache/pip, shared, 1000:1000 755, `pip install`
env PIP_CACHE_DIR=/cache/pip
defeat pip: Unused: --no-cache-dir: leave out `--no-cache-dir`: the cache is a mount and does not get into the image
");
    assert!(
        sh("pip install --no-cache-dir x")
            .mounted("/cache")
            .decide()
            .defeated
            .is_empty()
    );
    let env = sh("pip install x")
        .env("PIP_NO_CACHE_DIR", "false")
        .decide();
    assert_eq!(env.defeated[0].words, "PIP_NO_CACHE_DIR=false");
}

#[test]
fn two_caches_in_one_place() {
    let case = sh("go build; npm ci")
        .env("GOCACHE", "/c")
        .env("GOMODCACHE", "/c/mod");
    let decision = case.env("NPM_CONFIG_CACHE", "/c").decide();
    assert_eq!(decision.mounts.len(), 1);
    assert_eq!(
        decision.left_alone[0].reason,
        "cache `go-build` is mounted at `/c`"
    );
    assert_eq!(decision.left_alone[1].cache, "npm");
}
