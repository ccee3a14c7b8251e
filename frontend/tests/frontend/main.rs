//! The frontend against a fake daemon.

mod asked;
mod build;
mod dockerfile;
mod named;
mod process;
mod requests;
mod support;
