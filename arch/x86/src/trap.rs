//! What happens behind the vectors, at either width: exceptions end the kernel with a report, interrupts are handed on.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use kernel::arch::Arch;
use kernel::panic::{Exception, fatal};
use kernel::sched;

use crate::apic::LocalApic;
use crate::vectors;
use crate::{regs, stop};

#[cfg(feature = "smp")]
use crate::smp as others;
#[cfg(not(feature = "smp"))]
use crate::up as others;

/// How many registers [`Frame::words`] are.
pub const WORDS: usize = if cfg!(target_pointer_width = "64") { 20 } else { 12 };

/// What vector code saved of the interrupted context; prints as a register dump.
pub trait Frame: fmt::Display {
    /// The vector.
    fn vector(&self) -> u8;
    /// The error code, 0 where the exception has none. An NMI's is not 0 if it came where the one before it was just being
    /// taken, and nobody knows any more what that one interrupted.
    fn error(&self) -> usize;
    /// Instruction pointer.
    fn pc(&self) -> usize;
    /// Stack pointer.
    fn sp(&self) -> usize;
    /// Frame pointer.
    fn fp(&self) -> usize;
    /// Each register, in the order of [`crate::stop::fill`], control registers excepted.
    fn words(&self) -> [u64; WORDS];
}

/// Interrupts that nobody asked for: spurious ones of the local APIC and of the masked 8259s.
pub static SPURIOUS: AtomicUsize = AtomicUsize::new(0);

/// Handles one trip through the vectors. Interrupts are off.
pub fn dispatch<A: Arch>(frame: &impl Frame) {
    match frame.vector() {
        vectors::NMI => nmi::<A>(frame),
        vector if vector < vectors::LEGACY_BASE => exception::<A>(frame),
        vectors::SPURIOUS => count_spurious(),
        // The 8259s are masked and no local APIC listens to them (LINT0 is masked): what comes from them is spurious.
        vector if vector < vectors::LEGACY_BASE + 16 => count_spurious(),
        vector => interrupt::<A>(vector, frame),
    }
}

fn count_spurious() {
    SPURIOUS.fetch_add(1, Ordering::Relaxed);
}

/// An interrupt that wants to be acknowledged; afterwards another thread may have its turn.
fn interrupt<A: Arch>(vector: u8, frame: &impl Frame) {
    match vector {
        vectors::TIMER => sched::timer_interrupt::<A>(),
        vectors::CONSOLE => kernel::input_ready::<A>(),
        vectors::APIC_ERROR => apic_error(),
        _ if others::interrupt::<A>(vector, frame) => {}
        _ => kernel::warning!("unexpected interrupt, vector {vector:#x}"),
    }
    if let Some(apic) = LocalApic::get() {
        apic.eoi();
    }
    sched::preempt_on_irq_exit::<A>();
}

fn apic_error() {
    let errors = LocalApic::get().map_or(0, LocalApic::read_errors);
    kernel::warning!("local APIC error, status {errors:#x}");
}

/// A stop signal first of all, which does not return. While a stop is under way another NMI means nothing: it was sent to a
/// CPU that had just answered, or somebody outside is impatient with a kernel that is ending anyway. Any other is the
/// machine's (a memory error, the button of a server), and the end of the kernel.
fn nmi<A: Arch>(frame: &impl Frame) {
    others::nmi::<A>(frame);
    let no_way_back = frame.error() != 0;
    if no_way_back || !stop::is_under_way() {
        exception::<A>(frame);
    }
}

/// No exception is expected in this kernel: each ends it.
fn exception<A: Arch>(frame: &impl Frame) -> ! {
    let vector = frame.vector();
    // A double fault is the second of two, and the first was nearly always a page fault that left its address.
    let address = matches!(vector, vectors::PAGE_FAULT | vectors::DOUBLE_FAULT).then(regs::cr2);
    let name = match vector {
        vectors::PAGE_FAULT => page_fault_name(frame.error()),
        _ => vectors::exception_name(vector),
    };
    fatal::<A>(&Exception {
        name,
        pc: frame.pc(),
        sp: frame.sp(),
        frame: frame.fp(),
        address,
        fill: &|out| stop::fill(frame, out),
        registers: frame,
    })
}

/// The page fault's error code in words (SDM Vol. 3A, figure 4-12).
const fn page_fault_name(error: usize) -> &'static str {
    const PRESENT: usize = 1 << 0;
    const WRITE: usize = 1 << 1;
    const RESERVED: usize = 1 << 3;
    const FETCH: usize = 1 << 4;
    match (
        error & RESERVED != 0,
        error & PRESENT != 0,
        error & WRITE != 0,
        error & FETCH != 0,
    ) {
        (true, ..) => "page fault (reserved bit set in a table)",
        (_, true, true, _) => "page fault (write to a read-only page)",
        (_, true, _, true) => "page fault (execution of a no-execute page)",
        (_, true, ..) => "page fault (protection)",
        (_, _, true, _) => "page fault (write, not mapped)",
        (_, _, _, true) => "page fault (execution, not mapped)",
        _ => "page fault (read, not mapped)",
    }
}

#[cfg(test)]
mod tests {
    use super::page_fault_name;

    #[test]
    fn error_codes_in_words() {
        assert_eq!(page_fault_name(0b00000), "page fault (read, not mapped)");
        assert_eq!(page_fault_name(0b00010), "page fault (write, not mapped)");
        assert_eq!(page_fault_name(0b00011), "page fault (write to a read-only page)");
        assert_eq!(
            page_fault_name(0b10001),
            "page fault (execution of a no-execute page)"
        );
        assert_eq!(page_fault_name(0b10000), "page fault (execution, not mapped)");
        assert_eq!(
            page_fault_name(0b01001),
            "page fault (reserved bit set in a table)"
        );
    }
}
