//! The frontend against a fake daemon.

mod asked;
mod build;
mod contexts;
mod dockerfile;
mod epoch;
mod layers;
mod named;
mod process;
mod requests;
mod support;
