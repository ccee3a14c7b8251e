//! The frontend against a fake daemon.

mod build;
mod named;
mod process;
mod support;
