//! Definitions made by others, changed.

mod added;
mod broken;
mod cases;
mod generate;
mod graph;
mod model;
mod random;
mod wire;
