//! Kernel threads: stacks and the switch between them.

use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::{AtomicUsize, Ordering};

use kernel::arch::ThreadOps;

use crate::Aarch64;

global_asm!(
    include_str!("switch.s"),
    SIZE = const size_of::<Saved>(),
    FP = const offset_of!(Saved, fp),
);

/// What `switch_thread` saves: the registers a function call preserves (AAPCS64 6.1.1). No FP registers: the kernel
/// uses none.
#[repr(C, align(16))]
struct Saved {
    x19_x28: [usize; 10],
    fp: usize,
    lr: usize,
}

unsafe extern "C" {
    fn switch_thread(prev: *mut usize, next: usize);
    fn thread_start();
}

/// What the compiler's stack protector compares with. One for all CPUs and threads: this target's ABI has no other.
#[unsafe(no_mangle)]
static __stack_chk_guard: AtomicUsize = AtomicUsize::new(0);

impl ThreadOps for Aarch64 {
    unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize {
        let mut saved = Saved {
            x19_x28: [0; 10],
            fp: 0,
            lr: thread_start as *const () as usize,
        };
        saved.x19_x28[0] = entry as *const () as usize;
        saved.x19_x28[1] = arg;
        let sp = top - size_of::<Saved>();
        // SAFETY: the caller gives the stack away; its end is aligned to 16, as `Saved` is.
        unsafe { core::ptr::with_exposed_provenance_mut::<Saved>(sp).write(saved) };
        sp
    }

    unsafe fn switch(prev: *mut usize, next: usize, _canary: usize) {
        // SAFETY: passed on. The canary is one for all.
        unsafe { switch_thread(prev, next) }
    }

    unsafe fn set_canary(canary: usize) {
        __stack_chk_guard.store(canary, Ordering::Relaxed);
    }

    #[inline(always)]
    fn frame_pointer() -> usize {
        let fp;
        // SAFETY: reads a register.
        unsafe { asm!("mov {}, x29", out(reg) fp, options(nomem, nostack, preserves_flags)) };
        fp
    }

    #[inline(always)]
    fn is_outermost() {
        // SAFETY: no instruction; where the caller was called from is not known any more, and need not be.
        unsafe { asm!(".cfi_undefined x30", options(nomem, nostack, preserves_flags)) };
    }
}
