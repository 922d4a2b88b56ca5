//! The thread that waits for the console's input.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::{Thread, current, wake};
use crate::arch::Arch;

/// Null while no thread waits for input.
static READER: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());

/// From here on the running thread is woken when bytes have come in.
pub(crate) fn reads_input<A: Arch>() {
    let reader = current::<A>().map_or(ptr::null(), ptr::from_ref);
    READER.store(reader.cast_mut(), Ordering::Release);
}

/// Bytes have come in; called by the receive interrupt, which reads nothing itself.
pub fn input_ready<A: Arch>() {
    // SAFETY: the pointer is null or that of a thread, and threads are never freed.
    if let Some(reader) = unsafe { READER.load(Ordering::Acquire).as_ref() } {
        wake::<A>(reader);
    }
}
