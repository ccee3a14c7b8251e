//! Tools whose registries the tests do without: real programs, and registries of three packages that
//! each step serves to itself. What they fetch is read from what the server says of its requests.

use crate::table::{Fetches, Tool};

/// A command after the server started, which no proxy reaches.
macro_rules! with_server {
    ($command:literal) => {
        concat!("python3 serve.py && no_proxy=localhost ", $command)
    };
}

const SERVER: (&str, &str) = ("serve.py", include_str!("registries/serve.py"));

const DEBIAN: Tool = Tool {
    base: "debian:trixie-slim",
    prepare: "",
    files: &[SERVER],
    command: "",
    more_files: &[],
    more_command: None,
    fetches: Fetches::Lines(""),
    first: &["one-1.0", "two-1.0"],
    added: "three-1.0",
    users: &["root", "build"],
};

pub(crate) const BUNDLER: Tool = Tool {
    prepare: include_str!("registries/bundler.sh"),
    files: &[
        SERVER,
        (
            "Gemfile",
            "source 'http://localhost:8000'\ngem 'larder-one'\ngem 'larder-two'\n",
        ),
    ],
    command: with_server!("BUNDLE_PATH=vendor bundle install"),
    more_files: &[(
        "Gemfile",
        "source 'http://localhost:8000'\ngem 'larder-one'\ngem 'larder-two'\ngem 'larder-three'\n",
    )],
    fetches: Fetches::Lines("\"GET /gems/"),
    ..DEBIAN
};

pub(crate) const COMPOSER: Tool = Tool {
    prepare: include_str!("registries/composer.sh"),
    files: &[
        SERVER,
        (
            "composer.json",
            r#"{
  "repositories": [{"type": "composer", "url": "http://localhost:8000"}, {"packagist.org": false}],
  "config": {"secure-http": false},
  "require": {"larder/one": "1.0", "larder/two": "1.0"}
}"#,
        ),
    ],
    command: with_server!("composer install --no-progress"),
    more_files: &[(
        "composer.json",
        r#"{
  "repositories": [{"type": "composer", "url": "http://localhost:8000"}, {"packagist.org": false}],
  "config": {"secure-http": false},
  "require": {"larder/one": "1.0", "larder/two": "1.0", "larder/three": "1.0"}
}"#,
    )],
    fetches: Fetches::Lines("\"GET /dist/"),
    ..DEBIAN
};

pub(crate) const RENV: Tool = Tool {
    prepare: include_str!("registries/renv.sh"),
    files: &[
        SERVER,
        (
            "renv.lock",
            r#"{
  "R": {"Repositories": [{"Name": "CRAN", "URL": "http://localhost:8000"}]},
  "Packages": {
    "larder.one": {"Package": "larder.one", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"},
    "larder.two": {"Package": "larder.two", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"}
  }
}"#,
        ),
    ],
    command: with_server!(
        "Rscript -e 'renv::restore(library = \"library\")' && test ! -L library/larder.one"
    ),
    more_files: &[(
        "renv.lock",
        r#"{
  "R": {"Repositories": [{"Name": "CRAN", "URL": "http://localhost:8000"}]},
  "Packages": {
    "larder.one": {"Package": "larder.one", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"},
    "larder.two": {"Package": "larder.two", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"},
    "larder.three": {"Package": "larder.three", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"}
  }
}"#,
    )],
    fetches: Fetches::Lines("\"GET /src/contrib/larder."),
    first: &["one_1.0", "two_1.0"],
    added: "three_1.0",
    ..DEBIAN
};

pub(crate) const DNF: Tool = Tool {
    prepare: include_str!("registries/dnf.sh"),
    command: with_server!("dnf install -y larder-one larder-two"),
    more_command: Some(with_server!(
        "dnf install -y larder-one larder-two larder-three"
    )),
    fetches: Fetches::Lines("\"GET /packages/"),
    users: &["root"],
    ..DEBIAN
};
