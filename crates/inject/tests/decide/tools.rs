//! What the forms of the catalogue come to.

use crate::case::{Case, sh, show};

fn targets(case: &Case) -> String {
    let mounts = case.decide().mounts;
    let targets: Vec<String> = mounts.into_iter().map(|mount| mount.target).collect();
    targets.join(" ")
}

fn env(case: &Case) -> String {
    let env = case.decide().env;
    let env: Vec<String> = env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    env.join(" ")
}

fn why_not(case: &Case) -> String {
    let left = case.decide().left_alone;
    let lines = left.into_iter();
    let lines: Vec<String> = lines
        .map(|left| format!("{}: {}\n", left.cache, left.reason))
        .collect();
    lines.concat()
}

#[test]
fn outputs_only_by_name() {
    sh("next build")
        .shows("not next: it holds what the build makes, so only `outputs` or its name in `caches` mounts it\n");
    sh("next build").named(&["next"]).shows("
/larder/project:shop/next/platform:linux+amd64/owner:1000.1000 at /app/.next/cache, locked, 1000:1000 755, `next build`
parent /app/.next
");
    let node = sh("next build").named(&["node"]).decide();
    assert!(node.mounts.iter().all(|mount| mount.cache != "next"));
    assert_eq!(
        targets(&sh("cargo build").named(&["rust"]))
            .matches("target")
            .count(),
        0
    );
    let rust = sh("cargo build").named(&["cargo-target"]);
    assert_eq!(
        targets(&rust),
        "/cache/cargo/git /cache/cargo/registry /cache/cargo/target"
    );
    assert!(env(&rust).contains("CARGO_BUILD_BUILD_DIR=/cache/cargo/target"));
    let home = sh("true").named(&["cargo-target"]).home_layout();
    assert_eq!(targets(&home), "/cache/cargo/target");
    let removed = sh("rm -rf .next; next build").named(&["next"]);
    assert_eq!(
        why_not(&removed),
        "next: `rm -rf .next` would fail: a mount point cannot be removed\n"
    );
    assert_eq!(
        targets(&sh("next build").cwd("/").named(&["next"])),
        "/.next/cache"
    );
}

#[test]
fn variables_with_a_path_in_them() {
    let maven = || sh("mvn package");
    assert_eq!(targets(&maven()), "/cache/maven");
    assert_eq!(env(&maven()), "MAVEN_OPTS=-Dmaven.repo.local=/cache/maven");
    let home = maven().home_layout();
    assert_eq!(
        (targets(&home), env(&home)),
        ("/home/build/.m2/repository".to_owned(), String::new())
    );
    let other = maven().env("MAVEN_OPTS", "-Xmx1g");
    assert_eq!(
        (targets(&other), env(&other)),
        (
            "/cache/maven".to_owned(),
            "MAVEN_OPTS=-Xmx1g -Dmaven.repo.local=/cache/maven".to_owned()
        )
    );
    let given = maven().env("MAVEN_OPTS", "-Xmx1g -Dmaven.repo.local=/m2");
    assert_eq!(
        (targets(&given), env(&given)),
        ("/m2".to_owned(), String::new())
    );
    let bad = maven().env("MAVEN_OPTS", "-Dmaven.repo.local=m2");
    assert_eq!(
        why_not(&bad),
        "maven: MAVEN_OPTS is `m2`, which is no absolute path\n"
    );
    let told = sh("MAVEN_OPTS=-Xmx1g mvn package");
    assert_eq!(
        (targets(&told), env(&told)),
        ("/home/build/.m2/repository".to_owned(), String::new())
    );
    let told = sh("MAVEN_OPTS=-Dmaven.repo.local=/x mvn package");
    assert_eq!(
        why_not(&told),
        "maven: the command sets MAVEN_OPTS itself\n"
    );
    assert_eq!(
        env(&maven().env("MAVEN_OPTS", "").root()),
        "MAVEN_OPTS=-Dmaven.repo.local=/cache/maven"
    );
}

#[test]
fn settings_go_with_the_mount() {
    assert_eq!(
        env(&sh("uv sync")),
        "UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy"
    );
    let given = sh("uv sync")
        .env("UV_CACHE_DIR", "/u")
        .env("UV_LINK_MODE", "hardlink");
    assert_eq!(
        (targets(&given), env(&given)),
        ("/u".to_owned(), String::new())
    );
    let given = sh("uv sync").env("UV_CACHE_DIR", "/u");
    assert_eq!(env(&given), "UV_LINK_MODE=copy");
    assert_eq!(
        env(&sh("dotnet restore").env("NUGET_PACKAGES", "/n")),
        "NUGET_HTTP_CACHE_PATH=/cache/nuget/http NUGET_SCRATCH=/n/.scratch"
    );
    assert_eq!(
        env(&sh("Rscript -e 'renv::restore()'")),
        "RENV_CONFIG_CACHE_SYMLINKS=FALSE RENV_PATHS_CACHE=/cache/renv"
    );
    let pnpm = sh("pnpm install");
    assert_eq!(
        env(&pnpm),
        "npm_config_store_dir=/cache/pnpm pnpm_config_enable_global_virtual_store=false \
         pnpm_config_store_dir=/cache/pnpm"
    );
    let given = sh("pnpm install").env("PNPM_CONFIG_STORE_DIR", "/s");
    assert_eq!(targets(&given), "/s");
    assert_eq!(env(&given), "pnpm_config_enable_global_virtual_store=false");
    assert_eq!(
        env(&sh("poetry install")),
        "POETRY_CACHE_DIR=/cache/poetry POETRY_VIRTUALENVS_PATH=/home/build/.cache/pypoetry/virtualenvs"
    );
    assert!(why_not(&sh("poetry install").homeless()).contains(
        "poetry-artifacts: POETRY_VIRTUALENVS_PATH needs the home directory, which is not known\n"
    ));
}

#[test]
fn what_would_harm_the_image() {
    assert_eq!(
        why_not(&sh("uv sync").env("UV_LINK_MODE", "symlink")),
        "uv: with `UV_LINK_MODE=symlink`, packages in the image would be links into the cache\n"
    );
    assert_eq!(
        why_not(&sh("uv sync --link-mode=symlink")),
        "uv: with `--link-mode=symlink`, packages in the image would be links into the cache\n"
    );
    assert_eq!(
        why_not(&sh("deno cache main.ts && deno test")),
        "deno: with `deno cache`, what it fetches would not get into the image\n"
    );
    assert_eq!(targets(&sh("deno compile main.ts")), "/cache/deno");
    assert_eq!(
        targets(&sh("cabal update && cabal install x")),
        "/home/build/.cache/cabal/packages"
    );
    assert_eq!(targets(&sh("dart pub global activate melos")), "");
}

#[test]
fn caches_that_stay_where_they_are() {
    sh("conan install .").shows("
/larder/shared/conan/distribution:debian-13/platform:linux+amd64/owner:1000.1000 at /home/build/.conan2/p, locked, 1000:1000 755, `conan install`
parent /home/build/.conan2
");
    assert_eq!(
        targets(&sh("conan install .").env("CONAN_HOME", "/c")),
        "/c/p"
    );
    assert_eq!(targets(&sh("conan install .").root()), "/root/.conan2/p");
    assert_eq!(
        why_not(&sh("conan install .").homeless()),
        "conan: it is in the home directory, which is not known\n"
    );
    assert_eq!(
        why_not(&sh("gem install x")),
        "gem: only GEM_HOME says where it is\n"
    );
    let gem = sh("gem install x").env("GEM_HOME", "/usr/local/bundle");
    assert_eq!(targets(&gem), "/usr/local/bundle/cache");
    let yarn = |case: Case| targets(&case.mounted("/cache/yarn-berry"));
    assert_eq!(yarn(sh("yarn")), "/home/build/.cache/yarn");
    assert_eq!(yarn(sh("yarn").root()), "/usr/local/share/.cache/yarn");
    assert_eq!(yarn(sh("yarn").env("XDG_CACHE_HOME", "/x")), "/x/yarn");
    assert_eq!(yarn(sh("yarn").env("YARN_CACHE_FOLDER", "/y")), "");
}

#[test]
fn lists_are_no_places() {
    let conda = sh("conda install x").env("CONDA_PKGS_DIRS", "/a:/b");
    assert_eq!(
        why_not(&conda),
        "conda: CONDA_PKGS_DIRS is `/a:/b`, which is no absolute path\n"
    );
}

#[test]
fn files_make_tools_keep_what_they_fetch() {
    let files = |text: &str| sh(text).root().decide().files;
    let dnf = files("dnf install -y x");
    assert_eq!(
        dnf["/etc/dnf/libdnf5.conf.d/99-larder.conf"],
        "[main]\nkeepcache=True\n"
    );
    assert!(
        dnf["/etc/dnf/aliases.d/00-larder.conf"]
            .contains("\ninstall = --setopt=keepcache=1 \\install\n")
    );
    assert!(files("zypper -n in x").contains_key("/var/cache/zypp/packages/.keep_packages"));
    let bazel = sh("bazel build //...").decide();
    assert_eq!(bazel.mounts[0].target, "/cache/bazel");
    assert!(bazel.files["/etc/bazel.bazelrc"].contains("--disk_cache=/cache/bazel/disk\n"));
}

#[test]
fn below_cache_each_tool_has_a_directory() {
    let python = show(&sh("true").named(&["python"]).decide());
    for part in [
        "conda at /cache/conda,",
        " at /cache/pip,",
        " at /cache/poetry/artifacts,",
        " at /cache/pixi,",
        " at /cache/uv,",
    ] {
        let part = part.trim_start_matches("conda");
        assert!(python.contains(part), "{part}: {python}");
    }
    let java = show(&sh("true").named(&["java"]).decide());
    for part in [
        "tmpfs /cache/gradle\n",
        " at /cache/gradle/caches,",
        " at /home/build/.sbt/boot,",
    ] {
        assert!(java.contains(part), "{part}: {java}");
    }
}
