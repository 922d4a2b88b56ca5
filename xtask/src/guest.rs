//! A guest that stands, from outside: its CPUs' registers, its physical memory, and its address spaces as its own page
//! tables make them.

pub mod core;
pub mod image;
pub mod memory;
pub mod registers;
pub mod space;
