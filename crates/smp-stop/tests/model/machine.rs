//! A machine whose CPUs are a model checker's threads. Its clock stands still, so that a wait ends after so many polls: with
//! every interleaving of those polls with what the others do, every order of "answered" and "timed out" is there.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use smp_stop::report::Row;
use smp_stop::smp::{Bound, Engine, Limits, Rung, SignalError, SmpStopOps, Targets};
use smp_stop::{
    CpuId, CpuState, CpuWord, How, Origin, Outcome, Phase, Point, Reason, Registers, Report, RungKind, Stop,
    StopArea, StopOps,
};

use crate::{N, relax};

/// Why a CPU stops executing.
enum End {
    /// It called `park`.
    Parked,
    /// It hangs in a hook of its architecture, for ever.
    Died,
}

/// What became of a CPU.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It parked.
    Parked,
    /// It hangs.
    Died,
    /// It came unasked, and waits at the door.
    Waits,
    /// It runs on, and takes no interrupts any more.
    Runs,
    /// It owns the stop, or did.
    Owns(Account),
}

/// What an owner was told, at the moment it was.
#[derive(Clone, Debug)]
pub struct Account {
    pub generation: u8,
    pub how: How,
    pub stopped: bool,
    pub rows: Vec<Row>,
}

/// What is done to a CPU inside its `signal` hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    None,
    Dies,
    /// An exception, whose handler panics: the stop is called again, and what it interrupted is never gone back to.
    Faults,
}

/// The machine.
pub struct Machine {
    pub area: StopArea<N>,
    polls: u32,
    saves: Mutex<[u32; N]>,
    /// What the hardware says is on, of those CPUs whose words do not.
    on: Mutex<[bool; N]>,
}

impl Machine {
    pub fn new(polls: u32) -> Arc<Self> {
        Arc::new(Self {
            area: StopArea::new(),
            polls,
            saves: Mutex::new([0; N]),
            on: Mutex::new([false; N]),
        })
    }

    pub fn cpu(self: &Arc<Self>, n: u32) -> Cpu {
        Cpu {
            machine: self.clone(),
            id: CpuId::new(n),
            trap: Trap::None,
            nested: Cell::new(false),
        }
    }

    pub fn word(&self, n: u32) -> &CpuWord {
        self.area.area().word(CpuId::new(n)).unwrap()
    }

    /// CPU `n` is online.
    pub fn bring_up(&self, n: u32) {
        let generation = self.word(n).begin_start().unwrap();
        self.word(n).come_online(generation).unwrap();
    }

    /// The hardware has started CPU `n`, and says so from here on.
    pub fn sees_on(&self, n: usize) {
        self.on.lock().unwrap()[n] = true;
    }

    pub fn is_on(&self, n: usize) -> bool {
        self.on.lock().unwrap()[n]
    }

    pub fn saves(&self) -> [u32; N] {
        *self.saves.lock().unwrap()
    }
}

/// The executing CPU.
pub struct Cpu {
    machine: Arc<Machine>,
    pub id: CpuId,
    pub trap: Trap,
    /// A second signal arrives while the registers are being saved.
    pub nested: Cell<bool>,
}

/// Registers that cannot be taken for another CPU's, nor for half of them.
pub fn registers_of(cpu: CpuId) -> Registers {
    let mut registers = Registers::EMPTY;
    let n = u64::from(cpu.as_u32()) + 1;
    registers.begin(1, n << 12, n << 20, n << 24);
    (0..4).for_each(|word| registers.push(n * 100 + word));
    registers
}

impl Cpu {
    pub fn engine(&self) -> Engine<'_, '_, Self> {
        Engine::new(&self.machine.area, self)
    }

    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    pub fn word(&self) -> &CpuWord {
        self.machine.word(self.id.as_u32())
    }

    /// Runs as this CPU until it is through, parks or dies.
    pub fn run(self, program: impl FnOnce(&Self) -> Fate) -> Fate {
        match catch_unwind(AssertUnwindSafe(|| program(&self))) {
            Ok(fate) => fate,
            Err(why) => match why.downcast::<End>().map(|end| *end) {
                Ok(End::Parked) => Fate::Parked,
                Ok(End::Died) => Fate::Died,
                Err(failure) => match failure.downcast::<Account>() {
                    Ok(account) => Fate::Owns(*account),
                    Err(failure) => resume_unwind(failure),
                },
            },
        }
    }

    /// Stops the machine; what the owner then sees, registers and all.
    pub fn stop(&self, reason: Reason) -> Fate {
        Fate::Owns(account(self.engine().stop(reason)))
    }

    /// Takes interrupts at so many moments, and never again.
    pub fn takes_interrupts(&self, times: u32) -> Fate {
        for _ in 0..times {
            if let Some(stop) = self.engine().signalled(RungKind::Interrupt) {
                return Fate::Owns(account(stop));
            }
        }
        Fate::Runs
    }

    /// A CPU that never was online may have no handler: a signal can kill it, or what it is about to become.
    fn check_target(&self, cpu: CpuId) {
        let origin = self.machine.word(cpu.as_u32()).view().origin;
        assert!(
            matches!(origin, Origin::Online | Origin::Dying),
            "a signal to CPU {cpu}, which was {origin:?}"
        );
    }

    fn end(&self, how: Box<dyn Any + Send>) -> ! {
        resume_unwind(how)
    }
}

fn account(stop: Stop<'_>) -> Account {
    let rows: Vec<Row> = stop.report.rows().collect();
    for row in rows.iter().filter(|row| row.is_parked()) {
        check_parked(row, &stop.report);
    }
    Account {
        generation: stop.generation,
        how: stop.how,
        stopped: matches!(stop.outcome, Outcome::Stopped),
        rows,
    }
}

/// I4: whoever sees an acknowledgement sees all that came before it.
fn check_parked(row: &Row, report: &Report<'_>) {
    assert!(
        row.via.is_some(),
        "I4: CPU {} parked, and nobody knows how",
        row.cpu
    );
    let registers = report.registers(row.cpu);
    assert_eq!(
        registers,
        Some(registers_of(row.cpu)),
        "I4: CPU {} parked without its registers",
        row.cpu
    );
}

impl StopOps for Cpu {
    fn mask_interrupts(&self) {}

    fn this_cpu(&self) -> Option<CpuId> {
        Some(self.id)
    }

    fn hw_id(&self) -> u64 {
        self.id.as_u32().into()
    }

    fn now(&self) -> u64 {
        0
    }

    fn relax(&self) {
        relax();
    }

    fn save_regs(&self, out: &mut Registers) {
        assert_ne!(
            self.word().state(),
            CpuState::Parked,
            "I3: saved after the acknowledgement"
        );
        self.machine.saves.lock().unwrap()[self.id.as_usize()] += 1;
        if self.nested.get() {
            assert!(self.engine().signalled(RungKind::NonMaskable).is_none());
        }
        *out = registers_of(self.id);
    }

    fn quiesce(&self) {}

    fn park(&self) -> ! {
        self.end(Box::new(End::Parked))
    }

    fn point(&self, at: Point) {
        if at == Point::Finishing {
            let hold = self.machine.area.area().hold().unwrap();
            let mine = hold.owner.cpu() == Some(self.id);
            assert!(
                !mine || hold.phase != Phase::Done,
                "I2: somebody else ended this stop"
            );
        }
    }
}

const RUNGS: [Rung; 1] = [Rung {
    kind: RungKind::Interrupt,
    bound: Bound::ms_us(10, 0),
}];

impl SmpStopOps for Cpu {
    fn rungs(&self) -> &[Rung] {
        &RUNGS
    }

    fn signal(&self, _rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        match self.trap {
            Trap::None => targets.iter().for_each(|cpu| self.check_target(cpu)),
            Trap::Dies => self.end(Box::new(End::Died)),
            Trap::Faults => {
                let handler = self.machine.cpu(self.id.as_u32());
                let again = account(handler.engine().stop(Reason::Panic));
                self.end(Box::new(again));
            }
        }
        Ok(())
    }

    fn hw_off(&self, cpu: CpuId) -> Option<bool> {
        self.machine.is_on(cpu.as_usize()).then_some(false)
    }

    fn limits(&self) -> Limits {
        Limits {
            stalled_polls: self.machine.polls,
            ..Limits::DEFAULT
        }
    }
}
