//! Bring-up: all secondaries at once, each with a block of its own, by handshake, within a deadline.
//!
//! The boot CPU releases everybody and then sleeps; each CPU that passes the online gate interrupts it. (When one CPU is
//! brought on later, a thread does the same.) A CPU that has not even reached Rust after a short while is asked again. One
//! that is not there at the deadline is revoked by a compare-exchange on its state word, which either fails, because the CPU
//! made it after all, or makes sure that it parks at the gate whenever it comes.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use ::trace::Event;
use smp_stop::Generation;

use super::missing::{self, Refusals};
use super::{MAX_CPUS, blocks, hotplug, watch};
use crate::arch::{Arch, BootBlock, InStep, StartError};
use crate::clock::MS;
use crate::cpu::{self, ACTIVE, BOOT_CPU, CpuId, CpuMask, ONLINE, POSSIBLE};
use crate::inject::{self, Place};
use crate::irq::IrqOff;
use crate::mm::{Areas, Phase, Synced};
use crate::{clock, phase, println, sched, tick, trace, warning};

/// How long the hardware may take to turn off a CPU that came unasked.
const FETCH_NS: u64 = 100 * MS;

/// Starts every possible CPU within `maxcpus=` and waits for them.
pub(crate) fn smp_init<A: Arch>(method: &str, tables: Synced<Areas>) {
    let (blocks, tables) = tables.change::<A, _>("stacks for the other CPUs", make_blocks::<A>);
    let tables = tables.resync::<A>();
    if blocks.is_empty() {
        println!("{}", records::Cpus::alone());
        return;
    }
    let start = clock::now_ns();
    let came = start_and_wait::<A, _>(&blocks, &tables);
    missing::report(&blocks, &came, clock::now_ns() - start, method);
}

/// The blocks of those to start, with all that belongs to them.
fn make_blocks<A: Arch>() -> Vec<&'static BootBlock> {
    // Kept for when it comes back. Without memory for it, it stays.
    let _ = blocks::of::<A>(BOOT_CPU);
    let limit = MAX_CPUS.load(Ordering::Relaxed).max(1);
    let wanted = POSSIBLE.snapshot().iter().skip(1).take(limit - 1);
    let none = |cpu| warning!("CPU {cpu} stays off: no memory for its stacks");
    let made = |cpu| blocks::of::<A>(cpu).inspect_err(|_| none(cpu)).ok();
    wanted.filter_map(made).collect()
}

/// Releases the CPUs of `blocks`, waits until they are there or the time is over, and gives up those that are not.
pub(super) fn start_and_wait<A: Arch, P: Phase>(blocks: &[&'static BootBlock], tables: &Synced<P>) -> Came {
    let all = blocks::all();
    tables.enter::<A, _>("preparing the start of CPUs", &[], |tables| {
        A::prepare_entry(&all, tables)
    });
    A::prepare_start(blocks);
    let refused = release::<A, P>(blocks, tables);
    inject::at(Place::Started, 0);
    watch::wait::<A, P>(blocks, tables);
    let missing = revoke_missing::<A>(blocks, &refused.cpus());
    missing::say_unasked(A::send_back());
    Came { refused, missing }
}

/// What came of some starts.
pub(super) struct Came {
    /// Those whose start was refused, and why.
    pub(super) refused: Refusals,
    /// Those that are not there: refused, or given up.
    pub(super) missing: CpuMask,
}

/// Releases all, each as soon as its word says STARTING, so that a stop that comes in between, even one that stops this CPU
/// there, does not wait for CPUs that nobody will release. Returns those whose start was refused.
fn release<A: Arch, P: Phase>(blocks: &[&'static BootBlock], tables: &Synced<P>) -> Refusals {
    blocks
        .iter()
        .for_each(|block| come_unasked::<A, P>(block, tables));
    let mut refused = Refusals::default();
    for block in blocks {
        if let Err(why) = release_one::<A, P>(block, tables) {
            refused.add(block.cpu_id(), why);
        }
        A::start_pause_ns().into_iter().for_each(sched::rest::<A>);
    }
    refused.say();
    refused
}

/// Where a fault is to be: the hardware starts a CPU that was not released.
fn come_unasked<A: Arch, P: Phase>(block: &'static BootBlock, tables: &Synced<P>) {
    if inject::at(Place::Unasked, block.cpu).goes() {
        return;
    }
    let off = IrqOff::new();
    // One that does not come is one that did not come unasked.
    let _ = ask::<A, P>(block, tables, 0);
    drop(off);
    sched::rest::<A>(FETCH_NS);
}

/// Releases one; where it came unasked, from where it waits. It may come between the look and the release: then it is in
/// the way of its own start, and is fetched afterwards.
fn release_one<A: Arch, P: Phase>(block: &'static BootBlock, tables: &Synced<P>) -> Result<(), StartError> {
    let fetched = block.door.is_early() && fetch::<A>(block);
    let was_early = begin_one::<A, P>(block, tables)?;
    if was_early && !fetched {
        fetch::<A>(block);
        let _off = IrqOff::new();
        ask::<A, P>(block, tables, 0)?;
    }
    Ok(())
}

/// Brings a CPU that came unasked from where it waits, in the park page or turned off, to where a start finds it. Always true.
fn fetch<A: Arch>(block: &'static BootBlock) -> bool {
    let patience = clock::now_ns() + FETCH_NS;
    while A::hw_off(block.hw) == Some(false) && clock::now_ns() < patience {
        sched::rest::<A>(MS);
    }
    A::prepare_start(&[block]);
    true
}

/// True if the CPU came unasked before.
fn begin_one<A: Arch, P: Phase>(block: &'static BootBlock, tables: &Synced<P>) -> Result<bool, StartError> {
    let _off = IrqOff::new();
    let generation = cpu::word(block.cpu_id())
        .begin_start()
        .map_err(|_| StartError::NotOff)?;
    let was_early = block.renew(generation);
    phase::set(block.cpu_id(), &"starting: released, not in Rust yet");
    inject::at(Place::Starting, 0);
    ask::<A, P>(block, tables, 0).inspect_err(|_| {
        // It was never released, so it is off. Refused only if it came all the same, and then it is welcome.
        let _ = cpu::word(block.cpu_id()).cancel_start(generation);
    })?;
    Ok(was_early)
}

/// Sends the CPU to the shadow root, once that is sure to map all it needs until it has left it.
pub(super) fn ask<A: Arch, P: Phase>(
    block: &'static BootBlock,
    tables: &Synced<P>,
    attempt: u32,
) -> Result<(), StartError> {
    let by = trace::number(cpu::this_cpu::<A>());
    trace::of::<A>(block.cpu_id(), Event::Start { by, attempt });
    let needed = [block.stack_top as usize - 1, block.area as usize];
    let start = |tables: &InStep| match inject::at(Place::Release, block.cpu_id().as_u32()).goes() {
        // SAFETY: blocks are whole, and leaked.
        true => unsafe { A::start(block, tables, attempt) },
        false => Ok(()),
    };
    tables.enter::<A, _>(format_args!("starting CPU {}", block.cpu), &needed, start)
}

/// Gives up those that are not there. The two words cannot disagree for long: the state word decides.
fn revoke_missing<A: Arch>(blocks: &[&'static BootBlock], refused: &CpuMask) -> CpuMask {
    let online = ONLINE.snapshot();
    let mut missing = refused.and_not(&online);
    for block in blocks {
        if cpu::word(block.cpu_id()).revoke(block.generation()).is_ok() {
            let by = trace::number(cpu::this_cpu::<A>());
            trace::of::<A>(block.cpu_id(), Event::GivenUp { by });
            block.door.revoke();
            // The id came from a mask of the same size.
            let _ = missing.set(block.cpu_id());
        }
    }
    missing
}

/// The first Rust code of a secondary CPU, on its idle thread's stack, interrupts off, kernel tables on, its per-CPU base
/// not yet installed (x86's entry code has loaded it with the block's, which is the same).
///
/// # Safety
/// Called once by the entry code of the CPU that `block` was made for.
pub unsafe fn secondary_start<A: Arch>(block: &'static BootBlock) -> ! {
    let cpu = block.cpu_id();
    if !block.door.enter() {
        // It has set up nothing yet that would have to be quietened.
        A::irq_save();
        A::park()
    }
    phase::set(cpu, &"starting: in Rust, not through the gate yet");
    trace::of::<A>(cpu, Event::Alive);
    inject::at(Place::Entry, 0);
    // SAFETY: the block names this CPU's own area; interrupts are off.
    unsafe { A::install(cpu, block.area as usize) };
    A::init_secondary();
    A::init_timer();
    inject::at(Place::Installed, 0);
    arrive::<A>(cpu, block.generation());
    tick::ask::<A>();
    sched::idle::<A>(hotplug::leave_if_asked::<A>)
}

/// Through the online gate, or not. The masks come after the word: they are information, and a stop looks at words.
fn arrive<A: Arch>(cpu: CpuId, generation: Generation) {
    super::stop::gate::<A>(cpu, generation);
    trace::of::<A>(cpu, Event::Online);
    phase::set(cpu, &"running threads");
    inject::at(Place::Online, 0);
    sched::open(cpu);
    for mask in [&ONLINE, &ACTIVE] {
        // The id came from a mask of the same size.
        let _ = mask.set(cpu);
    }
    hotplug::arrived::<A>();
}
