//! Stopping the others, by the simplest honest means: ask each CPU once, wait with a deadline, name who did not answer.

use smp_stop::CpuState;

use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::cpu::{self, CpuId, CpuMask, POSSIBLE};
use crate::irq;
use crate::smp::Ipi;
use crate::stop_report::StopReport;

/// Time for all to answer: this, and a share for each CPU, because an emulator's CPUs take turns.
const DEADLINE_NS: u64 = 1_000 * MS;
const DEADLINE_PER_CPU_NS: u64 = 20 * MS;

/// How often the waiting CPU sets its timer, in polls, and how far ahead.
const POLLS_PER_TURN: u64 = 64;
const TURNS_PER_SECOND: u64 = 10_000;

/// Stops every CPU but `me` and reports. Takes no lock, needs no per-CPU base, prints nothing. A CPU on its way up is
/// asked through its word alone: the gate refuses it and it parks.
pub(crate) fn stop_others<A: Arch>(me: Option<CpuId>) -> StopReport {
    let others = POSSIBLE.snapshot().iter().filter(|cpu| Some(*cpu) != me);
    let mut asked = CpuMask::EMPTY;
    for cpu in others {
        if matches!(cpu::word(cpu).request_stop(), CpuState::Off | CpuState::Parked) {
            continue;
        }
        // The id came from a mask of the same size.
        let _ = asked.set(cpu);
        if let Some(hw) = cpu::hw_id(cpu) {
            A::send_ipi(cpu, hw, Ipi::Stop);
        }
    }
    let silent = wait::<A>(asked);
    StopReport {
        owner: me,
        stopped: parked(),
        silent,
    }
}

/// Polls the words of those asked; returns who is still not parked at the deadline.
fn wait<A: Arch>(mut asked: CpuMask) -> CpuMask {
    let limit = DEADLINE_NS + DEADLINE_PER_CPU_NS * u64::from(asked.count());
    let (start, mut polls) = (clock::ns_at(clock::cycles()), irq::POLLS_PER_SECOND);
    loop {
        for cpu in asked
            .iter()
            .filter(|cpu| cpu::word(*cpu).state() == CpuState::Parked)
        {
            asked.clear(cpu);
        }
        polls -= 1;
        if asked.is_empty() || polls == 0 || clock::ns_at(clock::cycles()) - start > limit {
            return asked;
        }
        // An emulator that counts instructions lets a CPU run until the next timer is due: without one, those asked would
        // get no turn before the deadline. Interrupts are off, so nothing else comes of it.
        if polls.is_multiple_of(POLLS_PER_TURN) {
            A::set_timer(clock::cycles() + clock::hz() / TURNS_PER_SECOND);
        }
        core::hint::spin_loop();
    }
}

fn parked() -> CpuMask {
    let mut mask = CpuMask::EMPTY;
    for cpu in POSSIBLE
        .snapshot()
        .iter()
        .filter(|cpu| cpu::word(*cpu).state() == CpuState::Parked)
    {
        // The id came from a mask of the same size.
        let _ = mask.set(cpu);
    }
    mask
}

/// The stop signal's handler: answers and parks. A signal nobody meant for this CPU's word changes nothing.
pub fn stop_interrupt<A: Arch>() {
    let me = cpu::by_hw_id(A::hw_id());
    if me.is_some_and(|cpu| cpu::word(cpu).stop_requested()) {
        park_this_cpu::<A>(me);
    }
}

/// Acknowledges and parks for good.
pub(crate) fn park_this_cpu<A: Arch>(me: Option<CpuId>) -> ! {
    A::irq_save();
    if let Some(me) = me {
        cpu::word(me).park();
    }
    A::park()
}
