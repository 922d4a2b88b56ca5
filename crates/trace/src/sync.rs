//! Atomics: those of `core`, or a model checker's, so that what is checked is what runs.

#[cfg(not(feature = "loom"))]
pub(crate) use core::sync::atomic::{AtomicU32, Ordering, fence};
#[cfg(feature = "loom")]
pub(crate) use loom::sync::atomic::{AtomicU32, Ordering, fence};
