//! The few things code that is not generic over the architecture must still reach: what a `println`, a lock or the heap
//! needs. Installed by the first line of `start_kernel` (and by the panic entry, should a panic be even earlier).

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::arch::Arch;
use crate::cpu;

/// Function pointers of the one architecture this image is built for.
pub(crate) struct Hooks {
    pub(crate) console_write: fn(&[u8]) -> bool,
    pub(crate) cycles: fn() -> u64,
    pub(crate) irq_save: fn() -> bool,
    pub(crate) irq_restore: fn(bool),
    pub(crate) this_cpu: fn() -> Option<cpu::CpuId>,
    pub(crate) cpu_number: fn() -> Option<cpu::CpuId>,
}

struct Of<A>(A);

impl<A: Arch> Of<A> {
    const HOOKS: Hooks = Hooks {
        console_write: A::console_write,
        cycles: A::cycles,
        irq_save: A::irq_save,
        irq_restore: A::irq_restore,
        this_cpu: cpu::by_hardware::<A>,
        cpu_number: cpu::this_cpu::<A>,
    };
}

static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());

/// Makes `A` the architecture. Idempotent.
pub(crate) fn install<A: Arch>() {
    let hooks: &'static Hooks = &Of::<A>::HOOKS;
    HOOKS.store(ptr::from_ref(hooks).cast_mut(), Ordering::Release);
}

/// The hooks, unless nothing has run yet (or this is a host test).
pub(crate) fn get() -> Option<&'static Hooks> {
    // SAFETY: the pointer is null or came from a `&'static Hooks` in `install`.
    unsafe { HOOKS.load(Ordering::Acquire).as_ref() }
}
