//! The kernel monitor: a prompt on the serial console, the first thing after boot while there is no user space.
//!
//! `run=CMD;CMD` on the command line executes the same commands before the first prompt; tests drive the kernel with it.

mod bench;
pub(crate) mod commands;
mod editor;
mod faults;
mod hotplug;
pub(crate) mod selftest;
mod trace;

use alloc::string::String;

use editor::{Editor, Key};

use crate::arch::Arch;
use crate::clock::MS;
use crate::facts::BOOT;
use crate::sched;
use crate::{banner, clock, console, cpu, params, println, smp, tick, warning};

/// How often input is looked for when no interrupt announces it.
const POLL_NS: u64 = 20 * MS;

/// The monitor thread.
pub(crate) fn main<A: Arch>() {
    sched::reads_input::<A>();
    let polled = A::enable_rx_interrupt()
        .inspect_err(|why| warning!("console: no receive interrupt: {why}"))
        .is_err();
    tick::see_all::<A>();
    banner::ready::<A>(cpu::ONLINE.snapshot().count(), wanted_cpus());
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
    let script = params::value_of(BOOT.lock().cmdline.as_str(), "run").map(String::from);
    if let Some(script) = script {
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

/// How many CPUs this boot wanted.
fn wanted_cpus() -> u32 {
    cpu::POSSIBLE.snapshot().count().min(smp::wanted_cpus())
}

/// Writes to the terminal, unlogged and as it is.
fn write(bytes: &[u8]) {
    console::write_bytes(bytes);
}
