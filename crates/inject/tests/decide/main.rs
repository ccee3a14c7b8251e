//! What operations get.

mod case;
mod layouts;
mod rules;
mod tools;
