//! A workflow of GitHub Actions.

use super::actions::{Action, BUILD, BUILDX, CHECKOUT, DOWNLOAD, LOGIN, METADATA, UPLOAD};
use super::cache::{Cache, Places, SLUG, slug};
use super::pipeline::{Image, Pipeline};
use super::secrets;
use super::words::{csv, literal};
use crate::yaml::{Yaml, quoted};

const NO_PULL_REQUEST: &str = "github.event_name != 'pull_request'";
const OWN: &str = "${{ steps.cache.outputs.own }}";

/// The workflow.
pub(super) fn workflow(pipeline: &Pipeline) -> String {
    let mut writer = Writer {
        pipeline,
        out: Yaml::default(),
    };
    writer.head();
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
        let Pipeline {
            project,
            branch,
            cache,
            ..
        } = self.pipeline;
        let image = self.image().name.clone();
        let out = &mut self.out;
        out.comment(
            0,
            "Written by `larder ci github`, and yours to change from here.",
        );
        out.pair(0, "name", project);
        out.gap();
        out.key(0, "on");
        out.key(1, "push");
        out.comment(
            2,
            "Each of these branches has images and a cache of its own.",
        );
        out.raw(
            2,
            "branches",
            &format!("[{}, \"release/**\"]", quoted(branch)),
        );
        out.raw(2, "tags", "[\"v*\"]");
        out.key(1, "pull_request");
        out.gap();
        out.key(0, "concurrency");
        out.comment(
            1,
            "A newer push to a pull request ends the build of the one before.",
        );
        out.raw(1, "group", "${{ github.workflow_ref }}-${{ github.ref }}");
        out.raw(
            1,
            "cancel-in-progress",
            "${{ github.event_name == 'pull_request' }}",
        );
        out.gap();
        out.key(0, "permissions");
        out.raw(1, "contents", "read");
        out.gap();
        out.key(0, "env");
        out.pair(1, "IMAGE", &image);
        if let Cache::Registry { repository, .. } = cache {
            let beside = || format!("{image}-cache");
            let repository = repository.clone().unwrap_or_else(beside);
            self.out.pair(1, "CACHE", &repository);
        }
        if cache.is_written() {
            let (who, when) = if self.pipeline.shares_place() {
                (
                    "The spec has one place for all branches, into which the default branch alone writes.",
                    format!("github.ref == 'refs/heads/{branch}'"),
                )
            } else {
                (
                    "Pull requests and tags read the cache, and never write to it.",
                    "github.ref_type == 'branch'".to_owned(),
                )
            };
            self.out.comment(1, who);
            let push = format!("${{{{ github.event_name == 'push' && {when} }}}}");
            self.out.raw(1, "WRITE_CACHE", &push);
        }
        self.out.gap();
        self.out.key(0, "jobs");
    }

    fn image(&self) -> &Image {
        const NONE: &Image = &Image {
            name: String::new(),
            registry: None,
        };
        self.pipeline.image.as_ref().unwrap_or(NONE)
    }

    fn several(&self) -> bool {
        self.pipeline.runners.len() > 1
    }

    fn build(&mut self) {
        self.out.key(1, "build");
        if self.several() {
            self.matrix();
        } else {
            let runner = self.pipeline.runners.first();
            let label = runner.and_then(|runner| runner.label.as_deref());
            self.out.pair(2, "runs-on", label.unwrap_or("ubuntu-24.04"));
        }
        self.out.raw(2, "timeout-minutes", "60");
        self.permissions();
        self.out.key(2, "steps");
        self.uses(&CHECKOUT);
        self.out.key(4, "with");
        self.out.raw(5, "persist-credentials", "false");
        self.uses(&BUILDX);
        self.login(true);
        self.name_cache();
        self.metadata(!self.several());
        self.run_build();
        if self.several() {
            self.keep_digest();
        }
    }

    fn matrix(&mut self) {
        let out = &mut self.out;
        out.key(2, "strategy");
        out.key(3, "matrix");
        out.comment(4, "A machine of its own kind for each platform.");
        out.key(4, "include");
        for (at, runner) in self.pipeline.runners.iter().enumerate() {
            let platform = quoted(&runner.platform.to_string());
            out.first(5, &format!("platform: {platform}"));
            out.pair(6, "arch", &runner.arch());
            out.pair(6, "runner", runner.label.as_deref().unwrap_or_default());
            if let Cache::Spec { places, .. } = &self.pipeline.cache
                && let Some(places) = places.get(at)
            {
                for (key, options) in [
                    ("cache-from", &places.imports),
                    ("cache-to", &places.exports),
                ] {
                    if !options.is_empty() {
                        out.lines(6, key, &formats(options));
                    }
                }
            }
        }
        out.raw(2, "runs-on", "${{ matrix.runner }}");
    }

    fn permissions(&mut self) {
        if self.image().is_githubs() {
            self.out.key(2, "permissions");
            self.out.raw(3, "contents", "read");
            self.out.raw(3, "packages", "write");
        }
    }

    fn uses(&mut self, action: &Action) {
        self.out.first(3, &action.uses());
    }

    fn named(&mut self, name: &str, action: &Action) {
        self.out.first(3, &format!("name: {name}"));
        let uses = action.uses();
        self.out.raw(4, "uses", uses.trim_start_matches("uses: "));
    }

    fn login(&mut self, in_pull_requests: bool) {
        let githubs = self.image().is_githubs();
        let registry = self.image().registry.clone();
        self.named("Log in", &LOGIN);
        if in_pull_requests && !githubs {
            self.out.comment(
                4,
                "Forks and Dependabot get no secrets; they read what anyone may read.",
            );
            let known = "github.event.pull_request.head.repo.fork != true && github.actor != 'dependabot[bot]'";
            self.out.raw(4, "if", known);
        }
        self.out.key(4, "with");
        if let Some(registry) = registry {
            self.out.pair(5, "registry", &registry);
        }
        if githubs {
            self.out.raw(5, "username", "${{ github.actor }}");
            self.out.raw(5, "password", "${{ github.token }}");
        } else {
            self.out.raw(5, "username", "${{ vars.REGISTRY_USER }}");
            self.out
                .raw(5, "password", "${{ secrets.REGISTRY_PASSWORD }}");
        }
    }

    /// `-arm64`, for what is written for one platform among others.
    fn arch(&self) -> &'static str {
        if self.several() {
            "-${{ matrix.arch }}"
        } else {
            ""
        }
    }

    /// What sets a project's caches apart from others of the repository.
    fn scope(&self) -> String {
        format!("{}-", slug(&self.pipeline.project))
    }

    fn name_cache(&mut self) {
        let project = self.scope();
        let (prefix, suffix) = match &self.pipeline.cache {
            Cache::None => return,
            Cache::Spec { .. } if !self.pipeline.takes_branch => return,
            Cache::Spec { .. } => ("", ""),
            Cache::Actions => (project.as_str(), self.arch()),
            Cache::Registry { .. } => ("", self.arch()),
        };
        let suffix = if suffix.is_empty() { "" } else { "-$ARCH" };
        let out = &mut self.out;
        out.first(3, "name: Name the cache");
        out.raw(4, "id", "cache");
        out.key(4, "env");
        out.comment(
            5,
            "A pull request reads the cache of the branch that it is for.",
        );
        out.raw(5, "BRANCH", "${{ github.base_ref || github.ref_name }}");
        if !suffix.is_empty() {
            out.raw(5, "ARCH", "${{ matrix.arch }}");
        }
        let lines = [
            format!("slug=$(printf %s \"$BRANCH\" | {SLUG})"),
            format!("echo \"own={prefix}$slug{suffix}\" >> \"$GITHUB_OUTPUT\""),
        ];
        out.lines(4, "run", &lines);
    }

    /// The tags that an image gets, and its labels, or the labels alone.
    fn metadata(&mut self, tags: bool) {
        let name = if tags { "Choose tags" } else { "Choose labels" };
        self.named(name, &METADATA);
        self.out.raw(4, "id", "image");
        self.out.key(4, "with");
        self.out.raw(5, "images", "${{ env.IMAGE }}");
        if tags {
            let lines = [
                "type=ref,event=branch",
                "type=ref,event=tag",
                "type=sha,format=long",
                "type=raw,value=latest,enable={{is_default_branch}}",
            ];
            self.out.lines(5, "tags", &lines.map(str::to_owned));
        }
    }

    fn run_build(&mut self) {
        let several = self.several();
        self.write_secrets();
        if self.pipeline.wants_ssh {
            self.out.comment(3, "The spec wants an SSH agent: start one in a step before this, and give it with `ssh`.");
        }
        self.named("Build", &BUILD);
        self.out.raw(4, "id", "build");
        self.out.key(4, "with");
        let pipeline = self.pipeline;
        let out = &mut self.out;
        out.pair(5, "context", &literal(&pipeline.context));
        out.pair(5, "file", &literal(&pipeline.spec));
        if let Some(target) = &pipeline.target {
            out.pair(5, "target", &literal(target));
        }
        if several {
            out.raw(5, "platforms", "${{ matrix.platform }}");
        } else if let Some(runner) = pipeline.runners.first() {
            out.pair(5, "platforms", &runner.platform.to_string());
        }
        let mut args: Vec<String> = pipeline
            .args
            .iter()
            .map(|(name, value)| csv(&format!("{name}={}", literal(value))))
            .collect();
        if pipeline.takes_branch {
            args.push(format!("BRANCH={OWN}"));
        }
        if !args.is_empty() {
            out.lines(5, "build-args", &args);
        }
        if !pipeline.secrets.is_empty() {
            out.raw(5, "secret-files", "${{ steps.secrets.outputs.files }}");
        }
        if several {
            let output = "type=image,name=${{ env.IMAGE }},push-by-digest=true,name-canonical=true,push=${{ github.event_name != 'pull_request' }}";
            out.raw(5, "outputs", output);
        } else {
            out.raw(5, "push", &format!("${{{{ {NO_PULL_REQUEST} }}}}"));
            out.raw(5, "tags", "${{ steps.image.outputs.tags }}");
        }
        out.raw(5, "labels", "${{ steps.image.outputs.labels }}");
        self.cache();
    }

    fn write_secrets(&mut self) {
        let (out, all) = (&mut self.out, &self.pipeline.secrets);
        if all.is_empty() {
            return;
        }
        out.first(3, "name: Write secrets");
        out.raw(4, "id", "secrets");
        out.key(4, "env");
        for one in all {
            let value = format!("${{{{ secrets.{} }}}}", one.variable);
            out.raw(5, &one.variable, &value);
        }
        out.lines(4, "run", &secrets::files(all));
    }

    /// What the spec says, of which the frontend does all other imports.
    fn cache_of_spec(&mut self, places: &[Places]) {
        let branch = if self.pipeline.takes_branch {
            "steps.cache.outputs.own"
        } else {
            "''"
        };
        let several = self.several();
        let lines = |key: &str, of: fn(&Places) -> &[String]| -> Vec<String> {
            let formats = match places.first() {
                _ if places.iter().all(|places| of(places).is_empty()) => Vec::new(),
                _ if several => vec![format!("matrix.{key}")],
                Some(places) => formats(of(places)).iter().map(|it| string(it)).collect(),
                None => Vec::new(),
            };
            let filled = |format: &String| format!("format({format}, {branch})");
            formats.iter().map(filled).collect()
        };
        let imports = lines("cache-from", |places| &places.imports);
        if !imports.is_empty() {
            let imports: Vec<String> = imports
                .iter()
                .map(|it| format!("${{{{ {it} }}}}"))
                .collect();
            self.out
                .comment(5, "The frontend finds all others that the spec names.");
            self.out.lines(5, "cache-from", &imports);
        }
        let exports = lines("cache-to", |places| &places.exports);
        if !exports.is_empty() {
            let exports: Vec<String> = exports.iter().map(|it| write(it)).collect();
            self.out.comment(
                5,
                "The spec says where layers come from. Where they go is for pushes alone.",
            );
            self.out.lines(5, "cache-to", &exports);
        }
    }

    fn cache(&mut self) {
        let (arch, main) = (self.arch(), slug(&self.pipeline.branch));
        let project = self.scope();
        let (place, mode, fallback) = match &self.pipeline.cache {
            Cache::None => return,
            Cache::Spec { places, .. } => return self.cache_of_spec(places),
            Cache::Actions => (
                "type=gha,scope=".to_owned(),
                "max",
                format!("{project}{main}{arch}"),
            ),
            Cache::Registry { mode, .. } => (
                "type=registry,ref=${{ env.CACHE }}:".to_owned(),
                mode.as_str(),
                format!("{main}{arch}"),
            ),
        };
        let out = &mut self.out;
        let lines = [format!("{place}{OWN}"), format!("{place}{fallback}")];
        out.lines(5, "cache-from", &lines);
        let (format, values) = match &self.pipeline.cache {
            Cache::Actions => (
                format!("type=gha,scope={{0}},mode={mode},ignore-error=true"),
                "steps.cache.outputs.own",
            ),
            _ => (
                format!("type=registry,ref={{0}}:{{1}},mode={mode},ignore-error=true"),
                "env.CACHE, steps.cache.outputs.own",
            ),
        };
        out.raw(
            5,
            "cache-to",
            &write(&format!("format({}, {values})", string(&format))),
        );
    }

    fn keep_digest(&mut self) {
        let out = &mut self.out;
        out.first(3, "name: Keep the digest");
        out.raw(4, "if", NO_PULL_REQUEST);
        out.key(4, "env");
        out.raw(5, "DIGEST", "${{ steps.build.outputs.digest }}");
        let lines = [
            "mkdir -p \"$RUNNER_TEMP/digests\"",
            "touch \"$RUNNER_TEMP/digests/${DIGEST#sha256:}\"",
        ];
        out.lines(4, "run", &lines.map(str::to_owned));
        self.named("Hand it on", &UPLOAD);
        let out = &mut self.out;
        out.raw(4, "if", NO_PULL_REQUEST);
        out.key(4, "with");
        out.raw(5, "name", "digest-${{ matrix.arch }}");
        out.raw(5, "path", "${{ runner.temp }}/digests/*");
        out.raw(5, "if-no-files-found", "error");
        out.raw(5, "retention-days", "1");
    }

    fn publish(&mut self) {
        let out = &mut self.out;
        out.gap();
        out.comment(1, "One name for the images of all platforms.");
        out.key(1, "publish");
        out.raw(2, "needs", "build");
        out.raw(2, "if", NO_PULL_REQUEST);
        out.raw(2, "runs-on", "ubuntu-24.04");
        out.raw(2, "timeout-minutes", "10");
        self.permissions();
        self.out.key(2, "steps");
        self.uses(&DOWNLOAD);
        let out = &mut self.out;
        out.key(4, "with");
        out.raw(5, "pattern", "digest-*");
        out.raw(5, "merge-multiple", "true");
        out.raw(5, "path", "${{ runner.temp }}/digests");
        self.uses(&BUILDX);
        self.login(false);
        self.metadata(true);
        let out = &mut self.out;
        out.first(3, "name: Publish");
        out.raw(4, "working-directory", "${{ runner.temp }}/digests");
        out.key(4, "env");
        out.raw(5, "TAGS", "${{ steps.image.outputs.tags }}");
        let lines = [
            "set --",
            "for tag in $TAGS; do set -- \"$@\" --tag \"$tag\"; done",
            "for digest in *; do set -- \"$@\" \"$IMAGE@sha256:$digest\"; done",
            "docker buildx imagetools create \"$@\"",
        ];
        out.lines(4, "run", &lines.map(str::to_owned));
    }
}

/// A value that is for jobs that write layers.
fn write(what: &str) -> String {
    format!("${{{{ env.WRITE_CACHE == 'true' && {what} || '' }}}}")
}

/// Options as formats, with the branch as the first value.
fn formats(options: &[String]) -> Vec<String> {
    let braces = |option: &String| csv(option).replace('{', "{{").replace('}', "}}");
    let place = |option: String| literal(&Cache::place(&option, "{0}"));
    options.iter().map(braces).map(place).collect()
}

/// A string in an expression.
fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
