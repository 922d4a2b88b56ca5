//! The mapper from outside, on an arena of tables, with the CPU played by a second implementation of the
//! walk.

mod arena;
mod edges;
mod formats;
mod model;
mod pages;
mod random;
mod roots;
mod trace;
mod walker;
