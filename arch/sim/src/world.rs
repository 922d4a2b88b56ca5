//! The machine: its time, its signals in flight, and whose turn it is.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use arrayvec::ArrayVec;
use smp_stop::{CpuId, CpuWord, Door, Generation, Reason, RungKind, StopArea};

use crate::check::{Account, CpuNotes, End, Notes};
use crate::fiber::{Fibers, GiveWay, Stacks};
use crate::plan::{Clock, MAX_CPUS, Ns, Plan, Start, US};
use crate::program;

/// Never.
pub const NEVER: Ns = Ns::MAX;

/// What a CPU really does, whatever any word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Was never released.
    NeverReleased,
    /// Executes, or sleeps until something happens.
    Runs,
    /// Came unasked, and waits at the door until it is started.
    Waits,
    /// Executes its park loop.
    Parked,
    /// Executes nothing: only a start brings it back.
    Off,
    /// Hangs in a hook.
    Hangs,
    /// Was stopped by hardware, wherever it was.
    Struck,
}

/// What is known about a CPU from inside the machine.
pub struct CpuState {
    pub give_way: GiveWay,
    /// When it runs next.
    pub wake: Cell<Ns>,
    /// Whether something that arrives earlier ends its sleep.
    pub light_sleep: Cell<bool>,
    pub irqs_on: Cell<bool>,
    pub in_nmi: Cell<bool>,
    pub pending_irq: Cell<bool>,
    pub pending_nmi: Cell<bool>,
    /// Whether it is in the mode of a hypervisor.
    pub virt: Cell<bool>,
    /// Whether a hard stop waits for it to leave that.
    pub held_back: Cell<bool>,
    pub body: Cell<Body>,
    /// Whether it has executed since it was released.
    pub begun: Cell<bool>,
    /// What it comes through first.
    pub door: Door,
    /// How it was started.
    pub generation: Cell<Option<Generation>>,
    /// How often each trap's place was passed.
    pub passed: [Cell<u8>; 2],
    /// What the checks keep about it.
    pub notes: CpuNotes,
}

/// The machine.
pub struct World {
    pub plan: Plan,
    pub area: StopArea<MAX_CPUS>,
    pub failure: RefCell<Option<String>>,
    pub notes: Notes,
    now: Cell<Ns>,
    steps: Cell<u64>,
    dice: RefCell<fastrand::Rng>,
    cpus: ArrayVec<CpuState, MAX_CPUS>,
    flying: RefCell<BinaryHeap<Reverse<Flight>>>,
    sent: Cell<u32>,
    traced: bool,
}

/// A signal on its way: when it arrives, in which order it was sent, to whom, and what.
type Flight = (Ns, u32, usize, RungKind);

/// What came of a schedule.
#[derive(Clone, Debug)]
pub struct Run {
    /// Turns taken by CPUs.
    pub steps: u64,
    /// The first violation.
    pub failure: Option<String>,
    /// What the owners were told, in order.
    pub accounts: Vec<Account>,
    /// How the CPUs ended.
    pub ends: Vec<End>,
    /// Why the machine was stopped, at last.
    pub reason: Option<Reason>,
    /// Signals sent, by kind.
    pub signals: [u32; 3],
}

impl World {
    /// The machine as it is when the plan begins. With `traced` it tells all that happens.
    pub fn new(plan: Plan, traced: bool) -> Self {
        let dice = fastrand::Rng::with_seed(plan.seed);
        let cpus = plan.cpus.iter().map(|cpu| CpuState::new(cpu.virt)).collect();
        let world = Self {
            plan,
            area: StopArea::new(),
            failure: RefCell::default(),
            notes: Notes::default(),
            now: Cell::new(10 * US),
            steps: Cell::new(0),
            dice: RefCell::new(dice),
            cpus,
            flying: RefCell::default(),
            sent: Cell::new(0),
            traced,
        };
        world.power_on();
        world
    }

    fn power_on(&self) {
        self.area.area().set_cpus(self.cpus());
        for (n, cpu) in self.cpus.iter().enumerate() {
            let start = self.plan.cpus[n].start;
            match start {
                Start::Off { .. } => continue,
                Start::Unasked { .. } => {}
                Start::Online if n == 0 => _ = self.word(n).boot_cpu_online(),
                Start::Online | Start::Starting { .. } => {
                    let generation = self.word(n).begin_start().ok();
                    cpu.generation.set(generation);
                    if let (Start::Online, Some(generation)) = (start, generation) {
                        let _ = self.word(n).come_online(generation);
                    }
                }
            }
            let arrives = match start {
                Start::Starting { arrives_after } => arrives_after,
                // It executes nothing yet.
                Start::Unasked { arrives_after } => {
                    cpu.wake.set(self.now() + arrives_after);
                    continue;
                }
                _ => Some(0),
            };
            self.release(n, arrives);
        }
    }

    /// CPU `n` begins to execute, so long after now; `None`: never.
    pub fn release(&self, n: usize, after: Option<Ns>) {
        let cpu = &self.cpus[n];
        cpu.body.set(Body::Runs);
        cpu.wake.set(after.map_or(NEVER, |ns| self.now() + ns));
    }

    /// Plays the plan to its end.
    pub fn run(self, stacks: &mut Stacks) -> Run {
        {
            let mut fibers = Fibers::new(&self, stacks, program::run);
            while let Some(n) = self.next() {
                self.steps.set(self.steps.get() + 1);
                fibers.step(n);
            }
        }
        if !self.failed() {
            self.check_end();
        }
        Run {
            steps: self.steps.get(),
            failure: self.failure.take(),
            ends: self.ends(),
            reason: self.area.area().hold().map(|hold| hold.reason),
            accounts: self.notes.accounts.take(),
            signals: self.notes.signals.get(),
        }
    }

    /// Whose turn it is: what happens next in time, happens. `None` when nothing does before the horizon.
    fn next(&self) -> Option<usize> {
        loop {
            let (wake, n) = self.next_cpu();
            let arrival = self.flying.borrow().peek().map_or(NEVER, |Reverse(f)| f.0);
            let soonest = wake.min(arrival);
            if soonest > self.plan.horizon || self.failed() {
                return None;
            }
            self.now.set(soonest.max(self.now()));
            if wake <= arrival {
                self.cpus[n].wake.set(NEVER);
                return Some(n);
            }
            self.land();
        }
    }

    fn next_cpu(&self) -> (Ns, usize) {
        let wakes = self.cpus.iter().enumerate().map(|(n, cpu)| (cpu.wake.get(), n));
        wakes.min().unwrap_or((NEVER, 0))
    }

    /// The next signal arrives.
    fn land(&self) {
        let Some(Reverse((_, _, n, kind))) = self.flying.borrow_mut().pop() else {
            return;
        };
        let cpu = &self.cpus[n];
        if matches!(cpu.body.get(), Body::NeverReleased | Body::Off | Body::Struck) {
            return;
        }
        match kind {
            RungKind::Interrupt => cpu.pending_irq.set(true),
            RungKind::NonMaskable => cpu.pending_nmi.set(true),
            RungKind::Hardware if cpu.virt.get() => {
                self.trace(n, format_args!("holds a hard stop back"));
                return cpu.held_back.set(true);
            }
            RungKind::Hardware => {
                self.trace(n, format_args!("is stopped by hardware"));
                cpu.body.set(Body::Struck);
                cpu.wake.set(NEVER);
                return;
            }
        }
        if cpu.light_sleep.get() && self.can_take(n) {
            cpu.wake
                .set(cpu.wake.get().min(self.now() + self.roll(100, 2_000)));
        }
    }

    /// Whether CPU `n` would take an interrupt that is pending.
    pub fn can_take(&self, n: usize) -> bool {
        let cpu = &self.cpus[n];
        let deaf = self.plan.cpus[n].deaf;
        let nmi = cpu.pending_nmi.get() && !cpu.in_nmi.get() && !deaf;
        nmi || cpu.pending_irq.get() && cpu.irqs_on.get()
    }

    /// Sends a signal, or fails to.
    pub fn send(&self, to: usize, kind: RungKind) {
        self.notes.count_signal(kind);
        let signals = self.plan.signals;
        let hits = |percent: u8| match kind {
            RungKind::Interrupt => self.roll(0, 99) < percent.into(),
            RungKind::NonMaskable => self.roll(0, 999) < percent.into(),
            RungKind::Hardware => false,
        };
        if hits(signals.lost) {
            self.trace(to, format_args!("{kind:?} to it is lost"));
            return;
        }
        let copies = if hits(signals.twice) { 2 } else { 1 };
        for _ in 0..copies {
            let late = if hits(signals.late) {
                self.roll(0, signals.late_by)
            } else {
                0
            };
            self.deliver(to, kind, late);
        }
    }

    /// A signal is on its way, later than usual by so much.
    fn deliver(&self, to: usize, kind: RungKind, late: Ns) {
        let number = self.sent.replace(self.sent.get() + 1);
        let at = self.now() + self.roll(100, 3_000) + late;
        self.flying.borrow_mut().push(Reverse((at, number, to, kind)));
    }

    /// CPU `n` leaves the mode of a hypervisor, and what was held back comes.
    pub fn leave_virt(&self, n: usize) {
        let cpu = &self.cpus[n];
        cpu.virt.set(false);
        if cpu.held_back.take() {
            self.deliver(n, RungKind::Hardware, 0);
        }
    }

    /// True time.
    pub fn now(&self) -> Ns {
        self.now.get()
    }

    /// Time by the machine's clock.
    pub fn clock(&self) -> Ns {
        let now = self.now();
        match self.plan.clock {
            Clock::Runs => now,
            Clock::Stops(at) => now.min(at),
            Clock::Steps(at, by) if now >= at => now.saturating_add_signed(by),
            Clock::Steps(..) => now,
            Clock::Ticks(every) => now - now % every.max(1),
        }
    }

    /// A number from `low` to `high`.
    pub fn roll(&self, low: Ns, high: Ns) -> Ns {
        self.dice.borrow_mut().u64(low..=high.max(low))
    }

    pub fn cpus(&self) -> usize {
        self.cpus.len()
    }

    pub fn cpu(&self, n: usize) -> &CpuState {
        &self.cpus[n]
    }

    pub fn give_way(&self, n: usize) -> &GiveWay {
        &self.cpus[n].give_way
    }

    pub fn word(&self, n: usize) -> &CpuWord {
        let word = self.area.area().word(CpuId::new(n as u32));
        word.expect("the area has room for every CPU of a plan")
    }

    /// The highest reason that has come up.
    pub fn note_reason(&self, reason: Reason) {
        let highest = self.notes.reason.get().max(Some(reason));
        self.notes.reason.set(highest);
    }

    /// An invariant does not hold. The first counts.
    pub fn fail(&self, what: fmt::Arguments<'_>) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some(what.to_string());
        }
    }

    pub fn failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Says what happens, if anybody listens.
    pub fn trace(&self, n: usize, what: fmt::Arguments<'_>) {
        if self.traced {
            println!("{:>10.3} us  CPU {n:<2} {what}", self.now() as f64 / US as f64);
        }
    }
}

impl CpuState {
    fn new(virt: bool) -> Self {
        Self {
            give_way: GiveWay::default(),
            wake: Cell::new(NEVER),
            light_sleep: Cell::new(false),
            irqs_on: Cell::new(false),
            in_nmi: Cell::new(false),
            pending_irq: Cell::new(false),
            pending_nmi: Cell::new(false),
            virt: Cell::new(virt),
            held_back: Cell::new(false),
            body: Cell::new(Body::NeverReleased),
            begun: Cell::new(false),
            door: Door::new(),
            generation: Cell::new(None),
            passed: Default::default(),
            notes: CpuNotes::default(),
        }
    }
}
