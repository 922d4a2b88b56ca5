//! From 64-bit mode to real mode.

use core::arch::asm;

use arch_x86::power::real_mode::{self, Entry};
use arch_x86::{handover, irqflag};
use kernel::arch::InStep;
use kernel::arch::{Go, Way};

use crate::{X8664, symbols};

/// By the BIOS's own way up.
pub(crate) const BIOS: Way = Way {
    name: "bios",
    is_there: real_mode::is_there,
    go: Go::OnShadow(go),
};

fn go(tables: &InStep) {
    match real_mode::install::<X8664>() {
        Ok(entry) => leave(&entry, tables),
        Err(why) => kernel::println!("bios: not tried: {why}"),
    }
}

/// On the root that starting CPUs use, which has low memory where it is; the stack is in its upper half, which is why it must
/// be in step.
fn leave(entry: &Entry, _tables: &InStep) -> ! {
    let [low, high] = [entry.gdt as u16, (entry.gdt >> 16) as u16];
    let gdt = [entry.gdt_limit, low, high, 0, 0];
    irqflag::disable();
    // SAFETY: the kernel calls this last, and the proof says that the shadow maps code and stack. The page has code that is
    // meant to be entered like this.
    unsafe {
        asm!(
            "lgdt [{gdt}]",
            "mov cr3, {root}",
            "push {code}",
            "push {leave}",
            "retfq",
            gdt = in(reg) gdt.as_ptr(),
            root = in(reg) handover::image(0).start + symbols::trampoline_root_offset(),
            code = const Entry::CODE,
            leave = in(reg) u64::from(entry.leave),
            options(noreturn)
        )
    }
}
