//! The frontend against a fake daemon.

mod build;
mod contexts;
mod dockerfile;
mod named;
mod process;
mod requests;
mod support;
