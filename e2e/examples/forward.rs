//! A frontend that solves the definition whose bytes are in the file to build, as it is.

use std::process::ExitCode;

use buildkit_llb::{Constraints, Definition, Graph, Local, Meta, Platform, Source};
use larder_gateway::{Bridge, Failure, Given, Image, Outcome, SolveRequest, StdioBridge};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.is_ok_and(|runtime| runtime.block_on(serve()));
    if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn serve() -> bool {
    let Ok(bridge) = StdioBridge::connect().await else {
        return false;
    };
    let outcome = forward(&bridge).await;
    match outcome {
        Ok(outcome) => bridge.return_outcome(outcome).await.is_ok(),
        Err(failure) => bridge.return_failure(&failure).await.is_ok(),
    }
}

async fn forward(bridge: &impl Bridge) -> Result<Outcome, Failure> {
    bridge.ping().await?;
    let options = Given::from_env(std::env::vars()).read()?;
    let file = options.filename.clone().unwrap_or_default();
    let local = Local {
        session: options.session_of("dockerfile").to_owned(),
        follow: vec![file.clone()],
        shared_key_hint: "forward".to_owned(),
        ..Local::new("dockerfile")
    };
    let mut graph = Graph::new();
    let loaded = graph.add(
        Source::Local(local),
        &Constraints::default(),
        Meta::named("[internal] load definition"),
    );
    let solve = |definition: Definition| {
        bridge.solve(SolveRequest {
            definition,
            ..SolveRequest::default()
        })
    };
    let loaded = solve(graph.definition(loaded.only())).await?;
    let bytes = bridge.read_file(&loaded, &file, 64 << 20).await?;
    let definition = Definition::from_bytes(&bytes)
        .map_err(|error| Failure::mistake(format!("{file}: {error}")))?;
    let reference = solve(definition).await?;
    let platform =
        Platform::parse("linux/amd64").map_err(|error| Failure::mistake(error.to_string()))?;
    Ok(Outcome::Single(Box::new(Image {
        platform,
        reference,
        config: br#"{"architecture":"amd64","os":"linux"}"#.to_vec(),
        base_config: None,
        annotations: Vec::new(),
        epoch: None,
    })))
}
