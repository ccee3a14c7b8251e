//! `registry-cache`: where the layers of a build are kept for other machines.

use larder_diagnostic::{Span, Spanned};

use crate::template::Template;

/// `registry-cache`, with what is written once for both directions put into both.
#[derive(Clone, Debug)]
pub struct RegistryCache {
    /// Where layers are looked for, in this order.
    pub import: Vec<CacheBackend>,
    /// Where a client writes them.
    pub export: Vec<CacheBackend>,
    /// The key.
    pub span: Span,
}

/// One place for layers.
#[derive(Clone, Debug)]
pub struct CacheBackend {
    /// What kind of place.
    pub kind: BackendKind,
    /// Its options by BuildKit's names (`ref`, `mode`, `registry.insecure`, …), in the order of the spec.
    pub options: Vec<(Spanned<String>, Template)>,
    /// Where it is written.
    pub span: Span,
}

/// The kinds of places for layers, by BuildKit's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackendKind {
    /// An image registry.
    Registry,
    /// The metadata of the image itself. It can only be exported to, and is imported as `registry`.
    Inline,
    /// A directory of the client's.
    Local,
    /// The cache of GitHub Actions.
    Gha,
    /// A bucket of S3.
    S3,
    /// Azure Blob Storage.
    Azblob,
}

impl BackendKind {
    /// Every one.
    pub const ALL: [BackendKind; 6] = [
        BackendKind::Registry,
        BackendKind::Inline,
        BackendKind::Local,
        BackendKind::Gha,
        BackendKind::S3,
        BackendKind::Azblob,
    ];

    /// BuildKit's name.
    pub fn name(self) -> &'static str {
        match self {
            BackendKind::Registry => "registry",
            BackendKind::Inline => "inline",
            BackendKind::Local => "local",
            BackendKind::Gha => "gha",
            BackendKind::S3 => "s3",
            BackendKind::Azblob => "azblob",
        }
    }
}
