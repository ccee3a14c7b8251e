//! Dockerfiles, read for where their instructions are, and changed by putting mounts in.
//!
//! Whatever is not added stays as it is, byte for byte. What instructions mean is not looked at: that
//! is BuildKit's affair.

mod flags;
mod heredoc;
mod mount;
mod rewrite;
mod scan;
mod words;

pub use mount::{CacheMount, Mount, Unwritable};
pub use rewrite::{Addition, Rewritten, Unplaced, rewrite};
pub use scan::{Dockerfile, Instruction, Unread};
