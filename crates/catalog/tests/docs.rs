//! The pages of the catalogue.

use larder_catalog::{CACHES, Page, RUNTIMES, docs};

fn page(path: &str) -> String {
    let page = docs().into_iter().find(|page| page.path == path);
    page.map(|page| page.text).expect("a page")
}

#[test]
fn a_page_of_all_and_one_for_each_language() {
    let pages = docs();
    let paths: Vec<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    assert_eq!(paths[0], "docs/caches.md");
    assert!(paths.contains(&"docs/caches/python.md"));
    assert!(paths.contains(&"docs/caches/mojo.md"));
    assert!(paths.is_sorted());
    for Page { path, text } in &pages {
        assert!(text.starts_with("# Caches: ") || path == "docs/caches.md");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
        assert!(!text.contains("\n\n\n"), "{path}");
    }
}

#[test]
fn the_overview_has_everything_and_its_source() {
    let overview = page("docs/caches.md");
    for cache in CACHES {
        let row = format!(
            "| [{0}](caches/{1}.md#{0}) | {2} |",
            cache.name, cache.groups[0], cache.title
        );
        assert!(overview.contains(&row), "{row}");
        assert!(overview.contains(cache.source));
    }
    for runtime in RUNTIMES {
        assert!(overview.contains(runtime.directories[0]));
        if let Some(installed) = &runtime.installed {
            assert!(overview.contains(installed.why_not));
            assert!(overview.contains(installed.source));
        }
    }
    assert!(overview.contains("[python](caches/python.md)"));
}

#[test]
fn a_language_s_page_has_the_reasons() {
    for cache in CACHES {
        for group in cache.groups {
            let page = page(&format!("docs/caches/{group}.md"));
            assert!(page.contains(&format!("\n## {}\n", cache.name)));
            for text in [cache.source, cache.sharing_reason, cache.key_reason] {
                assert!(page.contains(text), "{text}");
            }
            assert!(page.contains(cache.trace.unwrap_or_default()));
            for defeat in cache.defeats.iter().chain(cache.avoids) {
                assert!(page.contains(defeat.hint), "{}", defeat.hint);
            }
        }
    }
}

#[test]
fn lines() {
    for (path, line) in [
        (
            "rust",
            "| [cargo-git](#cargo-git) | git dependencies, as clones and checked out \
             | `/cache/cargo/git` | `~/.cargo/git` | `CARGO_HOME` | store | locked | shared |  |",
        ),
        (
            "node",
            "| [yarn](#yarn) | packages, unpacked, of yarn 1 | `~/.cache/yarn` | `~/.cache/yarn` |  |",
        ),
        (
            "ruby",
            "| [gem](#gem) | archives of gems | `$GEM_HOME/cache` | `$GEM_HOME/cache` | `GEM_HOME` |",
        ),
        (
            "node",
            "| [next](#next) | what Next.js compiled, and what it fetched | `.next/cache` |",
        ),
        (
            "java",
            "- `-Dmaven.repo.local=` in `MAVEN_OPTS`, if it is there already, says where",
        ),
        ("dotnet", "- `NUGET_SCRATCH` is set to `CACHE/.scratch`."),
        (
            "node",
            "- Mounted only with `outputs`, or if its name is in `caches`",
        ),
        ("go", "- Used by `garble`, `go`, `golangci-lint`,"),
        (
            "node",
            "- Its id has the distribution and the platform and the version of node (`NODE_VERSION`): npx installs",
        ),
        (
            "rust",
            "| cargo | crates, as archives and unpacked, and the index; git dependencies, as clones and checked \
             out | `/cache/cargo`, `/cache/cargo/git`, `/cache/cargo/registry` | `CARGO_HOME=/cache/cargo`, \
             `CARGO_INSTALL_ROOT=~/.cargo` |  |  |",
        ),
        ("rust", "| cargo-target, by name |"),
        (
            "python",
            "- `pipx`, installed programs, each in an environment of its own: PIPX_HOME is installed programs",
        ),
    ] {
        let page = page(&format!("docs/caches/{path}.md"));
        let line = format!("\n{line}");
        assert!(page.contains(&line), "{line}\n{page}");
    }
}
