//! What images keep below `/cache`, as a table.

use larder_catalog::{RUNTIMES, Runtime, installed, named, names};

fn runtime(name: &str) -> &'static Runtime {
    let found = RUNTIMES.iter().find(|runtime| runtime.name == name);
    found.unwrap_or_else(|| panic!("no runtime `{name}`"))
}

/// Name, directories, variables, and directories of programs.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("pip", "/cache/pip", "PIP_CACHE_DIR=/cache/pip", ""),
    (
        "poetry",
        "/cache/poetry /cache/poetry/artifacts /cache/poetry/cache",
        "POETRY_CACHE_DIR=/cache/poetry POETRY_VIRTUALENVS_PATH=/home/build/.cache/pypoetry/virtualenvs",
        "",
    ),
    (
        "pipx",
        "/cache/pipx /cache/pipx/bin",
        "PIPX_BIN_DIR=/cache/pipx/bin PIPX_HOME=/cache/pipx",
        "/cache/pipx/bin",
    ),
    ("npm", "/cache/npm", "NPM_CONFIG_CACHE=/cache/npm", ""),
    (
        "npm-global",
        "/cache/npm-global /cache/npm-global/bin",
        "NPM_CONFIG_PREFIX=/cache/npm-global",
        "/cache/npm-global/bin",
    ),
    (
        "pnpm",
        "/cache/pnpm",
        "PNPM_HOME=/cache/pnpm npm_config_store_dir=/cache/pnpm \
             pnpm_config_enable_global_virtual_store=false pnpm_config_store_dir=/cache/pnpm",
        "",
    ),
    (
        "yarn",
        "/cache/yarn /cache/yarn-berry",
        "YARN_CACHE_FOLDER=/cache/yarn YARN_ENABLE_GLOBAL_CACHE=0 YARN_GLOBAL_FOLDER=/cache/yarn-berry",
        "",
    ),
    (
        "cargo",
        "/cache/cargo /cache/cargo/git /cache/cargo/registry",
        "CARGO_HOME=/cache/cargo CARGO_INSTALL_ROOT=/home/build/.cargo",
        "",
    ),
    (
        "cargo-target",
        "/cache/cargo/target",
        "CARGO_BUILD_BUILD_DIR=/cache/cargo/target",
        "",
    ),
    (
        "go",
        "/cache/go/build /cache/go/mod",
        "GOCACHE=/cache/go/build GOMODCACHE=/cache/go/mod",
        "",
    ),
    (
        "ruby-gems",
        "/cache/ruby/gems /cache/ruby/gems/bin",
        "GEM_HOME=/cache/ruby/gems GEM_PATH=/cache/ruby/gems:/usr/local/bundle:",
        "/cache/ruby/gems/bin",
    ),
    (
        "ruby-bundle",
        "/cache/ruby/bundle",
        "BUNDLE_PATH=/cache/ruby/bundle",
        "",
    ),
    (
        "r-library",
        "/cache/r/library /cache/r/tmp",
        "R_CACHE_DIR=/cache/r R_LIBS_USER=/cache/r/library TMPDIR=/cache/r/tmp",
        "",
    ),
    (
        "maven",
        "/cache/maven /cache/maven-wrapper /cache/maven-wrapper/wrapper",
        "MAVEN_OPTS=-Dmaven.repo.local=/cache/maven MAVEN_USER_HOME=/cache/maven-wrapper",
        "",
    ),
    (
        "gradle",
        "/cache/gradle /cache/gradle/caches /cache/gradle/wrapper",
        "GRADLE_USER_HOME=/cache/gradle",
        "",
    ),
    ("ollama", "/cache/ollama", "OLLAMA_MODELS=/cache/ollama", ""),
    ("pixi", "/cache/pixi", "PIXI_CACHE_DIR=/cache/pixi", ""),
    ("mojo-project", "/cache/mojo/project", "", ""),
    (
        "playwright",
        "/cache/playwright",
        "PLAYWRIGHT_BROWSERS_PATH=/cache/playwright",
        "",
    ),
];

#[test]
fn directories_and_variables() {
    for (name, directories, env, path) in TABLE {
        let runtime = runtime(name);
        let variables = runtime.env(Some("/home/build"));
        let variables: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(runtime.directories.join(" "), *directories, "{name}");
        assert_eq!(variables.join(" "), *env, "{name}");
        assert_eq!(runtime.path.join(" "), *path, "{name}");
    }
}

#[test]
fn files() {
    let files = runtime("r-library").files(Some("/home/build/"));
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/etc/R/Renviron.site", "/home/build/.Rprofile"]);
    assert!(files[0].1.contains("R_LIBS_USER=/cache/r/library\n"));
    assert_eq!(runtime("r-library").files(None).len(), 1);
    assert!(
        RUNTIMES
            .iter()
            .filter(|runtime| !runtime.files(Some("/")).is_empty())
            .count()
            == 1
    );
}

#[test]
fn without_a_home() {
    let cargo = runtime("cargo").env(None);
    assert_eq!(cargo[1], ("CARGO_INSTALL_ROOT", "/usr/local".to_owned()));
    assert_eq!(runtime("poetry").env(None).len(), 1);
}

/// What is installed is no name for `caches`, and says what is.
#[test]
fn installed_or_a_cache() {
    assert!(RUNTIMES.is_sorted_by_key(|runtime| runtime.name));
    for runtime in RUNTIMES {
        assert_eq!(runtime.caches.is_empty(), runtime.installed.is_some());
        assert_eq!(
            installed(runtime.name).is_some(),
            runtime.installed.is_some()
        );
        if runtime.installed.is_some() {
            assert!(named(runtime.name).is_empty(), "{}", runtime.name);
        }
        for quoted in runtime
            .installed
            .iter()
            .flat_map(|it| it.instead.split('`').skip(1).step_by(2))
        {
            assert!(names().contains(&quoted), "{quoted}");
        }
    }
    let kept: Vec<&str> = RUNTIMES
        .iter()
        .filter(|runtime| runtime.installed.is_some())
        .map(|runtime| runtime.name)
        .collect();
    assert_eq!(
        kept.join(" "),
        "mojo-project npm-global ollama pipx playwright r-library ruby-bundle ruby-gems"
    );
    let by_name: Vec<&str> = RUNTIMES
        .iter()
        .filter(|runtime| runtime.by_name)
        .map(|runtime| runtime.name)
        .collect();
    assert_eq!(by_name, ["cargo-target", "huggingface-hub"]);
    assert!(RUNTIMES.iter().all(|runtime| runtime.tool != "deno"));
}
