//! What tests against a real BuildKit need: the engine, and a second daemon beside it, a project, a build
//! and its records, a proxy that counts what was downloaded, a registry that can be shut, and whether two
//! images are the same.

mod build;
mod command;
mod daemon;
mod each;
mod engine;
pub mod gate;
pub mod language;
mod progress;
mod project;
pub mod proxy;
mod repository;
pub mod same;

pub use self::{
    build::{Build, Built},
    daemon::Daemon,
    each::each,
    engine::{Base, Engine, unique},
    gate::Gate,
    progress::{Progress, Vertex},
    project::Project,
    repository::Repository,
};
