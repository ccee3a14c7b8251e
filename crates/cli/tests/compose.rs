//! `compose`: the file that it writes, and what a reader of YAML finds in it.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::collections::BTreeMap;

use common::{context, larder, run, texts};
use granit_parser::{Event, Parser};

const SPEC: &str = "\
name: shop
runtime-caches: true
args: {A: , B: }
stages:
  api: {from: 'python:3.13', steps: [{run: pip install x}]}
";

struct Open {
    path: String,
    list: bool,
    key: Option<String>,
    count: usize,
}

impl Open {
    /// Where the next value is; nothing for a key.
    fn place(&mut self, text: Option<&str>) -> Option<String> {
        if self.list {
            self.count += 1;
            return Some(format!("{}[{}]", self.path, self.count - 1));
        }
        if let Some(key) = self.key.take() {
            return Some(format!("{}/{key}", self.path));
        }
        self.key = text.map(str::to_owned);
        None
    }
}

/// Every text of a document, by the keys and positions that lead to it.
fn read(yaml: &str) -> BTreeMap<String, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut found = BTreeMap::new();
    for event in Parser::new_from_str(yaml) {
        let (event, _) = event.expect("it is YAML");
        let list = matches!(event, Event::SequenceStart(..));
        match event {
            Event::Scalar(text, ..) => {
                let above = open.last_mut().expect("the document is a mapping");
                if let Some(path) = above.place(Some(&text)) {
                    let before = found.insert(path.clone(), text.into_owned());
                    assert_eq!(before, None, "{path} is there twice");
                }
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let path = match open.last_mut() {
                    Some(above) => above.place(None).expect("no key is a mapping or list"),
                    None => String::new(),
                };
                open.push(Open {
                    path,
                    list,
                    key: None,
                    count: 0,
                });
            }
            Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
            _ => {}
        }
    }
    found
}

#[test]
fn a_file_for_a_project() {
    let directory = context(&[("larder.yaml", SPEC)]);
    let (code, stdout, stderr) = run(directory.path(), &["compose"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stdout,
        "\
name: shop
services:
  shop:
    image: shop
    build:
      context: .
      dockerfile: larder.yaml
    volumes:
      - shop-cache:/cache
volumes:
  shop-cache:
    name: shop-cache
"
    );
    assert_eq!(run(directory.path(), &["compose"]).1, stdout);
    let (code, stdout, _) = run(directory.path(), &["compose", "--run"]);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "docker run --rm -v shop-cache:/cache shop\n")
    );
}

#[test]
fn what_a_build_is_told_is_in_the_file() {
    let spec = SPEC.replace("shop", "team/shop-2.0");
    let directory = context(&[("specs/on.yaml", &spec), ("src/x", ""), ("seed/pip/x", "")]);
    let args = [
        "compose",
        "-f",
        "specs/on.yaml",
        "src",
        "--image",
        "registry.example:5000/shop:1",
        "--target",
        "api",
        "--platform",
        "linux/arm64",
        "--build-arg",
        "B=costs $5: \"a\\b\"\n\u{7f}\u{2028}é # no",
        "--build-arg",
        "A=first",
        "--build-arg",
        "A=yes",
        "--build-context",
        "larder-cache=seed",
    ];
    let (code, stdout, stderr) = run(directory.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let service = "/services/team-shop-2-0";
    let expected = [
        ("/name".to_owned(), "team-shop-2-0"),
        (format!("{service}/image"), "registry.example:5000/shop:1"),
        (format!("{service}/platform"), "linux/arm64"),
        (format!("{service}/build/context"), "./src"),
        (format!("{service}/build/dockerfile"), "../specs/on.yaml"),
        (format!("{service}/build/target"), "api"),
        (format!("{service}/build/args/A"), "yes"),
        (
            format!("{service}/build/args/B"),
            "costs $$5: \"a\\b\"\n\u{7f}\u{2028}é # no",
        ),
        (
            format!("{service}/build/additional_contexts/larder-cache"),
            "./seed",
        ),
        (
            format!("{service}/volumes[0]"),
            "team-shop-2-0-cache:/cache",
        ),
        (
            "/volumes/team-shop-2-0-cache/name".to_owned(),
            "team-shop-2-0-cache",
        ),
    ];
    let expected = expected.map(|(path, text)| (path, text.to_owned()));
    assert_eq!(read(&stdout), BTreeMap::from(expected), "{stdout}");
    // A word that YAML takes for something else is in quotes.
    assert!(stdout.contains("A: \"yes\"\n"), "{stdout}");
}

#[test]
fn layers_are_kept_where_the_operator_says() {
    let directory = context(&[("larder.yaml", SPEC)]);
    let compose = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = larder(directory.path());
        command.arg("compose").args(args);
        command.envs(variables.iter().copied());
        let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    let variables = [
        ("CACHE_REGISTRY", "cache.example:5000/layers:shop"),
        ("CACHE_MODE", "min"),
    ];
    // That a cache which is down fails no build is said elsewhere.
    assert_eq!(
        compose(&variables, &[]).replace("ignore-error=true,", ""),
        "\
name: shop
services:
  shop:
    image: shop
    build:
      context: .
      dockerfile: larder.yaml
      args:
        CACHE_MODE: min
        CACHE_REGISTRY: cache.example:5000/layers:shop
      cache_from:
        - \"type=registry,ref=cache.example:5000/layers:shop\"
      cache_to:
        - \"type=registry,mode=min,ref=cache.example:5000/layers:shop\"
    volumes:
      - shop-cache:/cache
volumes:
  shop-cache:
    name: shop-cache
"
    );
    // What is given to the command wins.
    let given = compose(
        &variables,
        &["--build-arg=CACHE_REGISTRY=other.example/c:1"],
    );
    assert!(!given.contains("cache.example"), "{given}");
    assert!(given.contains("ref=other.example/c:1"), "{given}");
    let none = compose(&[("CACHE_REGISTRY", "")], &[]);
    assert!(!none.contains("cache_"), "{none}");
}

#[test]
fn a_password_in_the_name_of_an_image_is_not_shown() {
    let directory = context(&[("larder.yaml", SPEC)]);
    let image = "me:hunter2@registry.example/shop";
    let (code, stdout, stderr) = run(directory.path(), &["compose", "--image", image]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(
        stderr.lines().last(),
        Some(
            "error: --image: the name has credentials, or is an address with `://`, and is not shown; write \
             REGISTRY/NAME, and log in with `docker login`"
        )
    );
}

#[test]
fn a_spec_without_runtime_caches_is_a_mistake() {
    for off in ["", "runtime-caches: false\n"] {
        let spec = SPEC.replace("runtime-caches: true\n", off);
        let directory = context(&[("larder.yaml", &spec)]);
        for args in [&["compose"] as &[&str], &["compose", "--run"]] {
            let (code, stdout, stderr) = run(directory.path(), args);
            assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
            assert!(
                stderr.contains("write `runtime-caches: true` at the top"),
                "{stderr}"
            );
        }
    }
}

#[test]
fn mistakes_and_wrong_usage_end_as_elsewhere() {
    let directory = context(&[("larder.yaml", "runtime-caches: maybe\nfrom: alpine\n")]);
    let (code, _, stderr) = run(directory.path(), &["compose"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("larder.yaml:1:17"), "{stderr}");

    let directory = context(&[("larder.yaml", &SPEC.replace("shop", "shop..x"))]);
    let (code, stdout, stderr) = run(directory.path(), &["compose"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("give one with --image"), "{stderr}");
    let (code, _, stderr) = run(directory.path(), &["compose", "--image", "A B"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("--image A B: "), "{stderr}");
    assert_eq!(run(directory.path(), &["compose", "--image", "x"]).0, 0);
    assert_eq!(run(directory.path(), &["compose", "--volume", "x"]).0, 2);
}
