use std::{collections::BTreeMap, fmt::Write as _, io::Read, ops::Bound};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tar::EntryType;

/// What a layer does to the filesystem below it, in the order of its tar.
#[derive(Debug, Default)]
pub struct Layer {
    changes: Vec<(String, Change)>,
}

#[derive(Debug)]
enum Change {
    Put(Node),
    /// Removes what lower layers have at a path.
    Remove,
    /// Removes what lower layers have below a path.
    Empty,
}

/// What is at a path. Its times are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: &'static str,
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    /// Of a regular file.
    pub(super) size: u64,
    /// SHA-256 of what is in a regular file.
    pub(super) content: String,
    /// Where a symbolic link leads, or the path that has the same inode.
    pub(super) link: String,
    pub(super) device: Option<(u32, u32)>,
    pub(super) attributes: BTreeMap<String, Vec<u8>>,
}

/// A filesystem: nodes by absolute path.
pub(super) type Tree<'a> = BTreeMap<&'a str, &'a Node>;

impl Layer {
    /// Reads a tar, compressed by gzip.
    pub fn gzip(from: impl Read) -> Result<Self> {
        Self::tar(GzDecoder::new(from))
    }

    /// Reads a tar.
    pub fn tar(from: impl Read) -> Result<Self> {
        let mut layer = Self::default();
        let mut archive = tar::Archive::new(from);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = absolute(&String::from_utf8_lossy(&entry.path_bytes()));
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let change = match name.strip_prefix(".wh.") {
                Some(".wh..opq") => (whole(parent), Change::Empty),
                Some(removed) => (format!("{parent}/{removed}"), Change::Remove),
                None => {
                    let node = layer
                        .node(&path, &mut entry)
                        .with_context(|| format!("cannot read {path}"))?;
                    (path, Change::Put(node))
                }
            };
            layer.changes.push(change);
        }
        Ok(layer)
    }

    fn node(&self, path: &str, entry: &mut tar::Entry<'_, impl Read>) -> Result<Node> {
        let link = entry
            .link_name_bytes()
            .map(|link| String::from_utf8_lossy(&link).into_owned())
            .unwrap_or_default();
        let header = entry.header();
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous => "file",
            EntryType::Directory => "directory",
            EntryType::Symlink => "symbolic link",
            EntryType::Char => "character device",
            EntryType::Block => "block device",
            EntryType::Fifo => "fifo",
            EntryType::Link => return self.hard_link(&absolute(&link)),
            other => bail!("tar entries of the type {other:?} are not known"),
        };
        let mut node = Node {
            kind,
            mode: header.mode()? & 0o7777,
            owner: (header.uid()?, header.gid()?),
            link,
            ..Node::default()
        };
        if kind.ends_with("device") {
            node.device = header.device_major()?.zip(header.device_minor()?);
        }
        for extension in entry.pax_extensions()?.into_iter().flatten() {
            let extension = extension?;
            if let Some(name) = extension.key()?.strip_prefix("SCHILY.xattr.") {
                let value = extension.value_bytes().to_vec();
                node.attributes.insert(name.to_owned(), value);
            }
        }
        if kind == "file" {
            (node.size, node.content) = read(path, entry)?;
        }
        Ok(node)
    }

    /// The node of a path that came before, under one name more.
    fn hard_link(&self, to: &str) -> Result<Node> {
        let first = self.changes.iter().rev().find_map(|change| match change {
            (path, Change::Put(node)) if path == to => Some(node),
            _ => None,
        });
        let first = first.with_context(|| format!("a hard link to {to}, which is not there"))?;
        Ok(Node {
            link: to.to_owned(),
            ..first.clone()
        })
    }

    /// Changes the filesystem below as this layer says.
    pub(super) fn apply<'a>(&'a self, tree: &mut Tree<'a>) {
        for (path, change) in &self.changes {
            match change {
                Change::Remove => {
                    tree.remove(&**path);
                    empty(tree, path);
                }
                Change::Empty => empty(tree, path),
                Change::Put(_) => {}
            }
        }
        for (path, change) in &self.changes {
            if let Change::Put(node) = change {
                if node.kind != "directory" {
                    empty(tree, path);
                }
                tree.insert(path, node);
            }
        }
    }
}

/// Removes what is below a path.
fn empty(tree: &mut Tree<'_>, path: &str) {
    let below = format!("{}/", path.trim_end_matches('/'));
    let gone: Vec<&str> = tree
        .range::<str, _>((Bound::Included(&*below), Bound::Unbounded))
        .map(|(path, _)| *path)
        .take_while(|path| path.starts_with(&below))
        .collect();
    for path in gone {
        if path != "/" {
            tree.remove(path);
        }
    }
}

fn absolute(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    whole(&format!("/{}", if path == "." { "" } else { path }))
}

fn whole(path: &str) -> String {
    if path.is_empty() { "/" } else { path }.to_owned()
}

/// Size and digest of a file. Bytecode of Python by time holds that of its source: left out.
fn read(path: &str, from: &mut impl Read) -> Result<(u64, String)> {
    let mut head = Vec::new();
    from.take(16).read_to_end(&mut head)?;
    let bytecode =
        path.rsplit('.').next() == Some("pyc") && head.len() == 16 && head[4..8] == [0; 4];
    if bytecode {
        head[8..12].fill(0);
    }
    let mut digest = Sha256::new();
    digest.update(&head);
    let mut size = head.len() as u64;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
    let mut content = String::new();
    for byte in digest.finalize() {
        let _ = write!(content, "{byte:02x}");
    }
    Ok((size, content))
}
