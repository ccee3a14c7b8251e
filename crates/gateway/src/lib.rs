//! The client of `BuildKit`'s gateway: what a frontend says to the daemon that runs it.
//!
//! A frontend is a process that speaks gRPC (service `LLBBridge`) over its standard input and
//! output. [`Bridge`] is that service, [`StdioBridge`] the real one, [`fake::FakeBridge`]
//! (feature `fake`) one in the same process, for tests. [`Options`] is what the client asked for,
//! [`Failure`] everything that can go wrong, in the form that the client prints.
//!
//! Knows nothing of specs and caches.

mod bridge;
mod capabilities;
mod excerpt;
mod failure;
#[cfg(feature = "fake")]
pub mod fake;
pub mod options;
mod outcome;
mod raw;
mod stdio;
mod time;
mod transport;
mod wire;

pub use bridge::{
    Bridge, CacheImport, FileStat, ImageRequest, Layout, Ref, ResolvedImage, SolveRequest, Warning,
};
pub use capabilities::{Cap, Capabilities, cap};
pub use excerpt::Excerpt;
pub use failure::Failure;
pub use options::{Given, Options};
pub use outcome::{AnnotatedPart, Annotation, Image, Outcome};
pub use raw::{FrontendRequest, Place, RawResult};
pub use stdio::StdioBridge;
