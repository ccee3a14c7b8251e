//! What a frontend can ask of a daemon.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use buildkit_llb::{Definition, Platform, ResolveMode};
use buildkit_proto::fsutil::types::Stat;

use crate::{Capabilities, Excerpt, Failure, FrontendRequest, Outcome, RawResult};

/// A daemon, as a frontend sees it.
pub trait Bridge {
    /// Says that the frontend is there, and asks what the daemon can do.
    fn ping(&self) -> impl Future<Output = Result<Capabilities, Failure>>;

    /// The digest and config of an image.
    fn resolve_image(
        &self,
        request: &ImageRequest,
    ) -> impl Future<Output = Result<ResolvedImage, Failure>>;

    /// When the source of a definition was made, in seconds since 1970: the commit of a repository,
    /// the last change of what an URL holds. `None` if the daemon does not know, or if the definition
    /// has not exactly one source. Progress shows `log_name`.
    fn source_time(
        &self,
        of: &Definition,
        log_name: &str,
    ) -> impl Future<Output = Result<Option<i64>, Failure>>;

    /// Hands a definition over. Nothing need run before the result is read or returned, unless the
    /// request says so.
    fn solve(&self, request: SolveRequest) -> impl Future<Output = Result<Ref, Failure>>;

    /// Has another frontend of the daemon's build. Nothing need run before the result is returned.
    fn solve_frontend(
        &self,
        request: FrontendRequest,
    ) -> impl Future<Output = Result<RawResult, Failure>>;

    /// Bytes of a file; fewer than asked for at its end.
    fn read_range(
        &self,
        from: &Ref,
        path: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, Failure>>;

    /// What a path of a result is.
    fn stat_file(&self, from: &Ref, path: &str) -> impl Future<Output = Result<FileStat, Failure>>;

    /// Entries of a directory of a result, one level deep; those that match the pattern, if any.
    fn read_dir(
        &self,
        from: &Ref,
        path: &str,
        pattern: Option<&str>,
    ) -> impl Future<Output = Result<Vec<FileStat>, Failure>>;

    /// Shows a warning beside the build.
    fn warn(&self, warning: Warning) -> impl Future<Output = Result<(), Failure>>;

    /// Definitions that the client gave beside the options.
    fn inputs(&self) -> impl Future<Output = Result<BTreeMap<String, Definition>, Failure>>;

    /// Ends the build well. To be called once, and then no `return_failure`.
    fn return_outcome(&self, outcome: Outcome) -> impl Future<Output = Result<(), Failure>>;

    /// Ends the build badly. To be called once, and then no `return_outcome`.
    fn return_failure(&self, failure: &Failure) -> impl Future<Output = Result<(), Failure>>;

    /// At most `limit` bytes of a file, in as many calls as it takes.
    fn read_file(
        &self,
        from: &Ref,
        path: &str,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<u8>, Failure>> {
        async move {
            let mut data = Vec::new();
            loop {
                let start = data.len() as u64;
                let end = limit.min(start + CHUNK);
                if start == end {
                    return Ok(data);
                }
                let chunk = self.read_range(from, path, start..end).await?;
                let last = (chunk.len() as u64) < end - start;
                data.extend(chunk);
                if last {
                    return Ok(data);
                }
            }
        }
    }

    /// As [`Bridge::read_file`]; nothing if there is no such file.
    fn read_file_if_any(
        &self,
        from: &Ref,
        path: &str,
        limit: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Failure>> {
        async move {
            match self.read_file(from, path, limit).await {
                Ok(data) => Ok(Some(data)),
                Err(failure) if failure.is_not_found() => Ok(None),
                Err(failure) => Err(failure),
            }
        }
    }
}

/// Half of what a message can hold.
const CHUNK: u64 = 8 << 20;

/// An image to look up.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRequest {
    /// Normalised: `docker.io/library/python:3.12-slim`.
    pub reference: String,
    /// Which one of a multi-platform image.
    pub platform: Platform,
    /// Where it may come from.
    pub mode: ResolveMode,
    /// What progress shows: `[internal] load metadata for …`.
    pub log_name: String,
    /// The client's OCI layout that it is in; a registry otherwise.
    pub layout: Option<Layout>,
}

/// An OCI layout of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The client's session.
    pub session: String,
    /// Which of the client's layouts.
    pub store: String,
}

/// An image that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedImage {
    /// As asked for, unless a policy of the daemon replaced it.
    pub reference: String,
    /// `sha256:…`.
    pub digest: String,
    /// JSON.
    pub config: Vec<u8>,
}

/// A definition to be solved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SolveRequest {
    /// The operations.
    pub definition: Definition,
    /// Where steps may be found done already.
    pub cache_imports: Vec<CacheImport>,
    /// Run it now, and fail now.
    pub evaluate: bool,
}

/// A place that holds a build cache.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheImport {
    /// `registry`, `local`, `gha`, …
    pub kind: String,
    /// What that kind needs: `ref`, `src`, …
    pub attrs: BTreeMap<String, String>,
}

/// A result inside the daemon.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ref {
    /// The daemon's name for it; empty for an empty filesystem.
    pub id: String,
    /// What it was solved from, by the daemon's account.
    pub definition: Option<Definition>,
}

/// What a path is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStat {
    /// Its name.
    pub path: String,
    /// Go's `fs.FileMode`: permissions below, kind in the high bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// In bytes.
    pub size: u64,
    /// Where a symbolic link points.
    pub link: String,
}

impl FileStat {
    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.mode & (1 << 31) != 0
    }
}

impl From<Stat> for FileStat {
    fn from(stat: Stat) -> FileStat {
        FileStat {
            path: stat.path,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            size: stat.size.try_into().unwrap_or(0),
            link: stat.linkname,
        }
    }
}

/// Something to show beside the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The digest of the operation that it is about, or of any other that was solved in this
    /// build: the daemon drops warnings about operations that it does not know.
    pub vertex: String,
    /// One line.
    pub short: String,
    /// More, a paragraph each.
    pub detail: Vec<String>,
    /// The lines to blame.
    pub excerpt: Option<Excerpt>,
}
