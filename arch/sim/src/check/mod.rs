//! The invariants, checked against what the machine really does.

mod end;

use std::cell::{Cell, RefCell};

use smp_stop::report::Row;
use smp_stop::{
    CpuId, CpuState as State, How, Origin, Outcome, Phase, Point, Reason, Registers, RungKind, Stop,
    Unavailable,
};

use crate::cpu::Cpu;
use crate::ops::longest;
use crate::plan::{Ns, Place, US};
use crate::world::Body;

/// What the checks keep about a machine.
#[derive(Default)]
pub struct Notes {
    /// The highest reason that has come up.
    pub reason: Cell<Option<Reason>>,
    /// What the owners were told, in order.
    pub accounts: RefCell<Vec<Account>>,
    /// Signals sent, by kind.
    pub signals: Cell<[u32; 3]>,
    /// Owners that were replaced because they died.
    takeovers: Cell<u32>,
    /// Every word was asked or barred: nobody comes online any more.
    closed: Cell<bool>,
    /// When an owner last came to the end of its waits; the account follows.
    waited: Cell<Ns>,
}

/// What the checks keep about a CPU.
#[derive(Default)]
pub struct CpuNotes {
    saves: Cell<u32>,
    /// Since when it owns the stop and has not returned from it.
    leads_since: Cell<Option<Ns>>,
    /// When it began to answer.
    answered: Cell<Option<Ns>>,
    /// Whether it stood by for the owner's death.
    stood_by: Cell<bool>,
    /// When it came unasked, and began to wait.
    pub waits_since: Cell<Ns>,
    /// Polls since it owns the stop.
    polls: Cell<u32>,
    /// Polls since somebody else owns the stop.
    polls_in_vain: Cell<u32>,
}

/// What an owner was told.
#[derive(Clone, Debug)]
pub struct Account {
    /// The owner.
    pub owner: usize,
    /// How it came to be.
    pub how: How,
    /// Which claim.
    pub generation: u8,
    /// Whether all stand still.
    pub stopped: bool,
    /// Why nothing could be done, if so.
    pub unavailable: Option<Unavailable>,
    /// True time.
    pub at: Ns,
    /// CPU by CPU.
    pub rows: Vec<Row>,
    /// What the CPUs really did at that time.
    pub bodies: Vec<Body>,
}

/// How a CPU ended.
#[derive(Clone, Debug)]
pub struct End {
    /// What the report says when nothing happens any more.
    pub row: Row,
    /// What the CPU really does.
    pub body: Body,
    /// How often its registers were saved.
    pub saves: u32,
}

impl Notes {
    pub fn count_signal(&self, kind: RungKind) {
        let mut signals = self.signals.get();
        signals[kind as usize - 1] += 1;
        self.signals.set(signals);
    }
}

/// Registers that cannot be taken for another CPU's, nor for half of them.
fn registers_of(n: usize) -> Registers {
    let n = n as u64 + 1;
    let mut registers = Registers::EMPTY;
    registers.begin(1, n << 12, n << 20, n << 24);
    (0..4).for_each(|word| registers.push(n * 100 + word));
    registers
}

impl Cpu<'_> {
    fn notes(&self) -> &CpuNotes {
        &self.state().notes
    }

    /// I3: what a CPU does after its acknowledgement is to park.
    pub fn not_after_ack(&self, does: &str) {
        let parked = self.world.word(self.n).state() == State::Parked;
        if parked && !self.world.plan.cpus[self.n].unknown {
            self.world.fail(format_args!(
                "I3: CPU {} {does} after its acknowledgement",
                self.n
            ));
        }
    }

    pub fn note_save(&self) {
        let saves = self.notes().saves.get() + 1;
        self.notes().saves.set(saves);
        if saves > 1 {
            self.world
                .fail(format_args!("I4: CPU {} saves its registers twice", self.n));
        }
    }

    /// A call of `stop`. One from a CPU that is answering already does not count: it faulted there.
    pub fn note_stop(&self, reason: Reason) {
        let state = self.world.word(self.n).state();
        let answering = matches!(state, State::Saving | State::Saved | State::Parked);
        // A CPU without a number cannot be recognised as one that is answering.
        if !answering || self.owns() || self.world.plan.cpus[self.n].unknown {
            self.world.note_reason(reason);
        }
    }

    fn owns(&self) -> bool {
        let hold = self.world.area.area().hold();
        hold.is_some_and(|hold| hold.owner.cpu() == Some(CpuId::new(self.n as u32)))
    }

    pub fn note_point(&self, at: Point) {
        let notes = self.notes();
        match at {
            Point::Elected if notes.leads_since.get().is_none() => {
                notes.leads_since.set(Some(self.world.now()));
                notes.polls.set(0);
                notes.polls_in_vain.set(0);
                self.note_takeover();
            }
            Point::Answering => {
                notes.leads_since.set(None);
                notes.answered.set(Some(self.world.now()));
            }
            Point::StandingBy => notes.stood_by.set(true),
            Point::Signalling(_) => self.world.notes.closed.set(true),
            Point::Released => {
                self.world.notes.closed.set(true);
                self.world.notes.waited.set(self.world.now());
            }
            Point::Finishing => self.check_finishing(),
            _ => {}
        }
    }

    /// An owner that has answered before stood by, and took over. That happens once.
    fn note_takeover(&self) {
        let takeovers = &self.world.notes.takeovers;
        if self.world.word(self.n).state() == State::Saved {
            takeovers.set(takeovers.get() + 1);
        }
        if takeovers.get() > 1 {
            self.world.fail(format_args!(
                "CPU {} takes the stop over, as another did before",
                self.n
            ));
        }
    }

    fn check_finishing(&self) {
        let hold = self.world.area.area().hold();
        if self.owns() && hold.is_some_and(|hold| hold.phase == Phase::Done) {
            self.world
                .fail(format_args!("I2: somebody else ended the stop of CPU {}", self.n));
        }
    }

    /// A former owner notices at its next look that it is none (and has a look in each turn of a wait). All waits are
    /// bounded (I5).
    pub fn note_relax(&self) {
        let notes = self.notes();
        if notes.leads_since.get().is_none() {
            return;
        }
        notes.polls.set(notes.polls.get() + 1);
        let known = !self.world.plan.cpus[self.n].unknown;
        if known && !self.owns() {
            notes.polls_in_vain.set(notes.polls_in_vain.get() + 1);
        }
        if notes.polls_in_vain.get() > 1 {
            self.world
                .fail(format_args!("CPU {} waits as if it still owned the stop", self.n));
        }
        if notes.polls.get() > 9 * crate::ops::LIMITS.total_polls {
            self.world
                .fail(format_args!("I5: CPU {} polls and polls", self.n));
        }
    }

    /// A signal goes to those that were online, and have not answered.
    pub fn check_target(&self, target: CpuId, kind: RungKind) {
        let view = self.world.word(target.as_usize()).view();
        let waiting =
            view.state == State::StopReq || kind == RungKind::Hardware && view.state == State::Saving;
        if !waiting || !matches!(view.origin, Origin::Online | Origin::Dying) {
            self.world
                .fail(format_args!("{kind:?} to CPU {target}, which is {view:?}"));
        }
    }

    /// A CPU that came through the gate was not asked to stop on its way, and could not have been.
    pub fn check_gate(&self) {
        if self.world.notes.closed.get() {
            self.world.fail(format_args!(
                "CPU {} came through the gate after all were asked",
                self.n
            ));
        }
        let view = self.world.word(self.n).view();
        let through = view.state == State::Online && view.origin == Origin::None;
        if !through || self.state().generation.get() != Some(view.generation) {
            self.world
                .fail(format_args!("CPU {} came through the gate as {view:?}", self.n));
        }
    }

    /// I7: the owner never parks.
    pub fn check_park(&self) {
        if self.owns() {
            self.world
                .fail(format_args!("I7: CPU {} parks, and owns the stop", self.n));
        }
    }

    /// An owner's return: it owns, alone, in time, and what it is told is true.
    pub fn returned(&self, stop: &Stop<'_>) {
        let account = Account {
            owner: self.n,
            how: stop.how,
            generation: stop.generation,
            stopped: stop.outcome.is_stopped(),
            unavailable: match stop.outcome {
                Outcome::Unavailable { why } => Some(why),
                _ => None,
            },
            at: self.world.now(),
            rows: stop.report.rows().collect(),
            bodies: (0..self.world.cpus())
                .map(|n| self.world.cpu(n).body.get())
                .collect(),
        };
        self.world.trace(
            self.n,
            format_args!("owns the stop, {:?}: {}", stop.how, stop.outcome),
        );
        let hold = self.world.area.area().hold();
        if hold.is_none_or(|hold| hold.generation != stop.generation) {
            self.world.fail(format_args!(
                "I2: CPU {} returns from a stop that is another's",
                self.n
            ));
        }
        self.check_time();
        if account.unavailable.is_none() {
            self.check_account(&account, stop);
        }
        self.world.notes.accounts.borrow_mut().push(account);
        self.notes().leads_since.set(None);
        self.pass(300);
        self.passes(Place::Reporting);
    }

    /// I5, by true time; mishaps on the owner take what they take.
    fn check_time(&self) {
        let plan = &self.world.plan;
        let Some(since) = self.notes().leads_since.get() else {
            return;
        };
        let took = self.world.now() - since;
        let hooks = 1_000 * (plan.cpus.len() as u64 + 20);
        let limit = longest(plan.cpus.len(), plan.rungs.len(), plan.clock) + hooks;
        let sound = plan.cpus[self.n].traps.is_empty();
        if sound && took > limit {
            self.world
                .fail(format_args!("I5: the stop took {took} ns, more than {limit}"));
        }
    }

    /// I1, I2, I4.
    fn check_account(&self, account: &Account, stop: &Stop<'_>) {
        for row in &account.rows {
            let n = row.cpu.as_usize();
            if n == self.n {
                continue;
            }
            self.check_row(row);
            let registers = stop.report.registers(row.cpu);
            if registers.is_some_and(|registers| registers != registers_of(n)) {
                self.world
                    .fail(format_args!("I4: the registers of CPU {n} are not whole"));
            }
            if row.is_parked() && registers.is_none() && self.world.plan.cpus[n].traps.is_empty() {
                self.world
                    .fail(format_args!("I4: CPU {n} parked without its registers"));
            }
        }
        let silent = account.rows.iter().any(|row| row.silent.is_some());
        if account.stopped == silent {
            self.world
                .fail(format_args!("I1: verdict and account differ: {account:?}"));
        }
    }

    fn check_row(&self, row: &Row) {
        let body = self.world.cpu(row.cpu.as_usize()).body.get();
        if body == Body::Waits {
            return self.check_waiting(row);
        }
        let acknowledged = row.view.is_some_and(|view| view.state == State::Parked);
        // Between the acknowledgement and the park loop there is nothing but the way there.
        let still = acknowledged
            || matches!(
                body,
                Body::Parked | Body::Off | Body::Struck | Body::NeverReleased
            );
        if !still && row.silent.is_none() {
            self.world.fail(format_args!(
                "I1: CPU {} {body:?}, and the account says {row:?}",
                row.cpu
            ));
        }
        if body == Body::Parked && row.silent.is_none() && self.should_be_off(row.cpu.as_usize()) {
            self.world
                .fail(format_args!("CPU {} is still on: {row:?}", row.cpu));
        }
    }

    /// One that came unasked before the account was written is in it.
    fn check_waiting(&self, row: &Row) {
        let since = self.world.cpu(row.cpu.as_usize()).notes.waits_since.get();
        if since < self.world.notes.waited.get() && row.silent.is_none() {
            self.world.fail(format_args!(
                "I1: CPU {} waits unasked, and the account says {row:?}",
                row.cpu
            ));
        }
    }

    /// Whether parking turns a CPU off, and it parked when that could be waited for: it answered some time ago, or it
    /// stood by, whose turn the owner determines.
    fn should_be_off(&self, n: usize) -> bool {
        let (plan, notes) = (&self.world.plan, &self.world.cpu(n).notes);
        let ago = |since: Ns| self.world.now() - since > 100 * US;
        let sound = plan.cpus[n].traps.is_empty() && !plan.cpus[n].power_off_denied;
        let due = notes.stood_by.get() || notes.answered.get().is_some_and(ago);
        plan.hw_view && plan.power_off && sound && due
    }
}
