//! The frontend against a fake daemon.

mod build;
mod process;
mod support;
