//! The kernel monitor: a prompt on the serial console, the first thing after boot while there is no user space.
//!
//! `run=CMD;CMD` on the command line executes the same commands before the first prompt; tests drive the kernel with it.

mod bench;
pub(crate) mod commands;
mod editor;
mod faults;
pub(crate) mod selftest;
mod trace;

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use editor::{Editor, Key};

use crate::arch::Arch;
use crate::clock::MS;
use crate::sched::{self, Thread};
use crate::{banner, clock, console, println, start, warning};

/// How often input is looked for when no interrupt announces it.
const POLL_NS: u64 = 20 * MS;

/// The thread that waits for input.
static READER: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());

/// The monitor thread.
pub(crate) fn main<A: Arch>() {
    let reader = sched::current::<A>().map_or(ptr::null(), ptr::from_ref);
    READER.store(reader.cast_mut(), Ordering::Release);
    let polled = A::enable_rx_interrupt()
        .inspect_err(|why| warning!("console: no receive interrupt: {why}"))
        .is_err();
    banner::ready::<A>();
    run_from_command_line::<A>();
    println!("Type help and press Enter.");
    let mut editor = Editor::new();
    loop {
        let key = read_key::<A>(&mut editor, polled);
        if let Some(line) = editor.press(key) {
            commands::run_line::<A>(line);
            editor.prompt();
        }
    }
}

fn run_from_command_line<A: Arch>() {
    if let Some(script) = start::script() {
        script.split(';').for_each(commands::run_line::<A>);
    }
}

/// Waits for a key. The first call shows the prompt.
fn read_key<A: Arch>(editor: &mut Editor, polled: bool) -> Key {
    editor.prompt_once();
    loop {
        if let Some(key) = A::console_read().and_then(|byte| editor.decode(byte)) {
            return key;
        }
        match polled {
            true => sched::block_until::<A>(clock::now_ns() + POLL_NS),
            false => sched::block::<A>(),
        }
    }
}

/// Bytes have come in; called by the receive interrupt, which reads nothing itself.
pub fn input_ready<A: Arch>() {
    // SAFETY: the pointer is null or that of a thread, and threads are never freed.
    if let Some(reader) = unsafe { READER.load(Ordering::Acquire).as_ref() } {
        sched::wake::<A>(reader);
    }
}

/// Writes to the terminal, unlogged and as it is.
fn write(bytes: &[u8]) {
    console::write_bytes(bytes);
}
