//! What tests against a real BuildKit need: the engine, a project, a build and its records, and a
//! proxy that counts what was downloaded, and whether two images are the same.

mod build;
mod command;
mod each;
mod engine;
pub mod language;
mod progress;
mod project;
pub mod proxy;
mod repository;
pub mod same;

pub use self::{
    build::{Build, Built},
    each::each,
    engine::{Base, Engine, unique},
    progress::{Progress, Vertex},
    project::Project,
    repository::Repository,
};
