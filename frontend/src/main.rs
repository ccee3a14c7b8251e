//! The program of the frontend image. `BuildKit` starts it, and speaks with it over standard input
//! and output.

use std::io::{self, Write as _};
use std::process::ExitCode;

use larder_gateway::StdioBridge;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve()),
        Err(error) => cannot_start(&error),
    }
}

async fn serve() -> ExitCode {
    let bridge = match StdioBridge::connect().await {
        Ok(bridge) => bridge,
        Err(error) if error.kind() == io::ErrorKind::NotConnected => return ExitCode::FAILURE,
        Err(error) => return cannot_start(&error),
    };
    let variables = std::env::vars_os().map(|(name, value)| {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        (text(name), text(value))
    });
    match larder_frontend::run(&bridge, variables).await {
        Ok(()) => ExitCode::SUCCESS,
        // The daemon has been told, or there is none to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn cannot_start(error: &io::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "larder-frontend: {error}");
    ExitCode::from(2)
}
