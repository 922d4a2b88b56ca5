//! One CPU: the section itself is the area, and a variable is the static it looks like.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::ThisCpu;

/// Areas this build can have.
pub const MAX_AREAS: usize = 1;

/// Bytes of one CPU's area that were allocated for it: none.
pub fn template_bytes() -> usize {
    0
}

/// Whether per-CPU variables may be used: always.
pub const fn is_ready() -> bool {
    true
}

/// Address of `cpu`'s area; the only CPU's area is no allocation and has none.
pub const fn area(_cpu: usize) -> Option<usize> {
    None
}

/// Nothing to register.
pub const fn set_area(_cpu: usize, _base: usize) {}

/// Nothing to copy.
///
/// # Safety
/// None to keep; the signature is that of the SMP build.
pub const unsafe fn setup_area(_to: *mut u8) {}

#[inline(always)]
#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's function of this name needs it"
)]
pub(crate) fn this<T, R: ThisCpu>(template: &'static T) -> &'static T {
    template
}

pub(crate) fn remote<T>(template: &'static T, cpu: usize) -> Option<&'static T> {
    (cpu == 0).then_some(template)
}

#[inline(always)]
#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's function of this name needs it"
)]
pub(crate) fn load<R: ThisCpu>(template: &'static AtomicUsize) -> usize {
    template.load(Ordering::Relaxed)
}
