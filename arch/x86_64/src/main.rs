//! The x86_64 kernel.
#![no_std]
#![no_main]

mod efi;
mod entry;
mod mmu;
mod ops;
mod per_cpu;
mod real_mode;
#[cfg(feature = "smp")]
mod smp;
mod stop;
mod symbols;
mod tables;
mod thread;
mod trap;

use core::panic::PanicInfo;

/// The architecture.
#[derive(Debug)]
struct X8664;

/// The first Rust code, called once by the entry assembly; `docs/boot-x86.md` says in which state.
#[unsafe(no_mangle)]
extern "C" fn rust_entry(kind: u32, pointer: usize, phys_base: usize) -> ! {
    per_cpu::poison();
    trap::init();
    arch_x86::handover::note(kind, pointer, phys_base);
    arch_x86::uart::init_default();
    arch_x86::cpu::enable_features();
    kernel::start_kernel::<X8664>()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    kernel::panic::panic::<X8664>(info)
}

/// Called by the compiler where a function finds its canary overwritten.
#[unsafe(no_mangle)]
extern "C" fn __stack_chk_fail() -> ! {
    kernel::canary::smashed()
}
