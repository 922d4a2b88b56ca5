//! What each CPU did: events in rings of their own, for the monitor, for a debugger, and for the host after a crash.
//!
//! Recording takes no lock, allocates nothing and needs no per-CPU base where the caller knows which CPU it speaks of, so
//! that it may be done anywhere. What becomes of CPUs is always recorded, `trace=` asks for more, or for nothing. The
//! answers to a stop are not: they are in the stop's own report, with their times.

mod params;

use ::trace::{Clock, Event, Groups, Phase, Ring, TraceArea};

use crate::arch::Arch;
use crate::cpu::{self, CpuId};
use crate::{clock, hooks};

pub(crate) use params::{PARAM, choose};

/// The trace. Has a section of its own, which the entry code zeroes.
#[cfg_attr(target_os = "none", unsafe(link_section = ".trace"))]
pub static TRACE: TraceArea = TraceArea::new();

/// From here on events are recorded, at first those of the boot CPU only.
pub(crate) fn begin<A: Arch>() {
    TRACE.sign();
    phase::<A>(Phase::Start);
}

/// How the counter runs, as the clock knows it ([`clock::scale`]).
pub(crate) fn set_clock((entry, mult, shift): (u64, u32, u32)) {
    TRACE.set_clock(Clock { entry, mult, shift });
}

/// Whether events of this group are recorded.
#[inline(always)]
pub(crate) fn wants(group: Groups) -> bool {
    TRACE.groups().has(group)
}

/// Something happened on the executing CPU, which has its per-CPU base, or is the boot CPU on its way there.
#[inline(always)]
pub(crate) fn here<A: Arch>(event: Event) {
    if wants(event.group()) {
        record(cpu::this_cpu::<A>(), A::cycles(), event);
    }
}

/// Something happened to `cpu`, whoever executes this.
#[inline(always)]
#[cfg_attr(
    not(feature = "smp"),
    expect(dead_code, reason = "nobody comes and goes in a UP build")
)]
pub(crate) fn of<A: Arch>(cpu: CpuId, event: Event) {
    if wants(event.group()) {
        record(Some(cpu), A::cycles(), event);
    }
}

/// As [`here`], for a CPU in any state: it asks the hardware who it is.
pub(crate) fn by_hardware<A: Arch>(event: Event) {
    if wants(event.group()) {
        record(cpu::by_hw_id(A::hw_id()), A::cycles(), event);
    }
}

/// A step of the boot begins.
pub(crate) fn phase<A: Arch>(phase: Phase) {
    here::<A>(Event::Phase(phase));
}

#[inline(always)]
fn record(cpu: Option<CpuId>, cycles: u64, event: Event) {
    TRACE.ring(cpu.map(CpuId::as_usize)).record(cycles, event);
}

/// The number of `cpu` as events hold it.
#[cfg_attr(
    not(feature = "smp"),
    expect(dead_code, reason = "nobody comes and goes in a UP build")
)]
pub(crate) fn number(cpu: Option<CpuId>) -> u16 {
    cpu.map_or(u16::MAX, |cpu| cpu.as_u32() as u16)
}

/// Interrupts have just been turned off on this CPU, and were on.
#[inline(always)]
pub(crate) fn irqs_off() {
    if wants(Groups::IRQ_OFF) {
        span_begins();
    }
}

/// Interrupts are about to be turned on again on this CPU.
#[inline(always)]
pub(crate) fn irqs_on() {
    if wants(Groups::IRQ_OFF) {
        span_ends();
    }
}

#[cold]
fn span_begins() {
    if let Some(hooks) = hooks::get() {
        this_ring(hooks).set_mark((hooks.cycles)());
    }
}

#[cold]
fn span_ends() {
    let Some(hooks) = hooks::get() else { return };
    let (ring, now) = (this_ring(hooks), (hooks.cycles)());
    let (since, limit) = (ring.mark(), params::irq_off_limit());
    let ns = clock::ns_at(now).saturating_sub(clock::ns_at(since));
    if since != 0 && ns > limit {
        ring.record(
            now,
            Event::IrqOff {
                ns: u32::try_from(ns).unwrap_or(u32::MAX),
            },
        );
    }
    ring.set_mark(0);
}

fn this_ring(hooks: &hooks::Hooks) -> &'static Ring {
    TRACE.ring((hooks.cpu_number)().map(CpuId::as_usize))
}
