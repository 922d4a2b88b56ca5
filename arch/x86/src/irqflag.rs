//! The interrupt flag of this CPU.

use core::arch::asm;

/// EFLAGS.IF.
const IF: usize = 1 << 9;

/// Pushes all of the flags; to the assembler the name without a letter may mean the 16-bit instruction.
#[cfg(target_pointer_width = "32")]
macro_rules! pushf {
    () => {
        "pushfd"
    };
}
/// Pushes all of the flags.
#[cfg(target_pointer_width = "64")]
macro_rules! pushf {
    () => {
        "pushfq"
    };
}

#[inline(always)]
fn flags() -> usize {
    let flags: usize;
    // SAFETY: reads the flags by way of the stack; the red zone is off in kernel code.
    unsafe { asm!(pushf!(), "pop {}", out(reg) flags, options(preserves_flags)) };
    flags
}

/// Whether maskable interrupts can be taken on this CPU now.
#[inline(always)]
pub fn enabled() -> bool {
    flags() & IF != 0
}

/// Masks interrupts on this CPU. A compiler barrier: what follows stays behind it.
#[inline(always)]
pub fn disable() {
    // SAFETY: masking interrupts breaks nobody's assumption; who must not mask for long says so.
    unsafe { asm!("cli", options(nostack)) };
}

/// Unmasks interrupts on this CPU.
///
/// # Safety
///
/// The vectors must be installed, and the caller must not be inside a section that counts on masked interrupts.
#[inline(always)]
pub unsafe fn enable() {
    // SAFETY: the caller's promise.
    unsafe { asm!("sti", options(nostack)) };
}

/// Masks interrupts and says whether they were enabled.
#[inline(always)]
pub fn save_and_disable() -> bool {
    let was = enabled();
    disable();
    was
}

/// Unmasks interrupts again if `was_on`, the answer of [`save_and_disable`].
#[inline(always)]
pub fn restore(was_on: bool) {
    if was_on {
        // SAFETY: they were enabled when the section began, so the vectors are there, and the section ends here.
        unsafe { enable() };
    }
}

/// Sleeps until the next interrupt, with no window between unmasking and sleeping.
///
/// `sti` takes effect only after the instruction behind it (SDM Vol. 2B, STI), so an interrupt that became pending
/// before cannot be taken ahead of the `hlt` and leave the CPU asleep. Returns with interrupts enabled.
///
/// # Safety
///
/// As for [`enable`].
#[inline(always)]
pub unsafe fn enable_and_halt() {
    // SAFETY: the caller's promise.
    unsafe { asm!("sti", "hlt", options(nostack)) };
}

/// Stops executing with interrupts masked; only an NMI or a reset ends the sleep, and an NMI goes back to sleep.
pub fn halt_forever() -> ! {
    loop {
        // SAFETY: the CPU sleeps and touches nothing.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
