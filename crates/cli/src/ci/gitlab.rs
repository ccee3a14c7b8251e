//! A pipeline of GitLab.

use super::cache::{Cache, Places};
use super::pipeline::{Image, Pipeline};
use super::secrets;
use super::words::shell;
use crate::yaml::{Yaml, quoted};

/// Docker's image for jobs, at a release of it; its `-dind` is the daemon.
const DOCKER: &str = "docker:29.7.2";

const BRANCHES: &str = "$CI_COMMIT_BRANCH || $CI_COMMIT_TAG";

/// The text of `.gitlab-ci.yml`.
pub(super) fn pipeline(pipeline: &Pipeline) -> String {
    let mut writer = Writer {
        pipeline,
        out: Yaml::default(),
    };
    writer.head();
    writer.docker();
    writer.build();
    if pipeline.runners.len() > 1 {
        writer.publish();
    }
    writer.out.finish()
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
    out: Yaml,
}

impl Writer<'_> {
    fn head(&mut self) {
        let several = self.several();
        let image = self.pipeline.image.as_ref().map(|image| image.name.clone());
        let out = &mut self.out;
        out.comment(
            0,
            "Written by `larder ci gitlab`, and yours to change from here.",
        );
        out.raw(
            0,
            "stages",
            if several {
                "[build, publish]"
            } else {
                "[build]"
            },
        );
        out.gap();
        out.key(0, "workflow");
        out.key(1, "rules");
        out.comment(
            2,
            "A merge request, and not its branch beside it; other branches; tags.",
        );
        out.first(2, "if: $CI_PIPELINE_SOURCE == \"merge_request_event\"");
        out.first(
            2,
            "if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS && $CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH",
        );
        out.raw(3, "when", "never");
        out.comment(2, "What publishes is not ended by a newer pipeline.");
        for of in ["$CI_COMMIT_BRANCH", "$CI_COMMIT_TAG"] {
            out.first(2, &format!("if: {of}"));
            out.key(3, "auto_cancel");
            out.raw(4, "on_new_commit", "none");
        }
        out.gap();
        out.key(0, "variables");
        match &image {
            Some(image) => out.pair(1, "IMAGE", image),
            None => out.raw(1, "IMAGE", "$CI_REGISTRY_IMAGE"),
        }
        if let Cache::Registry { repository, .. } = &self.pipeline.cache {
            match (repository, &image) {
                (Some(repository), _) => out.pair(1, "CACHE", repository),
                (None, Some(image)) => out.pair(1, "CACHE", &format!("{image}-cache")),
                (None, None) => out.raw(1, "CACHE", "$CI_REGISTRY_IMAGE/cache"),
            }
        }
        out.raw(1, "DOCKER_HOST", "tcp://docker:2376");
        out.raw(1, "DOCKER_TLS_CERTDIR", "/certs");
        out.raw(1, "DOCKER_TLS_VERIFY", "\"1\"");
        out.raw(1, "DOCKER_CERT_PATH", "/certs/client");
        out.gap();
    }

    fn several(&self) -> bool {
        self.pipeline.runners.len() > 1
    }

    /// What every job has: a daemon of its own, and the login.
    fn docker(&mut self) {
        let registry = match &self.pipeline.image {
            None => Some("\"$CI_REGISTRY\"".to_owned()),
            Some(Image { registry, .. }) => registry.clone(),
        };
        let (user, password) = match self.pipeline.image {
            None => ("CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"),
            Some(_) => ("REGISTRY_USER", "REGISTRY_PASSWORD"),
        };
        let out = &mut self.out;
        out.key(0, "default");
        out.pair(1, "image", DOCKER);
        out.comment(
            1,
            "A daemon for each job; the runner must allow privileged services.",
        );
        out.key(1, "services");
        out.first(2, &format!("name: {}", quoted(&format!("{DOCKER}-dind"))));
        out.raw(3, "alias", "docker");
        out.comment(
            1,
            "A newer pipeline of the same merge request ends this one.",
        );
        out.raw(1, "interruptible", "true");
        out.raw(1, "timeout", "1 hour");
        out.key(1, "before_script");
        out.comment(
            2,
            "Docker's own builder does not export caches; this one does.",
        );
        out.first(2, "docker context create dind");
        out.first(
            2,
            "docker buildx create --name larder --driver docker-container --use dind",
        );
        let login = format!(
            "printf %s \"${password}\" | docker login --username \"${user}\" --password-stdin"
        );
        let login = match registry {
            Some(registry) => format!("{login} {registry}"),
            None => login,
        };
        if self.pipeline.image.is_some() {
            out.comment(2, "A protected variable is not there in merge requests, which then read what anyone may.");
            out.first(2, &format!("if [ -n \"${password}\" ]; then {login}; fi"));
        } else {
            out.first(2, &login);
        }
        out.gap();
    }

    fn build(&mut self) {
        let several = self.several();
        let out = &mut self.out;
        out.key(0, "build");
        out.raw(1, "stage", "build");
        if several {
            out.comment(1, "A machine of its own kind for each platform.");
            out.key(1, "parallel");
            out.key(2, "matrix");
            for runner in &self.pipeline.runners {
                let platform = quoted(&runner.platform.to_string());
                out.first(3, &format!("PLATFORM: {platform}"));
                out.pair(4, "ARCH", &runner.arch());
                out.pair(4, "RUNNER", runner.label.as_deref().unwrap_or_default());
            }
            out.raw(1, "tags", "[$RUNNER]");
        } else if let Some(label) = self
            .pipeline
            .runners
            .first()
            .and_then(|runner| runner.label.as_deref())
        {
            out.raw(1, "tags", &format!("[{}]", quoted(label)));
        }
        let script = self.script();
        let out = &mut self.out;
        out.key(1, "script");
        out.element_of_lines(2, &script);
        if several {
            out.key(1, "artifacts");
            out.raw(2, "paths", "[digests/]");
            out.raw(2, "expire_in", "1 day");
        }
    }

    fn script(&self) -> Vec<String> {
        let pipeline = self.pipeline;
        let mut lines: Vec<String> = Vec::new();
        let mut add = |text: String| lines.push(text);
        let platform = match (&pipeline.runners[..], self.several()) {
            ([runner, ..], false) => runner.platform.to_string(),
            _ => "\"$PLATFORM\"".to_owned(),
        };
        add(format!(
            "set -- --file {} --platform {platform}",
            shell(&pipeline.spec)
        ));
        if let Some(target) = &pipeline.target {
            add(format!("set -- \"$@\" --target {}", shell(target)));
        }
        for (name, value) in &pipeline.args {
            add(format!(
                "set -- \"$@\" --build-arg {}",
                shell(&format!("{name}={value}"))
            ));
        }
        if pipeline.takes_branch {
            add("# A merge request reads the cache of the branch that it is for.".to_owned());
            add("branch=$CI_COMMIT_REF_SLUG".to_owned());
            add(format!("if [ -n \"${TARGET}\" ]; then"));
            add(format!("  branch=$(printf %s \"${TARGET}\" | {SLUG})"));
            add("fi".to_owned());
            add("set -- \"$@\" --build-arg \"BRANCH=$branch\"".to_owned());
        }
        pipeline
            .secrets
            .iter()
            .for_each(|one| add(secrets::option(one)));
        if pipeline.wants_ssh {
            add("# The spec wants an SSH agent: start one in before_script, and give it with --ssh.".to_owned());
        }
        lines.extend(self.cache());
        lines.push("# Merge requests only build.".to_owned());
        lines.push("if [ \"$CI_PIPELINE_SOURCE\" != merge_request_event ]; then".to_owned());
        if self.several() {
            lines.push("  set -- \"$@\" --output \"type=image,name=$IMAGE,push-by-digest=true,name-canonical=true,push=true\"".to_owned());
        } else {
            lines.push("  set -- \"$@\" --push --tag \"$IMAGE:$CI_COMMIT_SHA\"".to_owned());
            lines.extend(self.tags().iter().map(|line| format!("  {line}")));
        }
        lines.push("fi".to_owned());
        lines.push(format!(
            "docker buildx build --metadata-file build.json \"$@\" {}",
            shell(&pipeline.context)
        ));
        if self.several() {
            lines.push("mkdir -p digests".to_owned());
            lines.push("sed -n 's/.*\"containerimage.digest\": *\"\\(sha256:[0-9a-f]*\\)\".*/\\1/p' build.json > \"digests/$ARCH\"".to_owned());
        }
        lines
    }

    /// What is built has its name, if that is not one of the default branch's.
    fn tags(&self) -> Vec<String> {
        vec![
            format!("name=$(printf %s \"${{CI_COMMIT_TAG:-$CI_COMMIT_REF_SLUG}}\" | {TAG})"),
            format!("if [ {DEFAULT} ]; then"),
            "  set -- \"$@\" --tag \"$IMAGE:$name\" --tag \"$IMAGE:latest\"".to_owned(),
            format!(
                "elif [ \"$name\" != latest ] && [ \"$name\" != {} ]; then",
                slug(&self.pipeline.branch)
            ),
            "  set -- \"$@\" --tag \"$IMAGE:$name\"".to_owned(),
            "fi".to_owned(),
        ]
    }

    fn cache(&self) -> Vec<String> {
        let main = slug(&self.pipeline.branch);
        let of_branch = format!(
            "if [ {DEFAULT} ] || {{ [ -n \"$CI_COMMIT_BRANCH\" ] && [ \"$CI_COMMIT_REF_SLUG\" != {main} ]; }}; then"
        );
        let arch = if self.several() { "-$ARCH" } else { "" };
        let mut lines = Vec::new();
        match &self.pipeline.cache {
            Cache::None | Cache::Actions => {}
            Cache::Spec { places, .. } => {
                lines.extend(self.told("--cache-from", "", places, |one| &one.imports));
                let exports = self.told("--cache-to", "  ", places, |one| &one.exports);
                if exports.is_empty() {
                    return lines;
                }
                let (who, when) = if self.pipeline.shares_place() {
                    (
                        "The spec has one place for all branches, into which the default branch alone writes.",
                        format!("if [ {DEFAULT} ]; then"),
                    )
                } else {
                    (
                        "The spec says where layers come from. Only branches write them.",
                        of_branch,
                    )
                };
                lines.push(format!("# {who}"));
                lines.push(when);
                lines.extend(exports);
                lines.push("fi".to_owned());
            }
            Cache::Registry { mode, .. } => {
                let own = format!("$CACHE:$CI_COMMIT_REF_SLUG{arch}");
                lines.push("# The branch's own layers, then those of the branch that a merge request is for, then the default.".to_owned());
                lines.push(format!(
                    "set -- \"$@\" --cache-from \"type=registry,ref={own}\""
                ));
                lines.push(format!("if [ -n \"${TARGET}\" ]; then"));
                lines.push(format!("  target=$(printf %s \"${TARGET}\" | {SLUG})"));
                lines.push(format!(
                    "  set -- \"$@\" --cache-from \"type=registry,ref=$CACHE:$target{arch}\""
                ));
                lines.push("fi".to_owned());
                lines.push(format!(
                    "set -- \"$@\" --cache-from \"type=registry,ref=$CACHE:{main}{arch}\""
                ));
                lines.push("# Only branches write; merge requests and tags do not.".to_owned());
                lines.push(of_branch);
                lines.push(format!("  set -- \"$@\" --cache-to \"type=registry,ref={own},mode={mode},ignore-error=true\""));
                lines.push("fi".to_owned());
            }
        }
        lines
    }

    /// Options for the platform of a job.
    fn told(
        &self,
        option: &str,
        indent: &str,
        places: &[Places],
        of: fn(&Places) -> &[String],
    ) -> Vec<String> {
        let word = |text: &String| format!("{option} {}", expanded(text));
        if places.iter().all(|places| of(places).is_empty()) {
            return Vec::new();
        }
        if !self.several() {
            let words = places.iter().flat_map(of).map(word);
            return words
                .map(|word| format!("{indent}set -- \"$@\" {word}"))
                .collect();
        }
        let mut lines = vec![format!("{indent}case \"$ARCH\" in")];
        for (runner, places) in self.pipeline.runners.iter().zip(places) {
            let words: Vec<String> = of(places).iter().map(word).collect();
            if !words.is_empty() {
                let (arch, words) = (runner.arch(), words.join(" "));
                lines.push(format!("{indent}  {arch}) set -- \"$@\" {words} ;;"));
            }
        }
        lines.push(format!("{indent}esac"));
        lines
    }

    fn publish(&mut self) {
        let out = &mut self.out;
        out.gap();
        out.comment(0, "One name for the images of all platforms.");
        out.key(0, "publish");
        out.raw(1, "stage", "publish");
        out.raw(1, "interruptible", "false");
        out.key(1, "rules");
        out.first(2, &format!("if: {BRANCHES}"));
        out.key(1, "script");
        let mut lines = vec!["set -- --tag \"$IMAGE:$CI_COMMIT_SHA\"".to_owned()];
        lines.extend(self.tags());
        lines.extend([
            "for digest in digests/*; do set -- \"$@\" \"$IMAGE@$(cat \"$digest\")\"; done"
                .to_owned(),
            "docker buildx imagetools create \"$@\"".to_owned(),
        ]);
        let out = &mut self.out;
        out.element_of_lines(2, &lines);
    }
}

/// The variable with the branch that a merge request is for.
const TARGET: &str = "CI_MERGE_REQUEST_TARGET_BRANCH_NAME";
/// Whether a job is for the default branch.
const DEFAULT: &str = "\"$CI_COMMIT_BRANCH\" = \"$CI_DEFAULT_BRANCH\"";
/// The letters of a name that an image's tag can have, as filters of a shell.
pub(super) const TAG: &str =
    "LC_ALL=C sed 's/[^A-Za-z0-9_.-][^A-Za-z0-9_.-]*/-/g; s/^[.-]/_/' | cut -c 1-128";

/// What GitLab makes of a branch for `CI_COMMIT_REF_SLUG`.
pub(super) fn slug(branch: &str) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '-',
    };
    let slug: String = branch.chars().map(letter).take(63).collect();
    slug.trim_matches('-').to_owned()
}

/// What [`slug`] does, as filters of a shell.
pub(super) const SLUG: &str = "LC_ALL=C tr '[:upper:]' '[:lower:]' | LC_ALL=C sed 's/[^a-z0-9]/-/g' | cut -c 1-63 | sed 's/^-*//; s/-*$//'";

/// An export as a word of the shell, with the branch in it.
fn expanded(export: &str) -> String {
    let escape = |c: char| match c {
        '\\' | '"' | '$' | '`' => format!("\\{c}"),
        c => c.to_string(),
    };
    let text: String = export.chars().map(escape).collect();
    format!("\"{}\"", Cache::place(&text, "$branch"))
}
