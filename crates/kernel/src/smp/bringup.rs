//! Bring-up: all secondaries at once, each with a block of its own, by handshake, within a deadline.
//!
//! The boot CPU releases everybody and then sleeps; each CPU that passes the online gate interrupts it. (When one CPU is
//! brought on later, a thread does the same.) A CPU that has not even reached Rust after a short while is asked again. One
//! that is not there at the deadline is revoked by a compare-exchange on its state word, which either fails, because the CPU
//! made it after all, or makes sure that it parks at the gate whenever it comes.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use ::trace::Event;
use smp_stop::{CpuState, Generation};

use super::{MAX_CPUS, blocks, hotplug};
use crate::arch::{Arch, BootBlock, InStep, StartError};
use crate::clock::MS;
use crate::cpu::{self, ACTIVE, BOOT_CPU, CpuId, CpuMask, ONLINE, POSSIBLE};
use crate::inject::{self, Place};
use crate::irq::IrqOff;
use crate::mm::{self, Areas, Phase, Synced};
use crate::{clock, info, phase, println, sched, tick, trace, warning};

/// How long a released CPU may take to reach Rust before it is asked again, and how often that is done.
const ASK_AGAIN_NS: u64 = 100 * MS;
const ATTEMPTS: u32 = 3;
/// Time for all to come online: this, and a share for each CPU, because an emulator's CPUs take turns.
const DEADLINE_NS: u64 = 10_000 * MS;
const DEADLINE_PER_CPU_NS: u64 = 100 * MS;

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
    report(&blocks, &came, clock::now_ns() - start, method);
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
    wait::<A, P>(blocks, tables);
    let missing = revoke_missing::<A>(blocks, &refused);
    Came { refused, missing }
}

/// What came of some starts.
pub(super) struct Came {
    /// Those whose start the hardware refused.
    pub(super) refused: CpuMask,
    /// Those that are not there: refused, or given up.
    pub(super) missing: CpuMask,
}

/// Releases all, each as soon as its word says STARTING, so that a stop that comes in between, even one that stops this CPU
/// there, does not wait for CPUs that nobody will release. Returns those whose start the hardware refused.
fn release<A: Arch, P: Phase>(blocks: &[&'static BootBlock], tables: &Synced<P>) -> CpuMask {
    let mut refused = CpuMask::EMPTY;
    for block in blocks {
        if let Err(why) = release_one::<A, P>(block, tables) {
            warning!(
                "CPU {} (hw {}) could not be started: {why:?}",
                block.cpu,
                block.hw
            );
            // The id came from a mask of the same size.
            let _ = refused.set(block.cpu_id());
        }
        A::start_pause_ns().into_iter().for_each(sched::rest::<A>);
    }
    refused
}

fn release_one<A: Arch, P: Phase>(block: &'static BootBlock, tables: &Synced<P>) -> Result<(), StartError> {
    let _off = IrqOff::new();
    let generation = cpu::word(block.cpu_id())
        .begin_start()
        .map_err(|_| StartError::NotOff)?;
    block.renew(generation);
    phase::set(block.cpu_id(), &"starting: released, not in Rust yet");
    inject::at(Place::Starting, 0);
    ask::<A, P>(block, tables, 0).inspect_err(|_| {
        // It was never released, so it is off. Refused only if it came all the same, and then it is welcome.
        let _ = cpu::word(block.cpu_id()).cancel_start(generation);
    })
}

/// Sends the CPU to the shadow root, once that is sure to map all it needs until it has left it.
fn ask<A: Arch, P: Phase>(
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

/// Sleeps until all are through the gate or the deadline has come, and asks CPUs again that show no sign of life.
fn wait<A: Arch, P: Phase>(blocks: &[&'static BootBlock], tables: &Synced<P>) {
    let start = clock::now_ns();
    let deadline = start + DEADLINE_NS + DEADLINE_PER_CPU_NS * blocks.len() as u64;
    let mut arrived = 0;
    let mut all_arrived = || {
        inject::at(Place::Waiting, 0);
        arrived += blocks[arrived..].iter().take_while(|b| !is_starting(b)).count();
        arrived == blocks.len()
    };
    for attempt in 1..ATTEMPTS {
        if sched::wait_until::<A>(start + ASK_AGAIN_NS * u64::from(attempt), &mut all_arrived) {
            return;
        }
        for block in blocks.iter().filter(|b| is_starting(b) && !b.is_alive()) {
            let _off = IrqOff::new();
            // Whoever fails this time was already told of or stays silent.
            let _ = ask::<A, P>(block, tables, attempt);
        }
    }
    sched::wait_until::<A>(deadline, &mut all_arrived);
}

/// Whether it is still to come. One that is online is also in the mask by the time it has told the boot CPU.
fn is_starting(block: &BootBlock) -> bool {
    match cpu::word(block.cpu_id()).state() {
        CpuState::Starting => true,
        CpuState::Online => !ONLINE.test(block.cpu_id()),
        _ => false,
    }
}

/// Gives up those that are not there. The two words cannot disagree for long: the state word decides.
fn revoke_missing<A: Arch>(blocks: &[&'static BootBlock], refused: &CpuMask) -> CpuMask {
    let online = ONLINE.snapshot();
    let mut missing = refused.and_not(&online);
    for block in blocks {
        if cpu::word(block.cpu_id()).revoke(block.generation()).is_ok() {
            let by = trace::number(cpu::this_cpu::<A>());
            trace::of::<A>(block.cpu_id(), Event::GivenUp { by });
            let _ = block.life.compare_exchange(
                BootBlock::FRESH,
                BootBlock::REVOKED,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            // The id came from a mask of the same size.
            let _ = missing.set(block.cpu_id());
        }
    }
    missing
}

fn report(blocks: &[&'static BootBlock], came: &Came, ns: u64, method: &str) {
    let Came { refused, missing } = came;
    let mut expected = CpuMask::EMPTY;
    for id in blocks.iter().map(|b| b.cpu_id()).chain([BOOT_CPU]) {
        // The id came from a mask of the same size.
        let _ = expected.set(id);
    }
    let online = ONLINE.snapshot();
    let line = records::Cpus {
        expected: &expected,
        started: &expected.and_not(refused),
        online: &online,
        missing,
        ns,
    };
    println!("{line}");
    info!(
        "smp: {} of {} CPUs online in {} us by {}",
        online.count(),
        expected.count(),
        ns / 1000,
        method
    );
    for cpu in missing.and_not(refused).iter() {
        let alive = blocks.iter().any(|b| b.cpu_id() == cpu && b.is_alive());
        let seen = if alive {
            "was seen alive but did not reach the gate"
        } else {
            "gave no sign of life"
        };
        warning!(
            "smp: CPU {cpu} (hw {}) {seen}; revoked: it parks if it still comes",
            hw_of(cpu)
        );
    }
}

fn hw_of(cpu: CpuId) -> u64 {
    cpu::hw_id(cpu).map_or(u64::MAX, |hw| hw.0)
}

/// The first Rust code of a secondary CPU, on its idle thread's stack, interrupts off, kernel tables on, its per-CPU base
/// not yet installed (x86's entry code has loaded it with the block's, which is the same).
///
/// # Safety
/// Called once by the entry code of the CPU that `block` was made for.
pub unsafe fn secondary_start<A: Arch>(block: &'static BootBlock) -> ! {
    let cpu = block.cpu_id();
    // Refused if the start was revoked meanwhile; the gate says so too, and parks.
    let _ = block.life.compare_exchange(
        BootBlock::FRESH,
        BootBlock::ALIVE,
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    phase::set(cpu, &"starting: in Rust, not through the gate yet");
    trace::of::<A>(cpu, Event::Alive);
    inject::at(Place::Entry, 0);
    // SAFETY: the block names this CPU's own area; interrupts are off.
    unsafe { A::install(cpu, block.area as usize) };
    A::init_secondary();
    A::init_timer();
    A::note_stack(block.stack_top as usize - mm::STACK_BYTES);
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
