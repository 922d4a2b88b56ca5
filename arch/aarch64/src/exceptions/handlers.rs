//! What an exception that is no interrupt leads to: the end, with all that is known about it.

use core::fmt::Write;

use arrayvec::ArrayString;
use kernel::panic::{Exception, fatal};

use super::{Esr, Frame, probe};
use crate::{Aarch64, console, stop};

/// Reports `frame` under `name` and stops.
fn end(name: &str, frame: &Frame, address: Option<usize>) -> ! {
    console::last_resort();
    fatal::<Aarch64>(&Exception {
        name,
        pc: frame.pc as usize,
        sp: frame.sp as usize,
        frame: frame.x[29] as usize,
        address,
        fill: &|out| stop::fill_exception(frame, out),
        registers: frame,
    })
}

/// The address an abort is about.
fn address(frame: &Frame) -> Option<usize> {
    Esr(frame.esr).has_address().then_some(frame.far as usize)
}

/// A synchronous exception in the kernel. Returns only to a probe.
#[unsafe(no_mangle)]
extern "C" fn handle_sync(frame: &mut Frame) {
    if probe::fix_up(frame) {
        return;
    }
    // What does not fit is cut; the dump has the register itself.
    let mut name = ArrayString::<64>::new();
    let _ = write!(name, "{}", Esr(frame.esr));
    end(&name, frame, address(frame))
}

/// The stack pointer pointed where nothing can be stored; this runs on the overflow stack.
#[unsafe(no_mangle)]
extern "C" fn handle_bad_stack(frame: &mut Frame) -> ! {
    let name = match frame.sp.is_multiple_of(16) {
        true => "stack pointer outside its stack",
        false => "misaligned SP",
    };
    end(name, frame, address(frame))
}

/// An error the memory system reports after the fact: `pc` is where it arrived, not where it began.
#[unsafe(no_mangle)]
extern "C" fn handle_serror(frame: &mut Frame) -> ! {
    end("SError", frame, None)
}

/// FIQ, or an exception from a state the kernel is never in.
#[unsafe(no_mangle)]
extern "C" fn handle_unexpected(frame: &mut Frame) -> ! {
    end("exception from a state the kernel is never in", frame, None)
}
