//! What each CPU did, in a ring of its own that survives the kernel's death.
//!
//! An event is four words: the cycle counter in two, what happened, and a number about it. Recording one reserves a place
//! by one atomic addition and stores the four words; it takes no lock, waits for nobody, and may be interrupted by an
//! exception that records events itself. Several CPUs may write to one ring: the CPU that starts another writes so in the
//! other's ring. The oldest events are overwritten.
//!
//! Whoever reads, on the machine or from its memory afterwards, gets whole events only: each carries the number of the lap
//! it was written in, and a reader looks at the ring's head once more after it has read. `tests/loom.rs` tries every order
//! of two writers and a reader.
//!
//! # Memory
//!
//! [`TraceArea`] is a static of a kernel, in a section of its own: a header, and a ring for the time before there is
//! memory for more. The header says where the CPUs' rings lie once the kernel has made them, and how to turn cycles into
//! nanoseconds: events from before the clock was calibrated have their time, too. All zeros is a valid area and a valid
//! ring, in which nothing has happened. [`layout`] says what lies where; [`decode()`] reads it, whatever it may hold.
//!
//! ```
//! use trace::{Event, Phase, Ring, TraceArea};
//!
//! static TRACE: TraceArea = TraceArea::new();
//! TRACE.sign();
//! TRACE.record(None, 100, Event::Phase(Phase::Start));
//!
//! static RINGS: [Ring; 2] = [const { Ring::new() }; 2];
//! TRACE.publish(&RINGS);
//! TRACE.record(Some(1), 200, Event::Start { by: 0, attempt: 0 });
//! TRACE.record(Some(1), 300, Event::Online);
//!
//! let told: Vec<Event> = RINGS[1].events().map(|entry| entry.event).collect();
//! assert_eq!(told, [Event::Start { by: 0, attempt: 0 }, Event::Online]);
//! ```
#![no_std]

#[cfg(not(feature = "loom"))]
mod area;
mod clock;
mod decode;
mod event;
pub mod layout;
mod ring;
mod sync;
#[cfg(all(test, not(feature = "loom")))]
mod tests;

#[cfg(not(feature = "loom"))]
pub use area::TraceArea;
pub use clock::Clock;
pub use decode::{DecodeError, Trace, decode, ring};
pub use event::{Event, Groups, Phase, Raw};
pub use ring::{EVENTS, Entry, Ring, Slots};
