//! The stop signals' way into the engine, and the online gate.

use smp_stop::{CpuId, Generation, RungKind};

use crate::account::STOP;
use crate::arch::Arch;
use crate::inject::{self, Place};
use crate::panic;
use crate::stop::{Engine, FillRegisters, Machine, Stopped};

/// A stop signal arrived. Called by the handler of each rung's signal, and first of all by that of every non-maskable
/// interrupt, with interrupts off; `interrupted` fills in the registers of the code that was interrupted. Parks this CPU if
/// it has been asked to stop, and returns if the signal means nothing to it: late, sent twice, or about something else.
pub fn stop_signal<A: Arch>(kind: RungKind, interrupted: FillRegisters<'_>) {
    if !inject::at(Place::Signal, kind as u32).goes() {
        return;
    }
    let machine = Machine::<A>::new(Some(interrupted));
    if let Some(stop) = Engine::new(&STOP, &machine).signalled(kind) {
        panic::took_over::<A>(&Stopped::from(&stop));
    }
    if kind == RungKind::NonMaskable {
        inject::at(Place::Nmi, 0);
    }
}

/// Returns once the executing CPU is online; parks it if nobody wants it any more.
pub(super) fn gate<A: Arch>(cpu: CpuId, generation: Generation) {
    Engine::new(&STOP, &Machine::<A>::new(None)).come_online(cpu, generation);
}
