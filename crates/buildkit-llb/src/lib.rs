//! A typed graph of BuildKit's low-level builder operations (LLB), marshalled to canonical bytes.
//!
//! A [`Graph`] takes operations and gives out [`Vertex`] ids; a [`Definition`] is the part of it
//! that one [`Output`] needs, in the form that BuildKit solves.
//!
//! ```
//! use buildkit_llb::{Constraints, Exec, Graph, Image, ImageName, Meta, Platform};
//!
//! let mut graph = Graph::new();
//! let here = Constraints::on(Platform::parse("linux/amd64").unwrap());
//! let alpine = Image::new(&ImageName::parse("alpine").unwrap());
//! let alpine = graph.add(alpine, &here, Meta::named("alpine")).only();
//! let exec = Exec::new(Some(alpine), ["echo", "hello"]);
//! let hello = graph.add(exec, &here, Meta::default()).only();
//! let definition = graph.definition(hello);
//! assert_eq!(definition.vertices().count(), 2);
//! ```
//!
//! - **Canonical**: BuildKit marshals each operation again before it names it by digest. The
//!   bytes made here are those that it makes, so that [`Graph::digest`] is the digest in its
//!   progress stream, and source locations are found.
//! - **Shared by content**: adding an operation twice gives the same vertex.
//! - **Foreign definitions** are imported byte for byte, whatever is in them, and changed without
//!   losing what is not known here: see [`edit`].
//!
//! No wire type shows in the interface, except where a definition goes in or out.

pub mod caps;
mod definition;
mod digest;
pub mod edit;
mod exec;
mod file;
mod git;
pub mod git_url;
mod graph;
mod image_name;
mod import;
pub mod inspect;
mod json;
mod meta;
mod mount;
mod op;
mod platform;
mod resources;
mod source;
mod source_map;
mod wire;

pub use definition::Definition;
pub use digest::{Digest, InvalidDigest};
pub use exec::{Exec, ExtraHost, Network, ProxyEnv, SecretEnv, Security, Ulimit};
pub use file::{
    Account, Copy, CopyMode, File, FileAction, FileInput, FileStep, Mkdir, Mkfile, Owner, Rm,
    Symlink,
};
pub use git::Git;
pub use graph::{Graph, Output, Vertex};
pub use image_name::{ImageName, InvalidImageName};
pub use import::ImportError;
pub use meta::{Meta, ProgressGroup};
pub use mount::{Access, ContentCache, Mount, MountKind, Sharing};
pub use op::{Constraints, Op};
pub use platform::{InvalidPlatform, Platform};
pub use resources::LinuxResources;
pub use source::{Differ, Http, Image, Local, OciLayout, ResolveMode, Source};
pub use source_map::{SourceId, SourceInfo};
