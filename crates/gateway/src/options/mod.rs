//! What the client asked for, as the daemon passes it on in environment variables.

mod given;
mod inputs;
mod resources;
mod values;

use std::collections::BTreeMap;

use buildkit_llb::{
    ExtraHost, Git, LinuxResources, Network, Platform, ProxyEnv, ResolveMode, Ulimit, git_url,
};

pub use given::Given;
use values::boolean;

use crate::{CacheImport, Failure};

/// What the client asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The path of the file to build, `--file`.
    pub filename: Option<String>,
    /// The client's directory that the file is in.
    pub dockerfile_local: String,
    /// The file is in that directory even if the context is remote or an input.
    pub dockerfile_forced: bool,
    /// Where the build context is.
    pub context: ContextOption,
    /// `--build-context`: addresses by name, or by name and platform, `name::linux/arm64`.
    pub named_contexts: BTreeMap<String, String>,
    /// JSON of what a client says of inputs that are images, by the input's name.
    pub input_metadata: BTreeMap<String, String>,
    /// The directory in a remote context that is the context.
    pub context_subdir: String,
    /// `--target`.
    pub target: Option<String>,
    /// `--platform`; empty if the client names none.
    pub platforms: Vec<Platform>,
    /// The result is a list of images, even of a single one.
    pub multi_platform: bool,
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--no-cache`.
    pub no_cache: NoCacheOption,
    /// `--cache-from`.
    pub cache_imports: Vec<CacheImport>,
    /// Where images may come from.
    pub resolve_mode: ResolveMode,
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHost>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--shm-size`, in bytes.
    pub shm_size: Option<u64>,
    /// `--network`.
    pub network: Option<Network>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
    /// The name that steps see.
    pub hostname: Option<String>,
    /// `BUILDKIT_CACHE_MOUNT_NS`.
    pub cache_namespace: Option<String>,
    /// What the client demands of the frontend.
    pub frontend_caps: Vec<String>,
    /// What the client wants in place of a build, `--call`.
    pub request_id: Option<String>,
    /// The client's session.
    pub session: String,
    /// Sessions of single directories, where they differ.
    pub local_sessions: BTreeMap<String, String>,
    /// The frontend was named by the first line of a file or by `BUILDKIT_SYNTAX`, not by the
    /// client.
    pub by_syntax_line: bool,
    /// What the daemon runs on, if it says so.
    pub worker_platform: Option<Platform>,
    /// `--memory` and the like.
    pub resources: LinuxResources,
}

/// Where the build context is.
#[derive(Clone, Debug, PartialEq)]
pub enum ContextOption {
    /// A directory of the client's, or an input.
    Local,
    /// A repository.
    Git {
        /// The address as the client gave it.
        address: String,
        /// What it means.
        git: Box<Git>,
    },
    /// A file on the web: an archive of the context, or the file to build.
    Http {
        /// Its address.
        url: String,
    },
}

/// `--no-cache`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCacheOption {
    /// Not given.
    None,
    /// For every stage.
    All,
    /// For some.
    Stages(Vec<String>),
}

/// The name of the client's directory that is the context.
pub const CONTEXT: &str = "context";
/// The name of the client's directory that has the file to build.
pub const DOCKERFILE: &str = "dockerfile";

impl Options {
    /// Reads options by the names that clients give them.
    pub fn read(given: &BTreeMap<String, String>) -> Result<Options, Failure> {
        let text = |key: &str| given.get(key).map(String::as_str).unwrap_or_default();
        let some = |key: &str| Some(text(key).to_owned()).filter(|value| !value.is_empty());
        let either = |first: &str, second: &str| some(first).or_else(|| some(second));
        let platforms = match some("platform") {
            Some(names) => values::platforms(&names).map_err(wrong("platform"))?,
            None => Vec::new(),
        };
        Ok(Options {
            filename: some("filename"),
            dockerfile_local: some("dockerfilekey").unwrap_or_else(|| DOCKERFILE.to_owned()),
            dockerfile_forced: given.contains_key("dockerfilekey"),
            context: context(given)?,
            named_contexts: prefixed(given, "context:"),
            input_metadata: prefixed(given, "input-metadata:"),
            context_subdir: text("contextsubdir").to_owned(),
            target: some("target"),
            multi_platform: multi_platform(
                either("build-arg:BUILDKIT_MULTI_PLATFORM", "multi-platform"),
                platforms.len(),
            )?,
            platforms,
            build_args: prefixed(given, "build-arg:"),
            labels: prefixed(given, "label:"),
            no_cache: match given.get("no-cache").map(String::as_str) {
                None => NoCacheOption::None,
                Some("") => NoCacheOption::All,
                Some(stages) => {
                    NoCacheOption::Stages(stages.split(',').map(str::to_owned).collect())
                }
            },
            cache_imports: given::cache_imports(given)?,
            resolve_mode: values::resolve_mode(text("image-resolve-mode"))
                .map_err(wrong("image-resolve-mode"))?,
            extra_hosts: values::extra_hosts(text("add-hosts")).map_err(wrong("add-hosts"))?,
            ulimits: values::ulimits(text("ulimit")).map_err(wrong("ulimit"))?,
            shm_size: values::bytes(text("shm-size")).map_err(wrong("shm-size"))?,
            network: some("force-network-mode")
                .map(|mode| values::network(&mode))
                .transpose()
                .map_err(wrong("force-network-mode"))?,
            cgroup_parent: some("cgroup-parent"),
            hostname: either("build-arg:BUILDKIT_SANDBOX_HOSTNAME", "hostname"),
            cache_namespace: some("build-arg:BUILDKIT_CACHE_MOUNT_NS"),
            frontend_caps: text("frontend.caps")
                .split(',')
                .filter(|cap| !cap.is_empty())
                .map(str::to_owned)
                .collect(),
            request_id: some("requestid"),
            session: String::new(),
            local_sessions: prefixed(given, "local-sessionid:"),
            by_syntax_line: given.contains_key("cmdline"),
            worker_platform: None,
            resources: resources::read(given)?,
        })
    }

    /// The session that serves a directory of the client's.
    pub fn session_of(&self, local: &str) -> &str {
        self.local_sessions
            .get(local)
            .map_or(self.session.as_str(), String::as_str)
    }

    /// Proxy variables among the build args, whatever their case; the lower-case ones win.
    pub fn proxy(&self) -> Option<ProxyEnv> {
        let arg = |name: &str| {
            let upper = name.to_ascii_uppercase();
            let given = self.build_args.get(name).or(self.build_args.get(&upper));
            given.cloned().unwrap_or_default()
        };
        let proxy = ProxyEnv {
            http_proxy: arg("http_proxy"),
            https_proxy: arg("https_proxy"),
            ftp_proxy: arg("ftp_proxy"),
            no_proxy: arg("no_proxy"),
            all_proxy: arg("all_proxy"),
        };
        (proxy != ProxyEnv::default()).then_some(proxy)
    }
}

fn wrong(name: &str) -> impl Fn(String) -> Failure + '_ {
    move |message| Failure::option(name, message)
}

fn prefixed(given: &BTreeMap<String, String>, prefix: &str) -> BTreeMap<String, String> {
    given
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix(prefix)?;
            Some((name.to_owned(), value.clone()))
        })
        .collect()
}

/// `contextkey` names the option that has the address, not the directory.
fn context_key(given: &BTreeMap<String, String>) -> &str {
    given.get("contextkey").map_or(CONTEXT, String::as_str)
}

fn context(given: &BTreeMap<String, String>) -> Result<ContextOption, Failure> {
    let key = context_key(given);
    let Some(address) = given.get(key) else {
        return Ok(ContextOption::Local);
    };
    if let Some(mut git) = git_url::parse(address).map_err(wrong(key))? {
        let keep = given.get("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR");
        if keep.and_then(|value| boolean(value)) == Some(true) {
            git.keep_git_dir = true;
        }
        return Ok(ContextOption::Git {
            address: address.clone(),
            git: Box::new(git),
        });
    }
    if address.starts_with("http://") || address.starts_with("https://") {
        return Ok(ContextOption::Http {
            url: address.clone(),
        });
    }
    Ok(ContextOption::Local)
}

fn multi_platform(given: Option<String>, platforms: usize) -> Result<bool, Failure> {
    let Some(text) = given else {
        return Ok(platforms > 1);
    };
    let wrong = |message: String| Failure::option("multi-platform", message);
    let multi = boolean(&text).ok_or_else(|| wrong(format!("`{text}` is not true or false")))?;
    if !multi && platforms > 1 {
        return Err(wrong(format!(
            "{platforms} platforms cannot be built into a single image"
        )));
    }
    Ok(multi)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Options, Failure> {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Options::read(&given.collect())
    }

    #[test]
    fn malformed_values_name_their_option() {
        for (key, value) in [
            ("platform", "linux"),
            ("image-resolve-mode", "never"),
            ("add-hosts", "x"),
            ("ulimit", "x=1"),
            ("shm-size", "1g"),
            ("force-network-mode", "bridge"),
            ("cache-imports", "["),
            ("multi-platform", "maybe"),
            ("context", "https://example.org/a.git?depth=1"),
        ] {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("option `{key}`: ")),
                "{error}"
            );
        }
        let both = read(&[
            ("platform", "linux/amd64,linux/arm64"),
            ("multi-platform", "false"),
        ]);
        assert_eq!(
            both.unwrap_err().to_string(),
            "option `multi-platform`: 2 platforms cannot be built into a single image"
        );
    }

    #[test]
    fn contexts() {
        assert_eq!(read(&[]).unwrap().context, ContextOption::Local);
        let other = read(&[("contextkey", "c"), ("c", "https://example.org/x.tar.gz")]).unwrap();
        assert_eq!(
            other.context,
            ContextOption::Http {
                url: "https://example.org/x.tar.gz".to_owned()
            }
        );
        let git = read(&[
            ("context", "https://example.org/x.git#main"),
            ("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"),
        ])
        .unwrap();
        let ContextOption::Git { git, .. } = git.context else {
            panic!("{:?}", git.context);
        };
        assert!(git.keep_git_dir && git.reference == "main");
    }

    #[test]
    fn platforms_and_lists() {
        let one = read(&[("platform", "linux/arm64/v8")]).unwrap();
        assert!(!one.multi_platform);
        assert_eq!(one.platforms[0].to_string(), "linux/arm64");
        assert!(
            read(&[("platform", "linux/arm64,linux/amd64")])
                .unwrap()
                .multi_platform
        );
        assert!(read(&[("multi-platform", "true")]).unwrap().multi_platform);
        let twice = read(&[("platform", "linux/arm64,linux/aarch64")]).unwrap();
        assert_eq!((twice.platforms.len(), twice.multi_platform), (1, false));
    }

    #[test]
    fn the_rest() {
        let options = read(&[
            ("cache-from", "r/a"),
            (
                "cache-imports",
                r#"[{"Type":"registry","Attrs":{"ref":"r/a"}}]"#,
            ),
            ("build-arg:HTTP_PROXY", "up"),
            ("build-arg:http_proxy", "low"),
            ("build-arg:NO_PROXY", "x"),
            ("no-cache", "a,b"),
            ("memory", "1"),
            ("context:base", "docker-image://x"),
            ("hostname", "h"),
            ("cmdline", "larder/frontend:1"),
        ])
        .unwrap();
        assert_eq!(options.cache_imports.len(), 1);
        let proxy = options.proxy().unwrap();
        assert_eq!(
            (proxy.http_proxy.as_str(), proxy.no_proxy.as_str()),
            ("low", "x")
        );
        assert_eq!(
            options.no_cache,
            NoCacheOption::Stages(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(options.resources.memory, 1);
        assert_eq!(options.named_contexts["base"], "docker-image://x");
        assert_eq!(options.hostname.as_deref(), Some("h"));
        assert!(options.by_syntax_line && !options.dockerfile_forced);
    }
}
