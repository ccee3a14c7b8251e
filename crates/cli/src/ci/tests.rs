use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use buildkit_llb::Platform;

use super::cache::{ANY_BRANCH, Cache, Places, SLUG, below, slug};
use super::pipeline::{Image, Pipeline, Runner};
use super::{github, gitlab, secrets, words};

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
        cache: Cache::Spec {
            places: (exports.iter())
                .map(|exports| Places {
                    imports: Vec::new(),
                    exports: exports.iter().map(|export| (*export).to_owned()).collect(),
                })
                .collect(),
            shared: false,
        },
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
        "      set -- \"$@\" --build-arg \"BRANCH=$branch\"\n",
    );
    has(
        &text,
        "
      if [ \"$CI_COMMIT_BRANCH\" = \"$CI_DEFAULT_BRANCH\" ] || { [ -n \"$CI_COMMIT_BRANCH\" ] && [ \"$CI_COMMIT_REF_SLUG\" != main ]; }; then
        set -- \"$@\" --cache-to \"type=registry,ref=r/c:$branch,x={'\\$}\"
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
          amd64) set -- \"$@\" --cache-to \"type=registry,ref=r/c:$branch-amd64\" ;;
          arm64) set -- \"$@\" --cache-to \"type=registry,ref=r/c:$branch-arm64\" --cache-to \"type=inline\" ;;
        esac
",
    );
}

#[test]
fn one_place_for_all_branches_is_the_default_branchs() {
    let mut pipeline = of_spec(&[&["type=registry,ref=r/c:main"]]);
    pipeline.takes_branch = false;
    if let Cache::Spec { shared, .. } = &mut pipeline.cache {
        *shared = true;
    }
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
    assert_eq!(secrets::variable("npm-token"), "NPM_TOKEN");
    assert_eq!(secrets::variable("2fa"), "SECRET_2FA");
}

#[test]
fn git_tags_become_tags_of_images() {
    let long = "x".repeat(200);
    for (tag, name) in [
        ("v1.0", "v1.0"),
        ("release/1.0+b2", "release-1.0-b2"),
        ("@2/é", "_2-"),
        (&long, &long[..128]),
    ] {
        assert_eq!(filtered(gitlab::TAG, tag), name);
    }
}

#[test]
fn secrets_have_variables_that_can_be_made() {
    for (id, variable) in [
        ("github-token", "SECRET_GITHUB_TOKEN"),
        ("path", "SECRET_PATH"),
        ("ci-job-token", "SECRET_CI_JOB_TOKEN"),
        ("pathname", "PATHNAME"),
    ] {
        assert_eq!(secrets::variable(id), variable);
    }
    let ids = ["npm-token", "npm_token"].map(str::to_owned);
    let error = secrets::of(ids.into_iter()).err().expect("they clash");
    assert_eq!(
        error.to_string(),
        "the secrets `npm-token` and `npm_token` of the spec would both be the variable NPM_TOKEN: rename one of \
         them"
    );
}

/// A key of several lines stays one, and a secret that is not there has no file.
#[test]
fn secrets_are_files_for_github() {
    let ids = ["npm-token", "2fa"].map(str::to_owned);
    let secrets = secrets::of(ids.into_iter()).expect("no clash");
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let status = Command::new("sh")
        .args(["-ec", &secrets::files(&secrets).join("\n")])
        .env("RUNNER_TEMP", at)
        .env("GITHUB_OUTPUT", at.join("output"))
        .env("NPM_TOKEN", "{\n  \"a\": \"b, c\"\n}\n")
        .env("SECRET_2FA", "")
        .status();
    assert!(status.expect("there is a shell").success());
    let file = at.join("secret-NPM_TOKEN");
    let read = |path: &Path| fs::read_to_string(path).expect("it is there");
    assert_eq!(read(&file), "{\n  \"a\": \"b, c\"\n}\n");
    let output = read(&at.join("output"));
    let expected = format!("files<<END\nnpm-token={}\nEND\n", file.display());
    assert_eq!(output, expected);
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!at.join("secret-SECRET_2FA").exists());
}

#[test]
fn lists_for_actions_keep_quotes() {
    assert_eq!(words::csv("A=b, c"), "A=b, c");
    assert_eq!(words::csv("A=b, \"c\""), "\"A=b, \"\"c\"\"\"");
}

#[test]
fn what_the_frontend_cannot_look_into_is_named() {
    let import = |kind: &str| format!("type={kind},scope={ANY_BRANCH}");
    let imports = |pipeline: &mut Pipeline| {
        if let Cache::Spec { places, .. } = &mut pipeline.cache {
            for places in places {
                places.imports.push(import("gha"));
            }
        }
    };
    let mut one = of_spec(&[&[]]);
    imports(&mut one);
    has(
        &github::workflow(&one),
        "
          cache-from: |
            ${{ format('type=gha,scope={0}', steps.cache.outputs.own) }}
",
    );
    has(
        &gitlab::pipeline(&one),
        "\n      set -- \"$@\" --cache-from \"type=gha,scope=$branch\"\n",
    );
    let mut two = of_spec(&[&[], &[]]);
    imports(&mut two);
    let text = github::workflow(&two);
    has(
        &text,
        "            cache-from: |\n              type=gha,scope={0}\n",
    );
    has(
        &text,
        "            ${{ format(matrix.cache-from, steps.cache.outputs.own) }}\n",
    );
    has(
        &gitlab::pipeline(&two),
        "        amd64) set -- \"$@\" --cache-from \"type=gha,scope=$branch\" ;;\n",
    );
}

/// The words that a job on GitLab gives to docker, with these variables.
fn words_of_job(pipeline: &Pipeline, variables: &[(&str, &str)]) -> Vec<String> {
    let text = gitlab::pipeline(pipeline);
    let (_, script) = text.rsplit_once("    - |\n").expect("there is a script");
    let script = format!("docker() {{ printf '%s\\n' \"$@\"; }}\n{script}");
    let output = Command::new("sh")
        .args(["-ec", &script])
        .env("IMAGE", "i")
        .env("CI_DEFAULT_BRANCH", "main")
        .env("CI_COMMIT_SHA", "sha")
        .envs(variables.iter().copied())
        .output()
        .expect("there is a shell");
    assert!(output.status.success(), "{output:?}");
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    words.lines().map(str::to_owned).collect()
}

#[test]
fn jobs_on_gitlab_do_what_their_event_is_for() {
    let export = format!("type=registry,ref=r/c:{ANY_BRANCH}");
    let mut pipeline = of_spec(&[&[&export]]);
    pipeline.secrets = secrets::of(["npm-token".to_owned()].into_iter()).expect("no clash");
    let of_branch = |name: &'static str, slug: &'static str| {
        vec![("CI_COMMIT_BRANCH", name), ("CI_COMMIT_REF_SLUG", slug)]
    };
    let request = vec![
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_REF_SLUG", "topic"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "Release/1.0"),
        ("NPM_TOKEN", "x"),
    ];
    let tag = vec![
        ("CI_COMMIT_TAG", "release/1.0+b2"),
        ("CI_COMMIT_REF_SLUG", "release-1-0-b2"),
    ];
    for (variables, branch, tags, writes) in [
        (
            of_branch("main", "main"),
            "main",
            &["i:sha", "i:main", "i:latest"] as &[&str],
            true,
        ),
        (of_branch("a/b", "a-b"), "a-b", &["i:sha", "i:a-b"], true),
        (of_branch("Main", "main"), "main", &["i:sha"], false),
        (of_branch("latest", "latest"), "latest", &["i:sha"], true),
        (tag, "release-1-0-b2", &["i:sha", "i:release-1.0-b2"], false),
        (request, "release-1-0", &[], false),
    ] {
        let words = words_of_job(&pipeline, &variables);
        let of = |option: &str| -> Vec<&str> {
            let pairs = words.iter().zip(words.iter().skip(1));
            let pairs = pairs.filter(|(name, _)| *name == option);
            pairs.map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(of("--tag"), tags, "{words:?}");
        assert_eq!(of("--build-arg"), [format!("BRANCH={branch}")]);
        assert_eq!(!of("--cache-to").is_empty(), writes, "{words:?}");
        let secret = variables.iter().any(|(name, _)| *name == "NPM_TOKEN");
        assert_eq!(!of("--secret").is_empty(), secret, "{words:?}");
    }
}

#[test]
fn projects_have_repositories_of_their_own() {
    let long = "x".repeat(200);
    for (name, path) in [
        ("shop", "shop"),
        ("team/api", "team/api"),
        ("shop-main", "shop-main"),
        ("My App!", "my-app"),
        ("a._b", "a.b"),
        ("é", "default"),
        (&long, &long[..60]),
    ] {
        assert_eq!(below(name), path);
    }
    assert_eq!(slug(&long).len(), 80);
}
