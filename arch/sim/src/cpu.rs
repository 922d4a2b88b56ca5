//! The executing CPU: how it spends time, takes interrupts, and comes to grief.

use smp_stop::smp::Engine;
use smp_stop::{Reason, RungKind};

use crate::plan::{Mishap, Ns, Place, US};
use crate::world::{Body, CpuState, NEVER, World};

/// The CPU that executes. What the engine's hooks and a program are run on.
#[derive(Clone, Copy)]
pub struct Cpu<'w> {
    pub world: &'w World,
    pub n: usize,
}

impl<'w> Cpu<'w> {
    pub fn new(world: &'w World, n: usize) -> Self {
        Self { world, n }
    }

    pub fn engine(&self) -> Engine<'_, '_, Self> {
        Engine::new(&self.world.area, self)
    }

    pub fn state(&self) -> &'w CpuState {
        self.world.cpu(self.n)
    }

    /// Executes for about so long, while others do too.
    pub fn pass(&self, ns: Ns) {
        let about = self.world.roll(ns / 2, ns + ns / 2);
        self.sleep(self.world.now() + about.max(1), false);
    }

    /// Does nothing until then. Interrupts that may be taken cut a light sleep short, and are taken in any case.
    pub fn sleep(&self, until: Ns, light: bool) {
        let state = self.state();
        loop {
            state.wake.set(until);
            if light && self.world.can_take(self.n) {
                state.wake.set(self.world.now() + 1);
            }
            state.light_sleep.set(light);
            state.give_way.give_way();
            state.light_sleep.set(false);
            let taken = self.take_interrupts();
            if !light || taken == 0 && self.world.now() >= until {
                return;
            }
        }
    }

    /// For ever, but for interrupts.
    pub fn idle(&self) -> ! {
        loop {
            self.sleep(NEVER, true);
        }
    }

    /// Nothing gets through.
    fn nothing(&self, until: Ns) {
        let state = self.state();
        state.wake.set(until);
        state.give_way.give_way();
    }

    fn take_interrupts(&self) -> u32 {
        let (state, mut taken) = (self.state(), 0);
        while self.world.can_take(self.n) {
            taken += 1;
            let nmi = state.pending_nmi.get() && !state.in_nmi.get() && !self.world.plan.cpus[self.n].deaf;
            let irqs_on = state.irqs_on.replace(false);
            if nmi {
                state.pending_nmi.set(false);
                state.in_nmi.set(true);
                self.handle(RungKind::NonMaskable);
                state.in_nmi.set(false);
            } else {
                state.pending_irq.set(false);
                self.handle(RungKind::Interrupt);
            }
            state.irqs_on.set(irqs_on);
        }
        taken
    }

    fn handle(&self, kind: RungKind) {
        self.pass(200);
        if let Some(stop) = self.engine().signalled(kind) {
            self.returned(&stop);
            self.end_of_owner();
        }
    }

    /// A fault's handler: the kernel panics, and what faulted is never gone back to.
    fn fault(&self) -> ! {
        self.state().irqs_on.set(false);
        self.world.trace(self.n, format_args!("faults"));
        self.stop(Reason::Panic);
        self.end_of_owner()
    }

    /// Stops the machine; returns on its owner.
    pub fn stop(&self, reason: Reason) {
        self.note_stop(reason);
        let stop = self.engine().stop(reason);
        self.returned(&stop);
    }

    /// What an owner does at last: it waits for the machine to end, and looks whether it is still the owner.
    pub fn end_of_owner(&self) -> ! {
        self.state().irqs_on.set(false);
        loop {
            if let Some(stop) = self.engine().poll() {
                self.returned(&stop);
            }
            self.sleep(self.world.now() + 50 * US, true);
        }
    }

    /// Trips this CPU up, if the plan says so.
    pub fn passes(&self, place: Place) {
        let traps = self.world.plan.cpus[self.n].traps.iter();
        for (trap, passed) in traps.zip(&self.state().passed) {
            if trap.at != place {
                continue;
            }
            let before = passed.replace(passed.get().saturating_add(1));
            if before >= trap.skip && before - trap.skip < trap.times {
                self.befalls(trap.what);
            }
        }
    }

    fn befalls(&self, what: Mishap) {
        self.world.trace(self.n, format_args!("{what:?}"));
        match what {
            Mishap::Faults => self.fault(),
            Mishap::Sleeps(ns) => self.nothing(self.world.now() + ns),
            Mishap::Hangs => {
                self.state().body.set(Body::Hangs);
                self.state().irqs_on.set(false);
                // Only a non-maskable interrupt gets it out of here, to park.
                self.idle()
            }
        }
    }

    /// The CPU executes no instruction until then.
    pub fn descheduled(&self, ns: Ns) {
        self.nothing(self.world.now() + ns);
        self.take_interrupts();
    }
}
