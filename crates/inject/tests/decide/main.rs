//! What operations get.

mod case;
mod classes;
mod layouts;
mod rules;
mod tools;
