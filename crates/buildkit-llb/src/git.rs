//! A Git repository as a source.

use buildkit_proto::pb;

use crate::caps;
use crate::op::Lowering;
use crate::source::Attributes;

/// A Git repository, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// Where it is: `https://host/path`, `ssh://user@host/path`, `user@host:path`, `git://…`.
    pub url: String,
    /// The branch, tag or commit; the default branch if empty.
    pub reference: String,
    /// The part of it that is taken; all of it if empty.
    pub subdir: String,
    /// The commit that it must be.
    pub checksum: Option<String>,
    /// Keep `.git`.
    pub keep_git_dir: bool,
    /// Leave out submodules.
    pub skip_submodules: bool,
    /// Give files the time of the commit in place of that of the checkout.
    pub commit_time: bool,
    /// The secret with a token for HTTPS. The daemon looks for `GIT_AUTH_TOKEN` in any case, and
    /// goes on without it.
    pub auth_token_secret: Option<String>,
    /// The secret with an `Authorization` header for HTTPS. The daemon looks for
    /// `GIT_AUTH_HEADER` in any case, and goes on without it.
    pub auth_header_secret: Option<String>,
    /// Over SSH: the hosts' keys, as lines of `known_hosts`.
    pub known_ssh_hosts: String,
    /// Over SSH: which of the client's agents; `default` if absent.
    pub ssh_agent: Option<String>,
}

impl Git {
    /// The default branch of a repository.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            reference: String::new(),
            subdir: String::new(),
            checksum: None,
            keep_git_dir: false,
            skip_submodules: false,
            commit_time: false,
            auth_token_secret: None,
            auth_header_secret: None,
            known_ssh_hosts: String::new(),
            ssh_agent: None,
        }
    }

    pub(crate) fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        let remote = Remote::read(&self.url);
        let ssh = remote.ssh;
        let subdir = self.subdir.trim_matches('/');
        let mut attrs = Attributes::new(remote.identifier(&self.reference, subdir), caps::GIT, to);
        attrs.set_with(caps::GIT_URL, "git.fullurl", self.url);
        let token = (
            self.auth_token_secret,
            "git.authtokensecret",
            "GIT_AUTH_TOKEN",
        );
        let header = (
            self.auth_header_secret,
            "git.authheadersecret",
            "GIT_AUTH_HEADER",
        );
        for (secret, key, usual) in [token, header] {
            match secret {
                Some(secret) => attrs.set_with(caps::GIT_AUTH, key, secret),
                None => attrs.set(key, usual),
            }
        }
        if ssh {
            let hosts = self.known_ssh_hosts;
            attrs.set_with(caps::GIT_KNOWN_HOSTS, "git.knownsshhosts", hosts);
            let agent = self.ssh_agent.unwrap_or_else(|| "default".to_owned());
            attrs.set_with(caps::GIT_SSH, "git.mountsshsock", agent);
        }
        let checksum = self.checksum.unwrap_or_default();
        attrs.set_with(caps::GIT_CHECKSUM, "git.checksum", checksum);
        if self.keep_git_dir {
            attrs.set_with(caps::GIT_KEEP_DIR, "git.keepgitdir", "true");
        }
        if self.skip_submodules {
            attrs.set_with(caps::GIT_SUBMODULES, "git.skipsubmodules", "true");
        }
        if self.commit_time {
            attrs.set_with(caps::GIT_MTIME, "git.mtime", "commit");
        }
        attrs.done()
    }
}

/// A repository's address, taken apart.
struct Remote<'a> {
    /// With its port.
    host: &'a str,
    path: &'a str,
    ssh: bool,
}

impl<'a> Remote<'a> {
    fn read(url: &'a str) -> Self {
        if let Some((scheme, rest)) = url.split_once("://") {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Self {
                host: without_user(authority),
                path,
                ssh: scheme == "ssh",
            };
        }
        // `user@host:path`, as ssh and scp have it.
        let (authority, path) = url.split_once([':', '/']).unwrap_or((url, ""));
        Self {
            host: without_user(authority),
            path,
            ssh: authority.contains('@'),
        }
    }

    /// The same for every protocol, so that caches are.
    fn identifier(&self, reference: &str, subdir: &str) -> String {
        let path = self.path.trim_start_matches('/');
        let mut identifier = format!("git://{}/{path}", self.host);
        if !reference.is_empty() || !subdir.is_empty() {
            identifier.push('#');
            identifier.push_str(reference);
        }
        if !subdir.is_empty() {
            identifier.push(':');
            identifier.push_str(subdir);
        }
        identifier
    }
}

fn without_user(authority: &str) -> &str {
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::Remote;

    #[test]
    fn one_identifier_for_every_protocol() {
        for url in [
            "https://example.com/org/app.git",
            "https://user:token@example.com/org/app.git",
            "ssh://git@example.com/org/app.git",
            "git@example.com:org/app.git",
        ] {
            let remote = Remote::read(url);
            assert_eq!(
                remote.identifier("", ""),
                "git://example.com/org/app.git",
                "{url}"
            );
            assert_eq!(
                remote.identifier("v1", "sub"),
                "git://example.com/org/app.git#v1:sub",
                "{url}"
            );
        }
        let remote = Remote::read("https://example.com:8443/app");
        assert_eq!(remote.identifier("", "d"), "git://example.com:8443/app#:d");
    }

    #[test]
    fn ssh_is_told_from_the_rest() {
        assert!(Remote::read("ssh://example.com/app").ssh);
        assert!(Remote::read("git@example.com:app").ssh);
        assert!(!Remote::read("https://git@example.com/app").ssh);
        assert!(!Remote::read("example.com/app").ssh);
        assert!(!Remote::read("").ssh);
    }
}
