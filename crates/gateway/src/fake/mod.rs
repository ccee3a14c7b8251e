//! A daemon in the same process, for tests: it knows the images and files that it is told of,
//! fails where it is told to, and remembers what was asked.

mod bridge;
mod script;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buildkit_proto::google::rpc;
use buildkit_proto::moby::buildkit::v1::frontend as wire;

pub use script::{Call, FakeImage, Files, Script};
pub use server::serve;

use crate::{FrontendRequest, ImageRequest, SolveRequest, Warning};

/// A daemon in the same process. Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub struct FakeBridge {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    seen: Seen,
    /// What each reference that was given out holds.
    refs: BTreeMap<String, Files>,
}

/// What a [`FakeBridge`] was asked.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// In order.
    pub solved: Vec<SolveRequest>,
    /// What other frontends were asked, in order.
    pub forwarded: Vec<FrontendRequest>,
    /// In order.
    pub resolved: Vec<ImageRequest>,
    /// Identifiers of the sources whose time was asked for, in order.
    pub timed: Vec<String>,
    /// Paths of files that were read, or tried, in order.
    pub read: Vec<String>,
    /// In order.
    pub warnings: Vec<Warning>,
    /// How the build ended; the calls after the first one are errors.
    pub returned: Option<Returned>,
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// Well.
    Outcome(Box<wire::Result>),
    /// Badly.
    Error(rpc::Status),
}

impl FakeBridge {
    /// A daemon that follows a script.
    pub fn new(script: Script) -> FakeBridge {
        let state = State {
            script,
            ..State::default()
        };
        FakeBridge {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// The error that was returned; fails the test if there was none.
    pub fn returned_error(&self) -> rpc::Status {
        match self.seen().returned {
            Some(Returned::Error(status)) => status,
            other => panic!("no error was returned, but {other:?}"),
        }
    }

    /// The result that was returned; fails the test if there was none.
    pub fn returned_outcome(&self) -> wire::Result {
        match self.seen().returned {
            Some(Returned::Outcome(result)) => *result,
            other => panic!("no result was returned, but {other:?}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
