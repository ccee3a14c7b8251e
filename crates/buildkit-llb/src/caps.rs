//! Capabilities: what a daemon must know for an operation, and since when it does.
//!
//! A definition names the capabilities that it needs (`Definition::required_caps`); a daemon
//! names those that it has when it is pinged.

pub(crate) const CONSTRAINTS: &str = "constraints";
pub(crate) const DIFF: &str = "diffop";
pub(crate) const EXEC: &str = "exec.meta.base";
pub(crate) const EXEC_CGROUP_PARENT: &str = "exec.meta.cgroup.parent";
pub(crate) const EXEC_DEFAULT_PATH: &str = "exec.meta.setsdefaultpath";
pub(crate) const EXEC_EXIT_CODES: &str = "exec.validexitcode";
/// Limits of memory and processors.
pub const EXEC_LINUX_RESOURCES: &str = "exec.meta.linux.resources";
pub(crate) const EXEC_NETWORK: &str = "exec.meta.network";
pub(crate) const EXEC_PROXY: &str = "exec.meta.proxyenv";
pub(crate) const EXEC_SECRET_ENV: &str = "exec.secretenv";
pub(crate) const EXEC_SECURITY: &str = "exec.meta.security";
pub(crate) const EXEC_ULIMIT: &str = "exec.meta.ulimit";
pub(crate) const FILE: &str = "file.base";
pub(crate) const FILE_COPY_PATTERNS: &str = "file.copy.includeexcludepatterns";
pub(crate) const FILE_COPY_REPLACE: &str = "file.copy.alwaysreplaceexistingdestpaths";
/// Paths that must be among what a copy includes.
pub const FILE_COPY_REQUIRED: &str = "file.copy.requiredpaths";
pub(crate) const FILE_RM_WILDCARD: &str = "file.rm.wildcard";
pub(crate) const FILE_SYMLINK: &str = "file.symlink.create";
pub(crate) const GIT: &str = "source.git";
pub(crate) const GIT_AUTH: &str = "source.git.httpauth";
pub(crate) const GIT_CHECKSUM: &str = "source.git.checksum";
pub(crate) const GIT_KEEP_DIR: &str = "source.git.keepgitdir";
pub(crate) const GIT_KNOWN_HOSTS: &str = "source.git.knownsshhosts";
pub(crate) const GIT_MTIME: &str = "source.git.mtime";
pub(crate) const GIT_SSH: &str = "source.git.mountsshsock";
pub(crate) const GIT_SUBMODULES: &str = "source.git.skipsubmodules";
pub(crate) const GIT_URL: &str = "source.git.fullurl";
pub(crate) const HTTP: &str = "source.http";
pub(crate) const HTTP_AUTH: &str = "source.http.auth";
pub(crate) const HTTP_CHECKSUM: &str = "source.http.checksum";
pub(crate) const HTTP_HEADER: &str = "source.http.header";
/// Not a slip of the pen here: BuildKit spells it so.
pub(crate) const HTTP_OWNER: &str = "soruce.http.uidgid";
pub(crate) const HTTP_PERM: &str = "source.http.perm";
pub(crate) const IMAGE: &str = "source.image";
pub(crate) const IMAGE_CHECKSUM: &str = "source.image.checksum";
pub(crate) const IMAGE_LAYER_LIMIT: &str = "source.image.layerlimit";
pub(crate) const IMAGE_RESOLVE_MODE: &str = "source.image.resolvemode";
pub(crate) const LOCAL: &str = "source.local";
pub(crate) const LOCAL_EXCLUDE: &str = "source.local.excludepatterns";
pub(crate) const LOCAL_FOLLOW: &str = "source.local.followpaths";
pub(crate) const LOCAL_HINT: &str = "source.local.sharedkeyhint";
pub(crate) const LOCAL_INCLUDE: &str = "source.local.includepatterns";
pub(crate) const LOCAL_SESSION: &str = "source.local.sessionid";
pub(crate) const LOCAL_UNIQUE: &str = "source.local.unique";
/// Laying filesystems over one another.
pub const MERGE: &str = "mergeop";
pub(crate) const META_DESCRIPTION: &str = "meta.description";
pub(crate) const META_EXPORT_CACHE: &str = "meta.exportcache";
pub(crate) const META_IGNORE_CACHE: &str = "meta.ignorecache";
pub(crate) const MOUNT_BIND: &str = "exec.mount.bind";
pub(crate) const MOUNT_CACHE: &str = "exec.mount.cache";
pub(crate) const MOUNT_CACHE_SHARING: &str = "exec.mount.cache.sharing";
pub(crate) const MOUNT_CONTENT_CACHE: &str = "exec.mount.cache.content";
pub(crate) const MOUNT_DISCARDED: &str = "exec.mount.bind.readwrite-nooutput";
pub(crate) const MOUNT_SECRET: &str = "exec.mount.secret";
pub(crate) const MOUNT_SELECTOR: &str = "exec.mount.selector";
pub(crate) const MOUNT_SSH: &str = "exec.mount.ssh";
pub(crate) const MOUNT_TMPFS: &str = "exec.mount.tmpfs";
pub(crate) const MOUNT_TMPFS_SIZE: &str = "exec.mount.tmpfs.size";
pub(crate) const OCI_LAYOUT: &str = "source.ocilayout";
pub(crate) const PLATFORM: &str = "platform";

/// The first `BuildKit` release that has a capability, such as `v0.10.0`; nothing if unknown.
///
/// ```
/// assert_eq!(buildkit_llb::caps::since("mergeop"), Some("v0.10.0"));
/// ```
pub fn since(cap: &str) -> Option<&'static str> {
    let at = SINCE.binary_search_by(|(name, _)| (*name).cmp(cap)).ok()?;
    Some(SINCE[at].1)
}

/// Sorted by name. What the oldest release with capabilities had is `v0.3.0`.
const SINCE: &[(&str, &str)] = &[
    ("cache.azblob", "v0.11.0"),
    ("cache.gha", "v0.9.0"),
    ("cache.s3", "v0.11.0"),
    ("constraints", "v0.3.0"),
    ("diffop", "v0.10.0"),
    ("exec.cgroup", "v0.3.0"),
    ("exec.meta.base", "v0.3.0"),
    ("exec.meta.cdi", "v0.20.0"),
    ("exec.meta.cgroup.parent", "v0.10.0"),
    ("exec.meta.linux.resources", "v0.31.0"),
    ("exec.meta.network", "v0.3.0"),
    ("exec.meta.network.proxy", "v0.31.0"),
    ("exec.meta.proxyenv", "v0.3.0"),
    ("exec.meta.removemountstubs.recursive", "v0.11.0"),
    ("exec.meta.security", "v0.5.0"),
    ("exec.meta.security.devices.v1", "v0.7.0"),
    ("exec.meta.setsdefaultpath", "v0.3.0"),
    ("exec.meta.ulimit", "v0.10.0"),
    ("exec.mount.bind", "v0.3.0"),
    ("exec.mount.bind.readwrite-nooutput", "v0.7.0"),
    ("exec.mount.cache", "v0.3.0"),
    ("exec.mount.cache.content", "v0.13.0"),
    ("exec.mount.cache.sharing", "v0.3.0"),
    ("exec.mount.secret", "v0.3.0"),
    ("exec.mount.selector", "v0.3.0"),
    ("exec.mount.ssh", "v0.3.0"),
    ("exec.mount.tmpfs", "v0.3.0"),
    ("exec.mount.tmpfs.size", "v0.10.0"),
    ("exec.secretenv", "v0.10.0"),
    ("exec.validexitcode", "v0.17.0"),
    ("exporter.image.annotations", "v0.11.0"),
    ("exporter.image.attestations", "v0.11.0"),
    ("exporter.multiple", "v0.13.0"),
    ("exporter.session", "v0.21.0"),
    ("exporter.sourcedateepoch", "v0.11.0"),
    ("file.base", "v0.5.0"),
    ("file.copy.alwaysreplaceexistingdestpaths", "v0.14.0"),
    ("file.copy.includeexcludepatterns", "v0.9.0"),
    ("file.copy.modestring", "v0.17.0"),
    ("file.copy.requiredpaths", "v0.26.0"),
    ("file.rm.nofollowsymlink", "v0.10.0"),
    ("file.rm.wildcard", "v0.7.0"),
    ("file.symlink.create", "v0.19.0"),
    ("gc.freespacefilter", "v0.17.0"),
    ("history.filter", "v0.20.0"),
    ("mergeop", "v0.10.0"),
    ("meta.description", "v0.3.0"),
    ("meta.exportcache", "v0.3.0"),
    ("meta.ignorecache", "v0.3.0"),
    ("passthroughop", "v0.31.0"),
    ("platform", "v0.3.0"),
    ("soruce.http.uidgid", "v0.3.0"),
    ("source.buildop.llbfilename", "v0.3.0"),
    ("source.git", "v0.3.0"),
    ("source.git.bundle", "v0.30.0"),
    ("source.git.checkoutbundle", "v0.30.0"),
    ("source.git.checksum", "v0.22.0"),
    ("source.git.fetchbycommit", "v0.30.0"),
    ("source.git.fullurl", "v0.3.0"),
    ("source.git.httpauth", "v0.8.0"),
    ("source.git.keepgitdir", "v0.3.0"),
    ("source.git.knownsshhosts", "v0.8.0"),
    ("source.git.mountsshsock", "v0.8.0"),
    ("source.git.mtime", "v0.29.0"),
    ("source.git.signatureverify", "v0.26.0"),
    ("source.git.skipsubmodules", "v0.24.0"),
    ("source.git.subdir", "v0.9.0"),
    ("source.http", "v0.3.0"),
    ("source.http.auth", "v0.21.0"),
    ("source.http.checksum", "v0.3.0"),
    ("source.http.header", "v0.21.0"),
    ("source.http.perm", "v0.3.0"),
    ("source.http.signatureverify", "v0.28.0"),
    ("source.image", "v0.3.0"),
    ("source.image.checksum", "v0.25.0"),
    ("source.image.layerlimit", "v0.11.0"),
    ("source.image.resolvemode", "v0.3.0"),
    ("source.imageblob", "v0.28.0"),
    ("source.local", "v0.3.0"),
    ("source.local.differ", "v0.9.0"),
    ("source.local.excludepatterns", "v0.3.0"),
    ("source.local.followpaths", "v0.3.0"),
    ("source.local.includepatterns", "v0.3.0"),
    ("source.local.metadatatransfer", "v0.21.0"),
    ("source.local.sessionid", "v0.3.0"),
    ("source.local.sharedkeyhint", "v0.3.0"),
    ("source.local.unique", "v0.3.0"),
    ("source.ocilayout", "v0.11.0"),
    ("source.policy", "v0.11.0"),
    ("source.policy.session", "v0.26.0"),
];

#[cfg(test)]
mod tests {
    use super::{SINCE, since};

    #[test]
    fn sorted_so_that_every_entry_is_found() {
        assert!(SINCE.is_sorted());
        for (cap, version) in SINCE {
            assert_eq!(since(cap), Some(*version), "{cap}");
        }
        assert_eq!(since("no.such.cap"), None);
    }
}
