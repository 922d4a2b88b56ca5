//! Figures a person can ask for: what a wake-up across CPUs, a thread switch and a lock cost here.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use ::trace::{Event, Groups};

use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::cpu::{CpuId, ONLINE};
use crate::irq::{IrqOff, Lock};
use crate::trace::TRACE;
use crate::{println, sched};

const ROUNDS: u64 = 1000;
/// A benchmark that has not finished by then is given up.
const LIMIT_NS: u64 = 20_000 * MS;

/// `bench KIND`.
pub(super) fn run<A: Arch>(kind: &str) -> Result<(), &'static str> {
    match kind {
        "switch" => switch::<A>(),
        "ipi" => ipi::<A>(),
        "lock" => lock::<A>(),
        "trace" => trace::<A>(),
        _ => Err("no such benchmark"),
    }
}

fn report(what: &str, rounds: u64, ns: u64) {
    println!("{what:<44} {:>10} ns each, {rounds} rounds", ns / rounds.max(1));
}

/// The CPU this thread belongs to.
fn here<A: Arch>() -> Result<CpuId, &'static str> {
    sched::current::<A>().map(|me| me.cpu()).ok_or("no thread runs")
}

/// Two threads on one CPU yield to each other.
fn switch<A: Arch>() -> Result<(), &'static str> {
    let stop = Arc::new(AtomicBool::new(false));
    let (other, here) = (stop.clone(), here::<A>()?);
    sched::spawn::<A>("bench", here, move || {
        while !other.load(Ordering::Relaxed) {
            sched::yield_now::<A>();
        }
    })
    .map_err(|_| "out of memory")?;
    sched::yield_now::<A>();
    let start = clock::now_ns();
    (0..ROUNDS).for_each(|_| sched::yield_now::<A>());
    report("thread switch", ROUNDS * 2, clock::now_ns() - start);
    stop.store(true, Ordering::Relaxed);
    sched::yield_now::<A>();
    Ok(())
}

/// Records an event over and over, which costs this CPU's ring all it held: once of a group that is recorded, once of one that
/// is not. What the loop itself takes is taken off.
fn trace<A: Arch>() -> Result<(), &'static str> {
    let before = TRACE.groups();
    let _off = IrqOff::new();
    let empty = timed(|| core::hint::black_box(()));
    TRACE.set_groups(Groups::LIFE);
    let recorded = timed(|| crate::trace::here::<A>(Event::Online));
    let ignored = timed(|| crate::trace::here::<A>(Event::IpiTaken));
    TRACE.set_groups(before);
    report("record an event", ROUNDS, recorded.saturating_sub(empty));
    report(
        "pass by one that is not wanted",
        ROUNDS,
        ignored.saturating_sub(empty),
    );
    Ok(())
}

fn timed(work: impl Fn()) -> u64 {
    let start = clock::now_ns();
    (0..ROUNDS).for_each(|_| work());
    clock::now_ns() - start
}

/// A thread here and one on another CPU wake each other.
fn ipi<A: Arch>() -> Result<(), &'static str> {
    let here = here::<A>()?;
    let far = ONLINE
        .snapshot()
        .iter()
        .find(|cpu| *cpu != here)
        .ok_or("there is no other CPU")?;
    let me = sched::current::<A>().ok_or("no thread runs")?;
    let turn = Arc::new(AtomicU64::new(0));
    let theirs = turn.clone();
    let echo = move || {
        for round in 0..ROUNDS {
            if !wait::<A>(|| theirs.load(Ordering::Acquire) == 2 * round + 1) {
                return;
            }
            theirs.store(2 * round + 2, Ordering::Release);
            sched::wake::<A>(me);
        }
    };
    let partner = sched::spawn::<A>("bench", far, echo).map_err(|_| "out of memory")?;
    let start = clock::now_ns();
    for round in 0..ROUNDS {
        turn.store(2 * round + 1, Ordering::Release);
        sched::wake::<A>(partner);
        if !wait::<A>(|| turn.load(Ordering::Acquire) == 2 * round + 2) {
            return Err("the other CPU did not answer");
        }
    }
    report(
        "wake a thread on another CPU, and back",
        ROUNDS,
        clock::now_ns() - start,
    );
    Ok(())
}

/// Blocks until `done`, or gives up.
fn wait<A: Arch>(done: impl Fn() -> bool) -> bool {
    let deadline = clock::now_ns() + LIMIT_NS;
    while !done() {
        if clock::now_ns() >= deadline {
            return false;
        }
        sched::block_until::<A>(deadline);
    }
    true
}

/// A lock taken by one CPU, then by all at once.
fn lock<A: Arch>() -> Result<(), &'static str> {
    let start = clock::now_ns();
    let counter = Arc::new(Lock::new(0u64));
    (0..ROUNDS).for_each(|_| *counter.lock() += 1);
    report("lock and unlock, alone", ROUNDS, clock::now_ns() - start);
    *counter.lock() = 0;

    let cpus = ONLINE.snapshot();
    let left = Arc::new(AtomicU32::new(cpus.count()));
    let me = sched::current::<A>().ok_or("no thread runs")?;
    let start = clock::now_ns();
    cpus.iter()
        .try_for_each(|cpu| contender::<A>(cpu, &counter, &left, me))?;
    if !wait::<A>(|| left.load(Ordering::Acquire) == 0) {
        return Err("not all CPUs finished in time");
    }
    let total = *counter.lock();
    if total != ROUNDS * u64::from(cpus.count()) {
        return Err("the lock did not keep CPUs apart");
    }
    report(
        "lock and unlock, all CPUs at once",
        total,
        clock::now_ns() - start,
    );
    Ok(())
}

fn contender<A: Arch>(
    cpu: CpuId,
    counter: &Arc<Lock<u64>>,
    left: &Arc<AtomicU32>,
    wake: &'static sched::Thread,
) -> Result<(), &'static str> {
    let (counter, left) = (counter.clone(), left.clone());
    let work = move || {
        (0..ROUNDS).for_each(|_| *counter.lock() += 1);
        if left.fetch_sub(1, Ordering::AcqRel) == 1 {
            sched::wake::<A>(wake);
        }
    };
    sched::spawn::<A>("bench", cpu, work)
        .map(drop)
        .map_err(|_| "out of memory")
}
