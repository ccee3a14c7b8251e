//! What operations get.

mod case;
mod classes;
mod layouts;
mod neutral;
mod rules;
mod tools;
