//! Where each layout has the caches, as tables.

use larder_inject::Layout;

use crate::case::{Case, sh};

/// Targets and variables of a command's mounts in a layout.
fn places(case: Case, layout: Layout) -> String {
    let decision = case.policy(|policy| policy.layout = layout).decide();
    let targets = decision.mounts.into_iter().map(|mount| mount.target);
    let env = decision.env.into_iter();
    let env = env.map(|(name, value)| format!("{name}={value}"));
    targets.chain(env).collect::<Vec<_>>().join(" ")
}

fn check(layout: Layout, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(command, expected)| (command, expected, places(sh(command), layout)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(command, expected, found)| format!("{command}: {expected} expected, {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One directory for each tool, and the variables that lead there.
#[test]
fn below_cache() {
    check(
        Layout::Cache,
        &[
            ("pip install x", "/cache/pip PIP_CACHE_DIR=/cache/pip"),
            (
                "poetry install",
                "/cache/poetry/artifacts /cache/poetry/cache POETRY_CACHE_DIR=/cache/poetry \
                 POETRY_VIRTUALENVS_PATH=/home/build/.cache/pypoetry/virtualenvs",
            ),
            // What pipx installs is no cache; it downloads with pip or uv.
            (
                "pipx install x",
                "/cache/pip /cache/uv PIP_CACHE_DIR=/cache/pip UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy",
            ),
            ("npm ci", "/cache/npm NPM_CONFIG_CACHE=/cache/npm"),
            ("npm install -g x", "/cache/npm NPM_CONFIG_CACHE=/cache/npm"),
            (
                "npx wrangler deploy",
                "/cache/npm NPM_CONFIG_CACHE=/cache/npm",
            ),
            // PNPM_HOME would move programs as well.
            (
                "pnpm install",
                "/cache/pnpm npm_config_store_dir=/cache/pnpm \
                 pnpm_config_enable_global_virtual_store=false pnpm_config_store_dir=/cache/pnpm",
            ),
            // YARN_CACHE_FOLDER would move packages that yarn 2 and later run from there.
            (
                "yarn install",
                "/cache/yarn-berry /home/build/.cache/yarn YARN_ENABLE_GLOBAL_CACHE=0 \
                 YARN_GLOBAL_FOLDER=/cache/yarn-berry",
            ),
            (
                "cargo fetch",
                "/cache/cargo/git /cache/cargo/registry CARGO_HOME=/cache/cargo \
                 CARGO_INSTALL_ROOT=/home/build/.cargo",
            ),
            (
                "go build",
                "/cache/go/build /cache/go/mod GOCACHE=/cache/go/build GOMODCACHE=/cache/go/mod",
            ),
            // Below GEM_HOME and BUNDLE_PATH are installed gems.
            (
                "bundle install",
                "/cache/bundle BUNDLE_GLOBAL_GEM_CACHE=true BUNDLE_USER_CACHE=/cache/bundle",
            ),
            (
                "mvn package",
                "/cache/maven MAVEN_OPTS=-Dmaven.repo.local=/cache/maven",
            ),
            (
                "gradle build",
                "/cache/gradle/caches GRADLE_USER_HOME=/cache/gradle",
            ),
            ("pixi install", "/cache/pixi PIXI_CACHE_DIR=/cache/pixi"),
        ],
    );
    let target = sh("cargo build").named(&["cargo-target"]);
    assert_eq!(
        places(target, Layout::Cache),
        "/cache/cargo/git /cache/cargo/registry /cache/cargo/target \
         CARGO_BUILD_BUILD_DIR=/cache/cargo/target CARGO_HOME=/cache/cargo \
         CARGO_INSTALL_ROOT=/home/build/.cargo"
    );
}

/// The tool's own place below the build user's home, and its variable.
#[test]
fn at_home() {
    check(
        Layout::Home,
        &[
            (
                "go build",
                "/home/build/.cache/go-build /home/build/go/pkg/mod \
                 GOCACHE=/home/build/.cache/go-build GOMODCACHE=/home/build/go/pkg/mod",
            ),
            (
                "pip install x",
                "/home/build/.cache/pip PIP_CACHE_DIR=/home/build/.cache/pip",
            ),
            (
                "npm ci",
                "/home/build/.npm NPM_CONFIG_CACHE=/home/build/.npm",
            ),
            (
                "cargo fetch",
                "/home/build/.cargo/git /home/build/.cargo/registry CARGO_HOME=/home/build/.cargo",
            ),
            (
                "ccache gcc x.c",
                "/home/build/.ccache CCACHE_DIR=/home/build/.ccache",
            ),
        ],
    );
}

/// The tool's own place, with nothing said to it.
#[test]
fn by_default() {
    check(
        Layout::Default,
        &[
            (
                "go build",
                "/home/build/.cache/go-build /home/build/go/pkg/mod",
            ),
            ("pip install x", "/home/build/.cache/pip"),
            ("npm ci", "/home/build/.npm"),
            (
                "cargo fetch",
                "/home/build/.cargo/git /home/build/.cargo/registry",
            ),
            ("ccache gcc x.c", "/home/build/.ccache"),
            ("uv sync", "/home/build/.cache/uv UV_LINK_MODE=copy"),
            (
                "vcpkg install",
                "/cache/vcpkg/downloads /home/build/.cache/vcpkg/archives \
                 VCPKG_DOWNLOADS=/cache/vcpkg/downloads",
            ),
        ],
    );
    let own = |case| places(case, Layout::Default);
    assert_eq!(own(sh("pip install x").root()), "/root/.cache/pip");
    assert_eq!(
        own(sh("go build")
            .env("GOPATH", "/go")
            .env("XDG_CACHE_HOME", "/x")),
        "/go/pkg/mod /x/go-build"
    );
    assert_eq!(
        own(sh("pip install x").homeless()),
        "/cache/pip PIP_CACHE_DIR=/cache/pip"
    );
}

/// Root's tools have one place in every layout. apk keeps only indexes in `/var/cache/apk`.
#[test]
fn of_the_system() {
    for layout in [Layout::Cache, Layout::Home, Layout::Default] {
        let of = |command: &str| places(sh(command).root(), layout);
        assert_eq!(of("apk add gcc"), "/etc/apk/cache");
        assert_eq!(
            of("apt-get install -y gcc"),
            "/var/cache/apt /var/lib/apt/lists"
        );
    }
}

/// A version of the toolchain is part of the ids that need it, where a variable tells it.
#[test]
fn toolchains() {
    let id = |case: Case| case.decide().mounts.remove(0).id;
    assert_eq!(
        id(sh("npm ci").env("NODE_VERSION", "22.11.0")),
        "/larder/shared/npm/distribution:debian-13/platform:linux+amd64/toolchain:node-22/owner:1000.1000"
    );
    assert_eq!(
        id(sh("npm ci").env("NODE_VERSION", "latest")),
        "/larder/shared/npm/distribution:debian-13/platform:linux+amd64/owner:1000.1000"
    );
    assert_eq!(
        id(sh("pip install x").env("PYTHON_VERSION", "3.12.1")),
        "/larder/shared/pip/distribution:debian-13/platform:linux+amd64/owner:1000.1000"
    );
}
