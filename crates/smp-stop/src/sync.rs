//! Atomics and cells: those of `core`, or a model checker's, so that what is checked is what runs.

use core::sync::atomic::Ordering as InfoOrdering;

#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub(crate) use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(feature = "loom")]
pub(crate) use loom::sync::atomic::Ordering;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
pub(crate) use shuttle::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "loom")]
pub(crate) use crate::checked::AtomicU32;

#[cfg(not(feature = "loom"))]
use core::cell::UnsafeCell;
#[cfg(feature = "loom")]
use loom::cell::UnsafeCell;

/// A word that no decision hangs on: a model checker need not look at it, and would take much longer if it did.
pub(crate) use core::sync::atomic::AtomicU32 as Info;
/// Information needs no order.
pub(crate) const RELAXED: InfoOrdering = InfoOrdering::Relaxed;

/// A function that is `const` wherever the atomics can be made in a constant, which is not so under loom.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        #[cfg(not(feature = "loom"))]
        $(#[$meta])* $vis const fn $($rest)*
        #[cfg(feature = "loom")]
        $(#[$meta])* $vis fn $($rest)*
    };
}
pub(crate) use const_fn;

/// Memory that one CPU writes and others read later. Who may do what when is the user's to prove; loom checks it.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Shared<T>(UnsafeCell<T>);

impl<T> Shared<T> {
    const_fn! {
        pub(crate) fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Safety
    /// Nobody else touches it meanwhile.
    pub(crate) unsafe fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(feature = "loom"))]
        {
            // SAFETY: the caller's promise.
            f(unsafe { &mut *self.0.get() })
        }
        #[cfg(feature = "loom")]
        {
            // SAFETY: the caller's promise, which loom checks.
            self.0.with_mut(|value| f(unsafe { &mut *value }))
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Safety
    /// Nobody writes it meanwhile.
    pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        #[cfg(not(feature = "loom"))]
        {
            // SAFETY: the caller's promise.
            f(unsafe { &*self.0.get() })
        }
        #[cfg(feature = "loom")]
        {
            // SAFETY: the caller's promise, which loom checks.
            self.0.with(|value| f(unsafe { &*value }))
        }
    }
}

/// 64 bits of information in two words, for machines without 64-bit atomics. Whoever comes between the two stores of a
/// writer, a reader or an owner that took the stop away at just that time, gets a mixture: no decision hangs on it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Info64 {
    low: Info,
    high: Info,
}

impl Info64 {
    pub(crate) const fn new() -> Self {
        Self {
            low: Info::new(0),
            high: Info::new(0),
        }
    }

    pub(crate) fn set(&self, value: u64) {
        self.low.store(value as u32, RELAXED);
        self.high.store((value >> 32) as u32, RELAXED);
    }

    pub(crate) fn get(&self) -> u64 {
        u64::from(self.high.load(RELAXED)) << 32 | u64::from(self.low.load(RELAXED))
    }
}
