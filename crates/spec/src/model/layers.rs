//! `registry-cache`: where the layers of a build are kept for other machines.

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use crate::decode::{is_time, truth};
use crate::language::{
    AZBLOB_CACHE, GHA_CACHE, INLINE_CACHE, Key, LOCAL_CACHE, Mapping, REGISTRY_PLACE, S3_CACHE,
    Shape,
};
use crate::suggest;
use crate::template::Template;

/// `registry-cache`, with what is written once for both directions put into both.
#[derive(Clone, Debug)]
pub struct RegistryCache {
    /// Where layers are looked for, in the order of the spec. BuildKit asks all of them at once.
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

/// Which way layers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a place into builds.
    Import,
    /// From a build to a place.
    Export,
}

impl Direction {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Import => "import",
            Direction::Export => "export",
        }
    }

    /// Whether a key means something in this direction.
    pub(crate) fn takes(self, key: &str) -> bool {
        match self {
            Direction::Import => !OF_EXPORTS.contains(&key),
            Direction::Export => !OF_IMPORTS.contains(&key),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn other(self) -> Direction {
        match self {
            Direction::Import => Direction::Export,
            Direction::Export => Direction::Import,
        }
    }
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

/// A value that is not what its key takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongValue {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl WrongValue {
    /// The mistake, where it is written.
    pub fn at(self, place: impl Into<Option<Span>>) -> Diagnostic {
        let diagnostic = Diagnostic::error(place, self.message);
        match self.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

/// BuildKit's name of what specs call `insecure`.
const INSECURE: &str = "registry.insecure";

/// What exports take and imports do not.
const OF_EXPORTS: [&str; 11] = [
    "compression",
    "compression-level",
    "dest",
    "force-compression",
    "ignore-error",
    "image-manifest",
    "mode",
    "oci-mediatypes",
    "reset",
    "touch_refresh",
    "upload_parallelism",
];

/// What imports take and exports do not.
const OF_IMPORTS: [&str; 2] = ["digest", "src"];

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

    /// The keys of its mapping.
    pub(crate) fn table(self) -> &'static Mapping {
        match self {
            BackendKind::Registry => &REGISTRY_PLACE,
            BackendKind::Inline => &INLINE_CACHE,
            BackendKind::Local => &LOCAL_CACHE,
            BackendKind::Gha => &GHA_CACHE,
            BackendKind::S3 => &S3_CACHE,
            BackendKind::Azblob => &AZBLOB_CACHE,
        }
    }

    /// The key without which nobody knows where the place is.
    pub(crate) fn place(self, direction: Direction) -> Option<&'static str> {
        match (self, direction) {
            (BackendKind::Registry, _) => Some("ref"),
            (BackendKind::Local, Direction::Import) => Some("src"),
            (BackendKind::Local, Direction::Export) => Some("dest"),
            _ => None,
        }
    }

    /// Whether layers go this way at all.
    pub fn goes(self, direction: Direction) -> bool {
        self != BackendKind::Inline || direction == Direction::Export
    }

    /// BuildKit's name of a key.
    pub(crate) fn option_of(self, key: &str) -> &str {
        match (self, key) {
            (BackendKind::Registry, "insecure") => INSECURE,
            _ => key,
        }
    }

    /// The key of a BuildKit option.
    pub fn key_of(self, option: &str) -> &str {
        match option {
            INSECURE => "insecure",
            _ => option,
        }
    }

    fn shape(self, key: &str) -> Option<&'static Shape> {
        let mut keys = self.table().keys.iter();
        let found: Option<&Key> = keys.find(|one| one.name == key);
        let found = found.map(|key| &key.takes);
        found.map(|takes| {
            if let Shape::OneOf([shape, Shape::Arg]) = takes {
                shape
            } else {
                takes
            }
        })
    }

    /// What a key takes, in words.
    pub(crate) fn expected(self, key: &str) -> String {
        match self.shape(key) {
            Some(Shape::Bool) => "`true` or `false`".to_owned(),
            Some(Shape::Word(words)) => {
                format!("one of {}", suggest::list(words.iter().copied()))
            }
            Some(Shape::Integer(least, most)) => format!("a number from {least} to {most}"),
            Some(Shape::Duration) => "a time such as `10m`".to_owned(),
            _ => "text".to_owned(),
        }
    }

    /// Whether a value, with nothing left to fill in, is what a key or an option takes.
    pub fn check(self, option: &str, value: &str) -> Result<(), WrongValue> {
        let key = self.key_of(option);
        let Some(shape) = self.shape(key) else {
            return Ok(());
        };
        let hint = match shape {
            Shape::Bool if matches!(value, "true" | "false") => return Ok(()),
            Shape::Bool => truth(value).map(|meant| format!("write `{meant}`")),
            Shape::Word(words) if words.contains(&value) => return Ok(()),
            Shape::Word(words) => {
                let meant = suggest::closest(value, words.iter().copied());
                meant.map(|meant| format!("did you mean `{meant}`?"))
            }
            Shape::Integer(least, most) => {
                let digits = value.bytes().all(|b| b.is_ascii_digit());
                let number = value.parse::<u64>().ok().filter(|_| digits);
                if number.is_some_and(|number| (*least..=*most).contains(&number)) {
                    return Ok(());
                }
                None
            }
            Shape::Duration if is_time(value) => return Ok(()),
            Shape::Duration => {
                Some("write whole numbers with `h`, `m`, `s` or `ms`, as in `1m30s`".to_owned())
            }
            _ if !value.trim().is_empty() => return Ok(()),
            _ => {
                return Err(WrongValue {
                    message: format!("`{key}` is empty"),
                    hint: Some("write something, or leave it out".to_owned()),
                });
            }
        };
        let message = format!("`{key}` takes {}, not {}", self.expected(key), quote(value));
        Err(WrongValue { message, hint })
    }
}
