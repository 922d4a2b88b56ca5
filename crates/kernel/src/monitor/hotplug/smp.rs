//! The monitor's commands.

use crate::arch::Arch;
use crate::cpu::{CpuId, CpuMask, ONLINE};
use crate::smp::hotplug::{Refusal, offline, online};
use crate::{clock, mm, println};

pub(crate) use super::selftest::selftests;

type Outcome = Result<(), Refusal>;

/// One CPU, by its number.
fn one(text: &str) -> Result<CpuId, Refusal> {
    text.parse()
        .map(CpuId::new)
        .map_err(|_| "not the number of a CPU")
}

/// `offline CPU`.
pub(crate) fn take_off<A: Arch>(which: &str) -> Outcome {
    let (cpu, start) = (one(which)?, clock::now_ns());
    offline::<A>(cpu)?;
    println!("CPU {cpu} is off after {} us", (clock::now_ns() - start) / 1000);
    Ok(())
}

/// `online CPU`.
pub(crate) fn bring_on<A: Arch>(which: &str) -> Outcome {
    let (cpu, start) = (one(which)?, clock::now_ns());
    online::<A>(cpu)?;
    println!(
        "CPU {cpu} is online after {} us",
        (clock::now_ns() - start) / 1000
    );
    Ok(())
}

/// How long something took, over many times.
#[derive(Default)]
struct Times {
    count: u64,
    total: u64,
    longest: u64,
}

impl Times {
    fn add(&mut self, f: impl FnOnce() -> Outcome) -> Outcome {
        let start = clock::now_ns();
        f()?;
        let ns = clock::now_ns() - start;
        self.count += 1;
        self.total += ns;
        self.longest = self.longest.max(ns);
        Ok(())
    }

    fn mean(&self) -> u64 {
        self.total / self.count.max(1)
    }
}

/// `hotplug all|CPU[,CPU] CYCLES`: each of the CPUs off and on again, so many times. Those that must stay are left out of `all`.
pub(crate) fn cycle<A: Arch>(text: &str) -> Outcome {
    let (which, cycles) = text.split_once(' ').ok_or("which CPUs, and how often?")?;
    let cycles: u32 = cycles.trim().parse().map_err(|_| "not a number of cycles")?;
    let cpus = chosen::<A>(which)?;
    let (mut off, mut on) = (Times::default(), Times::default());
    let memory = || (mm::usage().used(), mm::allocated_bytes());
    let before = memory();
    let done = (0..cycles).try_for_each(|_| round::<A>(&cpus, &mut off, &mut on));
    let after = memory();
    let line = records::Hotplug {
        cpus: &cpus,
        cycles,
        off: off.count,
        on: on.count,
        off_ns: off.mean(),
        off_max_ns: off.longest,
        on_ns: on.mean(),
        on_max_ns: on.longest,
        pages_before: before.0,
        pages_after: after.0,
        heap_before: before.1,
        heap_after: after.1,
    };
    println!("{line}");
    done
}

fn round<A: Arch>(cpus: &CpuMask, off: &mut Times, on: &mut Times) -> Outcome {
    for cpu in cpus.iter() {
        off.add(|| offline::<A>(cpu))
            .inspect_err(|_| println!("CPU {cpu} does not go off"))?;
        on.add(|| online::<A>(cpu))
            .inspect_err(|_| println!("CPU {cpu} does not come on"))?;
    }
    Ok(())
}

fn chosen<A: Arch>(which: &str) -> Result<CpuMask, Refusal> {
    let online = ONLINE.snapshot();
    if which != "all" {
        let named: CpuMask = which.parse().map_err(|_| "neither `all` nor a list of CPUs")?;
        return match named.is_subset(&online) && !named.is_empty() {
            true => Ok(named),
            false => Err("not all of these CPUs are online"),
        };
    }
    let mut able = online;
    for cpu in online.iter().filter(|cpu| A::can_come_back(*cpu).is_err()) {
        able.clear(cpu);
    }
    match able.is_empty() {
        true => Err("none of them can come back"),
        false => Ok(able),
    }
}
