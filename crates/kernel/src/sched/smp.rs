//! Many CPUs: waking another, and what a CPU that leaves asks of the scheduler.

use ::trace::Event;

use super::RUNQ;
use crate::arch::{Arch, Ipi};
use crate::cpu::{self, CpuId, CpuMask};
use crate::trace;

/// Interrupts `cpu` so that it looks at its run queue.
pub(crate) fn kick<A: Arch>(cpu: CpuId) {
    if let Some(hw) = cpu::hw_id(cpu) {
        trace::here::<A>(Event::IpiSent {
            to: trace::number(Some(cpu)),
        });
        A::send_ipi(hw, Ipi::Resched);
    }
}

/// Has `cpu` run its idle thread from its next interrupt on, whoever else is ready; or, `false`, go on as before.
pub(crate) fn prefer_idle(cpu: CpuId, leaving: bool) {
    if let Some(queue) = RUNQ.remote(cpu.as_usize()) {
        queue.lock().leaving = leaving;
    }
}

/// Closes the queue of the executing CPU, `me`, and deals out its threads to `heirs`, in turn. Called by the idle thread, with
/// interrupts off: every other thread of this CPU has been switched away from, and its context is in memory.
///
/// A thread that neither is ready nor waits for a time is in no queue: it moves when it is woken.
pub(crate) fn move_away<A: Arch>(me: CpuId, heirs: &CpuMask) {
    let Some(mine) = RUNQ.remote(me.as_usize()) else {
        return;
    };
    let mut heir = me;
    // Two queues are locked at once here alone, and one CPU leaves at a time: the order of locks is its own.
    mine.lock().close(|thread, asleep| {
        heir = heirs.next_after(heir).or(heirs.first()).unwrap_or(me);
        if let Some(queue) = RUNQ.remote(heir.as_usize()).filter(|_| heir != me) {
            // In this order: whoever sees the new home and locks it must find the thread there.
            let mut queue = queue.lock();
            thread.set_cpu(heir);
            queue.adopt(thread, asleep);
        }
    });
    heirs.iter().for_each(kick::<A>);
}
