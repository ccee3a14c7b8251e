//! Which caches commands use, as a table.

use larder_catalog::{CACHES, Class, RunsAs, group, read, read_script};
use std::collections::{BTreeMap, BTreeSet};

fn sh(text: &str) -> Vec<String> {
    ["/bin/sh", "-c", text].map(str::to_owned).into()
}

/// What a text uses: a tool stands for all of its caches but those of outputs.
fn caches(text: &str) -> String {
    let reading = read(&sh(text));
    if reading.unread.is_some() {
        assert!(reading.commands.is_empty(), "{text}");
        return "?".to_owned();
    }
    let found = reading.uses(&[]);
    let used: BTreeSet<&str> = found.iter().map(|used| used.cache.name).collect();
    let mut names = BTreeSet::new();
    for cache in found.iter().map(|used| used.cache) {
        let all = group(cache.tool);
        let whole = all.iter().all(|other| used.contains(other.name));
        let is_output = cache.class == Class::Output;
        names.insert(match (whole && !is_output, all.len()) {
            (true, _) => cache.tool.to_owned(),
            (false, 2..) if cache.name == cache.tool => format!("{}-alone", cache.tool),
            _ => cache.name.to_owned(),
        });
    }
    if names.is_empty() {
        return "-".to_owned();
    }
    names.into_iter().collect::<Vec<_>>().join(" ")
}

/// `caches <- text of sh -c`, in sections. `-` stands for no cache, `?` for a text that is not read; ⏎
/// stands for a newline and ⇥ for a tab.
const FILES: [(&str, &str); 9] = [
    ("c", include_str!("commands/c.txt")),
    ("go", include_str!("commands/go.txt")),
    ("java", include_str!("commands/java.txt")),
    ("node", include_str!("commands/node.txt")),
    ("os", include_str!("commands/os.txt")),
    ("others", include_str!("commands/others.txt")),
    ("python", include_str!("commands/python.txt")),
    ("rust", include_str!("commands/rust.txt")),
    ("shell", include_str!("commands/shell.txt")),
];

#[test]
fn table() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut sections: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (file, text) in FILES {
        let mut section = "";
        for (index, line) in text.lines().enumerate() {
            if let Some(title) = line.strip_prefix("# ") {
                section = title;
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let (expected, text) = line.split_once(" <- ").expect("`caches <- command`");
            let text = text.replace('⏎', "\n").replace('⇥', "\t");
            let found = caches(&text);
            if found != expected {
                wrong.push(format!(
                    "{file}.txt:{}: {expected} expected, {found} found: {text}",
                    index + 1
                ));
            }
            let (hits, misses) = sections.entry(section).or_default();
            *if expected == "-" { misses } else { hits } += 1;
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let misses: usize = sections.values().map(|(_, misses)| misses).sum();
    assert!(count >= 500 && misses * 3 >= count, "{misses} of {count}");
    for tool in CACHES.iter().map(|cache| cache.tool).chain(["pipx"]) {
        let known = sections.get(tool).copied().unwrap_or_default();
        assert!(known.0 >= 4 && known.1 >= 2, "{tool}: {known:?}");
    }
}

#[test]
fn exec_form() {
    let uses = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        larder_catalog::uses(&args, &[])
            .into_iter()
            .map(|used| used.words)
            .collect::<Vec<_>>()
    };
    assert_eq!(uses(&["pip", "install", "a b", "$X"]), ["pip install"]);
    assert_eq!(
        uses(&["/usr/bin/python3.12", "-m", "pip", "install", "x"]),
        ["python3.12 -m pip install"]
    );
    assert_eq!(
        uses(&["/bin/bash", "-o", "pipefail", "-c", "pip install x | cat"]),
        ["pip install"]
    );
    assert_eq!(
        uses(&["bash", "-euo", "pipefail", "-c", "npm ci; npm ci"]),
        ["npm ci"]
    );
    assert_eq!(uses(&["/usr/bin/env", "sh", "-c", "npm ci"]), ["npm ci"]);
    assert!(uses(&["pip install x"]).is_empty());
    assert!(uses(&["cmd", "/S", "/C", "pip install x"]).is_empty());
    assert!(uses(&["echo", "$(pip install x)", "; pip install x"]).is_empty());
    assert!(uses(&[]).is_empty());
}

#[test]
fn who_runs_it() {
    let who = |text: &str| read_script(text).uses(&[])[0].runs_as;
    assert_eq!(who("npm ci"), RunsAs::Step);
    assert_eq!(who("sudo npm ci"), RunsAs::Root);
    assert_eq!(who("sudo -u root npm ci"), RunsAs::Root);
    assert_eq!(who("sudo sh -c 'cd x; npm ci'"), RunsAs::Root);
    assert_eq!(who("sudo sh <<'E'\nnpm ci\nE"), RunsAs::Root);
    assert_eq!(who("sudo -u build npm ci"), RunsAs::Other);
    assert_eq!(who("sudo -ubuild npm ci"), RunsAs::Other);
    assert_eq!(who("sudo --user=build npm ci"), RunsAs::Other);
    assert_eq!(who("sudo --user build npm ci"), RunsAs::Other);
    assert_eq!(who("gosu root npm ci"), RunsAs::Root);
    assert_eq!(who("gosu build npm ci"), RunsAs::Other);
    assert_eq!(who("su -c 'npm ci'"), RunsAs::Root);
    assert_eq!(who("su build -c 'npm ci'"), RunsAs::Other);
    assert_eq!(who("(sudo true); npm ci"), RunsAs::Step);
}

#[test]
fn the_environment_counts() {
    let env = [("CC".to_owned(), "/usr/bin/ccache gcc".to_owned())];
    let names = |text: &str| {
        read_script(text)
            .uses(&env)
            .into_iter()
            .map(|used| used.cache.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("make"), ["ccache"]);
    assert_eq!(names("pip install x"), ["ccache", "pip"]);
    assert!(names("ls").is_empty());
}

#[test]
fn offline() {
    for (name, text, words) in [
        ("maven", "mvn -o package", Some("-o")),
        ("maven", "mvn package && echo -o", None),
        ("npm", "npm ci --offline", Some("--offline")),
        (
            "npm",
            "npm_config_offline=true npm ci",
            Some("npm_config_offline=true"),
        ),
        ("go-mod", "GOPROXY=off go build", Some("GOPROXY=off")),
        ("go-mod", "GOPROXY=direct go build", None),
        ("cargo-registry", "cargo build --locked", None),
        ("nuget", "dotnet build --no-restore", Some("--no-restore")),
    ] {
        let cache = larder_catalog::cache(name).expect("a cache");
        let found = read_script(text).offline(cache, &[]);
        assert_eq!(found.as_deref(), words, "{text}");
    }
    let lists = larder_catalog::cache("apt-lists").expect("a cache");
    for (text, renews) in [
        ("apt-get update && apt-get install x", true),
        ("apt -y update", true),
        ("apt-get install x", false),
    ] {
        assert_eq!(read_script(text).renews(lists), renews, "{text}");
    }
}

#[test]
fn defeats() {
    let find = |cache: &str, text: &str, env: &[(&str, &str)]| {
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let cache = larder_catalog::cache(cache).expect("in the catalogue");
        let found = read_script(text).defeats(cache, &env);
        found
            .into_iter()
            .map(|(words, _)| words)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        find("pip", "pip install --no-cache-dir x", &[]),
        "--no-cache-dir"
    );
    assert_eq!(
        find("pip", "pip --cache-dir=/tmp/x install x", &[]),
        "--cache-dir=/tmp/x"
    );
    assert_eq!(find("pip", "pip install x; other --no-cache-dir", &[]), "");
    assert_eq!(
        find("pip", "pip install x", &[("PIP_NO_CACHE_DIR", "0")]),
        "PIP_NO_CACHE_DIR=0"
    );
    assert_eq!(
        find("pip", "pip install x", &[("PIP_NO_CACHE_DIR", "")]),
        ""
    );
    assert_eq!(
        find("pip", "PIP_NO_CACHE_DIR=off pip install x", &[]),
        "PIP_NO_CACHE_DIR=off"
    );
    assert_eq!(
        find("pip", "export PIP_NO_CACHE_DIR=1; pip install x", &[]),
        "PIP_NO_CACHE_DIR=1"
    );
    assert_eq!(
        find("pip", "python3 -m pip cache purge", &[]),
        "python3 -m pip cache purge"
    );
    assert_eq!(
        find("npm", "npm ci && npm cache clean --force", &[]),
        "npm cache clean"
    );
    assert_eq!(find("npm", "npm ci --cache .npm", &[]), "--cache");
    assert_eq!(
        find("go-mod", "go clean -modcache", &[]),
        "go clean -modcache"
    );
    assert_eq!(find("go-mod", "go clean -cache", &[]), "");
    assert_eq!(
        find("go-build", "go build", &[("GOFLAGS", "-v -a")]),
        "GOFLAGS=-v -a"
    );
    assert_eq!(find("apt", "apt clean", &[]), "apt clean");
    assert_eq!(find("apk", "apk --no-cache add x", &[]), "--no-cache");
    let microdnf = "microdnf -y install";
    assert_eq!(
        find("yum", &format!("{microdnf} x && true keepcache=1"), &[]),
        "microdnf install"
    );
    for option in ["--setopt=keepcache=1", "--setopt keepcache=1"] {
        assert_eq!(find("yum", &format!("{microdnf} {option} x"), &[]), "");
    }
    assert_eq!(
        find("yum", &format!("{microdnf} --setopt=keepcache=0 x"), &[]),
        "--setopt=keepcache=0"
    );
    assert_eq!(
        find("ccache", "ccache gcc", &[("CCACHE_DISABLE", "")]),
        "CCACHE_DISABLE="
    );
}
