//! The frontend: what `BuildKit` runs to build a spec, or a Dockerfile with caches. Wiring only; it
//! decides nothing.
//!
//! ```text
//!             ┌▶ spec: origin ─▶ spec::parse ─▶ plan ⇄ facts ─┬▶ lower ─▶ solve ─▶ the result
//!             │                                              └▶ ask: what was asked in place of a build
//! entrance ───┤
//!             └▶ dockerfile: another frontend ─▶ inject ⇄ facts ─▶ solve ─▶ its result, otherwise as it came
//! ```

mod ask;
mod dockerfile;
mod entrance;
mod epoch;
mod facts;
mod layers;
mod locate;
mod named;
mod origin;
mod paths;
mod report;
mod request;
mod spec;

use larder_gateway::{Bridge, Failure, Given, Outcome, cap};

use crate::entrance::Entrance;

/// Builds what the environment of the process asks for, and returns the result or the error to the
/// daemon. The error is for the exit code: the daemon has been told, unless it cannot be reached.
pub async fn run(
    bridge: &impl Bridge,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Failure> {
    let given = Given::from_env(variables);
    match build(bridge, &given).await {
        Ok(outcome) => bridge.return_outcome(outcome).await,
        Err(failure) => {
            if !failure.is_disconnected() {
                bridge.return_failure(&failure).await?;
            }
            Err(failure)
        }
    }
}

/// Builds what the client asks for.
pub async fn build(bridge: &impl Bridge, given: &Given) -> Result<Outcome, Failure> {
    let capabilities = bridge.ping().await?;
    for needed in [cap::SOLVE, cap::READ_FILE, cap::RETURN] {
        capabilities.require(needed)?;
    }
    match entrance::find(bridge, &capabilities, given).await? {
        Entrance::Spec(spec) => {
            let (options, found) = *spec;
            spec::build(bridge, &capabilities, &options, found).await
        }
        Entrance::Other(found) => {
            dockerfile::build(bridge, &capabilities, given, found.as_deref()).await
        }
    }
}
