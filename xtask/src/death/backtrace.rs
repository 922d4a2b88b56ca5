//! The calls that led to where a CPU stands, by frame pointers, read from outside.

use super::Guest;
use crate::arch::Arch;
use crate::guest::registers::Cpu;
use crate::guest::space::Space;

/// Deeper than any stack here.
const DEEPEST: usize = 64;

/// Lines for the calls below `cpu`'s, numbered from `first` on; `space` is what its stack is read through.
pub fn callers(guest: &Guest<'_>, cpu: &Cpu, space: Space, first: usize) -> Vec<String> {
    let width: u64 = if guest.arch == Arch::I386 { 4 } else { 8 };
    let word = |at: u64| space.word(guest.memory, at, width as usize);
    let mut lines = Vec::new();
    let (mut frame, mut number) = (cpu.fp(), first);
    while frame != 0 && frame.is_multiple_of(width) && number < DEEPEST {
        let (Some(next), Some(address)) = (word(frame), word(frame.wrapping_add(width))) else {
            lines.push(format!("  the frame at {frame:#x} is not mapped"));
            return lines;
        };
        // The chain ends here, or the register held something else than a frame.
        if address == 0 || guest.image.is_some_and(|image| image.phys_of(address).is_none()) {
            break;
        }
        lines.extend(line(guest, number, address, true));
        number += 1;
        // Stacks grow down: the caller's frame is above.
        if next <= frame {
            break;
        }
        frame = next;
    }
    lines
}

/// Lines for one call: `address` is where it `returns`, or where a CPU stands.
pub fn line(guest: &Guest<'_>, number: usize, address: u64, returns: bool) -> Vec<String> {
    // Where a call returns to may be another function already.
    named(
        number,
        address,
        &guest.frames(address.wrapping_sub(u64::from(returns))),
    )
}

/// Lines for one call, whose functions are known.
pub fn named(number: usize, address: u64, frames: &[String]) -> Vec<String> {
    let (name, inlined) = match frames.split_first() {
        Some((name, inlined)) => (name.as_str(), inlined),
        None => ("??", &[][..]),
    };
    let mut lines = vec![format!("  #{number} {address:#x} {name}")];
    lines.extend(inlined.iter().map(|name| format!("       inlined into {name}")));
    lines
}
