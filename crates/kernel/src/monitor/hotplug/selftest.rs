//! The kernel's own test of hotplug: what must be refused is, and threads survive their CPU.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::cpu::{ACTIVE, CpuId, CpuMask, ONLINE};
use crate::monitor::selftest::Test;
use crate::sched;
use crate::smp::hotplug::{Refusal, offline, online};

type Outcome = Result<(), Refusal>;

/// The monitor's further tests.
pub(crate) fn selftests<A: Arch>() -> [Test; 2] {
    [
        ("CPUs that must not go off or come on do not", refusals::<A>),
        (
            "a CPU goes off, its threads go on, it comes back",
            there_and_back::<A>,
        ),
    ]
}

fn refusals<A: Arch>() -> Outcome {
    let before = ONLINE.snapshot();
    let nobody = CpuId::new(u32::MAX);
    let first = before.first().ok_or("no CPU is online")?;
    let wrong = [
        (
            offline::<A>(nobody).is_ok(),
            "a CPU that there cannot be went off",
        ),
        (online::<A>(nobody).is_ok(), "a CPU that there cannot be came on"),
        (online::<A>(first).is_ok(), "a CPU that was online came on"),
        (
            before.count() == 1 && offline::<A>(first).is_ok(),
            "the last CPU went off",
        ),
        (
            A::can_come_back(first).is_err() && offline::<A>(first).is_ok(),
            "a CPU went off that cannot come back",
        ),
    ];
    if let Some((_, what)) = wrong.iter().find(|(wrong, _)| *wrong) {
        return Err(what);
    }
    unchanged(&before)
}

fn unchanged(before: &CpuMask) -> Outcome {
    match (ONLINE.snapshot() == *before, ACTIVE.snapshot() == *before) {
        (true, true) => Ok(()),
        _ => Err("the masks are not what they were"),
    }
}

/// With the last CPU that can do it; there is none on a machine with one CPU.
fn there_and_back<A: Arch>() -> Outcome {
    let before = ONLINE.snapshot();
    let able = before.iter().filter(|cpu| A::can_come_back(*cpu).is_ok()).last();
    let Some(cpu) = able.filter(|_| before.count() > 1) else {
        return Ok(());
    };
    let sleeper = Sleeper::new::<A>(cpu)?;
    offline::<A>(cpu)?;
    if ONLINE.test(cpu) || ACTIVE.test(cpu) || offline::<A>(cpu).is_ok() {
        return Err("a CPU is off and is not");
    }
    let stray = Sleeper::new::<A>(cpu)?;
    let homeless = [sleeper.runs_on::<A>()?, stray.runs_on::<A>()?];
    online::<A>(cpu)?;
    let returned = Sleeper::new::<A>(cpu)?.runs_on::<A>()?;
    match (homeless.contains(&cpu), returned == cpu) {
        (true, _) => Err("a thread ran on a CPU that was off"),
        (_, false) => Err("a CPU that came back does not run its threads"),
        _ => unchanged(&before),
    }
}

/// A thread that sleeps until it is told to say where it is.
struct Sleeper {
    told: Arc<AtomicBool>,
    at: Arc<AtomicU32>,
}

impl Sleeper {
    fn new<A: Arch>(cpu: CpuId) -> Result<Self, Refusal> {
        let (told, at) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(u32::MAX)),
        );
        let (hears, says) = (told.clone(), at.clone());
        let nap = move || {
            while !hears.load(Ordering::Acquire) {
                sched::sleep::<A>(MS);
            }
            let here = sched::current::<A>().map_or(u32::MAX, |thread| thread.cpu().as_u32());
            says.store(here, Ordering::Release);
        };
        sched::spawn::<A>("selftest", cpu, nap).map_err(|_| "out of memory")?;
        Ok(Self { told, at })
    }

    fn runs_on<A: Arch>(self) -> Result<CpuId, Refusal> {
        const LIMIT_NS: u64 = 30_000 * MS;
        self.told.store(true, Ordering::Release);
        let said = || self.at.load(Ordering::Acquire) != u32::MAX;
        match sched::wait_until::<A>(clock::now_ns() + LIMIT_NS, said) {
            true => Ok(CpuId::new(self.at.load(Ordering::Acquire))),
            false => Err("a thread does not go on"),
        }
    }
}
