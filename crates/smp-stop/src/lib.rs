//! Brings every CPU of a machine to a standstill, and accounts for each of them.
//!
//! A kernel that panics, reboots or hands over to another kernel has to stop its other CPUs first. This crate is that one
//! algorithm, without a word about any architecture: one CPU is elected, asks the others, climbs from polite signals to
//! forceful ones for those that do not answer, gives up in bounded time, and returns with a report in which every CPU that
//! was ever released stands still or is named with the reason. It takes no lock, allocates nothing, prints nothing, and
//! needs neither a per-CPU base nor a clock that works. Models under `tests/loom` explore every order of events on small
//! machines; the simulator `sim` plays millions of broken large ones.
//!
//! # The word
//!
//! Nothing here counts CPUs and no mask is an acknowledgement: what a CPU is, its own word says, and each change is
//! one compare-exchange on that word. Bring-up and stop use the same word, so that they cannot miss each other:
//! a CPU comes online by changing STARTING to ONLINE, a stop changes whatever it finds, and whoever is second sees it.
//!
//! ```text
//!            begin_start              come_online
//!   OFF ───────────────▶ STARTING ─────────────────▶ ONLINE ───── begin_offline ────▶ DYING ──── go_off ───▶ OFF
//!    │  ◀── cancel_start ──┘  │ revoke                 │                                │
//!    │                        ▼                        │                                │
//!    │                      LOST                       │                                │
//!    │                        │                        │                                │
//!    ┆ a stop leaves          └───────── a stop ───────┴──── changes all of these ──────┘
//!    ┆ it OFF, barred                                  │
//!    ┆ from any start                                  ▼
//!                                                   STOP_REQ ────▶ SAVING ──────────────────────────▶ PARKED
//!                                                          the CPU     │                                 ▲
//!                                                          answers     └───▶ SAVED, stands by ───────────┘
//!                                                                        (the first to answer, until released)
//! ```
//!
//! The word also holds a *generation*, raised by every start: a CPU that was given up and arrives late presents the
//! generation it was started with, and is refused. And it holds the *origin*: what the CPU was when it was asked, which is
//! why it is stuck if it never answers.
//!
//! # The latch
//!
//! Who stops the machine, and why, is one more word. The first to claim it is the owner. The reason only rises (reboot,
//! panic, crash); whoever has a higher one takes the latch and the owner before, which notices at its next look, parks like
//! everybody else. A second stopper with no better reason saves its registers and parks. An owner that comes again, because
//! it failed inside the stop or stops once more after it, goes on. An owner that dies in a hook of its architecture is
//! replaced by the first CPU that answered, which stands by for just that: once. One that only was slow finds its claim
//! void, for the latch's generation has risen, and parks. When all that answer have answered, the one that stood by is let
//! go: from there on the owner asks the hardware, saves its own registers and writes the account, alone.
//!
//! # What is promised
//!
//! - **I1** When a stop is over, every CPU ever released is its owner, parked or off, or named with a reason.
//! - **I2** One CPU returns from it.
//! - **I3** A CPU's acknowledgement is its last store.
//! - **I4** The reason only rises. Registers are saved at most once, always, and are whole when visible: a finished reboot
//!   can still become a crash with everybody's registers there.
//! - **I5** Each wait is bounded by the clock, and by polls should the clock stand still or be set.
//! - **I6** No lock, no allocation, no per-CPU base, no output.
//! - **I7** An owner that comes again neither parks nor waits for itself.
//!
//! # Using it
//!
//! A kernel has one [`StopArea`] (see [`stop_area!`]), which is also the report, implements [`StopOps`] and, with more than
//! one CPU, [`SmpStopOps`](smp::SmpStopOps), and makes an [`smp::Engine`] or an [`up::Engine`] where it needs one. The page
//! `USING.md` goes through it step by step. Here is a machine of three threads:
//!
//! ```
//! use std::{thread, time::{Duration, Instant}};
//! use smp_stop::{CpuId, Outcome, Reason, Registers, RungKind, StopOps, smp::*};
//!
//! smp_stop::stop_area! {
//!     static STOP: 3;
//! }
//!
//! /// What the executing CPU can do.
//! struct Cpu(u32, Instant);
//!
//! impl StopOps for Cpu {
//!     fn mask_interrupts(&self) {}
//!     fn this_cpu(&self) -> Option<CpuId> { Some(CpuId::new(self.0)) }
//!     fn hw_id(&self) -> u64 { self.0.into() }
//!     fn now(&self) -> u64 { self.1.elapsed().as_nanos() as u64 }
//!     fn relax(&self) { thread::yield_now() }
//!     fn save_regs(&self, out: &mut Registers) { out.begin(0, 0x1000 + u64::from(self.0), 0, 0) }
//!     fn quiesce(&self) {}
//!     fn park(&self) -> ! { loop { thread::park() } }
//! }
//!
//! impl SmpStopOps for Cpu {
//!     fn rungs(&self) -> &[Rung] {
//!         const TWO_SECONDS: Bound = Bound::ms_us(2_000, 0);
//!         &[Rung { kind: RungKind::Interrupt, bound: TWO_SECONDS }]
//!     }
//!     // These CPUs poll, so that nothing has to be sent.
//!     fn signal(&self, _rung: usize, _targets: &Targets<'_>) -> Result<(), SignalError> { Ok(()) }
//! }
//!
//! let boot = Instant::now();
//! STOP.word(CpuId::BOOT).unwrap().boot_cpu_online().unwrap();
//! for n in 1..3 {
//!     let generation = STOP.word(CpuId::new(n)).unwrap().begin_start().unwrap();
//!     thread::spawn(move || {
//!         let cpu = Cpu(n, boot);
//!         // CPU 2 never gets to the gate.
//!         if n == 2 { cpu.park() }
//!         let engine = Engine::new(&STOP, &cpu);
//!         engine.come_online(CpuId::new(n), generation);
//!         loop {
//!             if let Some(_stop) = engine.poll() { unreachable!("nobody dies here") }
//!             thread::yield_now();
//!         }
//!     });
//! }
//!
//! let cpu = Cpu(0, boot);
//! let stop = Engine::new(&STOP, &cpu).stop_saying(Reason::Panic, "out of cheese");
//! let Outcome::Partial { silent } = stop.outcome else { panic!("{:?}", stop.outcome) };
//! assert!(silent.iter().eq([CpuId::new(2)]));
//! assert!(stop.report.parked().iter().eq([CpuId::new(1)]));
//! assert_eq!(stop.report.registers(CpuId::new(1)).unwrap().pc(), 0x1001);
//! assert_eq!(stop.report.message(CpuId::BOOT).as_deref(), Some("out of cheese"));
//! # #[cfg(feature = "display")]
//! println!("{}", stop.report);
//! ```
//!
//! # Features
//!
//! `display`, on by default, is the [`Display`](core::fmt::Display) of a report and of its parts as text for people. A kernel
//! that is short of room turns it off, and prints what it wants of [`Report::summary`] and [`Report::rows`], or nothing:
//! the report in memory is the same. `cli` builds the command `stop-report` for a host. The others are for this crate's
//! tests.
#![no_std]

mod area;
#[cfg(feature = "loom")]
pub mod checked;
mod door;
mod latch;
mod message;
#[cfg(feature = "mutants")]
pub mod mutants;
#[cfg(not(feature = "mutants"))]
#[path = "no_mutants.rs"]
mod mutants;
mod ops;
mod outcome;
mod regs;
pub mod report;
pub mod smp;
mod sync;
pub mod up;
mod word;

pub use area::{Area, MAX_CPUS, StopArea};
pub use cpumask::CpuId;
pub use door::Door;
pub use latch::{Hold, Owner, Phase, Reason};
pub use message::{MESSAGE_LEN, Message};
pub use ops::{Point, StopOps};
pub use outcome::{How, Outcome, Stop};
pub use regs::{REGISTER_WORDS, Registers};
pub use report::{Report, RungKind, Unavailable, Verdict, Via, Why};
pub use word::{CpuState, CpuWord, Generation, Origin, Refused, View};
