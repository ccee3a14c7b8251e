//! What the classes of caches mean: stores stay, outputs come where they are copied out.

use crate::case::{Case, sh, show};
use larder_inject::{Ids, Sharing};

/// What is mounted, and why.
fn mounts(case: &Case) -> String {
    let mounts = case.decide().mounts.into_iter();
    let mounts: Vec<_> = mounts
        .map(|mount| format!("{}: {}", mount.cache, mount.reason))
        .collect();
    mounts.join(", ")
}

#[test]
fn stores_stay_where_something_unknown_runs() {
    let first = sh("go mod download && pip install x").decide();
    assert_eq!(
        first.stores.into_iter().collect::<Vec<_>>(),
        [("go", "`go mod download`".to_owned())]
    );
    let first = sh("go mod download && pip install x").decide();
    let after = |text: &str| sh(text).after(&first);
    after("make").shows(
        "
/larder/project:shop/go-build/distribution:debian-13/owner:1000.1000 at /cache/go/build, shared, 1000:1000 755, kept from `go mod download`
/larder/shared/go-mod/owner:1000.1000 at /cache/go/mod, shared, 1000:1000 755, kept from `go mod download`
env GOCACHE=/cache/go/build
env GOMODCACHE=/cache/go/mod
",
    );
    let kept = "go-build: kept from `go mod download`, go-mod: kept from `go mod download`";
    for text in [
        "./build.sh",
        "cp a b && $TOOL",
        "echo 'unclosed",
        "mkdir x; python y.py",
    ] {
        assert_eq!(mounts(&after(text)), kept, "{text}");
    }
    for text in ["cp a b", "apt-get clean", "mkdir -p x && touch x/y", "true"] {
        after(text).shows("");
    }
    assert_eq!(
        mounts(&after("go vet")),
        "go-build: `go vet`, go-mod: `go vet`"
    );
    assert_eq!(
        mounts(&after("go list && make")),
        "go-build: `go list`, go-mod: `go list`"
    );
    assert_eq!(
        mounts(&after("go mod verify && make")),
        "go-build: kept from `go mod download`, go-mod: `go mod verify`"
    );
}

#[test]
fn stores_do_not_stay_where_nothing_is_chosen() {
    let first = sh("go mod download").decide();
    let off = sh("make")
        .after(&first)
        .policy(|policy| policy.auto = false);
    off.shows("");
    let named = off.named(&["pip"]);
    assert_eq!(mounts(&named), "pip: asked for by caches");
    let own = sh("make").after(&first).env("GOMODCACHE", "relative");
    assert_eq!(mounts(&own), "go-build: kept from `go mod download`");
}

#[test]
fn only_stores_that_were_mounted_stay() {
    for first in [
        sh("go mod download").policy(|policy| policy.auto = false),
        sh("GOMODCACHE=/x go mod download"),
        sh("sudo go mod download"),
        sh("ccache gcc x.c"),
    ] {
        assert!(first.decide().stores.is_empty());
    }
    let named = sh("./fetch").named(&["go-mod"]).decide();
    assert_eq!(
        mounts(&sh("make").after(&named)),
        "go-build: kept from `caches`, go-mod: kept from `caches`"
    );
}

#[test]
fn outputs_come_with_what_is_copied_out() {
    let alone = sh("cargo build");
    assert!(!mounts(&alone).contains("cargo-target"));
    let copied = sh("cargo build").output("/app/target/release/app");
    assert_eq!(
        mounts(&copied),
        "cargo-git: `cargo build`, cargo-registry: `cargo build`, cargo-target: `cargo build`"
    );
    assert!(!mounts(&sh("true").output("/app/x")).contains("cargo-target"));
}

#[test]
fn a_mount_over_the_result_is_noticed() {
    let vanishing = |case: &Case| {
        let shown = show(&case.decide());
        let line = shown
            .lines()
            .find_map(|line| line.strip_prefix("vanishes in "));
        line.unwrap_or_default().to_owned()
    };
    let objects = || sh("cargo build --release").own("objects", "/app/target");
    assert_eq!(vanishing(&objects()), "objects: /app/target of cargo build");
    assert_eq!(vanishing(&objects().output("/app/target/release/app")), "");
    assert_eq!(
        vanishing(&objects().output("/app/x")),
        "objects: /app/target of cargo build"
    );
    assert_eq!(
        vanishing(&objects().env("CARGO_TARGET_DIR", "/app/elsewhere")),
        ""
    );
    let copies = sh("cargo build && cp target/debug/app /bin/").own("objects", "/app/target");
    assert_eq!(vanishing(&copies), "");
    assert_eq!(
        vanishing(&sh("cargo build").own("objects", "/cache/objects")),
        ""
    );
    assert_eq!(vanishing(&sh("cargo build").named(&["cargo-target"])), "");
    assert_eq!(
        vanishing(&sh("hf download a/model").named(&["huggingface-hub"])),
        "huggingface-hub: /cache/huggingface/hub of hf download"
    );
}

#[test]
fn dockerfile_s_ids_are_targets_behind_the_namespace() {
    let case = || sh("pip install x").policy(|policy| policy.ids = Ids::Dockerfile);
    let ids = |case: &Case| {
        let mounts = case.decide().mounts.into_iter();
        mounts.map(|mount| mount.id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&case()), "//cache/pip");
    assert_eq!(ids(&case().home_layout()), "//home/build/.cache/pip");
    let namespace = case().policy(|policy| policy.namespace = Some("team".to_owned()));
    assert_eq!(ids(&namespace), "team//cache/pip");
    let own = case().own("models", "/srv/models").policy(|policy| {
        policy.auto = false;
        policy.own[0].mode = Some(0o2775);
        policy.own[0].sharing = Sharing::Locked;
    });
    assert_eq!(
        show(&own.decide()),
        "/models at /srv/models, locked, 1000:1000 775, asked for by caches\n"
    );
}
