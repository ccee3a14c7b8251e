//! Files of the build context, found by path or pattern.

use larder_gateway::{Bridge, Failure, Ref};
use larder_plan::{ContextFiles, ignore};

/// The size of the largest manifest or lockfile that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The largest number of paths that one pattern may lead to.
const MAX_PATHS: usize = 10_000;

/// A result, and the directory in it that is the context.
pub(crate) struct Tree<'a> {
    pub(crate) reference: &'a Ref,
    pub(crate) subdir: &'a str,
}

impl Tree<'_> {
    /// Adds the files that a path or pattern leads to.
    pub(crate) async fn gather(
        &self,
        bridge: &impl Bridge,
        wanted: &str,
        files: &mut ContextFiles,
    ) -> Result<(), Failure> {
        for path in self.expand(bridge, wanted).await? {
            if ignore::is_ignored(&files.ignore, &path) || files.found.contains_key(&path) {
                continue;
            }
            if let Some(text) = self.read(bridge, &path).await? {
                files.found.insert(path, text);
            }
        }
        Ok(())
    }

    /// The paths that a pattern may stand for; none outside the context.
    async fn expand(&self, bridge: &impl Bridge, pattern: &str) -> Result<Vec<String>, Failure> {
        let mut paths = vec![String::new()];
        for segment in pattern.split('/').filter(|s| !matches!(*s, "" | ".")) {
            if segment == ".." {
                return Ok(Vec::new());
            }
            let mut next = Vec::new();
            for path in &paths {
                if segment.contains(['*', '?', '[', '\\']) {
                    for name in self.names(bridge, path, segment).await? {
                        next.push(join(path, &name));
                    }
                } else {
                    next.push(join(path, segment));
                }
            }
            if next.len() > MAX_PATHS {
                return Err(Failure::mistake(format!(
                    "{pattern}: more than {MAX_PATHS} paths of the build context match"
                )));
            }
            paths = next;
        }
        Ok(paths)
    }

    /// The names in a directory that match, sorted; none if there is no such directory.
    async fn names(
        &self,
        bridge: &impl Bridge,
        directory: &str,
        segment: &str,
    ) -> Result<Vec<String>, Failure> {
        let path = self.inside(directory);
        let entries = match bridge.read_dir(self.reference, &path, None).await {
            Err(failure) if failure.is_not_found() => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names: Vec<String> = entries
            .into_iter()
            .map(|entry| entry.path.trim_matches('/').to_owned())
            .filter(|name| name == segment || ignore::matches(segment, name))
            .collect();
        names.sort();
        Ok(names)
    }

    /// A file's text; nothing if there is no such file.
    async fn read(&self, bridge: &impl Bridge, path: &str) -> Result<Option<String>, Failure> {
        let inside = self.inside(path);
        match bridge.stat_file(self.reference, &inside).await {
            Err(failure) if failure.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
            Ok(stat) if stat.is_dir() => return Ok(None),
            Ok(_) => {}
        }
        let limit = MAX_BYTES as u64 + 1;
        let bytes = bridge.read_file(self.reference, &inside, limit).await?;
        if bytes.len() > MAX_BYTES {
            return Err(Failure::mistake(format!(
                "{path}: the file has more than {MAX_BYTES} bytes, too many for a manifest"
            )));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Failure::mistake(format!("{path}: the file is not UTF-8")))
    }

    fn inside(&self, path: &str) -> String {
        format!("/{}", join(self.subdir.trim_matches('/'), path))
    }
}

fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}
