//! Layers that two daemons share through a registry, and through nothing else.

mod killed;
mod lost;
mod scene;
mod shared;
