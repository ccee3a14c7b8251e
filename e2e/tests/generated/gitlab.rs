//! The scripts of a pipeline for GitLab, run by a shell with the variables of one.

use std::{
    collections::BTreeMap,
    process::{Command, Output},
};

use larder_e2e::{Engine, Project, unique};

use crate::larder;

/// No step runs, so that images for any platform can be made.
const SPEC: &str = "
name: shop
from: scratch
steps:
  - file: {dest: /made, content: ONCE}
";

/// A project's registry, and a pipeline for it.
struct Pipeline<'a> {
    engine: &'a Engine,
    project: Project,
    image: String,
}

impl<'a> Pipeline<'a> {
    fn new(engine: &'a Engine) -> Self {
        let project = Project::new(engine, &SPEC.replace("ONCE", &unique())).unwrap();
        let image = format!("{}/larder-e2e-{}", engine.registry(), unique());
        Self {
            engine,
            project,
            image,
        }
    }

    fn text(&self, words: &[&str]) -> String {
        larder(&self.project, &[&["ci", "gitlab"], words].concat(), &[])
    }

    /// Runs the script of a job, as the runner does.
    fn run(&self, text: &str, job: &str, variables: &[(&str, &str)]) -> String {
        let known = BTreeMap::from([
            ("IMAGE", self.image.clone()),
            ("CACHE", format!("{}/cache", self.image)),
        ]);
        for name in known.keys() {
            assert!(
                text.contains(&format!("\n  {name}: $CI_REGISTRY_IMAGE")),
                "{text}"
            );
        }
        let output: Output = Command::new("sh")
            .args(["-e", "-c", &script(text, job)])
            .current_dir(self.project.path())
            .env("CI_DEFAULT_BRANCH", "main")
            .envs(known)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{job}: {said}");
        said
    }

    /// The manifest of a tag of the image, or of its cache as `/cache:TAG`.
    fn manifest(&self, tag: &str) -> Option<String> {
        let name = format!("{}{tag}", self.image);
        let words = ["buildx", "imagetools", "inspect", "--raw", &name];
        self.engine.docker_output(&words).ok()
    }
}

/// The lines of a job's script.
fn script(text: &str, job: &str) -> String {
    let job = format!("\n{job}:\n");
    let (_, job) = text.split_once(&job).expect("there is the job");
    let (_, script) = job
        .split_once("  script:\n    - |\n")
        .expect("it has a script");
    let lines = script.lines().map_while(|line| line.strip_prefix("      "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_merge_request_reads_and_branches_write() {
    let engine = Engine::from_env().unwrap();
    let pipeline = Pipeline::new(&engine);
    let text = pipeline.text(&[]);
    let main = [
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_REF_SLUG", "main"),
        ("CI_COMMIT_SHA", "one"),
    ];
    pipeline.run(&text, "build", &main);
    for tag in [":one", ":main", ":latest", "/cache:main"] {
        assert!(pipeline.manifest(tag).is_some(), "{tag}");
    }

    let request = [
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "Release/1.0"),
        ("CI_COMMIT_REF_SLUG", "topic"),
        ("CI_COMMIT_SHA", "two"),
    ];
    let said = pipeline.run(&text, "build", &request);
    for branch in ["topic", "release-1-0", "main"] {
        let line = format!(
            "importing cache manifest from {}/cache:{branch}",
            pipeline.image
        );
        assert!(said.contains(&line), "{said}");
    }
    for tag in [":two", ":topic", "/cache:topic"] {
        assert_eq!(pipeline.manifest(tag), None, "{tag}");
    }

    let tag = [
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_TAG", "v1.0"),
        ("CI_COMMIT_REF_SLUG", "v1-0"),
        ("CI_COMMIT_SHA", "three"),
    ];
    pipeline.run(&text, "build", &tag);
    assert!(pipeline.manifest(":v1.0").is_some());
    assert_eq!(pipeline.manifest("/cache:v1-0"), None);
}

#[test]
fn platforms_come_together_under_one_name() {
    let engine = Engine::from_env().unwrap();
    let pipeline = Pipeline::new(&engine);
    let text = pipeline.text(&["--platform=linux/amd64,linux/arm64"]);
    // The builder that the pipeline makes pushes by digest; of this engine's, buildx does not want it.
    let by_digest = ",push-by-digest=true,name-canonical=true";
    assert!(text.contains(by_digest), "{text}");
    let text = text.replace(by_digest, "");
    let branch = [
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_REF_SLUG", "main"),
        ("CI_COMMIT_SHA", "one"),
    ];
    for arch in ["amd64", "arm64"] {
        let platform = format!("linux/{arch}");
        let own = [("ARCH", arch), ("PLATFORM", &platform)];
        pipeline.run(&text, "build", &[&branch[..], &own].concat());
        let cache = format!("/cache:main-{arch}");
        assert!(pipeline.manifest(&cache).is_some(), "{cache}");
    }
    assert_eq!(pipeline.manifest(":main"), None);
    pipeline.run(&text, "publish", &branch);
    let list = pipeline.manifest(":latest").expect("it is published");
    for arch in ["amd64", "arm64"] {
        assert!(
            list.contains(&format!("\"architecture\": \"{arch}\"")),
            "{list}"
        );
    }
    for tag in [":one", ":main"] {
        assert_eq!(pipeline.manifest(tag).as_ref(), Some(&list), "{tag}");
    }
}
