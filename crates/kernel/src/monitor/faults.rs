//! Failing on purpose: so that a person, or the test runner, sees how each failure looks.

use core::hint::black_box;

use crate::arch::Arch;
use crate::irq::IrqOff;

/// `fault KIND`.
pub(super) fn fault<A: Arch>(kind: &str) -> Result<(), &'static str> {
    match kind {
        "null" => drop(black_box(read(0))),
        "write" => write_constant(),
        "exec" => execute_data(),
        "undef" => A::undefined_instruction(),
        "stack" => drop(black_box(recurse(0))),
        "vectors" => A::lose_vectors(),
        "canary" => overrun(black_box(40)),
        _ => return Err("no such fault"),
    }
    Err("nothing happened, which is a fault of its own")
}

/// Stops answering: nothing but a reset from outside helps.
pub(super) fn hang<A: Arch>() -> Result<(), &'static str> {
    let _off = IrqOff::new();
    crate::println!("hanging with interrupts off");
    A::halt()
}

fn read(address: usize) -> u8 {
    let at = core::ptr::with_exposed_provenance::<u8>(black_box(address));
    // SAFETY: there is none; that is the point. The page is not mapped, so the CPU faults and nothing is read.
    unsafe { at.read_volatile() }
}

fn write_constant() {
    static CONSTANT: u32 = 42;
    let at = core::ptr::from_ref(&CONSTANT).cast_mut();
    // SAFETY: there is none; that is the point. The page is read-only, so the CPU faults and nothing is written.
    unsafe { black_box(at).write_volatile(1) }
}

fn execute_data() {
    static mut CODE: [u8; 16] = [0xc3; 16];
    // SAFETY: there is none; that is the point. The page is not executable, so the CPU faults, or, where it cannot
    // enforce that (x86 without NX), the bytes are a return instruction.
    let f =
        unsafe { core::mem::transmute::<*const u8, extern "C" fn()>(black_box((&raw const CODE).cast())) };
    f();
}

/// Takes a new frame until there is no stack left.
#[inline(never)]
#[expect(unconditional_recursion, reason = "it ends at the guard page")]
fn recurse(depth: usize) -> usize {
    let frame = black_box([depth; 32]);
    recurse(depth + 1) + frame[depth % 32]
}

/// Writes past the end of a local buffer, up the stack.
#[inline(never)]
fn overrun(bytes: usize) {
    let mut buffer = [0u8; 16];
    let start = black_box(buffer.as_mut_ptr());
    for n in 0..bytes {
        // SAFETY: there is none; that is the point. The bytes beyond the buffer are this frame's own, canary included.
        unsafe { start.add(n).write_volatile(0x41) };
    }
}
