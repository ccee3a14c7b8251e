//! Whether two images are the same one: every path of their filesystems, their configs, their
//! histories; less what builds leave in the places of caches, and times.

mod compare;
mod image;
mod layer;
mod leftovers;
mod registry;

pub use self::{
    compare::{Difference, compare, same_result},
    image::{Image, Images},
    layer::Layer,
    leftovers::{Leftover, Leftovers, What},
};
