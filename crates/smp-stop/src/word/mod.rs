//! The word and its changes.

mod state;
#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests;

pub use state::{CpuState, Generation, Origin, Refused, View};

use crate::mutants::mutant;
use crate::sync::{AtomicU32, Ordering, const_fn};

/// The state of one CPU. All changes are compare-exchanges with acquire-release ordering, so that what a CPU did
/// before a change is visible to whoever sees the change.
#[repr(transparent)]
#[derive(Debug)]
pub struct CpuWord(AtomicU32);

impl CpuWord {
    const_fn! {
        /// A CPU that was never started.
        pub fn new() -> Self {
            Self(AtomicU32::new(View::NEVER.pack()))
        }
    }

    /// What the word holds now.
    pub fn view(&self) -> View {
        View::unpack(self.raw())
    }

    pub(crate) fn raw(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// The state alone.
    pub fn state(&self) -> CpuState {
        self.view().state
    }

    /// The boot CPU is running before anybody could have started it. That counts as a start: should it go off later, it is
    /// one that was released.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is OFF.
    pub fn boot_cpu_online(&self) -> Result<(), Refused> {
        let online = |v: View| View {
            state: CpuState::Online,
            generation: v.generation.next(),
            ..v
        };
        self.change(|v| (v.state == CpuState::Off).then(|| online(v)))
            .map(drop)
    }

    /// OFF to STARTING under a new generation. To be called before the CPU is released.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is OFF, and when a stop has forbidden further starts.
    pub fn begin_start(&self) -> Result<Generation, Refused> {
        let may = |v: View| v.state == CpuState::Off && (v.origin == Origin::None || mutant!(OffNotBarred));
        let started = |v: View| View {
            state: CpuState::Starting,
            origin: Origin::None,
            generation: v.generation.next(),
        };
        self.change(|v| may(v).then(|| started(v)))
            .map(|old| old.generation.next())
    }

    /// STARTING back to OFF: the hardware refused the start, so nobody was released.
    ///
    /// # Errors
    /// [`Refused`] if the CPU is not STARTING under `generation`.
    pub fn cancel_start(&self, generation: Generation) -> Result<(), Refused> {
        self.leave_starting(generation, CpuState::Off)
    }

    /// The online gate, called by the started CPU itself: STARTING to ONLINE, if it is still awaited.
    ///
    /// # Errors
    /// [`Refused`] when a stop was requested, the start was revoked, or `generation` is an old one: the CPU must park.
    pub fn come_online(&self, generation: Generation) -> Result<(), Refused> {
        if mutant!(GateRemoved) {
            return self.change(|v| Some(with_state(v, CpuState::Online))).map(drop);
        }
        if mutant!(StaleGeneration) {
            return self.step(CpuState::Starting, CpuState::Online);
        }
        self.leave_starting(generation, CpuState::Online)
    }

    /// STARTING to LOST: nobody waits for this start any more.
    ///
    /// # Errors
    /// [`Refused`] if the CPU is not STARTING under `generation`: it made it after all, or a stop was first.
    pub fn revoke(&self, generation: Generation) -> Result<(), Refused> {
        self.leave_starting(generation, CpuState::Lost)
    }

    /// Asks the CPU to stop: ONLINE, STARTING, DYING or LOST to STOP_REQ; a CPU that is OFF may not be started any more.
    /// Returns what the word says now; unchanged where there is nothing to ask: already asked, or answered.
    pub(crate) fn ask(&self) -> View {
        let (_, now) = self.step_by(&ASKED);
        View::unpack(now)
    }

    /// Whatever a running CPU is, asked or not, to SAVING, called by the CPU itself.
    ///
    /// # Errors
    /// [`Refused`] if it has begun to answer already: SAVING, SAVED or PARKED.
    pub(crate) fn begin_answer(&self) -> Result<(), Refused> {
        let (old, now) = self.step_by(&ANSWERING);
        let refused = Refused {
            found: View::unpack(old),
        };
        (now != old || mutant!(SaveTwice)).then_some(()).ok_or(refused)
    }

    /// SAVING to SAVED, called by the CPU itself: the one that stands by for the owner's death.
    pub(crate) fn saved(&self) {
        // Refused only if memory was corrupted: the CPU is then named as one that did not finish.
        let _ = self.step(CpuState::Saving, CpuState::Saved);
    }

    /// Acknowledges: whatever the state, the CPU is PARKED. Must be its last store before the park loop (I3).
    pub(crate) fn park(&self) {
        // A park is never refused: a CPU that arrives at the gate late, LOST or of an old generation, parks too.
        let _ = self.step_by(&PARKED);
    }

    /// The owner of a stop knows from the hardware that a CPU which did not answer is off.
    pub(crate) fn off_by_hardware(&self) {
        let _ = self.change(|v| {
            matches!(v.state, CpuState::StopReq | CpuState::Saving).then(|| with_state(v, CpuState::Off))
        });
    }

    /// A CPU that should not be running, OFF or LOST, is about to own a stop: whoever may have to stop *it* must see
    /// that it runs.
    pub(crate) fn reappear(&self) {
        let _ = self.change(|v| {
            matches!(v.state, CpuState::Off | CpuState::Lost).then(|| with_state(v, CpuState::Dying))
        });
    }

    /// ONLINE to DYING, called by the CPU itself: the start of the offline path.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is ONLINE.
    pub fn begin_offline(&self) -> Result<(), Refused> {
        self.step(CpuState::Online, CpuState::Dying)
    }

    /// DYING to OFF, once the hardware says so or the CPU is about to stop fetching for good.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is DYING.
    pub fn go_off(&self) -> Result<(), Refused> {
        self.step(CpuState::Dying, CpuState::Off)
    }

    fn step(&self, from: CpuState, to: CpuState) -> Result<(), Refused> {
        self.change(|v| (v.state == from).then(|| with_state(v, to)))
            .map(drop)
    }

    fn leave_starting(&self, generation: Generation, to: CpuState) -> Result<(), Refused> {
        let awaited = |v: View| v.state == CpuState::Starting && v.generation == generation;
        self.change(|v| awaited(v).then(|| with_state(v, to))).map(drop)
    }

    /// One compare-exchange loop: the word becomes what `next` says. Returns what was replaced.
    fn change(&self, next: impl Fn(View) -> Option<View>) -> Result<View, Refused> {
        let mut raw = self.raw();
        loop {
            let found = View::unpack(raw);
            let Some(new) = next(found) else {
                return Err(Refused { found });
            };
            match self.exchange(raw, new.pack()) {
                Ok(_) => return Ok(found),
                Err(changed) => raw = changed,
            }
        }
    }

    /// As [`Self::change`], for the changes that every CPU makes in every stop, from a table. Returns what was replaced and
    /// what by, the same twice where there was nothing to change.
    #[inline]
    fn step_by(&self, steps: &Steps) -> (u32, u32) {
        let first = self.step_from(self.raw(), steps);
        first.unwrap_or_else(|changed| self.step_again(changed, steps))
    }

    /// Somebody else changed the word at the same time.
    #[cold]
    fn step_again(&self, mut raw: u32, steps: &Steps) -> (u32, u32) {
        loop {
            match self.step_from(raw, steps) {
                Ok(done) => return done,
                Err(changed) => raw = changed,
            }
        }
    }

    /// One attempt, of a word that held `raw`. What it holds instead, if that is something else.
    #[inline]
    fn step_from(&self, raw: u32, steps: &Steps) -> Result<(u32, u32), u32> {
        let next = raw & !0xff | u32::from(steps[(raw & 0xff) as usize]);
        if next != raw {
            self.exchange(raw, next)?;
        }
        Ok((raw, next))
    }

    fn exchange(&self, old: u32, new: u32) -> Result<u32, u32> {
        let ordering = match mutant!(RelaxedAck) {
            true => Ordering::Relaxed,
            false => Ordering::AcqRel,
        };
        self.0.compare_exchange(old, new, ordering, Ordering::Acquire)
    }
}

/// What a change makes of the state and origin of a word, by the eight bits they are kept in; the same where it is refused.
type Steps = [u8; 256];

/// The table of a change.
macro_rules! steps {
    ($next:path) => {{
        let mut steps = [0; 256];
        let mut raw = 0;
        while raw < steps.len() {
            steps[raw] = match $next(View::decode(raw as u32)) {
                Some(view) => view.pack() as u8,
                None => raw as u8,
            };
            raw += 1;
        }
        steps
    }};
}

static ASKED: Steps = steps!(asked);
static ANSWERING: Steps = steps!(answering);
static PARKED: Steps = steps!(parked);

const fn with_state(view: View, state: CpuState) -> View {
    View { state, ..view }
}

/// What a request makes of a word, if anything.
const fn asked(view: View) -> Option<View> {
    match (Origin::of(view.state), view.state, view.origin) {
        (Some(origin), ..) => Some(View {
            state: CpuState::StopReq,
            origin,
            ..view
        }),
        (None, CpuState::Off, Origin::None) => Some(View {
            origin: Origin::Barred,
            ..view
        }),
        _ => None,
    }
}

/// What the beginning of an answer makes of it.
const fn answering(view: View) -> Option<View> {
    let origin = match (Origin::of(view.state), view.state) {
        (_, CpuState::Saving | CpuState::Saved | CpuState::Parked) => return None,
        (Some(origin), _) => origin,
        (None, _) => view.origin,
    };
    Some(View {
        state: CpuState::Saving,
        origin,
        ..view
    })
}

/// What an acknowledgement makes of it.
const fn parked(view: View) -> Option<View> {
    Some(with_state(view, CpuState::Parked))
}

impl Default for CpuWord {
    fn default() -> Self {
        Self::new()
    }
}
