//! The word and its changes.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// What a CPU is doing, as far as the rest of the machine may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CpuState {
    /// Not running: never started, or gone through the offline path.
    Off = 0,
    /// Released, and not yet at the gate.
    Starting = 1,
    /// Past the gate: runs threads, takes interrupts.
    Online = 2,
    /// Asked to stop, has not answered.
    StopReq = 3,
    /// Answering: saves its registers.
    Saving = 4,
    /// Stopped for good, in the park loop. Its last act before was to write this.
    Parked = 5,
    /// Was released, did not arrive in time and is no longer waited for. If it arrives it parks at the gate.
    Lost = 6,
    /// On its way off: no longer online, still running.
    Dying = 7,
}

impl CpuState {
    const ALL: [Self; 8] = [
        Self::Off,
        Self::Starting,
        Self::Online,
        Self::StopReq,
        Self::Saving,
        Self::Parked,
        Self::Lost,
        Self::Dying,
    ];

    /// The name as printed in tables and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Online => "online",
            Self::StopReq => "stop-requested",
            Self::Saving => "saving",
            Self::Parked => "parked",
            Self::Lost => "lost",
            Self::Dying => "dying",
        }
    }
}

impl fmt::Display for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which start of a CPU is meant; raised by one at each [`CpuWord::begin_start`], wraps after 2^24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u32);

impl Generation {
    /// The number, to hand to the CPU being started.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The generation a started CPU was handed; bits above the 24 that count are dropped.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw & GENERATION_MAX)
    }
}

const STATE_BITS: u32 = 8;
const GENERATION_MAX: u32 = u32::MAX >> STATE_BITS;

/// A change was not made: the word held something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the word held.
    pub found: View,
}

/// A word as read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The state.
    pub state: CpuState,
    /// Which start of the CPU it belongs to.
    pub generation: Generation,
}

impl View {
    const fn pack(self) -> u32 {
        (self.generation.0 << STATE_BITS) | self.state as u32
    }

    const fn unpack(raw: u32) -> Self {
        let state = CpuState::ALL[raw as usize % CpuState::ALL.len()];
        Self {
            state,
            generation: Generation(raw >> STATE_BITS),
        }
    }
}

/// The state of one CPU. All changes are compare-exchanges with acquire-release ordering, so that what a CPU did
/// before a change is visible to whoever sees the change.
#[derive(Debug)]
pub struct CpuWord(AtomicU32);

impl CpuWord {
    /// A CPU that was never started.
    pub const fn new() -> Self {
        Self(AtomicU32::new(
            View {
                state: CpuState::Off,
                generation: Generation(0),
            }
            .pack(),
        ))
    }

    /// What the word holds now.
    pub fn view(&self) -> View {
        View::unpack(self.0.load(Ordering::Acquire))
    }

    /// The state alone.
    pub fn state(&self) -> CpuState {
        self.view().state
    }

    /// The boot CPU is running before anybody could have started it.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is OFF.
    pub fn boot_cpu_online(&self) -> Result<(), Refused> {
        self.change(|v| (v.state == CpuState::Off).then_some(CpuState::Online))
            .map(drop)
    }

    /// OFF to STARTING under a new generation. To be called before the CPU is released.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is OFF.
    pub fn begin_start(&self) -> Result<Generation, Refused> {
        let step = |raw| {
            let view = View::unpack(raw);
            let generation = Generation(view.generation.0.wrapping_add(1) & GENERATION_MAX);
            (view.state == CpuState::Off).then(|| {
                View {
                    state: CpuState::Starting,
                    generation,
                }
                .pack()
            })
        };
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, step) {
            Ok(old) => Ok(Generation(
                View::unpack(old).generation.0.wrapping_add(1) & GENERATION_MAX,
            )),
            Err(raw) => Err(Refused {
                found: View::unpack(raw),
            }),
        }
    }

    /// The online gate, called by the started CPU itself: STARTING to ONLINE, if it is still awaited.
    ///
    /// # Errors
    /// [`Refused`] when a stop was requested, the start was revoked, or `generation` is an old one: the CPU must park.
    pub fn come_online(&self, generation: Generation) -> Result<(), Refused> {
        let awaited = View {
            state: CpuState::Starting,
            generation,
        };
        self.change(|v| (v == awaited).then_some(CpuState::Online))
            .map(drop)
    }

    /// STARTING to LOST: nobody waits for this start any more.
    ///
    /// # Errors
    /// [`Refused`] if the CPU is not STARTING under `generation`: it made it after all, or a stop was first.
    pub fn revoke(&self, generation: Generation) -> Result<(), Refused> {
        let awaited = View {
            state: CpuState::Starting,
            generation,
        };
        self.change(|v| (v == awaited).then_some(CpuState::Lost))
            .map(drop)
    }

    /// ONLINE, STARTING or DYING to STOP_REQ. Returns the state that was replaced, or the state as it is where there is
    /// nothing to ask: OFF, LOST, or already asked.
    pub fn request_stop(&self) -> CpuState {
        let running = |s| matches!(s, CpuState::Online | CpuState::Starting | CpuState::Dying);
        match self.change(|v| running(v.state).then_some(CpuState::StopReq)) {
            Ok(old) => old.state,
            Err(refused) => refused.found.state,
        }
    }

    /// Whether the CPU has been asked to stop; for its own loops to poll.
    pub fn stop_requested(&self) -> bool {
        matches!(self.state(), CpuState::StopReq | CpuState::Saving)
    }

    /// STOP_REQ to SAVING, called by the CPU itself. At most one call per stop succeeds, so registers are saved once.
    ///
    /// # Errors
    /// [`Refused`] in any other state.
    pub fn begin_save(&self) -> Result<(), Refused> {
        self.change(|v| (v.state == CpuState::StopReq).then_some(CpuState::Saving))
            .map(drop)
    }

    /// Acknowledges: whatever the state, the CPU is PARKED. Must be its last store before the park loop.
    pub fn park(&self) {
        // A park is never refused: a CPU that arrives at the gate late, LOST or of an old generation, parks too.
        let _ = self.change(|_| Some(CpuState::Parked));
    }

    /// ONLINE to DYING, called by the CPU itself: the start of the offline path.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is ONLINE.
    pub fn begin_offline(&self) -> Result<(), Refused> {
        self.change(|v| (v.state == CpuState::Online).then_some(CpuState::Dying))
            .map(drop)
    }

    /// DYING to OFF, once the hardware says so or the CPU is about to stop fetching for good.
    ///
    /// # Errors
    /// [`Refused`] unless the CPU is DYING.
    pub fn go_off(&self) -> Result<(), Refused> {
        self.change(|v| (v.state == CpuState::Dying).then_some(CpuState::Off))
            .map(drop)
    }

    /// One compare-exchange loop: the state becomes what `next` says, the generation stays.
    fn change(&self, next: impl Fn(View) -> Option<CpuState>) -> Result<View, Refused> {
        let step = |raw| {
            let view = View::unpack(raw);
            next(view).map(|state| View { state, ..view }.pack())
        };
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, step) {
            Ok(old) => Ok(View::unpack(old)),
            Err(raw) => Err(Refused {
                found: View::unpack(raw),
            }),
        }
    }
}

impl Default for CpuWord {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> (CpuWord, Generation) {
        let word = CpuWord::new();
        let generation = word.begin_start().unwrap();
        (word, generation)
    }

    #[test]
    fn a_start_that_is_awaited_comes_online_once() {
        let (word, generation) = started();
        assert_eq!(word.come_online(generation), Ok(()));
        assert_eq!(word.state(), CpuState::Online);
        assert!(word.come_online(generation).is_err());
        assert!(word.begin_start().is_err());
    }

    #[test]
    fn a_stop_closes_the_gate() {
        let (word, generation) = started();
        assert_eq!(word.request_stop(), CpuState::Starting);
        assert_eq!(
            word.come_online(generation).unwrap_err().found.state,
            CpuState::StopReq
        );
        word.park();
        assert_eq!(word.state(), CpuState::Parked);
    }

    #[test]
    fn a_late_cpu_of_a_revoked_start_is_refused_even_after_a_second_start() {
        let (word, first) = started();
        assert_eq!(word.revoke(first), Ok(()));
        assert_eq!(word.come_online(first).unwrap_err().found.state, CpuState::Lost);
        assert!(
            word.begin_start().is_err(),
            "a lost CPU may be anywhere: it is not started again"
        );

        let (word, first) = started();
        word.come_online(first).unwrap();
        word.begin_offline().unwrap();
        word.go_off().unwrap();
        let second = word.begin_start().unwrap();
        assert_ne!(first, second);
        assert!(word.come_online(first).is_err());
        assert!(word.revoke(first).is_err());
        assert_eq!(word.come_online(second), Ok(()));
    }

    #[test]
    fn a_revoke_that_comes_second_is_refused() {
        let (word, generation) = started();
        word.come_online(generation).unwrap();
        assert_eq!(word.revoke(generation).unwrap_err().found.state, CpuState::Online);
    }

    #[test]
    fn registers_are_saved_once() {
        let (word, generation) = started();
        word.come_online(generation).unwrap();
        assert!(word.begin_save().is_err() && !word.stop_requested());
        assert_eq!(word.request_stop(), CpuState::Online);
        assert_eq!(
            word.request_stop(),
            CpuState::StopReq,
            "asking twice changes nothing"
        );
        assert!(word.stop_requested());
        assert_eq!(word.begin_save(), Ok(()));
        assert!(word.begin_save().is_err());
    }

    #[test]
    fn a_cpu_that_is_off_needs_no_stop() {
        let word = CpuWord::new();
        assert_eq!(word.request_stop(), CpuState::Off);
        assert_eq!(word.state(), CpuState::Off);
    }

    #[test]
    fn the_generation_wraps() {
        let word = CpuWord(AtomicU32::new(
            View {
                state: CpuState::Off,
                generation: Generation(GENERATION_MAX),
            }
            .pack(),
        ));
        assert_eq!(word.begin_start().unwrap().get(), 0);
        assert_eq!(Generation::from_raw(u32::MAX).get(), GENERATION_MAX);
    }
}
