use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use buildkit_llb::Platform;

use super::cache::{ANY_BRANCH, Cache, SLUG, slug};
use super::pipeline::{Image, Pipeline, Runner};
use super::{github, gitlab, words};

/// A pipeline whose layers are where the spec says.
fn of_spec(exports: &[&[&str]]) -> Pipeline {
    let platforms = ["amd64", "arm64"].into_iter().zip(exports);
    Pipeline {
        project: "shop".to_owned(),
        context: ".".to_owned(),
        spec: "larder.yaml".to_owned(),
        target: None,
        args: BTreeMap::new(),
        takes_branch: true,
        secrets: Vec::new(),
        wants_ssh: false,
        image: Some(Image {
            name: "registry.example/shop".to_owned(),
            registry: Some("registry.example".to_owned()),
        }),
        branch: "main".to_owned(),
        runners: platforms
            .map(|(arch, _)| Runner {
                platform: Platform::new("linux", arch, ""),
                label: Some("any".to_owned()),
            })
            .collect(),
        cache: Cache::Spec(
            (exports.iter())
                .map(|exports| exports.iter().map(|export| (*export).to_owned()).collect())
                .collect(),
        ),
    }
}

fn has(text: &str, lines: &str) {
    assert!(text.contains(lines), "{text}\nhas not\n{lines}");
}

#[test]
fn layers_go_where_the_spec_says() {
    let export = format!("type=registry,ref=r/c:{ANY_BRANCH},x={{'$}}");
    let pipeline = of_spec(&[&[&export, "type=inline"]]);
    let text = github::workflow(&pipeline);
    has(&text, "            BRANCH=${{ steps.cache.outputs.own }}\n");
    has(
        &text,
        "
          cache-to: |
            ${{ env.WRITE_CACHE == 'true' && format('type=registry,ref=r/c:{0},x={{''$}}', steps.cache.outputs.own) || '' }}
            ${{ env.WRITE_CACHE == 'true' && format('type=inline', steps.cache.outputs.own) || '' }}
",
    );
    assert!(!text.contains("cache-from"), "{text}");
    let text = gitlab::pipeline(&pipeline);
    has(
        &text,
        "      set -- \"$@\" --build-arg \"BRANCH=$CI_COMMIT_REF_SLUG\"\n",
    );
    has(
        &text,
        "
      if [ -n \"$CI_COMMIT_BRANCH\" ]; then
        set -- \"$@\" --cache-to \"type=registry,ref=r/c:$CI_COMMIT_REF_SLUG,x={'\\$}\"
        set -- \"$@\" --cache-to \"type=inline\"
      fi
",
    );
    assert!(!text.contains("cache-from"), "{text}");
}

#[test]
fn each_platform_has_its_own_export() {
    let [amd64, arm64] =
        ["amd64", "arm64"].map(|arch| format!("type=registry,ref=r/c:{ANY_BRANCH}-{arch}"));
    let pipeline = of_spec(&[&[&amd64], &[&arm64, "type=inline"]]);
    let text = github::workflow(&pipeline);
    has(
        &text,
        "            cache-to: |\n              type=registry,ref=r/c:{0}-amd64\n",
    );
    has(
        &text,
        "              type=registry,ref=r/c:{0}-arm64\n              type=inline\n",
    );
    has(
        &text,
        "${{ env.WRITE_CACHE == 'true' && format(matrix.cache-to, steps.cache.outputs.own) || '' }}",
    );
    let text = gitlab::pipeline(&pipeline);
    has(
        &text,
        "
        case \"$ARCH\" in
          amd64) set -- \"$@\" --cache-to \"type=registry,ref=r/c:$CI_COMMIT_REF_SLUG-amd64\" ;;
          arm64) set -- \"$@\" --cache-to \"type=registry,ref=r/c:$CI_COMMIT_REF_SLUG-arm64\" --cache-to \"type=inline\" ;;
        esac
",
    );
}

#[test]
fn one_place_for_all_branches_is_the_default_branchs() {
    let pipeline = Pipeline {
        takes_branch: false,
        ..of_spec(&[&["type=registry,ref=r/c:main"]])
    };
    let text = github::workflow(&pipeline);
    has(
        &text,
        "WRITE_CACHE: ${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}\n",
    );
    assert!(!text.contains("steps.cache"), "{text}");
    has(
        &gitlab::pipeline(&pipeline),
        "
      if [ \"$CI_COMMIT_BRANCH\" = \"$CI_DEFAULT_BRANCH\" ]; then
        set -- \"$@\" --cache-to \"type=registry,ref=r/c:main\"
      fi
",
    );
}

#[test]
fn a_spec_that_only_imports_has_nothing_to_write() {
    for text in [
        github::workflow(&of_spec(&[&[]])),
        gitlab::pipeline(&of_spec(&[&[], &[]])),
    ] {
        assert!(!text.to_lowercase().contains("cache-to"), "{text}");
        assert!(!text.contains("WRITE_CACHE"), "{text}");
    }
}

/// What filters of a shell make of a text.
fn filtered(filters: &str, text: &str) -> String {
    let script = format!("printf %s \"$1\" | {filters}");
    let output = Command::new("sh")
        .args(["-c", &script, "sh", text])
        .output()
        .expect("there is a shell");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

#[test]
fn shells_name_branches_as_the_command_does() {
    let long = "x/".repeat(90);
    for branch in [
        "main",
        "release/1.2",
        "Team/A_b",
        "-x",
        ".x",
        "a,b\"c",
        "x-",
        &long,
    ] {
        assert_eq!(filtered(SLUG, branch), slug(branch), "{branch}");
        assert_eq!(
            filtered(gitlab::SLUG, branch),
            gitlab::slug(branch),
            "{branch}"
        );
    }
    assert_eq!(filtered(SLUG, "é"), "--".replacen('-', "_", 1));
    assert_eq!(gitlab::slug("Release/1.2"), "release-1-2");
}

#[test]
fn words_are_kept_from_shells_and_expressions() {
    for word in ["", "it's", "$HOME `x` \"y\"", "a b", "--x=1,2"] {
        let script = format!("printf %s {}", words::shell(word));
        let output = Command::new("sh").args(["-c", &script]).output();
        let output = output.expect("there is a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), word);
    }
    assert_eq!(words::literal("a ${{ b }}"), "a ${{ '${{' }} b }}");
    let inside = |path: &str| words::inside(Path::new(path));
    assert_eq!(inside("./a/../b/c").as_deref(), Some("b/c"));
    assert_eq!(inside("a/..").as_deref(), Some("."));
    assert_eq!(
        [inside("../a"), inside("/a"), inside("a/../..")],
        [None, None, None]
    );
    for (branch, fine) in [
        ("main", true),
        ("a/b-1.x_y", true),
        ("", false),
        ("a//b", false),
        ("-a", false),
        ("a b", false),
        ("a..b", false),
        ("é", false),
    ] {
        assert_eq!(words::is_branch(branch), fine, "{branch}");
    }
    assert_eq!(words::secret_variable("npm-token"), "NPM_TOKEN");
    assert_eq!(words::secret_variable("2fa"), "SECRET_2FA");
}
