//! Per-CPU variables: one source, a copy per CPU in an SMP build, a plain static in a UP build.
//!
//! A variable is declared with [`percpu!`] and holds a type that is `Sync`, so a reference to it is sound
//! wherever it goes; what the CPU it belongs to adds is *meaning*, and that is why [`PerCpu::this`] asks for a
//! [`Pin`]: proof that the caller cannot be moved to another CPU while it looks.
//!
//! In an SMP build the variables make up the section `.percpu`. It is a template: [`setup_area`] copies it for each
//! CPU, and the CPU's base register (`gs`, `fs`, `TPIDR_EL1`) points at the copy. Before that register is set it
//! holds a *poison* base, so a variable used too early faults at once instead of quietly aliasing CPU 0.
#![no_std]

use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "smp")]
#[path = "smp.rs"]
mod area;
#[cfg(not(feature = "smp"))]
#[path = "up.rs"]
mod area;

pub use area::{MAX_AREAS, area, is_ready, set_area, setup_area, template_bytes};

/// How a CPU reaches its own area. One implementation per architecture.
///
/// # Safety
/// `base` must return the address last installed on the executing CPU, and `load_usize` must read the word at
/// `base() + offset` in **one** instruction, so that a migration cannot fall between finding the base and reading.
pub unsafe trait ThisCpu {
    /// Address of the executing CPU's area.
    fn base() -> usize;

    /// Reads the word at `offset` bytes into the executing CPU's area, in one instruction.
    ///
    /// # Safety
    /// `offset` must be that of a word-sized, word-aligned variable in `.percpu`, and the area must be installed.
    unsafe fn load_usize(offset: usize) -> usize;
}

/// Proof that the holder stays on the CPU it is on: neither `Send` nor `Sync`, because a guard that crosses to
/// another CPU, by value or by reference, proves nothing there.
///
/// The kernel's guards (interrupts off, preemption off) hand it out.
#[derive(Debug)]
pub struct Pin {
    not_send_not_sync: PhantomData<*mut ()>,
}

impl Pin {
    /// Makes the proof.
    ///
    /// # Safety
    /// For as long as the value lives its holder must not migrate to another CPU.
    pub const unsafe fn new() -> Self {
        Self {
            not_send_not_sync: PhantomData,
        }
    }
}

/// A variable of which every CPU has its own. Declare with [`percpu!`].
#[repr(transparent)]
#[derive(Debug)]
pub struct PerCpu<T> {
    template: T,
}

impl<T: Sync> PerCpu<T> {
    /// The initial value. Only [`percpu!`] should call it: the variable must lie in `.percpu`.
    pub const fn new(template: T) -> Self {
        Self { template }
    }

    /// The executing CPU's copy.
    #[inline(always)]
    pub fn this<'p, R: ThisCpu>(&'static self, _pin: &'p Pin) -> &'p T {
        area::this::<T, R>(&self.template)
    }

    /// The copy of CPU `cpu`, or `None` while that CPU has no area.
    pub fn remote(&'static self, cpu: usize) -> Option<&'static T> {
        area::remote(&self.template, cpu)
    }
}

impl PerCpu<AtomicUsize> {
    /// Reads the executing CPU's word in one instruction: right even without a [`Pin`] for words, such as the
    /// current thread, that mean the same after a migration.
    #[inline(always)]
    pub fn load<R: ThisCpu>(&'static self) -> usize {
        area::load::<R>(&self.template)
    }

    /// Writes the executing CPU's word.
    #[inline(always)]
    pub fn store<R: ThisCpu>(&'static self, pin: &Pin, value: usize) {
        self.this::<R>(pin).store(value, Ordering::Relaxed);
    }
}

/// Declares per-CPU variables: `percpu! { /// docs
/// static TICKS: AtomicUsize = AtomicUsize::new(0); }`.
#[macro_export]
macro_rules! percpu {
    ($($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;)*) => {$(
        $(#[$meta])*
        #[cfg_attr(target_os = "none", unsafe(link_section = ".percpu"))]
        $vis static $name: $crate::PerCpu<$ty> = $crate::PerCpu::new($init);
    )*};
}

#[cfg(test)]
mod tests;
