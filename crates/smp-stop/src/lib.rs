//! Every CPU's state in one atomic word, from OFF to PARKED.
//!
//! Nothing here counts CPUs and no mask is an acknowledgement: what a CPU is, its own word says, and each change is
//! one compare-exchange on that word. Bring-up and stop use the same word, so that they cannot miss each other:
//! a CPU comes online by changing STARTING to ONLINE, a stop changes whatever it finds, and whoever is second sees it.
//!
//! ```text
//!            begin_start            come_online            request_stop          begin_save         park
//!   OFF ───────────────▶ STARTING ───────────────▶ ONLINE ───────────────▶ STOP_REQ ──────▶ SAVING ──────▶ PARKED
//!    ▲                      │  │                      │                      ▲
//!    │          revoke      │  └──────────────────────│──── request_stop ────┘
//!    │   LOST ◀─────────────┘                         │
//!    └────────────── go_off ◀── DYING ◀── begin_offline
//! ```
//!
//! The word also holds a *generation*, raised by every start: a CPU that was given up and arrives late presents the
//! generation it was started with, and is refused.
#![no_std]

mod word;

pub use word::{CpuState, CpuWord, Generation, Refused, View};
