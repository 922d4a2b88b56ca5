//! Tests that only a running kernel can make: of the clock, the scheduler, per-CPU variables, memory and its protection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::cpu::{self, CpuId, CpuMask, ONLINE};
use crate::irq::{IrqOff, Lock};
use crate::mm::{self, PAGE};
use crate::sched::{self, Thread};
use crate::{image, println};

percpu::percpu! {
    static MINE: AtomicUsize = AtomicUsize::new(usize::MAX);
}

/// Time a test may take on the slowest machine: an emulator whose hundreds of CPUs share two cores.
const LIMIT_NS: u64 = 60_000 * MS;
/// CPUs a test that keeps them busy is run on.
const BUSY_CPUS: usize = 4;

type Outcome = Result<(), &'static str>;
/// What is claimed, and the test of it.
pub(crate) type Test = (&'static str, fn() -> Outcome);

/// `selftest`.
pub(super) fn run<A: Arch>() -> Outcome {
    let tests: &[Test] = &[
        ("clock never steps back, on any CPU", clock_is_monotonic::<A>),
        ("sleep lasts as long as asked", sleep_lasts::<A>),
        ("per-CPU variables are each CPU's own", percpu_is_per_cpu::<A>),
        ("threads that never yield share a CPU", preemption::<A>),
        ("dead threads are used again", threads_are_reused::<A>),
        ("a lock keeps all CPUs apart", locks_exclude::<A>),
        ("the heap gives out memory once", heap_is_sound),
        ("page tables protect what they should", protection::<A>),
    ];
    let further = super::hotplug::selftests::<A>();
    let tests = tests.iter().chain(&further);
    let (count, mut failed) = (tests.clone().count(), 0);
    for (name, test) in tests {
        match test() {
            Ok(()) => println!("  ok      {name}"),
            Err(why) => {
                failed += 1;
                println!("  FAILED  {name}: {why}");
            }
        }
    }
    let passed = count as u32 - failed;
    println!("{}", records::Selftest { passed, failed });
    if failed == 0 {
        Ok(())
    } else {
        Err("some tests failed")
    }
}

/// Runs `work` in a thread on each CPU of `cpus` and waits for all.
fn on_each<A: Arch>(cpus: &CpuMask, work: impl Fn(CpuId) + Send + Sync + 'static) -> Outcome {
    let me = sched::current::<A>().ok_or("no thread runs")?;
    let (work, left) = (Arc::new(work), Arc::new(AtomicUsize::new(cpus.count() as usize)));
    for id in cpus.iter() {
        let (work, left) = (work.clone(), left.clone());
        let job = move || {
            work(id);
            if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                sched::wake::<A>(me);
            }
        };
        sched::spawn::<A>("selftest", id, job).map_err(|_| "out of memory")?;
    }
    wait::<A>(|| left.load(Ordering::Acquire) == 0)
}

/// Blocks until `done`; whoever makes it true wakes this thread, or the look every few milliseconds finds it.
fn wait<A: Arch>(done: impl Fn() -> bool) -> Outcome {
    let deadline = clock::now_ns() + LIMIT_NS;
    while !done() {
        if clock::now_ns() >= deadline {
            return Err("not done in time");
        }
        sched::block_until::<A>(clock::now_ns() + 5 * MS);
    }
    Ok(())
}

fn clock_is_monotonic<A: Arch>() -> Outcome {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    static BACK: AtomicBool = AtomicBool::new(false);
    on_each::<A>(&ONLINE.snapshot(), |_| {
        for _ in 0..200 {
            let before = LATEST.load(Ordering::Acquire);
            let now = clock::now_ns();
            LATEST.fetch_max(now, Ordering::AcqRel);
            BACK.fetch_or(now < before, Ordering::AcqRel);
        }
    })?;
    if BACK.load(Ordering::Acquire) {
        Err("a CPU read an earlier time than another had before")
    } else {
        Ok(())
    }
}

fn sleep_lasts<A: Arch>() -> Outcome {
    let start = clock::now_ns();
    sched::sleep::<A>(3 * MS);
    if clock::now_ns() - start >= 3 * MS {
        Ok(())
    } else {
        Err("woken early")
    }
}

fn percpu_is_per_cpu<A: Arch>() -> Outcome {
    let online = ONLINE.snapshot();
    on_each::<A>(&online, |id| {
        let off = IrqOff::new();
        let truth = if cpu::id::<A>(off.pin()) == id {
            id.as_usize()
        } else {
            usize::MAX
        };
        MINE.store::<A>(off.pin(), truth);
    })?;
    let wrong =
        |id: &CpuId| MINE.remote(id.as_usize()).map(|v| v.load(Ordering::Acquire)) != Some(id.as_usize());
    if online.iter().any(|id| wrong(&id)) {
        Err("a CPU found another's variable")
    } else {
        Ok(())
    }
}

fn preemption<A: Arch>() -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    let mut counters = Vec::new();
    for id in ONLINE.snapshot().iter().take(BUSY_CPUS) {
        for _ in 0..2 {
            let counter = Arc::new(AtomicUsize::new(0));
            let (theirs, stop) = (counter.clone(), stop.clone());
            let spin = move || {
                while !stop.load(Ordering::Relaxed) {
                    theirs.fetch_add(1, Ordering::Relaxed);
                    core::hint::spin_loop();
                }
            };
            sched::spawn::<A>("selftest", id, spin).map_err(|_| "out of memory")?;
            counters.push(counter);
        }
    }
    let all_ran = wait::<A>(|| counters.iter().all(|c| c.load(Ordering::Relaxed) > 0));
    stop.store(true, Ordering::Relaxed);
    all_ran
}

fn threads_are_reused<A: Arch>() -> Outcome {
    let count = || {
        let mut n = 0usize;
        sched::for_each(|_: &'static Thread| n += 1);
        n
    };
    let me = sched::current::<A>().ok_or("no thread runs")?;
    let one = CpuMask::from_cpu(me.cpu()).map_err(|_| "a CPU beyond this build")?;
    on_each::<A>(&one, |_| {})?;
    let before = count();
    for _ in 0..50 {
        on_each::<A>(&one, |_| {})?;
    }
    // A thread that has just finished may not be off its stack yet; two take turns then.
    if count() <= before + 1 {
        Ok(())
    } else {
        Err("threads pile up")
    }
}

fn locks_exclude<A: Arch>() -> Outcome {
    const ROUNDS: u64 = 100;
    static TOTAL: Lock<u64> = Lock::new(0);
    *TOTAL.lock() = 0;
    let online = ONLINE.snapshot();
    on_each::<A>(&online, |_| (0..ROUNDS).for_each(|_| *TOTAL.lock() += 1))?;
    if *TOTAL.lock() == ROUNDS * u64::from(online.count()) {
        Ok(())
    } else {
        Err("increments were lost")
    }
}

fn heap_is_sound() -> Outcome {
    let mut blocks: Vec<Box<[usize]>> = Vec::new();
    let mut state = 0x9e37_79b9u32;
    for round in 0..500usize {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let words = 1 + (state >> 20) as usize % 300;
        blocks.push(core::iter::repeat_n(round, words).collect());
        if state & 3 == 0 {
            let victim = blocks.swap_remove((state >> 8) as usize % blocks.len());
            if victim.iter().any(|word| *word != victim[0]) {
                return Err("a block was overwritten");
            }
        }
    }
    let whole = |block: &[usize]| block.iter().all(|word| *word == block[0]);
    if blocks.iter().all(|block| whole(block)) {
        Ok(())
    } else {
        Err("a block was overwritten")
    }
}

fn protection<A: Arch>() -> Outcome {
    let thread = sched::current::<A>().ok_or("no thread runs")?;
    let checks = [
        (!mm::is_mapped::<A>(0), "address 0 is mapped"),
        (
            !mm::is_mapped::<A>(thread.stack().bottom() - PAGE),
            "the page below the stack is mapped",
        ),
        (
            !mm::is_mapped::<A>(image::init_stack_guard()),
            "the page below the first stack is mapped",
        ),
        (mm::is_mapped::<A>(image::text()), "code is not mapped"),
        (!mm::is_writable::<A>(image::text()), "code is writable"),
        (!mm::is_writable::<A>(image::rodata()), "constants are writable"),
        (mm::is_writable::<A>(image::data()), "variables are not writable"),
        (
            mm::write_exec_page::<A>().is_none(),
            "some page is both writable and executable",
        ),
    ];
    checks
        .iter()
        .find(|(good, _)| !good)
        .map_or(Ok(()), |(_, why)| Err(*why))
}
