//! Many CPUs: the section `.percpu` is the template, each CPU has a copy of it.

use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::ThisCpu;

/// Areas this build can have, which bounds the CPUs it can run.
pub const MAX_AREAS: usize = 512;

static AREAS: [AtomicUsize; MAX_AREAS] = [const { AtomicUsize::new(0) }; MAX_AREAS];

#[cfg(target_os = "none")]
unsafe extern "C" {
    static __per_cpu_start: u8;
    static __per_cpu_end: u8;
}

/// First address of the template.
#[cfg(target_os = "none")]
#[inline(always)]
fn template_start() -> usize {
    (&raw const __per_cpu_start).addr()
}

/// Bytes of one CPU's area.
#[cfg(target_os = "none")]
pub fn template_bytes() -> usize {
    (&raw const __per_cpu_end).addr() - template_start()
}

/// On the host there is no section: the tests lay out a template of their own.
#[cfg(not(target_os = "none"))]
#[inline(always)]
fn template_start() -> usize {
    host::start()
}

/// Bytes of one CPU's area.
#[cfg(not(target_os = "none"))]
pub fn template_bytes() -> usize {
    host::bytes()
}

/// Whether per-CPU variables may be used: CPU 0 has its area.
#[inline]
pub fn is_ready() -> bool {
    AREAS[0].load(Ordering::Acquire) != 0
}

/// Address of `cpu`'s area, once it has one.
pub fn area(cpu: usize) -> Option<usize> {
    let base = AREAS.get(cpu)?.load(Ordering::Acquire);
    (base != 0).then_some(base)
}

/// Registers `base` as `cpu`'s area. An id past [`MAX_AREAS`] is ignored: no such CPU is ever started.
pub fn set_area(cpu: usize, base: usize) {
    if let Some(slot) = AREAS.get(cpu) {
        slot.store(base, Ordering::Release);
    }
}

/// Copies the template to a new area.
///
/// # Safety
/// `to` must be valid for writes of [`template_bytes`], aligned to 64 bytes, and used by nobody yet.
pub unsafe fn setup_area(to: *mut u8) {
    let from = ptr::with_exposed_provenance::<u8>(template_start());
    // SAFETY: the template spans `template_bytes` bytes, nobody writes it (early use faults on the poison base), and
    // the caller vouches for `to`.
    unsafe { ptr::copy_nonoverlapping(from, to, template_bytes()) }
}

#[inline(always)]
fn offset<T>(template: &'static T) -> usize {
    ptr::from_ref(template).addr() - template_start()
}

#[inline(always)]
pub(crate) fn this<'p, T, R: ThisCpu>(template: &'static T) -> &'p T {
    let address = R::base() + offset(template);
    // SAFETY: the base is that of an area that `setup_area` filled, or the poison base, which faults; areas are never
    // freed; `T` is `Sync`, so sharing the copy is sound.
    unsafe { &*ptr::with_exposed_provenance::<T>(address) }
}

pub(crate) fn remote<T>(template: &'static T, cpu: usize) -> Option<&'static T> {
    let address = area(cpu)? + offset(template);
    // SAFETY: as in `this`: a registered area is a whole copy of the template and lives for ever.
    Some(unsafe { &*ptr::with_exposed_provenance::<T>(address) })
}

#[inline(always)]
pub(crate) fn load<R: ThisCpu>(template: &'static AtomicUsize) -> usize {
    // SAFETY: `template` is a word in `.percpu`, so the offset is that of an aligned word of the area.
    unsafe { R::load_usize(offset(template)) }
}

#[cfg(not(target_os = "none"))]
pub(crate) mod host {
    //! The template of a host process: one array that the tests' variables live in.
    use core::sync::atomic::{AtomicUsize, Ordering};

    static START: AtomicUsize = AtomicUsize::new(0);
    static BYTES: AtomicUsize = AtomicUsize::new(0);

    #[cfg(test)]
    pub(crate) fn set(start: usize, bytes: usize) {
        START.store(start, Ordering::Relaxed);
        BYTES.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn start() -> usize {
        START.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes() -> usize {
        BYTES.load(Ordering::Relaxed)
    }
}
