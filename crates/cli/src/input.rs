//! Where the spec and the build context are.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use larder_diagnostic::SourceFile;
use larder_plan::ignore;

/// The spec's name in a context.
pub(crate) const SPEC: &str = "larder.yaml";

/// A spec and its context, as read from disk.
pub(crate) struct Input {
    /// The spec, under the name by which the user knows it.
    pub(crate) shown: SourceFile,
    /// The spec, under its path in the context: the same from wherever it is read.
    pub(crate) in_context: SourceFile,
    /// The path of the spec.
    pub(crate) spec: PathBuf,
    /// The path of the context.
    pub(crate) context: PathBuf,
    /// The context, without links on the way.
    pub(crate) root: PathBuf,
    /// The patterns of `.dockerignore`.
    pub(crate) ignore: Vec<String>,
}

impl Input {
    /// Finds and reads the spec and `.dockerignore`. `path` is the context or a spec in it; with
    /// `file`, the context.
    pub(crate) fn read(path: &Path, file: Option<&Path>) -> Result<Input> {
        let is_directory = match fs::metadata(path) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("{}: there is no such file or directory", path.display())
            }
            Err(error) => return Err(error).context(path.display().to_string()),
        };
        let (context, spec) = match file {
            Some(_) if !is_directory => bail!(
                "{}: with --file, PATH is the build context, a directory",
                path.display()
            ),
            Some(file) => (path.to_owned(), file.to_owned()),
            None if is_directory => (path.to_owned(), in_directory(path)?),
            None => (parent(path).to_owned(), path.to_owned()),
        };
        let root = fs::canonicalize(&context).with_context(|| context.display().to_string())?;
        let name = spec.display().to_string();
        let bytes = read_file(&spec, SourceFile::MAX_BYTES)?;
        let shown = SourceFile::from_bytes(name, bytes).map_err(anyhow::Error::msg)?;
        let in_context = SourceFile::new(name_in_context(&root, &spec), shown.text.clone());
        let ignore = read_ignore(&root, &spec)?;
        Ok(Input {
            shown,
            in_context,
            spec,
            context,
            root,
            ignore,
        })
    }
}

/// The spec of a context.
fn in_directory(directory: &Path) -> Result<PathBuf> {
    // `./larder.yaml` is what everyone calls `larder.yaml`.
    let spec = if directory == Path::new(".") {
        PathBuf::from(SPEC)
    } else {
        directory.join(SPEC)
    };
    match fs::canonicalize(&spec) {
        Ok(real) => {
            let root =
                fs::canonicalize(directory).with_context(|| directory.display().to_string())?;
            ensure!(
                real.starts_with(root),
                "{}: the link leads out of the build context; name the spec with --file",
                spec.display()
            );
            Ok(spec)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "{}: there is no {SPEC} in it; create one, beginning with `# syntax=larder/frontend:1` \
             and `from: IMAGE`, or name another file with --file",
            directory.display()
        ),
        Err(error) => Err(error).context(spec.display().to_string()),
    }
}

/// The directory that a file is in.
pub(crate) fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

impl Input {
    /// The path of the spec from the context, which may lead out of it.
    pub(crate) fn spec_from_context(&self) -> Result<String> {
        let above = fs::canonicalize(parent(&self.spec))
            .with_context(|| self.spec.display().to_string())?;
        let name = self.spec.file_name().map_or(self.spec.as_path(), Path::new);
        let real = above.join(name);
        let shared = self.root.components().zip(real.components());
        let shared = shared.take_while(|(one, other)| one == other).count();
        let up = self
            .root
            .components()
            .skip(shared)
            .map(|_| Component::ParentDir);
        let path: PathBuf = up.chain(real.components().skip(shared)).collect();
        path.into_os_string()
            .into_string()
            .map_err(|_| anyhow!("{}: the path is not UTF-8", self.spec.display()))
    }
}

/// The path below the context, or the last part of the path of a spec that is elsewhere.
fn name_in_context(root: &Path, spec: &Path) -> String {
    let last = spec.file_name().map_or(spec, Path::new);
    let real = fs::canonicalize(parent(spec)).map(|directory| directory.join(last));
    match &real {
        Ok(real) => real.strip_prefix(root).unwrap_or(last),
        Err(_) => last,
    }
    .display()
    .to_string()
}

/// `SPEC.dockerignore` beside the spec, or else the context's `.dockerignore`.
fn read_ignore(root: &Path, spec: &Path) -> Result<Vec<String>> {
    let mut own = spec.as_os_str().to_owned();
    own.push(".dockerignore");
    for path in [PathBuf::from(own), root.join(".dockerignore")] {
        if path.is_file() {
            let bytes = read_file(&path, SourceFile::MAX_BYTES)?;
            let file = SourceFile::from_bytes(path.display().to_string(), bytes);
            return Ok(ignore::parse(&file.map_err(anyhow::Error::msg)?.text));
        }
    }
    Ok(Vec::new())
}

/// Reads a regular file of at most so many bytes. Anything else could have no end.
pub(crate) fn read_file(path: &Path, most: usize) -> Result<Vec<u8>> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{shown}: there is no such file")
        }
        Err(error) => return Err(error).context(shown.to_string()),
    };
    ensure!(metadata.is_file(), "{shown}: this is not a regular file");
    ensure!(
        metadata.len() <= most as u64,
        "{shown}: the file has {} bytes, and at most {most} are read",
        metadata.len()
    );
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| shown.to_string())?;
    ensure!(
        bytes.len() <= most,
        "{shown}: the file grew past {most} bytes while it was read"
    );
    Ok(bytes)
}
