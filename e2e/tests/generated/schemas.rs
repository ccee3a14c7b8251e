//! Every kind of file, held against the published schema of its reader.

use larder_e2e::{Engine, Project, unique};

use crate::larder;

/// What validates, and everything that it is made of. It brings the schemas along.
const REQUIREMENTS: &str = "\
attrs==26.1.0
certifi==2026.10.18
charset-normalizer==3.5.2
check-jsonschema==0.39.0
click==8.5.1
idna==3.20
jsonschema==4.26.0
jsonschema-specifications==2025.9.1
referencing==0.37.0
regress==2026.9.1
requests==2.34.2
rpds-py==2026.9.1
ruamel.yaml==0.19.1
urllib3==2.8.0
";

/// Says of each file, named `KIND-NAME.yaml`, whether it fits the schema of its kind, and why not.
const VALIDATOR: &str = r#"
from: python:3.13-slim
workdir: /check
steps:
  - install: pip
  - copy: {src: files/, dest: files/}
  - workdir: /check/files
    run: |
      for file in *; do
        case "$file" in
          github-*) kind="vendor.github-workflows" ;;
          gitlab-*) kind="vendor.gitlab-ci --data-transform=gitlab-ci" ;;
          compose-*) kind="vendor.compose-spec" ;;
        esac
        code=0
        check-jsonschema --builtin-schema $kind "$file" >/tmp/said 2>&1 || code=$?
        echo ">$file $code $(tr '\n' ' ' </tmp/said)"
      done
"#;

const SPEC: &str = "\
name: shop
runtime-caches: true
args: {VERSION: , BRANCH: }
stages:
  base:
    from: python:3.13-slim
    steps:
      - run: pip download --help
        secrets: [npm-token]
  test: {from: base, steps: [{run: pytest}]}
";

const IMAGE: &str = "--image=registry.example/acme/shop";
const BOTH: &str = "--platform=linux/amd64,linux/arm64";

/// Names of files, and the words that write them.
const FILES: &[(&str, &[&str])] = &[
    ("github-one", &["ci", "github", IMAGE]),
    ("github-two", &["ci", "github", IMAGE, BOTH]),
    ("github-gha", &["ci", "github", IMAGE, "--cache=gha"]),
    (
        "github-gha-two",
        &["ci", "github", IMAGE, BOTH, "--cache=gha"],
    ),
    (
        "github-all",
        &[
            "ci",
            "github",
            IMAGE,
            "--target=test",
            "--build-arg=VERSION=${{ 1: \"2\" }} # 3",
            "--branch=team/trunk",
            "--runner=linux/riscv64=our-own",
            "--platform=linux/riscv64",
        ],
    ),
    ("gitlab-one", &["ci", "gitlab"]),
    ("gitlab-two", &["ci", "gitlab", BOTH]),
    (
        "gitlab-all",
        &[
            "ci",
            "gitlab",
            IMAGE,
            "--target=test",
            "--build-arg=VERSION=it's: \"$1\" # 3",
            "--runner=linux/amd64=our-own",
        ],
    ),
    ("compose", &["compose"]),
    (
        "compose-all",
        &[
            "compose",
            IMAGE,
            "--target=test",
            "--platform=linux/arm64",
            "--build-arg=CACHE_REGISTRY=cache.example:5000/shop",
            "--build-arg=VERSION=$1: \"2\" # 3",
        ],
    ),
];

/// One of those with a word misspelled.
const BROKEN: &[(&str, &str, &str)] = &[
    ("github-one", "    timeout-minutes:", "    timeout-minuts:"),
    ("gitlab-two", "  interruptible:", "  interruptable:"),
    ("compose-all", "      cache_to:", "      cache-to:"),
];

#[test]
fn files_fit_the_schemas_of_their_readers() {
    let engine = Engine::from_env().unwrap();
    let shop = Project::new(&engine, SPEC).unwrap();
    let validator = Project::new(&engine, VALIDATOR).unwrap();
    validator.file("requirements.txt", REQUIREMENTS).unwrap();
    // The step runs again, whatever the files are.
    validator.file("files/.once", unique()).unwrap();
    for (name, words) in FILES {
        let text = larder(&shop, words, &[]);
        for (_, right, wrong) in BROKEN.iter().filter(|(broken, ..)| broken == name) {
            let broken = text.replacen(right, wrong, 1);
            assert_ne!(broken, text, "{name} has no `{right}`");
            let path = format!("files/{name}-broken.yaml");
            validator.file(&path, broken).unwrap();
        }
        let path = format!("files/{name}-good.yaml");
        validator.file(&path, text).unwrap();
    }
    let said = engine.build(&validator).succeed().unwrap().said();
    assert_eq!(said.len(), FILES.len() + BROKEN.len(), "{said:#?}");
    let mut wrong = Vec::new();
    for line in &said {
        let (file, rest) = line.split_once(".yaml ").expect("a file and what is said");
        let good = file.ends_with("-good") && rest.starts_with("0 ok");
        let misspelled = BROKEN
            .iter()
            .find(|(name, ..)| file.strip_suffix("-broken") == Some(name));
        let refused = misspelled.is_some_and(|(_, _, word)| {
            rest.starts_with("1 ") && rest.contains(word.trim().trim_end_matches(':'))
        });
        if !good && !refused {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
